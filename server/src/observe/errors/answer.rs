//! Issues as they are shown.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailmark_protocol::{Timestamp, Uuid};
use utoipa::ToSchema;

use super::spike::QUARTER_MICROS;
use super::state::State;
use crate::query::time::At;
use crate::store::{Counted, IssueRelease, IssueRow, SampleRow};

/// An hour.
const HOUR_MICROS: i64 = 4 * QUARTER_MICROS;

/// A day of 24 hours; days are counted in UTC.
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// An issue: errors that are one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Issue {
    /// Its number within the project.
    number: i32,
    /// The error's type.
    r#type: String,
    /// The first line of what its first event said.
    title: String,
    /// Where in the app's code it was thrown; empty if that is not known.
    culprit: String,
    /// The worst of its events: `warning`, `error`, `fatal`.
    level: String,
    /// Whether the app had caught every one of them.
    handled: bool,
    /// `new`, `ongoing`, `escalating`, `regressed`, `resolved`, `ignored`.
    state: String,
    /// Since when it is so.
    state_since: At,
    /// Its earliest event.
    first_seen: At,
    /// Its latest event.
    last_seen: At,
    /// The release of its earliest event, if it said so.
    first_release: Option<String>,
    /// The release of its latest event, if it said so.
    last_release: Option<String>,
    /// How many events it has had.
    events: i64,
    /// How many persons it has met in the last 90 days.
    people: i64,
    /// How it was resolved last; null: never.
    resolved: Option<Resolved>,
    /// Its events of the last 24 hours, by hours.
    hours: Course,
}

/// That an issue was resolved.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = IssueResolved)]
pub(super) struct Resolved {
    /// When.
    at: At,
    /// By whom: an e-mail address, or a key's number.
    by: String,
    /// In which release; null: in all.
    in_release: Option<String>,
}

/// How many events there were, one number for each stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = IssueCourse)]
pub(super) struct Course {
    /// When the first stretch begins.
    from: At,
    /// How long each is, in minutes.
    step_minutes: i64,
    /// The events of each, the oldest first; the last stretch still runs.
    counts: Vec<i64>,
}

impl Course {
    /// The moment from which on `steps` of `step` are shown at `now`.
    pub(super) fn begin(now: Timestamp, [step, steps]: [i64; 2]) -> Timestamp {
        Timestamp::from_micros((now.micros().div_euclid(step) - steps + 1) * step)
    }

    fn of(from: Timestamp, [step, steps]: [i64; 2], counted: impl Iterator<Item = (Timestamp, i64)>) -> Self {
        let mut counts = vec![0; usize::try_from(steps).unwrap_or(0)];
        for (at, events) in counted {
            let place = usize::try_from((at.micros() - from.micros()).div_euclid(step)).ok();
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count += events;
            }
        }
        Self {
            from: At(from),
            step_minutes: step / 60_000_000,
            counts,
        }
    }
}

/// 24 hours, by hours.
pub(super) const HOURS: [i64; 2] = [HOUR_MICROS, 24];

/// 24 hours, by quarter-hours.
pub(super) const QUARTERS: [i64; 2] = [QUARTER_MICROS, 96];

/// 30 days.
pub(super) const DAYS: [i64; 2] = [DAY_MICROS, 30];

impl Issue {
    /// An issue as it is at `now`, with its events by hours.
    pub(super) fn of(row: IssueRow, hours: &[(i32, crate::store::PgTime, i64)], now: Timestamp) -> Self {
        let own = hours.iter().filter(|(number, ..)| *number == row.number);
        let resolved = row.resolved_at.map(|at| Resolved {
            at: At(at.0),
            by: row.resolved_by.unwrap_or_default(),
            in_release: row.resolved_in,
        });
        Self {
            hours: Course::of(
                Course::begin(now, HOURS),
                HOURS,
                own.map(|(_, at, events)| (at.0, *events)),
            ),
            number: row.number,
            r#type: row.kind,
            title: row.title,
            culprit: row.culprit,
            level: row.level,
            handled: row.handled,
            state: row.state,
            state_since: At(row.state_at.0),
            first_seen: At(row.first_seen.0),
            last_seen: At(row.last_seen.0),
            first_release: row.first_release,
            last_release: row.last_release,
            events: row.events,
            people: row.people,
            resolved,
        }
    }
}

/// A page of issues.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Issues {
    /// The issues, as they are sorted, the greatest first.
    pub(super) issues: Vec<Issue>,
    /// What to ask the next page with; null at the end.
    pub(super) next_cursor: Option<String>,
}

/// An issue with what is known about it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct WholeIssue {
    /// The issue.
    #[serde(flatten)]
    issue: Issue,
    /// Its events of the last 24 hours, by quarter-hours.
    quarters: Course,
    /// Its events of the last 30 days, by days (UTC).
    days: Course,
    /// The releases in which it was seen, the latest first; some 200 at most.
    releases: Vec<SeenIn>,
    /// Its ten newest events and its first, the newest first, as they were sent; without those that are erased.
    samples: Vec<Sample>,
}

/// A release in which an issue was seen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = IssueRelease)]
pub(super) struct SeenIn {
    /// Version of the app.
    release: String,
    /// Events in it.
    events: i64,
    /// The earliest.
    first_seen: At,
    /// The latest.
    last_seen: At,
}

/// An event of an issue.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = IssueSample)]
pub(super) struct Sample {
    /// Its id.
    id: Uuid,
    /// When it happened.
    timestamp: At,
    /// When the server received it.
    received_at: At,
    /// The device.
    anonymous_id: Option<String>,
    /// The user.
    user_id: Option<String>,
    /// The person.
    person_id: i64,
    /// The session.
    session_id: Option<String>,
    /// What was sent: the error with its causes and their stacks.
    #[schema(value_type = Option<Object>)]
    properties: Option<Value>,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
}

impl WholeIssue {
    /// An issue as it is at `now`.
    pub(super) fn of(
        row: IssueRow,
        [quarters, days]: [Vec<Counted>; 2],
        releases: Vec<IssueRelease>,
        samples: Vec<SampleRow>,
        now: Timestamp,
    ) -> Self {
        let number = row.number;
        let by_hours: Vec<_> = quarters.iter().map(|count| (number, count.at, count.events)).collect();
        let course = |steps, counted: &[Counted]| {
            Course::of(
                Course::begin(now, steps),
                steps,
                counted.iter().map(|count| (count.at.0, count.events)),
            )
        };
        Self {
            issue: Issue::of(row, &by_hours, now),
            quarters: course(QUARTERS, &quarters),
            days: course(DAYS, &days),
            releases: releases.into_iter().map(SeenIn::from).collect(),
            samples: samples.into_iter().map(Sample::from).collect(),
        }
    }
}

impl From<IssueRelease> for SeenIn {
    fn from(row: IssueRelease) -> Self {
        Self {
            release: row.release,
            events: row.events,
            first_seen: At(row.first_seen.0),
            last_seen: At(row.last_seen.0),
        }
    }
}

impl From<SampleRow> for Sample {
    fn from(row: SampleRow) -> Self {
        Self {
            id: row.id,
            timestamp: At(row.timestamp.0),
            received_at: At(row.received_at.0),
            anonymous_id: row.anonymous_id,
            user_id: row.user_id,
            person_id: row.person_id,
            session_id: row.session_id,
            properties: row.properties.map(|json| json.0),
            context: row.context.map(|json| json.0),
        }
    }
}

/// What an issue is to be.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedIssue {
    /// `resolved`, `ignored` or `ongoing`.
    pub(super) state: State,
    /// With `resolved`: the release in which it is. Events of releases in which it was seen until then bring it not back.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) in_release: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::spike::quarter_of;
    use super::*;

    #[test]
    fn a_course_ends_with_the_stretch_that_runs_and_has_no_holes() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let now = at("2026-11-20T12:20:00Z");
        let from = Course::begin(now, QUARTERS);
        assert_eq!(from, at("2026-11-19T12:30:00Z"));
        assert_eq!(quarter_of(now).plus_micros(-95 * QUARTER_MICROS), from);
        let counted = [
            (at("2026-11-20T12:15:00Z"), 7),
            (from, 2),
            (at("2026-11-19T12:15:00Z"), 9),
        ];
        let course = Course::of(from, QUARTERS, counted.into_iter());
        assert_eq!(
            (
                course.counts.len(),
                course.counts[0],
                course.counts[95],
                course.step_minutes
            ),
            (96, 2, 7, 15)
        );
        assert_eq!(course.counts.iter().sum::<i64>(), 9, "what is before is not shown");
    }
}
