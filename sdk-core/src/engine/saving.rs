//! The half of the engine that faces the storage: one record for what a call has changed.

use trailmark_protocol::{Reason, Timestamp};

use super::{Engine, dropped};
use crate::log::Place;
use crate::notice::Notice;
use crate::queue::{Entry, Queue};
use crate::ranges::Ranges;
use crate::saved::Saved;
use crate::state::to_json;
use crate::verdict::Fate;

impl Engine {
    /// Saves an event, if there is one, and all that has changed since the last record. `None` if it is in memory alone.
    pub(super) fn save(&mut self, event: Option<&Saved<'_>>, now: Timestamp) -> Option<Place> {
        let changed = self.unsaved.state || !self.unsaved.settled.is_empty();
        let log = self.log.as_mut().filter(|_| changed || event.is_some())?;
        if !log.is_open_to_writes(now) {
            // The next segment begins with a checkpoint, which tells it all.
            self.unsaved.settled = Default::default();
            return None;
        }
        #[cfg(feature = "planted-bugs")]
        if crate::planted::has(crate::planted::Bug::SegmentGoesFirst) {
            let freed = std::mem::take(&mut self.unsaved.freed);
            freed.into_iter().for_each(|segment| log.decided(segment));
        }
        let failed_before = log.error().is_some();
        if let Some(event) = event {
            log.record().event(event);
        }
        if !self.unsaved.settled.is_empty() {
            log.record().settled(&self.unsaved.settled);
        }
        if self.unsaved.state || log.begins_segment() {
            log.record()
                .checkpoint(&to_json(&self.state, &self.counters, &undecided(&self.queue, event)));
        }
        let place = log.commit(u64::from(event.is_some()), now);
        self.unsaved.settled = Default::default();
        match place {
            Some(_) => {
                if self.unsaved.state {
                    self.unsaved.age = self.state.age.millis;
                }
                self.unsaved.state = false;
                if failed_before || self.unsaved.moved {
                    self.save_the_rest(event, now);
                }
                if failed_before && self.is_saved() {
                    self.notices.add(Notice::StorageWorks);
                }
                self.free();
            }
            None if !failed_before => self.note_failure(),
            None => {}
        }
        place
    }

    fn note_failure(&mut self) {
        let error = self.log.as_ref().and_then(|log| log.error());
        let text = error.map_or_else(String::new, |error| error.0.clone());
        self.notices.add(Notice::StorageFailing(text));
    }

    /// Saves the events that are in memory alone, unless the storage fails. `newest` is saved, but not yet queued.
    fn save_the_rest(&mut self, newest: Option<&Saved<'_>>, now: Timestamp) {
        let Some(log) = &mut self.log else { return };
        let checkpoint = to_json(&self.state, &self.counters, &undecided(&self.queue, newest));
        for entry in self.queue.unsaved() {
            if log.begins_segment() {
                log.record().checkpoint(&checkpoint);
            }
            log.record().event(&saved(entry));
            let Some(place) = log.commit(1, now) else { return };
            entry.segment = Some(place.segment());
        }
        self.queue.all_saved();
        self.unsaved.moved = false;
    }

    fn is_saved(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.error().is_none())
    }

    /// Gives up the segments of decided events, once all that was in them is saved elsewhere.
    fn free(&mut self) {
        let Some(log) = self.log.as_mut().filter(|log| log.error().is_none()) else {
            return;
        };
        let freed = std::mem::take(&mut self.unsaved.freed);
        freed.into_iter().for_each(|segment| log.decided(segment));
    }

    /// A storage that failed gets another chance, even if nothing is captured.
    pub(super) fn try_storage_again(&mut self, now: Timestamp) {
        if self
            .log
            .as_mut()
            .is_some_and(|log| log.error().is_some() && log.is_open_to_writes(now))
        {
            self.unsaved.state = true;
            self.save(None, now);
        }
    }

    /// Reads on, so that the next request can be cut from what is in memory.
    pub(super) fn look_ahead(&mut self) {
        let lost = self.queue.refill(self.log.as_mut(), self.config.max_batch_events);
        if lost > 0 {
            let Fate::Dropped(reason) = dropped(Reason::StorageLost) else {
                return;
            };
            self.counters.dropped.count(reason.clone(), lost);
            let left = self.queue.len() as u64;
            self.flushes
                .iter_mut()
                .for_each(|flush| flush.missing(Reason::StorageLost, left));
            self.notices.add(Notice::Dropped(reason));
            self.unsaved.state = true;
        }
    }

    /// Events have left the queue for good.
    pub(super) fn leave(&mut self, entry: &Entry, fate: &Fate) {
        self.remove_row(entry.seq);
        self.decided(entry.seq, fate);
        self.unsaved.freed.extend(entry.segment);
    }
}

/// The numbers of what is queued, and of what is about to be.
fn undecided(queue: &Queue, newest: Option<&Saved<'_>>) -> Ranges {
    let mut seqs = queue.seqs();
    newest.into_iter().for_each(|event| seqs.insert(event.seq, event.seq));
    seqs
}

/// An event of the queue as it is saved. Whose session it belongs to mattered when it was captured.
fn saved(entry: &Entry) -> Saved<'_> {
    Saved {
        seq: entry.seq,
        id: entry.id,
        at: entry.at,
        age: entry.age,
        own: false,
        json: &entry.json,
    }
}
