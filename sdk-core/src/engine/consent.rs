//! Consent: what happens when the person says no, and when they want their data deleted.

use trailmark_protocol::{Reason, Timestamp, names};

use super::capturing::Fresh;
use super::{Engine, dropped, new_id};
use crate::flush::Flush;
use crate::properties::Properties;
use crate::state::{Counters, State};
use crate::verdict::Fate;

impl Engine {
    /// The person does not want to be observed: nothing is captured, stored or sent from now on, over restarts, until
    /// [`opt_in`](Engine::opt_in). What is queued is dropped as [`Reason::OptedOut`]; what is on its way cannot be
    /// called back.
    pub fn opt_out(&mut self, now: Timestamp) {
        if !self.state.opted_out {
            self.state.opted_out = true;
            self.empty(Reason::OptedOut);
            self.state.session = None;
            self.forget_on_storage(now);
        }
    }

    /// The person agrees again. Events are captured from now on.
    pub fn opt_in(&mut self, now: Timestamp) {
        if self.state.opted_out {
            self.state.opted_out = false;
            self.unsaved.state = true;
            self.save(None, now);
        }
    }

    /// Whether the person has opted out.
    #[must_use]
    pub fn is_opted_out(&self) -> bool {
        self.state.opted_out
    }

    /// The person wants their data deleted. The device is emptied (what is queued is dropped as [`Reason::Deleted`], who
    /// they were is forgotten) and the server is asked to erase, with a `$erase` event that is kept and retried like any
    /// other. Nothing is captured afterwards until [`opt_in`](Engine::opt_in). Once the server has the request and
    /// nothing else was captured, the install is forgotten, too: its id and its counters begin anew.
    pub fn delete_my_data(&mut self, now: Timestamp) {
        self.empty(Reason::Deleted);
        self.state.opted_out = false;
        let properties = Properties::new().with("install_id", &self.state.install_id);
        let asked = self.admit(
            &Fresh {
                own: false,
                properties: &properties,
                ..Fresh::new(names::ERASE)
            },
            now,
        );
        self.state
            .erasing
            .extend(asked.is_ok().then_some(self.counters.captured));
        let mut identity = self.state.identity.clone();
        identity.reset(new_id(&mut *self.entropy, now));
        self.begin_epoch(identity);
        self.state.opted_out = true;
        self.forget_on_storage(now);
        self.hurry();
    }

    /// Drops everything that is not on its way, but for requests to erase.
    fn empty(&mut self, reason: Reason) {
        self.drop_waiting_request(reason);
        let mut kept = Vec::new();
        loop {
            self.look_ahead();
            let Some(entry) = self.queue.remove_oldest() else { break };
            if self.is_erasing(entry.seq) {
                kept.push(entry);
            } else {
                self.leave(&entry, &dropped(reason));
            }
        }
        kept.into_iter().for_each(|entry| self.queue.hold(entry));
    }

    /// Leaves no byte of a dropped event on the storage.
    fn forget_on_storage(&mut self, now: Timestamp) {
        self.unsaved.state = true;
        self.refresh_context();
        if let Some(log) = &mut self.log {
            log.close_segment();
        }
        self.save(None, now);
    }

    /// Whether it is a request to erase.
    pub(super) fn is_erasing(&self, seq: u64) -> bool {
        self.state.erasing.contains(&seq)
    }

    /// Whether an event may be kept and sent: those of a person who has opted out may not.
    pub(super) fn may_keep(&self, seq: u64) -> bool {
        !self.state.opted_out || self.is_erasing(seq)
    }

    /// The request to erase is decided.
    pub(super) fn erased(&mut self, seq: u64, fate: &Fate) {
        if !self.is_erasing(seq) {
            return;
        }
        self.state.erasing.retain(|asked| *asked != seq);
        self.unsaved.state = true;
        let nothing_since = self.state.opted_out && self.counters.captured == seq;
        if nothing_since && *fate == Fate::Delivered {
            self.forget_install();
        }
    }

    /// A device that was never here: the next install has nothing in common with this one.
    fn forget_install(&mut self) {
        let now = self.state.age.looked_at.unwrap_or_default();
        let mut id = || new_id(&mut *self.entropy, now);
        self.state = State {
            opted_out: true,
            ..State::new(id(), id())
        };
        self.counters = Counters::default();
        self.unsaved.settled = Default::default();
        self.sending.hurry_up_to = 0;
        self.flushes.iter_mut().for_each(Flush::forget_numbers);
        if let Some(log) = &mut self.log {
            log.close_segment();
        }
    }
}
