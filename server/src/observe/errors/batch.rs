//! What is to be stored of some errors, added up: pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailmark_protocol::limits::ID_CHARS;
use trailmark_protocol::{Timestamp, Uuid};

use super::group::{Group, Key, group, key_of};
use super::read::{Level, read};
use super::spike::quarter_of;
use super::state::Resolution;
use crate::store::notes::Observed;

/// Most issues of a project: 10,000. Nobody looks at more, and a fingerprint with a number in it must not fill the
/// database; what is one too many is of the issue [`OTHER`], which counts it.
pub const ISSUES_MAX: i64 = 10_000;

/// The issue of all errors for which there was no room.
pub const OTHER: &str = "Other errors";

/// Events of an issue that can be looked at: the newest 10, and the first.
pub const SAMPLES: usize = 10;

/// How long counts by quarter-hours are kept: 30 days. An older event that arrives late is counted by its issue alone.
pub const QUARTERS_KEPT_MICROS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// When some event happened first and last.
pub type Span = (Timestamp, Timestamp);

/// The events of one issue, added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// What they are.
    pub group: Group,
    /// The worst of them.
    pub level: Level,
    /// Whether the app had caught all of them.
    pub handled: bool,
    /// How many.
    pub events: i64,
    /// When they happened.
    pub span: Span,
    /// The release of the first.
    pub first_release: Option<String>,
    /// The release of the last.
    pub last_release: Option<String>,
    /// When the server had received the first of them.
    pub received_at: Timestamp,
    /// The least id: ids sort by the time of capture.
    pub first_event: Uuid,
    /// The greatest ids, the greatest first; at most [`SAMPLES`].
    pub newest: Vec<Uuid>,
    /// How many by quarter-hour, none of them older than is kept.
    pub quarters: BTreeMap<Timestamp, i64>,
    /// Whose they were.
    pub people: BTreeMap<i64, Span>,
    /// In which releases.
    pub releases: BTreeMap<String, (i64, Span)>,
    /// When, and in which release, each of them happened.
    times: Vec<(Timestamp, Option<String>)>,
}

impl Folded {
    /// What the issue is after these events, and since when it is, of one that was resolved; `None` if it stays so.
    #[must_use]
    pub fn regressed_at(&self, resolution: &Resolution) -> Option<Timestamp> {
        let until = self.times.iter().filter(|(at, _)| *at <= resolution.at);
        let mut resolution = resolution.clone();
        resolution
            .seen_in
            .extend(until.filter_map(|(_, release)| release.clone()));
        let contradicts =
            |(at, release): &&(Timestamp, Option<String>)| resolution.is_contradicted_by(*at, release.as_deref());
        self.times.iter().filter(contradicts).map(|(at, _)| *at).min()
    }

    /// Takes the events of another issue for its own.
    fn add(&mut self, other: Self) {
        if other.span.0 < self.span.0 {
            self.first_release = other.first_release;
        }
        if other.span.1 >= self.span.1 {
            self.last_release = other.last_release;
        }
        self.level = self.level.max(other.level);
        self.handled &= other.handled;
        self.events += other.events;
        self.span = joined(self.span, other.span);
        self.received_at = self.received_at.min(other.received_at);
        self.first_event = self.first_event.min(other.first_event);
        self.newest.extend(other.newest);
        self.newest.sort_unstable_by(|one, other| other.cmp(one));
        self.newest.truncate(SAMPLES);
        for (quarter, events) in other.quarters {
            *self.quarters.entry(quarter).or_default() += events;
        }
        for (identity, span) in other.people {
            let known = self.people.entry(identity).or_insert(span);
            *known = joined(*known, span);
        }
        for (release, (events, span)) in other.releases {
            let known = self.releases.entry(release).or_insert((0, span));
            *known = (known.0 + events, joined(known.1, span));
        }
        self.times.extend(other.times);
    }
}

fn joined(one: Span, other: Span) -> Span {
    (one.0.min(other.0), one.1.max(other.1))
}

/// Events added up by their issues.
#[must_use]
pub fn folded(events: &[Observed]) -> BTreeMap<Key, Folded> {
    let mut all = BTreeMap::new();
    for event in events {
        put(&mut all, single(event));
    }
    all
}

fn put(all: &mut BTreeMap<Key, Folded>, folded: Folded) {
    let known = all.entry(folded.group.key);
    match known {
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(folded);
        }
        std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().add(folded),
    }
}

fn single(event: &Observed) -> Folded {
    let none = Value::Null;
    let occurred = read(event.properties.as_ref().map_or(&none, |properties| &properties.0));
    let release = event.context.as_ref().and_then(|context| release(&context.0));
    let (at, received_at) = (event.timestamp.0, event.received_at.0);
    let is_kept = at.plus_micros(QUARTERS_KEPT_MICROS) > received_at;
    Folded {
        group: group(&occurred),
        level: occurred.level,
        handled: occurred.handled,
        events: 1,
        span: (at, at),
        first_release: release.clone(),
        last_release: release.clone(),
        received_at,
        first_event: event.id,
        newest: vec![event.id],
        quarters: is_kept.then(|| (quarter_of(at), 1)).into_iter().collect(),
        people: [(event.identity_id, (at, at))].into(),
        releases: release
            .clone()
            .map(|release| (release, (1, (at, at))))
            .into_iter()
            .collect(),
        times: vec![(at, release)],
    }
}

/// `context.app.version`, as installs tell it.
fn release(context: &Value) -> Option<String> {
    let version = context.get("app")?.get("version")?.as_str()?.trim();
    let fits = (1..=ID_CHARS).contains(&version.len()) && !version.contains('\0');
    fits.then(|| version.to_owned())
}

/// The key of the issue [`OTHER`].
#[must_use]
pub fn other_key() -> Key {
    key_of("other")
}

/// Leaves `room` issues that are not `known`; the events of all others are of the issue [`OTHER`].
pub fn make_fit(all: &mut BTreeMap<Key, Folded>, known: &BTreeSet<Key>, room: usize) {
    let other = other_key();
    let is_new = |key: &&Key| !known.contains(*key) && **key != other;
    let too_many: Vec<Key> = all.keys().filter(is_new).skip(room).copied().collect();
    for key in too_many {
        let Some(mut folded) = all.remove(&key) else { continue };
        folded.group = Group {
            key: other,
            kind: OTHER.to_owned(),
            title: "There is no room for more issues: these are the errors that would be others".to_owned(),
            culprit: String::new(),
        };
        put(all, folded);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::types::Json;
    use trailmark_protocol::id;

    use super::*;
    use crate::store::PgTime;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_176_000_000 + seconds * 1_000)
    }

    fn event(n: u8, seconds: i64, identity: i64, kind: &str, release: &str) -> Observed {
        Observed {
            id: id::v7(at(seconds).millis().cast_unsigned(), [n; 10]),
            timestamp: PgTime(at(seconds)),
            received_at: PgTime(at(10_000)),
            identity_id: identity,
            properties: Some(Json(json!({"$exception_type": kind}))),
            context: Some(Json(json!({"app": {"version": release}}))),
        }
    }

    fn only(events: &[Observed]) -> Folded {
        let all = folded(events);
        assert_eq!(all.len(), 1);
        all.into_values().next().unwrap()
    }

    #[test]
    fn events_of_one_issue_are_added_up_whatever_their_order() {
        let mut events: Vec<_> = (0..15)
            .map(|n| {
                event(
                    n,
                    i64::from(n) * 300,
                    i64::from(n % 4),
                    "A",
                    ["1", "2"][usize::from(n > 7)],
                )
            })
            .collect();
        let sum = only(&events);
        assert_eq!((sum.events, sum.span), (15, (at(0), at(14 * 300))));
        assert_eq!(
            (sum.first_release.as_deref(), sum.last_release.as_deref()),
            (Some("1"), Some("2"))
        );
        assert_eq!(sum.quarters.values().copied().collect::<Vec<_>>(), [3, 3, 3, 3, 3]);
        assert_eq!(sum.people.get(&1), Some(&(at(300), at(13 * 300))));
        assert_eq!(sum.releases.get("1").map(|release| release.0), Some(8));
        assert_eq!((sum.newest.len(), sum.newest.first()), (SAMPLES, Some(&events[14].id)));
        assert_eq!(sum.first_event, events[0].id);
        events.reverse();
        let reversed = only(&events);
        assert_eq!(
            (sum.newest, sum.people, sum.releases, sum.quarters),
            (reversed.newest, reversed.people, reversed.releases, reversed.quarters)
        );
        assert_eq!(
            (reversed.first_release.as_deref(), reversed.last_release.as_deref()),
            (Some("1"), Some("2"))
        );
    }

    #[test]
    fn an_event_from_before_what_is_kept_is_in_no_quarter() {
        let old = event(1, -31 * 86_400, 1, "A", "1");
        assert_eq!(
            (only(std::slice::from_ref(&old)).quarters.len(), only(&[old]).events),
            (0, 1)
        );
    }

    #[test]
    fn what_finds_no_room_is_other_and_loses_nothing() {
        let events: Vec<_> = (0..6)
            .map(|n| {
                event(
                    n,
                    0,
                    1,
                    &format!("K{}", ["a", "b", "c", "d", "e", "f"][usize::from(n)]),
                    "1",
                )
            })
            .collect();
        let mut all = folded(&events);
        let known: BTreeSet<Key> = all.keys().take(2).copied().collect();
        make_fit(&mut all, &known, 1);
        assert_eq!(all.len(), 4, "two that are known, one that is new, and the others");
        assert_eq!(all.values().map(|folded| folded.events).sum::<i64>(), 6);
        assert_eq!(
            all.get(&other_key())
                .map(|other| (other.events, other.group.kind.as_str())),
            Some((3, OTHER))
        );
        let before = all.clone();
        make_fit(&mut all, &before.keys().copied().collect(), 0);
        assert_eq!(all, before);
    }

    #[test]
    fn the_first_event_that_contradicts_a_resolution_tells_since_when() {
        let resolution = Resolution {
            at: at(100),
            in_release: Some("2".to_owned()),
            seen_in: BTreeSet::new(),
        };
        let sum = only(&[
            event(1, 50, 1, "A", "1"),
            event(2, 200, 1, "A", "1"),
            event(3, 400, 1, "A", "2"),
            event(4, 300, 1, "A", "3"),
        ]);
        assert_eq!(
            sum.regressed_at(&resolution),
            Some(at(300)),
            "release 1 was seen until then"
        );
        let late = only(&[event(1, 99, 1, "A", "2")]);
        assert_eq!(late.regressed_at(&resolution), None);
    }
}
