//! Consent: what happens when the person says no, and when they want their data deleted.

use trailmark_protocol::{Event, Reason, Timestamp, names};

use super::{Engine, dropped, new_id};
use crate::capture::freeze;
use crate::flush::Flush;
use crate::identity::Identity;
use crate::properties::Properties;
use crate::queue::Entry;
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
            self.context = None;
            self.unsaved.state = true;
            self.save(None, now);
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
        let deleted = self.state.identity.clone();
        self.delete_data_of(&deleted, now);
    }

    /// [`delete_my_data`](Engine::delete_my_data) of a person whom somebody else knows: a web page, whose tabs share who
    /// they are without an engine.
    pub fn delete_data_of(&mut self, deleted: &Identity, now: Timestamp) {
        self.empty(Reason::Deleted);
        let mut identity = self.state.identity.clone();
        identity.reset(new_id(&mut *self.entropy, now));
        self.begin_epoch(identity);
        // All of it is in the one record of the request to erase: no crash leaves half of it.
        self.state.opted_out = true;
        self.state.last_erase = self.counters.captured + 1;
        self.state.erasing.insert(self.state.last_erase, self.state.last_erase);
        let properties = Properties::new().with("install_id", self.state.install_id.as_str());
        let asked = self.admit_with(None, false, 0, now, &|engine, id, seq, out| {
            let context = &engine.config.context;
            let event = Event {
                name: names::ERASE,
                anonymous_id: Some(deleted.anonymous_id()),
                user_id: deleted.user_id(),
                properties: properties.non_empty(),
                context: context.non_empty(),
                ..Event::new(id, seq, now)
            };
            freeze(&event, [&properties, context, Properties::NONE, Properties::NONE], out)
        });
        if asked.is_err() {
            // The client is closed: the device is emptied all the same, and no later event is taken for the request.
            self.state.erasing.remove(self.state.last_erase);
            self.unsaved.state = true;
            self.save(None, now);
        }
        self.hurry();
    }

    /// Drops everything that is not on its way, but for requests to erase. Once the next record is saved, no byte of it is
    /// on the storage.
    pub(super) fn empty(&mut self, reason: Reason) {
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
        self.close_segment();
        kept.into_iter().for_each(|entry| self.hold_apart(entry));
    }

    /// Keeps a request to erase. If its segment is closed, it is saved anew, so that what is beside it can go.
    pub(super) fn hold_apart(&mut self, mut entry: Entry) {
        let log = self.log.as_ref();
        if log.is_some_and(|log| entry.segment.is_some_and(|segment| !log.is_open(segment))) {
            self.unsaved.freed.extend(entry.segment.take());
            self.unsaved.moved = true;
            self.unsaved.state = true;
        }
        self.queue.hold(entry);
    }

    /// Nothing of this segment stays behind once its events are decided.
    fn close_segment(&mut self) {
        if let Some(log) = &mut self.log {
            log.close_segment();
        }
    }

    /// Whether it is a request to erase.
    pub(super) fn is_erasing(&self, seq: u64) -> bool {
        self.state.erasing.contains(seq)
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
        self.state.erasing.remove(seq);
        self.unsaved.state = true;
        let nothing_since = self.state.opted_out && self.counters.captured == self.state.last_erase;
        if nothing_since && self.state.erasing.is_empty() && *fate == Fate::Delivered {
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
        // Their rows go, and the numbers begin anew.
        self.rows.iter_mut().for_each(|rows| rows.told = 0);
        self.sending.hurry_up_to = 0;
        self.flushes.iter_mut().for_each(Flush::forget_numbers);
        self.close_segment();
    }
}
