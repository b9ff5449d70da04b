//! Drains the journal into the store: size-or-time groups, retried for ever, acknowledged after the commit.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use trailmark_protocol::{Timestamp, Uuid};

use crate::clock::SharedClock;
use crate::store::{ErrorClass, Store};

/// What the writer did and where it stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WriterStatus {
    /// Whether the database is migrated and the last write worked.
    pub connected: bool,
    /// Events stored since the start.
    pub stored: u64,
    /// Events that were stored already.
    pub duplicates: u64,
    /// Events that became dead letters.
    pub dead: u64,
    /// Records durable in the journal but not stored yet.
    pub lag_records: u64,
    /// How long the oldest of them has waited.
    pub lag_age: Option<Duration>,
    /// The last error, and when; stays after it has passed.
    pub last_error: Option<LastError>,
}

/// An error of the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// What is done about it.
    pub class: ErrorClass,
    /// The error for people.
    pub text: String,
    /// When it was met.
    pub at: Timestamp,
}

/// Shared by the writer and whoever reports on it.
#[derive(Debug, Default)]
pub struct WriterStats {}

impl WriterStats {
    /// A snapshot.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        WriterStatus::default()
    }
}

/// Drains one journal into one store.
#[derive(Debug)]
pub struct Writer {}

impl Writer {
    /// A writer for the journal of `node`.
    #[must_use]
    pub fn new(_store: Store, _node: Uuid, _clock: SharedClock) -> Self {
        Self {}
    }

    /// What it did and where it stands, for `/readyz` and metrics.
    #[must_use]
    pub fn stats(&self) -> Arc<WriterStats> {
        Arc::default()
    }

    /// Drains until `stop`, then for at most `drain` more.
    pub async fn run(self, stop: CancellationToken, _drain: Duration) {
        stop.cancelled().await;
    }
}
