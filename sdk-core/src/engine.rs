//! The engine: every decision of the client, without I/O, clock or thread.
//!
//! A driver owns one, tells it what the app does, and asks [`Engine::poll`] what to do next: send a request and report
//! its end to [`Engine::done`], or wait. One request is open at a time, so the events of an install arrive in order and
//! an outage costs one attempt, not many.
//!
//! What a call changes is saved by the call itself, in one record, before it returns.

mod capturing;
mod people;
pub(crate) mod telling;
mod consent;
mod saving;
mod keeping;
mod sending;
mod flushing;

use std::borrow::Cow;

use trailmark_protocol::id::{IdGenerator, text, v7};
use trailmark_protocol::{Reason, Timestamp};

use crate::config::{Config, ConfigError};
use crate::entropy::{Entropy, bytes};
use crate::flush::Flush;
use crate::identity::Identity;
use crate::log::{Log, Settled};
use crate::notice::{Notice, Notices};
use crate::properties::Properties;
use crate::queue::Queue;
use crate::request::Request;
use crate::session::Session;
use crate::state::{Counters, Past, State};
use crate::stats::{Stats, StorageHealth};
#[cfg(feature = "log")]
use crate::storage::Storage;
use crate::verdict::Fate;

use keeping::Rows;
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
///
/// ```
/// use trailmark_core::{Answer, Config, Engine, Entropy, Outcome, Properties, Step, Timestamp};
///
/// struct Counting(u8);
/// impl Entropy for Counting {
///     fn fill(&mut self, bytes: &mut [u8]) {
///         bytes.iter_mut().for_each(|byte| {
///             self.0 = self.0.wrapping_add(1);
///             *byte = self.0;
///         });
///     }
/// }
///
/// let mut now = Timestamp::from_millis(1_763_600_000_000);
/// let mut engine = Engine::new(Config::new("tm_pk_0193")?, Counting(0), now)?;
/// assert_eq!(engine.poll(now), Step::Idle);
///
/// engine.track("checkout", &Properties::new().with("total", 12.5), now).ok();
/// let Step::WakeAt(due) = engine.poll(now) else { panic!("it waits for company") };
///
/// now = due;
/// let Step::Send(request) = engine.poll(now) else { panic!("it is due") };
/// assert_eq!(request.path, "/v1/batch");
///
/// // The driver sends it, and says what came of it.
/// let answer = Answer { status: 202, body: r#"{"accepted":1,"results":[]}"#.into(), ..Answer::default() };
/// engine.done(request.id, &Outcome::Answered(answer), now);
/// assert_eq!(engine.stats().delivered, 1);
/// # Ok::<(), trailmark_core::ConfigError>(())
/// ```
pub struct Engine {
    config: Config,
    entropy: Box<dyn Entropy>,
    ids: IdGenerator,
    state: State,
    counters: Counters,
    /// The circumstances and the session, as they are written into events; none since they have changed.
    context: Option<Properties>,
    /// What the next event is written to.
    frozen: String,
    queue: Queue,
    log: Option<Log>,
    rows: Option<Rows>,
    unsaved: Unsaved,
    /// What was, while a change of who uses the device depends on its event being captured.
    undo: Option<State>,
    sending: Sending,
    flushes: Vec<Flush>,
    next_flush: u64,
    notices: Notices,
    /// What is counted for this process alone.
    process: Stats,
    closed: bool,
}

/// What has changed since the last record.
#[derive(Debug, Default)]
struct Unsaved {
    settled: Settled,
    /// Something that only a checkpoint tells.
    state: bool,
    /// Segments of decided events, one for each; they may go once the record is there.
    freed: Vec<u64>,
    /// Events are to be saved again, in another segment.
    moved: bool,
    /// What the queue's clock showed in the last checkpoint.
    age: u64,
}

/// What an engine begins with.
struct Start {
    past: Past,
    queue: Queue,
    log: Option<Log>,
    rows: Option<Rows>,
}

impl Start {
    /// Nothing.
    fn empty(config: &Config) -> Self {
        Self {
            past: Past::default(),
            queue: Queue::new(config.max_queue_events, config.max_queue_bytes).with_window(config.window_events),
            log: None,
            rows: None,
        }
    }
}

impl Engine {
    /// An engine that remembers nothing and forgets everything with the process. `now` goes into the ids it makes.
    ///
    /// # Errors
    /// A setting is refused by the wire's rules.
    pub fn new(config: Config, entropy: impl Entropy + 'static, now: Timestamp) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.sane();
        let start = Start::empty(&config);
        Ok(Self::build(config, Box::new(entropy), start, now))
    }

    /// An engine that goes on where the last one on this storage ended, however it ended. The storage must not be in use
    /// by another one.
    ///
    /// # Errors
    /// See [`Engine::new`]. A storage that fails is not an error: see [`Stats::storage`].
    #[cfg(feature = "log")]
    pub fn open(
        config: Config,
        entropy: impl Entropy + 'static,
        storage: impl Storage + 'static,
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.sane();
        let (log, recovered) = Log::open(Box::new(storage), config.segment_bytes);
        let mut start = Start::empty(&config);
        for event in &recovered.undecided {
            let bytes = usize::try_from(event.bytes).unwrap_or(usize::MAX);
            start.queue.add_to_rest(event.seq, bytes, event.place);
        }
        (start.past, start.log) = (recovered.past, Some(log));
        Ok(Self::build(config, Box::new(entropy), start, now))
    }

    fn build(mut config: Config, mut entropy: Box<dyn Entropy>, start: Start, now: Timestamp) -> Self {
        let Start { past, queue, log, rows } = start;
        let mut id_or_new = |given: Option<String>| given.unwrap_or_else(|| new_id(&mut *entropy, now));
        let (anonymous_id, install_id) = (config.anonymous_id.take(), config.install_id.take());
        let fresh = || State::new(id_or_new(install_id), id_or_new(anonymous_id));
        let is_new = past.state.is_none();
        let begins_segment = log.as_ref().is_some_and(Log::begins_segment);
        let age = past.state.as_ref().map_or(0, |state| state.age.millis);
        let mut engine = Self {
            state: past.state.unwrap_or_else(fresh),
            counters: past.counters,
            context: None,
            ids: IdGenerator::default(),
            frozen: String::new(),
            queue,
            log,
            rows,
            unsaved: Unsaved {
                // Nothing else may be saved for a long time, and until then what is not needed any more stays.
                state: is_new || past.lost > 0 || begins_segment,
                age,
                ..Unsaved::default()
            },
            undo: None,
            sending: Sending::new(config.max_batch_events),
            flushes: Vec::new(),
            next_flush: 0,
            notices: Notices::default(),
            process: Stats::default(),
            closed: false,
            config,
            entropy,
        };
        if past.lost > 0 {
            let reason = Cow::Borrowed(Reason::StorageLost.as_str());
            engine.notices.add(Notice::Dropped(reason));
        }
        if engine.state.opted_out && engine.queue.seqs().iter().any(|seq| !engine.may_keep(seq)) {
            // They were on their way when the person said no, and nobody has heard what became of them.
            engine.empty(Reason::OptedOut);
        }
        if !engine.state.erasing.is_empty() {
            engine.hurry();
        }
        engine.look_ahead();
        engine.save(None, now);
        engine
    }

    /// Who events happen to from now on.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.state.identity
    }

    /// The install: made once, and the same until the person's data is deleted.
    #[must_use]
    pub fn install_id(&self) -> &str {
        &self.state.install_id
    }

    /// The session of the latest event. The next event may begin another.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.state.session.as_ref()
    }

    /// Replaces the circumstances that are written into events from now on.
    ///
    /// # Errors
    /// They are beyond a limit; then nothing has changed.
    pub fn set_context(&mut self, context: Properties) -> Result<(), Reason> {
        context.check()?;
        self.config.context = context;
        self.context = None;
        Ok(())
    }

    /// Captures nothing from now on: later events are dropped as [`Reason::ShutDown`].
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Lets go of the storage, so that another engine can use it. What is queued stays there.
    pub fn release_storage(&mut self) {
        self.closed = true;
        self.process.storage = self.storage_health();
        self.log = None;
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The truth, now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            captured: self.counters.captured,
            delivered: self.counters.delivered,
            dropped: self.counters.dropped.clone(),
            queued: self.queue.len() as u64,
            queued_bytes: self.queue.bytes() as u64,
            storage: self.storage_health(),
            opted_out: self.state.opted_out,
            ..self.process.clone()
        }
    }

    fn storage_health(&self) -> StorageHealth {
        match self.log.as_ref().map(Log::error) {
            None => self.process.storage.clone(),
            Some(None) => StorageHealth::Saved,
            Some(Some(error)) => StorageHealth::Failing(error.0.clone()),
        }
    }

    /// Events waiting or on their way.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Tells of something that a driver has met.
    pub fn notice(&mut self, notice: Notice) {
        self.notices.add(notice);
    }

    /// What somebody should know, since the last call.
    #[must_use]
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.take()
    }

    /// Counts what became of an event, once.
    fn decided(&mut self, seq: u64, fate: &Fate) {
        match fate {
            Fate::Delivered => self.counters.delivered += 1,
            Fate::Dropped(reason) => {
                self.counters.dropped.count(Cow::clone(reason), 1);
                self.notices.add(Notice::Dropped(Cow::clone(reason)));
            }
            Fate::Again => return,
        }
        self.unsaved.settled.add(seq, fate);
        for flush in &mut self.flushes {
            flush.count(seq, fate);
        }
        self.erased(seq, fate);
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .field("identity", &self.state.identity)
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
    text(v7(unix_millis(now), bytes(entropy)))
}
