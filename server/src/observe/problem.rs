//! What a detector finds.

use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

/// What kind of thing is broken. The words are stable: alerts name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProblemKind)]
pub enum Kind {
    /// An endpoint answers with errors.
    FailingEndpoint,
    /// A monitor is down.
    MonitorDown,
    /// Events that come every day have stopped.
    EventsStopped,
    /// Trailmark's own ingest: its queue is old, it refuses much, the database refuses events.
    Ingest,
    /// An issue, or all errors together, happens far more often than usual.
    ErrorSpike,
    /// An issue that was resolved is back.
    RegressedIssue,
    /// An error that was never seen before.
    NewIssue,
    /// An endpoint is far slower than usual.
    SlowEndpoint,
    /// Fewer people than last week get through a saved funnel.
    FunnelDropped,
    /// A saved question's number is beyond what somebody set for it.
    Threshold,
    /// A monitor's certificate ends soon.
    CertificateExpiring,
}

impl Kind {
    /// All kinds, what is worst first: what fails people at this moment comes before what a machine says of a machine.
    pub const ALL: [Self; 11] = [
        Self::FailingEndpoint,
        Self::MonitorDown,
        Self::EventsStopped,
        Self::Ingest,
        Self::ErrorSpike,
        Self::RegressedIssue,
        Self::NewIssue,
        Self::SlowEndpoint,
        Self::FunnelDropped,
        Self::Threshold,
        Self::CertificateExpiring,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailingEndpoint => "failing_endpoint",
            Self::MonitorDown => "monitor_down",
            Self::EventsStopped => "events_stopped",
            Self::Ingest => "ingest",
            Self::ErrorSpike => "error_spike",
            Self::RegressedIssue => "regressed_issue",
            Self::NewIssue => "new_issue",
            Self::SlowEndpoint => "slow_endpoint",
            Self::FunnelDropped => "funnel_dropped",
            Self::Threshold => "threshold",
            Self::CertificateExpiring => "certificate_expiring",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that is broken at this moment, as a detector tells it. It is the same problem as before while its kind and its
/// subject are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one, for the machine: the number of an issue or a monitor, `GET /cart`. Unique within the kind and the project.
    pub subject: String,
    /// What is broken, as a sentence without an end for a person: `POST /api/checkout fails: 41 % of requests`.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// How many people it has met; `None` where that cannot be known.
    pub people: Option<i64>,
    /// What it is compared with: `usually 0.3 %`. `None` if with nothing.
    pub compared_with: Option<String>,
    /// Where the evidence is: a path of this API.
    pub evidence: String,
}

/// A problem that is open, as far as settling needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its number.
    pub id: i64,
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub subject: String,
    /// When a detector last found it.
    pub seen_at: Timestamp,
}

/// For how long a problem is not found before it counts as over: 60 s, which is four looks. What comes and goes from look to
/// look is one problem.
pub const OVER_AFTER_MICROS: i64 = 60 * 1_000_000;

/// What becomes of problems after a look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled<'a> {
    /// Newly found.
    pub opened: Vec<&'a Found>,
    /// Found again, with their numbers.
    pub kept: Vec<(i64, &'a Found)>,
    /// No longer found.
    pub closed: Vec<i64>,
}

/// Compares what is open with what was found at `now`. Only kinds in `judged` can end: a detector that failed says nothing.
#[must_use]
pub fn settle<'a>(open: &[Open], found: &'a [Found], judged: &[Kind], now: Timestamp) -> Settled<'a> {
    let mut settled = Settled::default();
    let same = |one: &Open, other: &Found| one.kind == other.kind && one.subject == other.subject;
    for (place, one) in found.iter().enumerate() {
        let is_double = found[..place]
            .iter()
            .any(|other| other.kind == one.kind && other.subject == one.subject);
        match open.iter().find(|open| same(open, one)) {
            _ if is_double => {}
            Some(open) => settled.kept.push((open.id, one)),
            None => settled.opened.push(one),
        }
    }
    let is_over = |open: &&Open| {
        judged.contains(&open.kind)
            && !found.iter().any(|found| same(open, found))
            && now.micros() - open.seen_at.micros() >= OVER_AFTER_MICROS
    };
    settled.closed = open.iter().filter(is_over).map(|open| open.id).collect();
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, subject: &str) -> Found {
        Found {
            kind,
            subject: subject.to_owned(),
            what: "it is broken".to_owned(),
            since: Timestamp::from_millis(0),
            people: None,
            compared_with: None,
            evidence: "/".to_owned(),
        }
    }

    fn open(id: i64, kind: Kind, subject: &str, seen_ms: i64) -> Open {
        Open {
            id,
            kind,
            subject: subject.to_owned(),
            seen_at: Timestamp::from_millis(seen_ms),
        }
    }

    #[test]
    fn every_kind_has_its_word_and_its_place() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn what_is_found_twice_opens_once() {
        let twice = [
            found(Kind::NewIssue, "7"),
            found(Kind::NewIssue, "7"),
            found(Kind::ErrorSpike, "7"),
        ];
        let settled = settle(&[], &twice, &Kind::ALL, Timestamp::from_millis(0));
        assert_eq!(settled.opened, [&twice[0], &twice[2]]);
    }

    #[test]
    fn a_problem_ends_when_it_was_not_found_for_a_minute() {
        let open = [open(1, Kind::MonitorDown, "3", 10_000)];
        let closed = |now_ms| settle(&open, &[], &Kind::ALL, Timestamp::from_millis(now_ms)).closed;
        assert_eq!((closed(69_999), closed(70_000)), (vec![], vec![1]));
    }

    #[test]
    fn a_problem_lasts_while_its_detector_fails() {
        let open = [open(1, Kind::MonitorDown, "3", 0)];
        let settled = settle(&open, &[], &[Kind::NewIssue], Timestamp::from_millis(1_000_000));
        assert_eq!(settled.closed, [0; 0]);
    }

    #[test]
    fn the_same_subject_of_another_kind_is_another_problem() {
        let open = [open(1, Kind::NewIssue, "3", 0)];
        let found = [found(Kind::RegressedIssue, "3")];
        let settled = settle(&open, &found, &Kind::ALL, Timestamp::from_millis(60_000));
        assert_eq!(
            (settled.opened.len(), settled.kept.len(), settled.closed),
            (1, 0, vec![1])
        );
    }
}
