//! Uptime: monitors ask from outside whether something is well, and say when it was not.
//!
//! A check's way: [`runner`] claims what is due ([`schedule`]) → [`mod@check`] asks, through the guarded
//! [`outbound`](super::outbound) → [`judge`] compares the answer with what the [`target`] expects → [`state`] says what that
//! makes of the monitor and its incident → `store::monitor_checks` writes all of it in one transaction. [`detect`] tells what
//! is broken, [`history`] what was; [`http`] is where monitors are made and looked at ([`rules`] says which there can be).

pub mod state;
pub mod schedule;
pub mod target;
pub mod rules;
pub mod judge;
pub mod check;
pub mod runner;
pub mod detect;
pub mod history;
pub mod answers;
pub mod http;
mod patterns;
pub mod incidents;

pub use runner::Runner;

use trailmark_protocol::Timestamp;

use crate::store::{Store, StoreError};

/// Makes hours of minutes. To be called every few minutes; calling it twice does no harm.
///
/// # Errors
/// What stands in the way.
pub async fn roll(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    store.roll_monitors(now).await.map(|_| ())
}

/// Forgets minutes, hours and incidents that are too old. To be called now and then; calling it twice does no harm.
///
/// # Errors
/// What stands in the way.
pub async fn forget(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    store.forget_monitors(now).await.map(|_| ())
}
