//! How the writer fares, for `/readyz`, the dashboard and `/metrics`.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use trailmark_protocol::Timestamp;

use crate::journal::{Journal, Seq};
use crate::store::{ErrorClass, Written};

/// What the writer did since the start, and where it stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WriterStatus {
    /// The schema is up to date and the last write worked. False until the database was met. An idle writer does not
    /// notice that the database went away: [`Store::ping`](crate::store::Store::ping) does.
    pub connected: bool,
    /// The last record that is stored.
    pub stored_seq: Seq,
    /// Events stored.
    pub stored: u64,
    /// Events that were stored already.
    pub duplicates: u64,
    /// Events that became dead letters.
    pub dead: u64,
    /// Records that are durable in the journal and not stored yet.
    pub lag_records: u64,
    /// For how long at most the oldest of them has waited.
    pub lag_age: Option<Duration>,
    /// The last error; it stays after it has passed.
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
pub struct WriterStats {
    journal: Arc<dyn Journal>,
    status: Mutex<WriterStatus>,
}

impl fmt::Debug for WriterStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterStats")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl WriterStats {
    pub(super) fn new(journal: Arc<dyn Journal>) -> Self {
        Self {
            journal,
            status: Mutex::default(),
        }
    }

    /// How it stands now.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        let journal = self.journal.stats();
        let status = self.lock().clone();
        WriterStatus {
            lag_records: journal.durable_seq.saturating_sub(status.stored_seq),
            lag_age: journal.oldest_pending_age,
            ..status
        }
    }

    /// Brings the gauge up to date; call it before `/metrics` is rendered. How far the writer is behind, the journal tells.
    pub fn publish_gauges(&self) {
        gauge!("trailmark_writer_connected").set(f64::from(u8::from(self.lock().connected)));
    }

    pub(super) fn works(&self, stored_seq: Seq) {
        let mut status = self.lock();
        status.connected = true;
        status.stored_seq = status.stored_seq.max(stored_seq);
    }

    pub(super) fn stored(&self, through: Seq, written: Written, took: Duration) {
        counter!("trailmark_writer_stored_total").increment(written.stored);
        counter!("trailmark_writer_duplicates_total").increment(written.duplicates);
        counter!("trailmark_writer_dead_letters_total").increment(written.dead);
        counter!("trailmark_writer_erased_total").increment(written.erased);
        counter!("trailmark_writer_refused_aliases_total").increment(written.refused_aliases);
        histogram!("trailmark_writer_write_seconds").record(took.as_secs_f64());
        let mut status = self.lock();
        status.stored_seq = through;
        status.stored += written.stored;
        status.duplicates += written.duplicates;
        status.dead += written.dead;
    }

    /// Notes an error; returns whether it says something new.
    pub(super) fn failed(&self, error: LastError) -> bool {
        counter!("trailmark_writer_errors_total", "class" => error.class.as_str()).increment(1);
        let mut status = self.lock();
        let same = |last: &LastError| last.text == error.text;
        let is_news = status.connected || !status.last_error.as_ref().is_some_and(same);
        status.connected = false;
        status.last_error = Some(error);
        is_news
    }

    fn lock(&self) -> MutexGuard<'_, WriterStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
