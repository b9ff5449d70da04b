//! Sends events through the client SDK, no faster than the server takes them, and gives up when it takes none.

use std::time::{Duration, Instant};

use trailmark_core::{Capture, Client, Stats};

use crate::failure::Failure;

/// Events that may wait in the SDK: 4,000, eight full batches, about 2 MB. Enough to keep one request on its way and the
/// next ones ready.
const QUEUED_EVENTS: usize = 4_000;

/// Events in one request: 500, about 40 KB compressed.
const BATCH_EVENTS: usize = 500;

/// How long nothing may be delivered before an import gives up: a server's restart and the SDK's first few waits
/// (1 + 2 + 4 + 8 + 16 s at most) fit in.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the SDK's progress is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The SDK's client, and when it last got on.
pub struct Sender {
    client: Client,
    url: String,
    sent: u64,
    delivered: u64,
    progressed: Instant,
}

impl Sender {
    /// A sender to the server at `url`. Does not talk to it yet.
    ///
    /// # Errors
    /// The URL or the key cannot be one.
    pub fn connect(url: &str, key: &str) -> Result<Self, Failure> {
        let client = Client::builder(url, key)
            .flush_at(BATCH_EVENTS)
            .max_batch_events(BATCH_EVENTS)
            .build()
            .map_err(|error| {
                Failure::usage(error.to_string()).hint("trailmark key create --project ID --kind write")
            })?;
        Ok(Self {
            client,
            url: url.to_owned(),
            sent: 0,
            delivered: 0,
            progressed: Instant::now(),
        })
    }

    /// Hands an event to the SDK once there is room. The first one is sent alone: a wrong address or key shows at once.
    ///
    /// # Errors
    /// The server takes no events.
    pub async fn send(&mut self, event: Capture) -> Result<(), Failure> {
        while tokio::time::timeout(LOOK_EVERY, self.client.ready(QUEUED_EVENTS))
            .await
            .is_err()
        {
            self.check_progress()?;
        }
        self.client.capture(event);
        self.sent += 1;
        if self.sent == 1 && self.client.flush().await.pending > 0 {
            return Err(self.stuck());
        }
        Ok(())
    }

    /// Waits until every event has been delivered or dropped.
    ///
    /// # Errors
    /// The server takes no more events.
    pub async fn finish(mut self) -> Result<Stats, Failure> {
        while self.client.flush().await.pending > 0 {
            self.check_progress()?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(self.client.stats())
    }

    fn check_progress(&mut self) -> Result<(), Failure> {
        let stats = self.client.stats();
        if stats.delivered > self.delivered {
            (self.delivered, self.progressed) = (stats.delivered, Instant::now());
        }
        if stats.paused || self.progressed.elapsed() > PATIENCE {
            Err(self.stuck())
        } else {
            Ok(())
        }
    }

    fn stuck(&self) -> Failure {
        let Stats {
            delivered, last_error, ..
        } = self.client.stats();
        let why = last_error.unwrap_or_else(|| "no answer".to_owned());
        Failure::failed(format!(
            "{} takes no events: {why} ({delivered} were delivered)",
            self.url
        ))
        .hint("check --url and --key; the same import may be run again, it stores nothing twice")
    }
}
