//! The engine: every decision of the client, without I/O, clock or thread.
//!
//! A driver owns one, tells it what the app does, and asks [`Engine::poll`] what to do next: send a request and report
//! its end to [`Engine::done`], or wait. One request is open at a time, so the events of an install arrive in order and
//! an outage costs one attempt, not many.

mod sending;

use std::borrow::Cow;

use trailmark_protocol::id::{IdGenerator, v7};
use trailmark_protocol::{Event, Reason, Timestamp, Uuid, names};

use crate::capture::{Capture, freeze};
use crate::config::{Config, ConfigError};
use crate::entropy::{Entropy, bytes};
use crate::flush::{Flush, FlushId, FlushReport};
use crate::identity::{Change, Identity};
use crate::properties::Properties;
use crate::queue::{Entry, Queue};
use crate::request::Request;
use crate::stats::{Stats, count};
use crate::verdict::Fate;

use sending::Sending;

/// What the driver is to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this and report its end to [`Engine::done`].
    Send(Request),
    /// Nothing until then, unless the app does something; then poll again.
    WakeAt(Timestamp),
    /// Nothing until the app does something or the open request ends.
    Idle,
}

/// The state machine. See the [module](self).
pub struct Engine {
    config: Config,
    entropy: Box<dyn Entropy>,
    install_id: String,
    identity: Identity,
    ids: IdGenerator,
    queue: Queue,
    /// Everything but what is queued, which the queue knows.
    stats: Stats,
    flushes: Vec<Flush>,
    next_flush: u64,
    sending: Sending,
    closed: bool,
}

impl Engine {
    /// An engine with an empty queue. `now` goes into the ids it makes.
    ///
    /// # Errors
    /// A setting is refused by the wire's rules.
    pub fn new(config: Config, entropy: impl Entropy + 'static, now: Timestamp) -> Result<Self, ConfigError> {
        let mut config = config.sane();
        let mut entropy: Box<dyn Entropy> = Box::new(entropy);
        config.check()?;
        let mut id_or_new = |given: Option<String>| given.unwrap_or_else(|| new_id(&mut *entropy, now));
        let anonymous_id = id_or_new(config.anonymous_id.take());
        Ok(Self {
            install_id: id_or_new(config.install_id.take()),
            identity: Identity::new(anonymous_id),
            ids: IdGenerator::default(),
            queue: Queue::new(config.max_queue_events, config.max_queue_bytes),
            stats: Stats::default(),
            flushes: Vec::new(),
            next_flush: 0,
            sending: Sending::new(config.max_batch_events),
            closed: false,
            config,
            entropy,
        })
    }

    /// Captures an event of the current identity and returns its id.
    ///
    /// # Errors
    /// The reason under which it was counted as dropped. This is so for every call that captures.
    pub fn track(&mut self, name: &str, properties: &Properties, now: Timestamp) -> Result<Uuid, Reason> {
        self.admit(None, now, |engine, id, seq| {
            let event = Event {
                name,
                properties: properties.non_empty(),
                ..engine.own_event(id, seq, now)
            };
            freeze(&event, [properties])
        })
    }

    /// Says who uses the device, and what is known about them. The user who is known already costs nothing: `None`, or
    /// a `$set` if there are properties. Another user opens a new epoch.
    ///
    /// # Errors
    /// See [`Engine::track`]; a refused identify changes nothing.
    pub fn identify(
        &mut self,
        user_id: &str,
        set: &Properties,
        set_once: &Properties,
        now: Timestamp,
    ) -> Result<Option<Uuid>, Reason> {
        let before = self.identity.clone();
        let fresh = || new_id(&mut *self.entropy, now);
        let name = match self.identity.identify(user_id, fresh) {
            Ok(Change::SameUser) if set.is_empty() && set_once.is_empty() => return Ok(None),
            Ok(Change::SameUser) => names::SET,
            Ok(Change::FirstUser | Change::OtherUser) => names::IDENTIFY,
            Err(reason) => return self.admit(None, now, |_, _, _| Err(reason)).map(Some),
        };
        let captured = self.set_person(name, set, set_once, now);
        if captured.is_err() {
            // Without its event the link would be missing for ever: the app may try again with less.
            self.identity = before;
        }
        captured.map(Some)
    }

    /// Sets person properties without anything else having happened.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn set(&mut self, set: &Properties, set_once: &Properties, now: Timestamp) -> Result<Uuid, Reason> {
        self.set_person(names::SET, set, set_once, now)
    }

    fn set_person(
        &mut self,
        name: &str,
        set: &Properties,
        set_once: &Properties,
        now: Timestamp,
    ) -> Result<Uuid, Reason> {
        self.admit(None, now, |engine, id, seq| {
            let event = Event {
                name,
                set: set.non_empty(),
                set_once: set_once.non_empty(),
                ..engine.own_event(id, seq, now)
            };
            freeze(&event, [set, set_once])
        })
    }

    /// Says that the current user and `other_user_id` are one person.
    ///
    /// # Errors
    /// See [`Engine::track`]; [`Reason::IncompleteIdentity`] if nobody is identified or the ids are the same.
    pub fn alias(&mut self, other_user_id: &str, now: Timestamp) -> Result<Uuid, Reason> {
        self.admit(None, now, |engine, id, seq| {
            let event = Event {
                name: names::ALIAS,
                alias: Some(other_user_id),
                ..engine.own_event(id, seq, now)
            };
            freeze(&event, [])
        })
    }

    /// Captures an event that says itself who and when.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn capture(&mut self, capture: &Capture, now: Timestamp) -> Result<Uuid, Reason> {
        self.admit(capture.id, now, |engine, id, seq| {
            let event = capture.event(id, seq, now, &engine.config.context);
            freeze(&event, capture.objects())
        })
    }

    /// Opens a new epoch: nobody is identified, and the device has a new id. Queued events keep theirs and are still
    /// delivered.
    pub fn reset(&mut self, now: Timestamp) {
        self.identity.reset(new_id(&mut *self.entropy, now));
    }

    /// Who events happen to from now on.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Captures nothing from now on: later events are dropped as [`Reason::ShutDown`].
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// An event of the current identity, to be filled in.
    fn own_event(&self, id: Uuid, seq: u64, now: Timestamp) -> Event<'_> {
        Event {
            anonymous_id: Some(self.identity.anonymous_id()),
            user_id: self.identity.user_id(),
            context: self.config.context.non_empty(),
            ..Event::new(id, seq, now)
        }
    }

    /// Numbers an event, freezes it with `build` and queues it, or counts why not. A refused event has a number too, so
    /// that the highest number is the count of captured events.
    fn admit(
        &mut self,
        id: Option<Uuid>,
        now: Timestamp,
        build: impl FnOnce(&Self, Uuid, u64) -> Result<Box<str>, Reason>,
    ) -> Result<Uuid, Reason> {
        self.stats.captured += 1;
        let seq = self.stats.captured;
        let id = id.unwrap_or_else(|| self.ids.next(unix_millis(now), bytes(&mut *self.entropy)));
        let frozen = if self.closed {
            Err(Reason::ShutDown)
        } else {
            build(self, id, seq)
        };
        match frozen {
            Ok(json) => {
                self.enqueue(Entry { seq, id, at: now, json });
                Ok(id)
            }
            Err(reason) => {
                self.decided(seq, &dropped(reason));
                Err(reason)
            }
        }
    }

    fn enqueue(&mut self, entry: Entry) {
        for oldest in self.queue.push(entry) {
            self.decided(oldest.seq, &dropped(Reason::QueueFull));
        }
    }

    /// Counts what became of an event, once.
    fn decided(&mut self, seq: u64, fate: &Fate) {
        match fate {
            Fate::Delivered => self.stats.delivered += 1,
            Fate::Dropped(reason) => count(&mut self.stats.dropped, Cow::clone(reason)),
            Fate::Again => {}
        }
        for flush in &mut self.flushes {
            flush.count(seq, fate);
        }
    }

    /// Asks for everything that is queued to be sent now. A wait in progress is skipped once; held events are tried
    /// again. Fetch the report with [`Engine::take_flush`].
    pub fn flush(&mut self) -> FlushId {
        let id = FlushId(self.next_flush);
        self.next_flush += 1;
        self.queue.release();
        self.hurry();
        self.sending.skip_wait = self.queue.is_sending(self.stats.captured);
        self.flushes.push(Flush {
            id,
            up_to: self.stats.captured,
            earlier_attempts: self.stats.attempts,
            failed: false,
            report: FlushReport::default(),
        });
        id
    }

    /// Asks for everything that is queued to be sent without waiting for company. Waits after failures are kept.
    pub fn hurry(&mut self) {
        self.sending.hurry_up_to = self.stats.captured;
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
        Some(FlushReport {
            pending: self.queue.undecided(flush.up_to) as u64,
            ..flush.report
        })
    }

    /// The truth, now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            queued: self.queue.len() as u64,
            queued_bytes: self.queue.bytes() as u64,
            ..self.stats.clone()
        }
    }

    /// Events waiting or on their way.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .field("identity", &self.identity)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

fn dropped(reason: Reason) -> Fate {
    Fate::Dropped(Cow::Borrowed(reason.as_str()))
}

/// Unix time for ids, which have no sign.
fn unix_millis(now: Timestamp) -> u64 {
    u64::try_from(now.millis()).unwrap_or(0)
}

/// An id for an install or an epoch: a UUIDv7, so that the database meets them in order.
fn new_id(entropy: &mut dyn Entropy, now: Timestamp) -> String {
    v7(unix_millis(now), bytes(entropy)).to_string()
}
