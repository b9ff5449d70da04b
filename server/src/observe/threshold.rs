//! Saved questions whose number somebody has set a bound for.

use trailmark_protocol::Timestamp;

use super::alerts::Threshold;
use super::problem::{Found, Kind};
use crate::query::ask::Answer;

/// The number of an answer that a bound is compared with: of a trend's series (or formula, which has no letter) its total over
/// the whole stretch, of a funnel the share of those who got through, 0 to 1. Of several lines the first, which is the greatest.
/// Nothing of other kinds, or if the series is not there.
#[must_use]
pub fn number(answer: &Answer, series: Option<&str>) -> Option<f64> {
    match answer {
        Answer::Trends(trends) => {
            let is_meant = |letter: Option<char>| match series {
                None => true,
                Some(wanted) => letter.is_some_and(|letter| wanted.chars().eq([letter])),
            };
            trends.results.iter().find(|line| is_meant(line.series))?.total
        }
        Answer::Funnel(funnel) => funnel.results.first()?.steps.last()?.of_first,
        _ => None,
    }
}

/// What there is to tell of an alert's bound.
#[must_use]
pub fn found(alert: (i64, &str), query: &str, threshold: &Threshold, number: f64, now: Timestamp) -> Option<Found> {
    let (beyond, bound) = match (threshold.above, threshold.below) {
        (Some(above), _) if number > above => ("above", above),
        (_, Some(below)) if number < below => ("below", below),
        _ => return None,
    };
    Some(Found {
        kind: Kind::Threshold,
        subject: alert.0.to_string(),
        what: format!(
            "{}: `{query}` is {}, {beyond} {}",
            alert.1,
            rounded(number),
            rounded(bound)
        ),
        since: now,
        people: None,
        compared_with: Some(format!("{beyond} {} is a problem", rounded(bound))),
        evidence: format!("/api/v1/saved_queries/{}/answer", threshold.saved_query),
    })
}

/// At most four decimals, and none that are zero.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(above: Option<f64>, below: Option<f64>) -> Threshold {
        Threshold {
            saved_query: 7,
            series: None,
            above,
            below,
        }
    }

    fn what(bound: &Threshold, number: f64) -> Option<String> {
        found((3, "Few orders"), "Orders today", bound, number, Timestamp::default()).map(|found| found.what)
    }

    #[test]
    fn a_number_beyond_its_bound_is_told_and_one_at_it_is_not() {
        let below = threshold(None, Some(100.0));
        assert_eq!(
            what(&below, 41.0).unwrap(),
            "Few orders: `Orders today` is 41, below 100"
        );
        assert_eq!(what(&below, 100.0), None);
        let above = threshold(Some(0.25), None);
        assert_eq!(
            what(&above, 0.333_333_3).unwrap(),
            "Few orders: `Orders today` is 0.3333, above 0.25"
        );
        assert_eq!(what(&above, 0.25), None);
    }
}
