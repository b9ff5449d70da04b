//! The half of the engine that faces the app: what happened becomes a numbered, frozen, saved event.

use trailmark_protocol::{Event, Reason, Timestamp, Uuid};

use super::{Engine, dropped, new_id, unix_millis};
use crate::adopted::Adopted;
use crate::capture::{Capture, freeze};
use crate::entropy::bytes;
use crate::hooks::Draft;
use crate::identity::Identity;
use crate::notice::Notice;
use crate::properties::Properties;
use crate::queue::Entry;
use crate::registered::merged;
use crate::saved::Saved;
use crate::session::Session;
use crate::state::State;

/// What is to be frozen.
pub(super) struct Fresh<'a> {
    pub(super) name: &'a str,
    pub(super) alias: Option<&'a str>,
    pub(super) properties: &'a Properties,
    pub(super) set: &'a Properties,
    pub(super) set_once: &'a Properties,
    /// Whose it is, if not the current user's.
    pub(super) identity: Option<&'a Identity>,
}

/// Writes an event's JSON, of this id and number.
pub(super) type Build<'a> = dyn Fn(&Engine, Uuid, u64, &mut String) -> Result<(), Reason> + 'a;

/// Most bytes kept for the next event to be written to: 16 KiB. A usual event has less than one; one with the longest
/// string that is not cut has nine.
const FROZEN_KEPT: usize = 16 * 1024;

impl<'a> Fresh<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            name,
            alias: None,
            properties: Properties::NONE,
            set: Properties::NONE,
            set_once: Properties::NONE,
            identity: None,
        }
    }
}

impl Engine {
    /// Captures an event of the current identity and returns its id. When this returns it is saved.
    ///
    /// # Errors
    /// The reason under which it was counted as dropped. This is so for every call that captures; only what is refused
    /// as [`Reason::OptedOut`] is not counted, since nothing was captured.
    pub fn track(&mut self, name: &str, properties: &Properties, now: Timestamp) -> Result<Uuid, Reason> {
        let merged = self.with_registered(properties);
        self.admit(
            &Fresh {
                properties: merged.as_ref().unwrap_or(properties),
                ..Fresh::new(name)
            },
            now,
        )
    }

    /// An event for the [hooks](crate::hooks): what [`Engine::track`] would freeze.
    #[must_use]
    pub fn draft(&self, name: &str, properties: &Properties) -> Draft {
        let merged = self.with_registered(properties);
        Draft {
            identity: Some(self.state.identity.clone()),
            ..Draft::new(name, merged.unwrap_or_else(|| properties.clone()))
        }
    }

    /// Captures an event as the hooks have left it.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn track_draft(&mut self, draft: &Draft, now: Timestamp) -> Result<Uuid, Reason> {
        self.admit(
            &Fresh {
                properties: &draft.properties,
                set: &draft.set,
                set_once: &draft.set_once,
                identity: draft.identity.as_ref(),
                ..Fresh::new(&draft.name)
            },
            now,
        )
    }

    /// Counts an event that a hook dropped.
    ///
    /// # Errors
    /// Always [`Reason::BeforeSend`], or [`Reason::OptedOut`].
    pub fn refuse(&mut self, now: Timestamp) -> Result<Uuid, Reason> {
        self.refuse_as(Reason::BeforeSend, now)
    }

    /// Counts an event that was refused before it came here: it has a number, and nothing else.
    ///
    /// # Errors
    /// Always `reason`, or [`Reason::OptedOut`].
    pub fn refuse_as(&mut self, reason: Reason, now: Timestamp) -> Result<Uuid, Reason> {
        self.drop_at_capture(reason, now)
    }

    /// Counts panics of hooks.
    pub fn hooks_panicked(&mut self, panics: u64) {
        self.process.hook_panics += panics;
        (0..panics).for_each(|_| self.notices.add(Notice::HookPanicked));
    }

    /// Captures an event that says itself who and when. It belongs to no session of this client.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn capture(&mut self, mut capture: Capture, now: Timestamp) -> Result<Uuid, Reason> {
        let cut = capture.shorten();
        self.admit_with(capture.id, false, cut, now, &|engine, id, seq, out| {
            capture.refused.map_or(Ok(()), Err)?;
            let event = capture.event(id, seq, now, &engine.config.context);
            freeze(&event, capture.objects(), out)
        })
    }

    /// Captures an event that somebody else has made whole, but for its number: its JSON as it is sent, which begins with
    /// its id. It is sent as it is, with the number behind the id. It belongs to no session of this client.
    ///
    /// ```
    /// # use trailmark_core::{Config, Engine, Entropy, Reason, Step, Timestamp};
    /// # struct Zeros;
    /// # impl Entropy for Zeros { fn fill(&mut self, bytes: &mut [u8]) { bytes.fill(0) } }
    /// # let now = Timestamp::from_millis(1_763_600_000_000);
    /// # let mut engine = Engine::new(Config::new("tm_pk_0193")?, Zeros, now)?;
    /// let record = r#"{"id":"01934f3e-8a00-7000-8000-000000000001","event":"order","user_id":"u_7","properties":{"n":1}}"#;
    /// assert!(engine.adopt(record, now).is_ok());
    /// assert_eq!(engine.adopt(r#"{"event":"order"}"#, now), Err(Reason::InvalidEvent));
    /// engine.hurry();
    /// let Step::Send(request) = engine.poll(now) else { panic!("it is due") };
    /// assert!(request.body.contains(r#"-000000000001","seq":1,"event":"order","user_id":"u_7","properties":{"n":1}}]"#));
    /// # Ok::<(), trailmark_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn adopt(&mut self, record: &str, now: Timestamp) -> Result<Uuid, Reason> {
        let adopted = Adopted::read(record);
        // What is refused is not stored, and needs no id: none is drawn for it.
        let (id, cut) = adopted.as_ref().map_or((Uuid::nil(), 0), |event| (event.id, event.cut));
        self.admit_with(Some(id), false, cut, now, &|_, _, seq, out| match &adopted {
            Ok(event) => event.write(seq, out),
            Err(reason) => Err(*reason),
        })
    }

    /// The properties of the call over those that are registered and the groups; `None` if these are all.
    fn with_registered(&self, properties: &Properties) -> Option<Properties> {
        let (registered, groups) = (self.state.registered.properties(), self.state.groups.properties());
        if registered.is_empty() && groups.is_empty() {
            return None;
        }
        let mut all = merged(registered, properties);
        if !groups.is_empty() {
            all.insert("$groups", groups.clone());
        }
        Some(all)
    }

    /// Captures an event of this client's own.
    pub(super) fn admit(&mut self, fresh: &Fresh<'_>, now: Timestamp) -> Result<Uuid, Reason> {
        let (properties, cut_properties) = fresh.properties.shortened();
        let (set, cut_set) = fresh.set.shortened();
        let (set_once, cut_set_once) = fresh.set_once.shortened();
        let cut = cut_properties + cut_set + cut_set_once;
        if self.takes_events() {
            self.touch_session(now);
            self.write_context();
        }
        self.admit_with(None, true, cut, now, &|engine, id, seq, out| {
            let identity = fresh.identity.unwrap_or(&engine.state.identity);
            let own_epoch = identity.epoch() == engine.state.identity.epoch();
            let session = engine.state.session.as_ref().filter(|_| own_epoch);
            let context = match &engine.context {
                Some(context) if session.is_some() => context,
                _ => &engine.config.context,
            };
            let event = Event {
                name: fresh.name,
                anonymous_id: Some(identity.anonymous_id()),
                user_id: identity.user_id(),
                alias: fresh.alias,
                session_id: session.map(|session| &*session.id),
                properties: properties.non_empty(),
                context: context.non_empty(),
                set: set.non_empty(),
                set_once: set_once.non_empty(),
                ..Event::new(id, seq, now)
            };
            freeze(&event, [&*properties, &*set, &*set_once, context], out)
        })
    }

    fn takes_events(&self) -> bool {
        !self.closed && self.may_keep(self.counters.captured + 1)
    }

    /// Numbers an event, freezes it with `build`, saves and queues it, or counts why not. A refused event has a number
    /// too, so that the highest number is the count of captured events.
    pub(super) fn admit_with(
        &mut self,
        id: Option<Uuid>,
        own: bool,
        cut: u32,
        now: Timestamp,
        build: &Build<'_>,
    ) -> Result<Uuid, Reason> {
        if !self.takes_events() {
            return self.drop_at_capture(Reason::ShutDown, now);
        }
        self.counters.captured += 1;
        let seq = self.counters.captured;
        let id = id.unwrap_or_else(|| self.ids.next(unix_millis(now), bytes(&mut *self.entropy)));
        let frozen = self.frozen(|engine, out| build(engine, id, seq, out));
        let frozen = frozen.and_then(|json| self.make_room(json));
        match frozen {
            Ok(json) => {
                self.undo = None;
                self.report_cut(cut);
                self.enqueue(seq, id, own, json, now);
                Ok(id)
            }
            Err(reason) => {
                self.undo_change();
                self.decided(seq, &dropped(reason));
                self.save(None, now);
                Err(reason)
            }
        }
    }

    /// What `build` writes, in a text of its exact length. It is written to a buffer that is kept from event to event, so
    /// that this is the only allocation.
    fn frozen(&mut self, build: impl FnOnce(&Self, &mut String) -> Result<(), Reason>) -> Result<Box<str>, Reason> {
        let mut out = std::mem::take(&mut self.frozen);
        out.clear();
        let frozen = build(self, &mut out).map(|()| Box::from(out.as_str()));
        out.shrink_to(FROZEN_KEPT);
        self.frozen = out;
        frozen
    }

    fn report_cut(&mut self, cut: u32) {
        if cut > 0 {
            self.process.truncated += u64::from(cut);
            self.notices.add(Notice::Truncated(cut));
        }
    }

    fn enqueue(&mut self, seq: u64, id: Uuid, own: bool, json: Box<str>, now: Timestamp) {
        let age = self.state.age.tick(now);
        let saved = Saved {
            seq,
            id,
            at: now,
            age,
            own,
            json: &json,
        };
        let place = self.save(Some(&saved), now);
        let entry = Entry {
            seq,
            id,
            at: now,
            age,
            json,
            segment: None,
        };
        self.queue.push(entry, place);
    }

    /// Counts an event that was never built.
    pub(super) fn drop_at_capture(&mut self, reason: Reason, now: Timestamp) -> Result<Uuid, Reason> {
        self.undo_change();
        if self.state.opted_out {
            self.process.ignored += 1;
            return Err(Reason::OptedOut);
        }
        self.counters.captured += 1;
        self.decided(self.counters.captured, &dropped(reason));
        self.save(None, now);
        Err(reason)
    }

    /// The event that a change depends on was refused: it has not happened, for the storage either.
    fn undo_change(&mut self) {
        if let Some(before) = self.undo.take() {
            self.state = State {
                age: self.state.age,
                erasing: std::mem::take(&mut self.state.erasing),
                ..before
            };
            self.context = None;
        }
    }

    /// Drops the oldest events until `json` fits. Where all others are on their way, it is the one that has to go.
    fn make_room(&mut self, json: Box<str>) -> Result<Box<str>, Reason> {
        while !self.queue.fits(json.len()) {
            self.look_ahead();
            let oldest = self.queue.remove_oldest().ok_or(Reason::QueueFull)?;
            self.leave(&oldest, &dropped(Reason::QueueFull));
        }
        Ok(json)
    }

    /// Goes on with the session, or begins one.
    fn touch_session(&mut self, now: Timestamp) {
        let (idle, max) = (self.config.session_idle, self.config.session_max);
        if let Some(session) = self
            .state
            .session
            .as_mut()
            .filter(|session| session.continues(now, idle, max))
        {
            session.latest = now;
            return;
        }
        self.state.sessions += 1;
        self.state.session = Some(Session {
            id: new_id(&mut *self.entropy, now),
            seq: self.state.sessions,
            started: now,
            latest: now,
        });
        self.context = None;
        self.unsaved.state = true;
    }

    /// The circumstances with the library and the session in them, unless they are written already.
    fn write_context(&mut self) {
        if self.context.is_some() {
            return;
        }
        let (name, version) = self
            .config
            .sdk_name
            .split_once('/')
            .unwrap_or((&self.config.sdk_name, ""));
        let library = Properties::new().with("name", name).with("version", version);
        let mut context = self.config.context.clone().with("library", library);
        if let Some(session) = &self.state.session {
            context.insert("session", Properties::new().with("seq", session.seq));
        }
        self.context = Some(context);
    }
}
