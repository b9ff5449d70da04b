//! The hub, over real sockets.

use std::sync::Arc;

use trailmark_protocol::Timestamp;

use super::testing::Posted;
use super::{Hub, HubConfig, Parts};
use crate::bus::LocalBus;
use crate::clock::ManualClock;

mod messages;
mod entering;
mod ending;
mod pace;
mod services;

fn parts() -> Parts {
    Parts {
        bus: Arc::new(LocalBus::default()),
        deliver: Arc::new(Posted::default()),
        clock: ManualClock::at(Timestamp::default()),
    }
}

#[tokio::test]
async fn a_hub_that_nobody_holds_is_gone() {
    let hub = Hub::start("chat", HubConfig::default(), parts()).unwrap();
    tokio::task::yield_now().await;
    let seen = Arc::downgrade(&hub);
    drop(hub);
    assert!(seen.upgrade().is_none(), "its own task keeps it");
}

#[tokio::test]
async fn a_hub_with_wrong_settings_does_not_start() {
    let wrong = HubConfig {
        queue: 0,
        ..HubConfig::default()
    };
    assert_eq!(Hub::start("chat", wrong, parts()).unwrap_err().len(), 1);
    assert!(Hub::start("", HubConfig::default(), parts()).is_err());
}
