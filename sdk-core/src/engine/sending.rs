//! The half of the engine that faces the server: when to send, and what an outcome changes.

use std::sync::Arc;
use std::time::Duration;

use trailmark_protocol::batch::counters_json;
use trailmark_protocol::{Batch, Reason, Timestamp, Uuid};

use super::{Engine, Step, dropped, unix_millis};
use crate::age::AGE_SAVED_EVERY;
use crate::batch::{self, Due};
use crate::entropy::bytes;
use crate::notice::Notice;
use crate::request::{BATCH_PATH, Outcome, Request, headers};
use crate::retry::{Decision, backoff, decide, describe};
use crate::verdict::Fate;
use crate::wait::{Wait, micros};

/// What is known about sending.
#[derive(Debug)]
pub(super) struct Sending {
    /// The request whose events are taken from the queue.
    open: Option<Open>,
    /// Most events in the next request; halved by each 413, doubled by each success.
    max_events: usize,
    /// Whole requests that failed in a row.
    failures: u32,
    /// Nothing is sent before it is over.
    wait: Wait,
    /// Receipts in a row that wanted events again.
    held_failures: u32,
    /// Held events wait for its end.
    held_wait: Wait,
    /// The next attempt need not wait.
    pub(super) skip_wait: bool,
    /// Events up to this number need no company.
    pub(super) hurry_up_to: u64,
}

/// A request, the same on every attempt.
#[derive(Debug)]
struct Open {
    id: Uuid,
    body: Arc<str>,
    attempt: u32,
    /// The attempt's number among all attempts of the engine.
    number: u64,
    /// Handed to the driver, and not yet ended.
    on_its_way: bool,
}

impl Sending {
    pub(super) fn new(max_events: usize) -> Self {
        Self {
            open: None,
            max_events,
            failures: 0,
            wait: Wait::default(),
            held_failures: 0,
            held_wait: Wait::default(),
            skip_wait: false,
            hurry_up_to: 0,
        }
    }
}

impl Engine {
    /// What to do now. Asking twice changes nothing, except that a request is handed out once.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        self.drop_expired(now);
        self.try_storage_again(now);
        match &self.sending.open {
            Some(open) if open.on_its_way => Step::Idle,
            Some(_) => self.send_when_allowed(now),
            None => self.poll_queue(now),
        }
    }

    /// Drops what has waited too long, and reads on to what comes next.
    fn drop_expired(&mut self, now: Timestamp) {
        let max_age = micros(self.config.max_age).unsigned_abs() / 1000;
        let age = self.state.age.tick(now);
        // Without it, the time of an app that is only ever started and killed would stand still.
        self.unsaved.state |= !self.queue.is_empty() && age > self.unsaved.age + AGE_SAVED_EVERY;
        let oldest_kept = age.saturating_sub(max_age);
        self.look_ahead();
        while let Some(entry) = self.queue.expire(oldest_kept) {
            self.leave(&entry, &dropped(Reason::Expired));
            self.look_ahead();
        }
        self.save(None, now);
    }

    fn poll_queue(&mut self, now: Timestamp) -> Step {
        let held_until = self.release_held(now);
        let due = match self.queue.oldest() {
            Some(oldest) if oldest.seq <= self.sending.hurry_up_to => Due::Now,
            _ => batch::due(&self.queue, &self.config, now),
        };
        match (due, held_until) {
            (Due::Now, _) => self.send_when_allowed(now),
            (Due::At(at), Some(until)) => Step::WakeAt(at.min(until)),
            (Due::At(at), None) | (Due::Never, Some(at)) => Step::WakeAt(at),
            (Due::Never, None) => Step::Idle,
        }
    }

    /// Puts held events back once their wait is over; otherwise says when it will be.
    fn release_held(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !self.queue.has_held() {
            return None;
        }
        let until = self.sending.held_wait.until(now);
        if until.is_none() {
            self.queue.release();
        }
        until
    }

    fn send_when_allowed(&mut self, now: Timestamp) -> Step {
        match self.sending.wait.until(now) {
            Some(until) if !self.sending.skip_wait => Step::WakeAt(until),
            _ => Step::Send(self.attempt(now)),
        }
    }

    /// Starts the next attempt of the open request, which is cut now if there is none.
    fn attempt(&mut self, now: Timestamp) -> Request {
        self.sending.skip_wait = false;
        self.process.attempts += 1;
        let mut open = match self.sending.open.take() {
            Some(open) => open,
            None => self.open_request(now),
        };
        open.attempt += 1;
        open.number = self.process.attempts;
        open.on_its_way = true;
        let request = Request {
            id: open.id,
            path: BATCH_PATH,
            headers: headers(
                &self.config.write_key,
                &self.config.sdk_name,
                open.id,
                open.attempt,
                now,
            ),
            body: Arc::clone(&open.body),
        };
        self.sending.open = Some(open);
        request
    }

    fn open_request(&mut self, now: Timestamp) -> Open {
        let size = batch::cut(
            self.queue.window(),
            self.sending.max_events,
            self.config.max_batch_bytes,
        );
        #[cfg(feature = "planted-bugs")]
        if crate::planted::has(crate::planted::Bug::IdentityAtSend) {
            self.queue
                .window_mut()
                .for_each(|entry| crate::planted::restamp(entry, &self.state.identity));
        }
        self.queue.take(size);
        let events: Vec<&str> = self.queue.taken().iter().map(|entry| &*entry.json).collect();
        let body = self.body(&events).into();
        Open {
            id: self.ids.next(unix_millis(now), bytes(&mut *self.entropy)),
            body,
            attempt: 0,
            number: 0,
            on_its_way: false,
        }
    }

    /// The body of a request with these of the queued events.
    fn body(&self, events: &[&str]) -> String {
        let stay = self.queue.len() - events.len();
        let counters = counters_json(self.counters.captured, stay as u64, self.counters.dropped.iter());
        Batch {
            install_id: Some(&self.state.install_id),
            events,
            counters: Some(&counters),
        }
        .to_json()
    }

    /// The body of a last request, of at most `max_bytes`, for a process that cannot wait for the answer: copies of the
    /// oldest events that are in memory, also of those on their way, because a page takes its requests with it. `None` if
    /// none fits. It changes nothing: the events stay queued until a receipt, and the server takes each of them once.
    #[must_use]
    pub fn parting(&self, max_bytes: usize) -> Option<String> {
        // With no event in it the count of those that stay is at its longest.
        let mut room = max_bytes.checked_sub(self.body(&[]).len())?;
        let mut events = Vec::new();
        for entry in self.queue.in_memory() {
            let Some(left) = room.checked_sub(entry.json.len() + 1) else {
                break;
            };
            room = left;
            events.push(&*entry.json);
        }
        (!events.is_empty()).then(|| self.body(&events))
    }

    /// Whether the driver, which waits, must poll again after a capture: there is a first event to set a timer for, or
    /// a batch is full. Not while a request is open: its end or its wait wakes the driver anyway.
    #[must_use]
    pub fn wants_poll(&self) -> bool {
        let waiting = self.queue.waiting();
        let full = waiting >= self.config.flush_at || self.queue.bytes() >= self.config.max_batch_bytes;
        self.sending.open.is_none() && (waiting == 1 || full)
    }

    /// Takes in how an attempt ended. The end of a request that is not on its way (a late or double answer) is ignored.
    pub fn done(&mut self, request_id: Uuid, outcome: &Outcome, now: Timestamp) {
        let open = self
            .sending
            .open
            .as_mut()
            .filter(|open| open.id == request_id && open.on_its_way);
        let Some(open) = open else { return };
        open.on_its_way = false;
        let number = open.number;
        let ids: Vec<Uuid> = self.queue.taken().iter().map(|entry| entry.id).collect();
        let decision = decide(outcome, &ids, now);
        self.note(&decision, outcome);
        match decision {
            Decision::Settle(fates, pace) => self.settle(fates, pace, now),
            Decision::Again(at_least) => self.try_again(number, at_least, now),
            Decision::Pause => self.wait_for_key(number, now),
            Decision::Smaller => self.shrink(),
            Decision::Reject => self.drop_request(Reason::RequestRejected),
        }
        if self.state.opted_out {
            self.drop_waiting_request(Reason::OptedOut);
        }
        self.save(None, now);
    }

    /// Keeps what there is to say about it for [`Engine::stats`].
    fn note(&mut self, decision: &Decision, outcome: &Outcome) {
        let succeeded = matches!(decision, Decision::Settle(..));
        self.process.last_error = (!succeeded).then(|| describe(outcome));
        match decision {
            Decision::Pause if !self.process.paused => {
                self.process.paused = true;
                self.notices.add(Notice::KeyRefused(describe(outcome)));
            }
            // No answer of the server's own: what it said of the key still holds.
            Decision::Pause | Decision::Again(_) => {}
            _ => self.process.paused = false,
        }
    }

    fn settle(&mut self, fates: Vec<Fate>, pace: Duration, now: Timestamp) {
        let wanted_again = fates.iter().filter(|fate| **fate == Fate::Again).count();
        let progress = wanted_again < fates.len();
        self.sending.open = None;
        for (entry, fate) in self.queue.settle().into_iter().zip(fates) {
            match fate {
                Fate::Again if self.state.opted_out && self.is_erasing(entry.seq) => self.hold_apart(entry),
                Fate::Again if self.may_keep(entry.seq) => self.queue.hold(entry),
                Fate::Again => self.leave(&entry, &dropped(Reason::OptedOut)),
                _ => self.leave(&entry, &fate),
            }
        }
        self.sending.failures = if progress {
            0
        } else {
            self.sending.failures.saturating_add(1)
        };
        self.sending.held_failures = if wanted_again > 0 {
            self.sending.held_failures.saturating_add(1)
        } else {
            0
        };
        if wanted_again > 0 {
            self.sending.held_wait = Wait::start(now, self.backoff(self.sending.held_failures));
        }
        let wait = if progress {
            pace
        } else {
            pace.max(self.backoff(self.sending.failures))
        };
        self.sending.wait = Wait::start(now, wait);
        self.sending.max_events = self
            .sending
            .max_events
            .saturating_mul(2)
            .min(self.config.max_batch_events);
    }

    fn try_again(&mut self, number: u64, at_least: Duration, now: Timestamp) {
        self.sending.failures = self.sending.failures.saturating_add(1);
        let wait = self.backoff(self.sending.failures).max(at_least);
        self.sending.wait = Wait::start(now, wait);
        self.fail_flushes(number);
    }

    fn wait_for_key(&mut self, number: u64, now: Timestamp) {
        self.sending.wait = Wait::start(now, self.config.probe_interval);
        self.fail_flushes(number);
    }

    /// Halves the request; a single event that is too large by itself is lost.
    fn shrink(&mut self) {
        match self.queue.taken().len() {
            0 | 1 => self.drop_request(Reason::TooLarge),
            events => {
                self.sending.max_events = events / 2;
                // What of it may be kept by somebody who has opted out meanwhile is decided where all ends come together.
                if !self.state.opted_out {
                    self.queue.untake();
                    self.close_request();
                }
            }
        }
    }

    fn drop_request(&mut self, reason: Reason) {
        self.close_request();
        for entry in self.queue.settle() {
            self.leave(&entry, &dropped(reason));
        }
    }

    /// Drops a request that waits for its next attempt, but for what may be kept.
    pub(super) fn drop_waiting_request(&mut self, reason: Reason) {
        if self.sending.open.as_ref().is_none_or(|open| open.on_its_way) {
            return;
        }
        self.sending.open = None;
        for entry in self.queue.settle() {
            if self.is_erasing(entry.seq) {
                self.hold_apart(entry);
            } else {
                self.leave(&entry, &dropped(reason));
            }
        }
    }

    /// The server has answered for good: the next request need not wait.
    fn close_request(&mut self) {
        self.sending.open = None;
        self.sending.failures = 0;
        self.sending.wait = Wait::default();
    }

    fn backoff(&mut self, failures: u32) -> Duration {
        backoff(failures, u64::from_be_bytes(bytes(&mut *self.entropy)), &self.config)
    }
}
