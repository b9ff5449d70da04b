//! The first screen in one answer: is anything broken, what is it, and how the last hour went.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::problem::Kind;
use crate::query::time::At;
use crate::store::problems::{ProblemFilter, ProblemRow};
use crate::store::{Store, StoreError};

/// Minutes that the strips show: an hour.
pub const MINUTES: i32 = 60;

/// Most problems that the screen names. Who has more of them needs another list.
pub const PROBLEMS_LISTED: usize = 50;

const MINUTE_MICROS: i64 = 60_000_000;

/// The first screen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Now {
    /// When this was so.
    pub at: At,
    /// `2 problems`, `1 problem` or `All clear`.
    pub verdict: String,
    /// What is broken, what is worst first; at most [`PROBLEMS_LISTED`].
    pub problems: Vec<Problem>,
    /// Problems that are not listed.
    pub problems_rest: usize,
    /// When detectors last looked; long ago if jobs do not run. `null` if never.
    pub looked_at: Option<At>,
    /// The last hour.
    pub strips: Strips,
}

/// Something that is broken, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FoundProblem)]
pub struct Problem {
    /// Its number.
    pub id: i64,
    /// What kind of thing is broken.
    #[schema(value_type = Kind)]
    pub kind: String,
    /// Which one: the number of an issue or a monitor, an endpoint, a name.
    pub subject: String,
    /// What is broken, as a sentence.
    pub what: String,
    /// Since when, as far as is known.
    pub since: At,
    /// How many people it has met; `null` where that cannot be known.
    pub people: Option<i64>,
    /// What it is compared with; `null` if with nothing.
    pub compared_with: Option<String>,
    /// Path of this API where the evidence is.
    pub evidence: String,
    /// When it was found.
    pub opened_at: At,
    /// When it was over; `null` while it lasts.
    pub closed_at: Option<At>,
}

/// The last hour, minute by minute, the present one last. What is not known of a minute is `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Strips {
    /// The first minute.
    pub from: Option<At>,
    /// Events in each minute.
    pub events: Vec<i64>,
    /// Which share of them are errors (`$exception`), 0 to 1.
    pub error_rate: Vec<Option<f64>>,
    /// Which share of the monitors' checks went well, 0 to 1.
    pub uptime: Vec<Option<f64>>,
    /// What 95 % of the requests of all endpoints stayed below, in milliseconds.
    pub p95_ms: Vec<Option<f64>>,
}

impl From<ProblemRow> for Problem {
    fn from(row: ProblemRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            what: row.what,
            since: At(row.since.0),
            people: row.people,
            compared_with: row.compared_with,
            evidence: row.evidence,
            opened_at: At(row.opened_at.0),
            closed_at: row.closed_at.map(|at| At(at.0)),
        }
    }
}

/// The first screen of a project.
///
/// # Errors
/// What stands in the way.
pub async fn read(store: &Store, project_id: i32, now: Timestamp) -> Result<Now, StoreError> {
    let open = ProblemFilter {
        open: Some(true),
        limit: 1_000,
        ..ProblemFilter::default()
    };
    let mut problems: Vec<Problem> = store
        .problems(project_id, open)
        .await?
        .into_iter()
        .map(Problem::from)
        .collect();
    problems.sort_by_key(rank);
    let verdict = verdict(problems.len());
    let problems_rest = problems.len().saturating_sub(PROBLEMS_LISTED);
    problems.truncate(PROBLEMS_LISTED);
    let detect = store.jobs(Some("detect")).await?;
    Ok(Now {
        at: At(now),
        verdict,
        problems,
        problems_rest,
        looked_at: detect.first().and_then(|job| job.finished_at).map(|at| At(at.0)),
        strips: strips(store, project_id, now).await?,
    })
}

async fn strips(store: &Store, project_id: i32, now: Timestamp) -> Result<Strips, StoreError> {
    let this_minute = now.micros().div_euclid(MINUTE_MICROS) * MINUTE_MICROS;
    let from = Timestamp::from_micros(this_minute - i64::from(MINUTES - 1) * MINUTE_MICROS);
    let counted = store.event_strip(project_id, from, MINUTES).await?;
    let checked = store.check_strip(project_id, from, MINUTES).await?;
    let p95_us = store.p95_strip(project_id, from, MINUTES).await?;
    Ok(Strips {
        from: Some(At(from)),
        events: counted.iter().map(|(events, _)| *events).collect(),
        error_rate: counted.iter().map(|(events, errors)| share(*errors, *events)).collect(),
        uptime: checked.iter().map(|(checks, good)| share(*good, *checks)).collect(),
        p95_ms: p95_us.iter().map(|us| us.map(millis)).collect(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn share(part: i64, all: i64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

#[expect(clippy::cast_precision_loss, reason = "minutes have far fewer microseconds")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

fn verdict(problems: usize) -> String {
    match problems {
        0 => "All clear".to_owned(),
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    }
}

/// What is worst first: by its kind, then by how many people it meets, then what has lasted longest.
fn rank(problem: &Problem) -> (usize, std::cmp::Reverse<i64>, At, i64) {
    let kind = Kind::ALL.iter().position(|kind| kind.as_str() == problem.kind);
    let people = std::cmp::Reverse(problem.people.unwrap_or(0));
    (kind.unwrap_or(Kind::ALL.len()), people, problem.since, problem.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(id: i64, kind: Kind, people: Option<i64>, since_ms: i64) -> Problem {
        let since = At(Timestamp::from_millis(since_ms));
        Problem {
            id,
            kind: kind.as_str().to_owned(),
            subject: String::new(),
            what: String::new(),
            since,
            people,
            compared_with: None,
            evidence: String::new(),
            opened_at: since,
            closed_at: None,
        }
    }

    #[test]
    fn what_is_worst_comes_first() {
        let mut problems = [
            problem(1, Kind::CertificateExpiring, None, 0),
            problem(2, Kind::NewIssue, Some(3), 0),
            problem(3, Kind::NewIssue, Some(40), 9),
            problem(4, Kind::NewIssue, Some(3), -5),
            problem(5, Kind::MonitorDown, None, 9),
        ];
        problems.sort_by_key(rank);
        assert_eq!(problems.map(|problem| problem.id), [5, 3, 4, 2, 1]);
    }

    #[test]
    fn the_verdict_is_one_sentence() {
        assert_eq!([0, 1, 2].map(verdict), ["All clear", "1 problem", "2 problems"]);
    }
}
