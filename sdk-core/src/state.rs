//! What a client remembers over restarts, besides its events: one small JSON object, rewritten whole at each change.

use std::borrow::Cow;

use trailmark_protocol::json::{Object, as_i64, as_string, as_u64, fields, pick, write_i64};
use trailmark_protocol::{Reason, Timestamp};

use crate::Properties;
use crate::age::AgeClock;
use crate::identity::Identity;
use crate::ranges::Ranges;
use crate::registered::Registered;
use crate::session::Session;
use crate::stats::Dropped;
use crate::verdict::canonical;

/// Who and in what circumstances. What belongs to an epoch is forgotten with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) install_id: String,
    pub(crate) opted_out: bool,
    /// The app's version at its latest start.
    pub(crate) app_version: Option<String>,
    /// Sessions ever begun.
    pub(crate) sessions: u64,
    pub(crate) age: AgeClock,
    /// The requests to erase that are not yet delivered, by number.
    pub(crate) erasing: Ranges,
    /// The number of the latest of them, delivered or not.
    pub(crate) last_erase: u64,
    pub(crate) identity: Identity,
    pub(crate) session: Option<Session>,
    pub(crate) registered: Registered,
    pub(crate) groups: Registered,
}

impl State {
    pub(crate) fn new(install_id: String, anonymous_id: String) -> Self {
        Self {
            install_id,
            opted_out: false,
            app_version: None,
            sessions: 0,
            age: AgeClock::default(),
            erasing: Ranges::default(),
            last_erase: 0,
            identity: Identity::new(anonymous_id),
            session: None,
            registered: Registered::default(),
            groups: Registered::default(),
        }
    }

    /// Forgets what belonged to the epoch that `identity` has left.
    pub(crate) fn begin_epoch(&mut self, identity: Identity) {
        self.identity = identity;
        self.session = None;
        self.registered = Registered::default();
        self.groups = Registered::default();
    }
}

/// The numbers that make the conservation law.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    /// Events ever handed in; also the number of the newest.
    pub(crate) captured: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: Dropped,
}

impl Counters {
    pub(crate) fn dropped_total(&self) -> u64 {
        self.dropped.total()
    }
}

/// All that is in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) state: State,
    pub(crate) counters: Counters,
    /// Saved events that were not decided when it was written.
    pub(crate) undecided: Ranges,
}

/// What is remembered of the time before a restart.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// None at the first start, and if no checkpoint could be read.
    pub(crate) state: Option<State>,
    /// Once they are balanced, the law holds for them and what is undecided.
    pub(crate) counters: Counters,
    /// Events that were captured and are found nowhere.
    pub(crate) lost: u64,
}

impl Past {
    /// An event of this number was captured.
    pub(crate) fn captured(&mut self, seq: u64) {
        self.counters.captured = self.counters.captured.max(seq);
    }

    /// Counts what is missing as [`Reason::StorageLost`], where so many events are undecided.
    pub(crate) fn balance(&mut self, undecided: u64) {
        let known = self.counters.delivered + self.counters.dropped_total() + undecided;
        self.lost = self.counters.captured.saturating_sub(known);
        if self.lost > 0 {
            let reason = Cow::Borrowed(Reason::StorageLost.as_str());
            self.counters.dropped.count(reason, self.lost);
        }
        self.counters.captured = self.counters.captured.max(known);
    }
}

impl From<Checkpoint> for Past {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            state: Some(checkpoint.state),
            counters: checkpoint.counters,
            lost: 0,
        }
    }
}

/// The format's version. A later one that cannot be read as this one has another number.
const VERSION: u64 = 1;

/// Writes a checkpoint.
pub(crate) fn to_json(state: &State, counters: &Counters, undecided: &Ranges) -> String {
    let mut out = String::with_capacity(512);
    let mut object = Object::open(&mut out)
        .int("v", VERSION)
        .str("install_id", &state.install_id)
        .int("epoch", state.identity.epoch())
        .str("anonymous_id", state.identity.anonymous_id())
        .opt_str("user_id", state.identity.user_id())
        .opt_str("app_version", state.app_version.as_deref())
        .int("sessions", state.sessions)
        .int("age", state.age.millis);
    if state.opted_out {
        object = object.raw("opted_out", "true");
    }
    if !state.erasing.is_empty() {
        object = object
            .raw("erasing", &state.erasing.to_json())
            .int("last_erase", state.last_erase);
    }
    if let Some(at) = state.age.looked_at {
        write_i64(object.key("looked_at"), at.micros());
    }
    if let Some(session) = &state.session {
        write_session(object.key("session"), session);
    }
    object = object
        .raw("registered", state.registered.properties().as_json())
        .raw("groups", state.groups.properties().as_json())
        .int("captured", counters.captured)
        .int("delivered", counters.delivered);
    write_counts(object.key("dropped"), &counters.dropped);
    object.raw("undecided", &undecided.to_json()).close();
    out
}

fn write_session(out: &mut String, session: &Session) {
    let mut object = Object::open(out).str("id", &session.id).int("seq", session.seq);
    write_i64(object.key("started"), session.started.micros());
    write_i64(object.key("latest"), session.latest.micros());
    object.close();
}

fn write_counts(out: &mut String, dropped: &Dropped) {
    let object = Object::open(out);
    dropped
        .iter()
        .fold(object, |object, (reason, count)| object.int(reason, count))
        .close();
}

const FIELDS: [&str; 19] = [
    "v",
    "install_id",
    "opted_out",
    "app_version",
    "sessions",
    "age",
    "looked_at",
    "erasing",
    "last_erase",
    "epoch",
    "anonymous_id",
    "user_id",
    "session",
    "registered",
    "groups",
    "captured",
    "delivered",
    "dropped",
    "undecided",
];

/// Reads a checkpoint; `None` if it is not one of this version. Fields that this version does not know are skipped.
pub(crate) fn from_json(json: &str) -> Option<Checkpoint> {
    let [
        version,
        install_id,
        opted_out,
        app_version,
        sessions,
        age,
        looked_at,
        erasing,
        last_erase,
        epoch,
        anonymous_id,
        user_id,
        session,
        registered,
        groups,
        captured,
        delivered,
        dropped,
        undecided,
    ] = pick(json, FIELDS).ok()?;
    let erasing = erasing.map_or_else(|| Some(Ranges::default()), Ranges::from_json)?;
    let undecided = Ranges::from_json(undecided?)?;
    let dropped = counts(dropped?)?;
    let state = State {
        install_id: text(install_id).unwrap_or_default(),
        opted_out: opted_out == Some("true"),
        app_version: text(app_version),
        sessions: number(sessions),
        age: AgeClock {
            millis: number(age),
            looked_at: looked_at.and_then(as_i64).map(Timestamp::from_micros),
        },
        erasing,
        last_erase: number(last_erase),
        identity: Identity::restored(number(epoch), text(anonymous_id).unwrap_or_default(), text(user_id)),
        session: session.and_then(read_session),
        registered: registered_from(registered),
        groups: registered_from(groups),
    };
    let counters = Counters {
        captured: number(captured),
        delivered: number(delivered),
        dropped,
    };
    let complete =
        number(version) == VERSION && !state.install_id.is_empty() && !state.identity.anonymous_id().is_empty();
    complete.then_some(Checkpoint {
        state,
        counters,
        undecided,
    })
}

fn number(json: Option<&str>) -> u64 {
    json.and_then(as_u64).unwrap_or(0)
}

fn text(json: Option<&str>) -> Option<String> {
    json.and_then(as_string).map(Cow::into_owned)
}

fn registered_from(json: Option<&str>) -> Registered {
    let properties = json.and_then(|json| Properties::from_json(json).ok());
    Registered::new(properties.unwrap_or_default())
}

fn read_session(json: &str) -> Option<Session> {
    let [id, seq, started, latest] = pick(json, ["id", "seq", "started", "latest"]).ok()?;
    Some(Session {
        id: text(id)?,
        seq: as_u64(seq?)?,
        started: Timestamp::from_micros(as_i64(started?)?),
        latest: Timestamp::from_micros(as_i64(latest?)?),
    })
}

fn counts(json: &str) -> Option<Dropped> {
    let mut dropped = Dropped::new();
    for field in fields(json) {
        let (reason, count) = field.ok()?;
        dropped.count(canonical(&reason), as_u64(count)?);
    }
    Some(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Checkpoint {
        let at = Timestamp::from_micros;
        let mut state = State::new("in\"stall".into(), "unused".into());
        state.identity = Identity::restored(3, "a3".into(), Some("u\n7".into()));
        state.opted_out = true;
        state.app_version = Some("1.4.2".into());
        state.sessions = 9;
        state.erasing = Ranges::of([11, 12]);
        state.last_erase = 12;
        state.age = AgeClock {
            millis: 5,
            looked_at: Some(at(-8)),
        };
        state.session = Some(Session {
            id: "s".into(),
            seq: 9,
            started: at(-1),
            latest: at(7),
        });
        state.registered = Registered::new(Properties::new().with("plan", "pro"));
        state.groups = Registered::new(Properties::new().with("company", "acme"));
        Checkpoint {
            state,
            counters: Counters {
                captured: 12,
                delivered: 4,
                dropped: [("too_large".into(), 2), ("new".into(), 1)].into_iter().collect(),
            },
            undecided: Ranges::of([6, 8, 9, 10, 11]),
        }
    }

    fn written(checkpoint: &Checkpoint) -> String {
        to_json(&checkpoint.state, &checkpoint.counters, &checkpoint.undecided)
    }

    #[test]
    fn a_checkpoint_reads_back_with_everything_and_with_nothing() {
        let empty = Checkpoint {
            state: State::new("i".into(), "a".into()),
            counters: Counters::default(),
            undecided: Ranges::default(),
        };
        for checkpoint in [full(), empty] {
            assert_eq!(from_json(&written(&checkpoint)), Some(checkpoint));
        }
    }

    #[test]
    fn a_field_of_a_later_version_is_skipped_and_a_later_format_is_not_read() {
        let json = written(&full());
        assert_eq!(from_json(&json.replacen('{', r#"{"mood":["good"],"#, 1)), Some(full()));
        assert_eq!(from_json(&json.replace(r#""v":1"#, r#""v":2"#)), None);
        assert_eq!(from_json("{}"), None);
    }
}
