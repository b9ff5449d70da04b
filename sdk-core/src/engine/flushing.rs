//! Flushing: sending now, and what came of it.

use super::Engine;
use crate::flush::{Flush, FlushId, FlushReport};

impl Engine {
    /// Asks for everything that is queued to be sent now. A wait in progress is skipped once; held events are tried
    /// again. Fetch the report with [`Engine::take_flush`].
    pub fn flush(&mut self) -> FlushId {
        let id = FlushId(self.next_flush);
        self.next_flush += 1;
        self.queue.release();
        self.hurry();
        self.sending.skip_wait = self.queue.is_sending(self.counters.captured);
        self.flushes.push(Flush {
            id,
            up_to: self.counters.captured,
            earlier_attempts: self.process.attempts,
            failed: false,
            report: FlushReport {
                pending: self.queue.len() as u64,
                ..FlushReport::default()
            },
        });
        id
    }

    /// Asks for everything that is queued to be sent without waiting for company. Waits after failures are kept.
    pub fn hurry(&mut self) {
        self.sending.hurry_up_to = self.counters.captured;
    }

    /// The report of a flush, once it is finished: each of its events is decided, or was tried once more and is still
    /// pending. A request that fails as a whole (no answer, 503, a refused key) stands for everything behind it.
    pub fn take_flush(&mut self, id: FlushId) -> Option<FlushReport> {
        let flush = self.flushes.iter().find(|flush| flush.id == id)?;
        let finished = flush.failed || !self.queue.is_sending(flush.up_to);
        finished.then(|| self.end_flush(id)).flatten()
    }

    /// Ends a flush wherever it is: what has not been decided is pending. `None` if its report was already fetched.
    pub fn end_flush(&mut self, id: FlushId) -> Option<FlushReport> {
        let at = self.flushes.iter().position(|flush| flush.id == id)?;
        let flush = self.flushes.swap_remove(at);
        self.sending.skip_wait &= !self.flushes.is_empty();
        Some(flush.report)
    }

    /// Flushes that began before this attempt have had the one that is theirs.
    pub(super) fn fail_flushes(&mut self, number: u64) {
        for flush in &mut self.flushes {
            flush.failed |= number > flush.earlier_attempts;
        }
    }
}
