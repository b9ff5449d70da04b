//! Messages between parts and processes that do not know each other: whoever publishes names a topic, whoever subscribes a
//! [`Pattern`] of topics.
//!
//! Every message is delivered at most once to each subscription, and those of one publisher in their order. Nothing is kept
//! for who is away. Publishing never waits: a subscriber that is too slow loses the oldest of what it was sent, and that is
//! counted ([`Subscription::lost`]).
//!
//! [`local::LocalBus`] carries messages within this process; with the feature `nats`, `nats::NatsBus` carries them to all
//! processes of a cluster.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub mod topic;
pub mod queue;
pub mod local;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(test)]
pub(crate) mod contract;

pub use local::LocalBus;
pub use queue::Subscription;
pub use topic::{Pattern, Topic};

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub topic: Topic,
    /// What: the topic's users agree on its form.
    pub payload: Bytes,
}

/// Carries messages.
pub trait Bus: fmt::Debug + Send + Sync + 'static {
    /// Hands a message to every subscription that is known now, without waiting.
    ///
    /// # Errors
    /// [`Unsent`] if it reached the subscriptions of this process alone.
    fn publish(&self, message: Message) -> Result<(), Unsent>;

    /// Everything that is published from now on under a topic that matches. Messages of other processes begin to come
    /// when the broker has heard of it.
    fn subscribe(&self, pattern: &Pattern) -> Subscription;
}

/// A bus to hand around.
pub type SharedBus = Arc<dyn Bus>;

/// The bus at `url`, or the one of this process if it is empty.
///
/// # Errors
/// It cannot be reached now, or this build has none.
pub async fn open(url: &str) -> Result<SharedBus, String> {
    match url {
        "" => Ok(Arc::new(LocalBus::default())),
        url => connect(url).await,
    }
}

#[cfg(feature = "nats")]
async fn connect(url: &str) -> Result<SharedBus, String> {
    let connected = nats::NatsBus::connect(&crate::gateway::units::Secret::new(url)).await;
    connected.map(|bus| bus as SharedBus).map_err(|error| error.to_string())
}

#[cfg(not(feature = "nats"))]
async fn connect(_url: &str) -> Result<SharedBus, String> {
    Err("this build has no bus of a cluster; build with the feature nats".to_owned())
}

/// Why a message reached the subscriptions of this process alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// There is no connection to the broker; another one is being tried.
    #[error("the broker is away")]
    BrokerAway,
    /// The broker takes messages more slowly than they come.
    #[error("the broker is behind: too many messages wait for it")]
    Backlog,
    /// The broker does not take messages of this size.
    #[error("the broker takes {limit} bytes at the most")]
    TooLarge {
        /// Its limit, in bytes.
        limit: usize,
    },
}

impl Unsent {
    /// Its stable name, as a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BrokerAway => "broker_away",
            Self::Backlog => "backlog",
            Self::TooLarge { .. } => "too_large",
        }
    }
}
