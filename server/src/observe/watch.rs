//! Saved funnels that are watched: does as large a share of people get through as a week ago?

use serde::Serialize;
use trailmark_protocol::Timestamp;

use super::problem::{Found, Kind};
use crate::query::QueryError;
use crate::query::ask::funnel;
use crate::query::ask::question::Funnel;
use crate::query::snapshot::Snapshot;

/// Research ("product" §1.3, detector 7): conversion down by 30 % against last week, with at least 50 who began.
pub const DOWN_BY: f64 = 0.30;
/// See [`DOWN_BY`].
pub const BEGAN_AT_LEAST: u64 = 50;

/// And the two must be further apart than chance brings: 4 standard errors of the difference of two shares, which chance
/// exceeds once in 30,000 looks. Fifty people alone are not enough to tell: of 30 % they are 24 % or less every sixth time.
const STANDARD_ERRORS: f64 = 4.0;

/// Who began in the last 24 hours is compared with who began in the same hours of the same weekday a week before.
const STRETCH_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
const WEEK_MICROS: i64 = 7 * STRETCH_MICROS;

/// How many began, and how many got through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// Who took the first step.
    pub began: u64,
    /// Who took the last.
    pub through: u64,
}

impl Passage {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    fn share(self) -> f64 {
        self.through as f64 / self.began.max(1) as f64
    }
}

/// Asks how many got through in the day before `as_of`, of what was known then: both weeks have had as long to get through.
///
/// # Errors
/// What stands in the way.
pub async fn passage(snapshot: &mut Snapshot, question: &Funnel, as_of: Timestamp) -> Result<Passage, QueryError> {
    let question = Funnel {
        date_from: as_of.plus_micros(-STRETCH_MICROS).to_string(),
        date_to: Some(as_of.to_string()),
        breakdown: Vec::new(),
        ..question.clone()
    };
    let span = question.span(as_of)?;
    let answer = funnel::answer_as_of(snapshot, &question, &span, as_of).await?;
    let steps = answer
        .results
        .first()
        .map(|line| line.steps.as_slice())
        .unwrap_or_default();
    let count = |step: Option<&funnel::Step>| step.map_or(0, |step| step.count);
    Ok(Passage {
        began: count(steps.first()),
        through: count(steps.last()),
    })
}

/// A week before `now`.
#[must_use]
pub fn a_week_before(now: Timestamp) -> Timestamp {
    now.plus_micros(-WEEK_MICROS)
}

/// Whether the funnel lets through far fewer than a week ago.
#[must_use]
pub fn found(id: i64, name: &str, recent: Passage, before: Passage, now: Timestamp) -> Option<Found> {
    let (share, usual) = (recent.share(), before.share());
    let enough = recent.began.min(before.began) >= BEGAN_AT_LEAST;
    let apart = standard_errors(recent, before);
    if !enough || share > usual * (1.0 - DOWN_BY) || apart.is_nan() || apart < STANDARD_ERRORS {
        return None;
    }
    Some(Found {
        kind: Kind::FunnelDropped,
        subject: id.to_string(),
        what: format!(
            "`{name}` lets {:.1} % through, of {} who began",
            share * 100.0,
            recent.began
        ),
        since: now.plus_micros(-STRETCH_MICROS),
        people: i64::try_from(recent.began - recent.through).ok(),
        compared_with: Some(format!("{:.1} % on the same day last week", usual * 100.0)),
        evidence: format!("/api/v1/saved_queries/{id}/answer"),
    })
}

/// How far two shares are apart, in standard errors of their difference if both were the same.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn standard_errors(recent: Passage, before: Passage) -> f64 {
    let (recent_n, before_n) = (recent.began as f64, before.began as f64);
    let both = (recent.through + before.through) as f64 / (recent_n + before_n);
    let error = (both * (1.0 - both) * (1.0 / recent_n + 1.0 / before_n)).sqrt();
    (before.share() - recent.share()) / error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_down(recent: (u64, u64), before: (u64, u64)) -> bool {
        let passage = |(began, through)| Passage { began, through };
        found(
            7,
            "Checkout",
            passage(recent),
            passage(before),
            Timestamp::from_millis(1_800_000_000_000),
        )
        .is_some()
    }

    #[test]
    fn a_funnel_that_nobody_gets_through_is_down_from_fifty_people_on() {
        assert!(is_down((50, 0), (50, 15)));
        assert!(!is_down((49, 0), (50, 15)) && !is_down((50, 0), (49, 15)));
    }

    #[test]
    fn less_than_a_third_fewer_is_no_problem_however_many_they_are() {
        assert!(!is_down((1_000_000, 211_000), (1_000_000, 300_000)));
        assert!(is_down((1_000_000, 209_000), (1_000_000, 300_000)));
    }

    #[test]
    fn what_chance_brings_is_no_problem() {
        assert!(!is_down((100, 18), (100, 30)), "40 % down, but of a hundred people");
        assert!(is_down((1_000, 180), (1_000, 300)));
    }

    #[test]
    fn a_funnel_that_nobody_ever_got_through_is_not_down() {
        assert!(!is_down((100, 0), (100, 0)) && !is_down((100, 100), (100, 100)));
    }

    #[test]
    fn it_says_how_many_people_and_compared_with_what() {
        let passage = |began, through| Passage { began, through };
        let found = found(
            7,
            "Checkout",
            passage(400, 40),
            passage(500, 150),
            Timestamp::from_millis(0),
        )
        .unwrap();
        assert_eq!(found.what, "`Checkout` lets 10.0 % through, of 400 who began");
        assert_eq!(found.compared_with.as_deref(), Some("30.0 % on the same day last week"));
        assert_eq!(found.people, Some(360));
    }
}
