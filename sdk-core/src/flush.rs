//! Flushing: what became of the events that were queued when the app asked.

use std::borrow::Cow;

use trailmark_protocol::Reason;

use crate::stats::Dropped;
use crate::verdict::Fate;

/// What a flush achieved.
///
/// ```
/// # use std::time::Duration;
/// # use trailmark_core::{Client, Properties};
/// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// client.track("checkout", Properties::new());
/// let report = client.flush_blocking(Duration::from_secs(5));
/// println!("{} delivered, {} lost, {} pending", report.delivered, report.dropped_total(), report.pending);
/// assert_eq!(report.delivered + report.dropped_total() + report.pending, 1);
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlushReport {
    /// Events that the server has on stable storage.
    pub delivered: u64,
    /// Events lost meanwhile, by reason.
    pub dropped: Dropped,
    /// Events still queued: the attempt failed, or the server wants them again later.
    pub pending: u64,
}

impl FlushReport {
    /// All events lost meanwhile.
    ///
    /// ```
    /// # use trailmark_core::FlushReport;
    /// assert_eq!(FlushReport::default().dropped_total(), 0);
    /// ```
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.total()
    }
}

/// Names a flush of one engine: its number, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlushId(pub u64);

/// A flush that is going on, or whose report has not been fetched.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(crate) id: FlushId,
    /// The newest event that belongs to it.
    pub(crate) up_to: u64,
    /// Attempts that were started before it; a failure of those is not its own.
    pub(crate) earlier_attempts: u64,
    /// An attempt of its own failed as a whole.
    pub(crate) failed: bool,
    /// What is decided; `pending` counts down from what was queued.
    pub(crate) report: FlushReport,
}

impl Flush {
    /// The numbers begin anew: none of the events to come belongs to it.
    pub(crate) fn forget_numbers(&mut self) {
        self.up_to = 0;
    }

    /// Nobody knows which events are lost, but no more than `left` can still be pending.
    pub(crate) fn missing(&mut self, reason: Reason, left: u64) {
        let lost = self.report.pending.saturating_sub(left);
        if lost > 0 {
            self.report.pending = left;
            self.report.dropped.count(Cow::Borrowed(reason.as_str()), lost);
        }
    }

    /// Counts what became of an event.
    pub(crate) fn count(&mut self, seq: u64, fate: &Fate) {
        if seq > self.up_to || *fate == Fate::Again {
            return;
        }
        self.report.pending = self.report.pending.saturating_sub(1);
        match fate {
            Fate::Dropped(reason) => self.report.dropped.count(Cow::clone(reason), 1),
            _ => self.report.delivered += 1,
        }
    }
}
