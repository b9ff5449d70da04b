//! What clients say, posted to a service that has no bus.
//!
//! A message is posted at most once: what fails is not tried again, and what finds the queue full is dropped; both are
//! counted. Those of one socket are posted in their order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::config::DeliverConfig;
use super::count::{Counts, Dropped};

/// How many messages are under way at once: 8. At 5 ms each that is 1,600 a second.
const LANES: usize = 8;

/// Posts to an upstream.
pub trait Deliver: Send + Sync + 'static {
    /// Posts `body`, which is JSON, to `path` at `upstream`, within a time of its own choice.
    fn deliver<'a>(&'a self, upstream: &'a str, path: &'a str, body: Bytes) -> BoxFuture<'a, Result<(), Undelivered>>;
}

/// The service did not take it: it could not be reached, or did not answer with 2xx. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undelivered(pub String);

/// The queue of a hub's webhook.
#[derive(Debug)]
pub(super) struct Courier {
    lanes: Vec<mpsc::Sender<Bytes>>,
    counts: Arc<Counts>,
}

impl Courier {
    /// Starts to post.
    pub(super) fn start(config: &DeliverConfig, deliver: &Arc<dyn Deliver>, counts: &Arc<Counts>) -> Self {
        let lane = |_| {
            let (lane, waiting) = mpsc::channel(config.queue.div_ceil(LANES));
            tokio::spawn(post(config.clone(), Arc::clone(deliver), waiting, Arc::clone(counts)));
            lane
        };
        Self {
            lanes: (0..LANES).map(lane).collect(),
            counts: Arc::clone(counts),
        }
    }

    /// Posts `body` after what `connection` sent before, without waiting for it.
    pub(super) fn take(&self, connection: &str, body: Bytes) {
        let mut hasher = DefaultHasher::new();
        connection.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        match self.lanes[lane].try_send(body) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.counts.dropped(Dropped::DeliverQueueFull, 1),
            Err(TrySendError::Closed(_)) => self.counts.dropped(Dropped::DeliverFailed, 1),
        }
    }
}

async fn post(
    config: DeliverConfig,
    deliver: Arc<dyn Deliver>,
    mut waiting: mpsc::Receiver<Bytes>,
    counts: Arc<Counts>,
) {
    while let Some(body) = waiting.recv().await {
        let delivered = deliver.deliver(&config.upstream, &config.path, body).await;
        if let Err(error) = delivered {
            counts.dropped(Dropped::DeliverFailed, 1);
            tracing::debug!(%error, upstream = config.upstream, "a hub's message was not taken");
        }
    }
}
