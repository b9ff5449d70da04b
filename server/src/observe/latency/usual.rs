//! What an endpoint is usually like: of the day before, without what was out of the ordinary.
//!
//! The 24 whole hours that end with the last hour but one: a full day, so that day and night weigh as they do, and not the
//! hour in which something may just have begun. The plain percentile of that day would move with an incident: five per
//! cent of the day, 72 minutes, of slow answers are its p95, and the endpoint would be called healthy again while it is
//! still slow. So the day is cut into stretches of enough requests, and those that are far worse than the middle one are
//! left out. An incident is told for as long as it lasts, up to half a day's requests; what lasts longer is usual.

use trailmark_protocol::Timestamp;

use super::tally::{Span, Tally, share};

/// Requests of a stretch: 60. Their p95 is the third or fourth slowest, so that one slow answer does not make it.
const STRETCH_REQUESTS: u64 = 60;

/// Requests of the day from which something is usual: 100, of which five are beyond the p95.
const USUAL_REQUESTS: u64 = 100;

/// What is far worse: twice the middle one's p95, as slow as a slow endpoint.
const FAR_SLOWER: u64 = 2;

/// What is far worse: more errors than this, as many as of a failing endpoint, and three times the middle one's.
const FAR_MORE_ERRORS: f64 = 0.05;

/// What an endpoint is usually like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Requests that say so.
    pub requests: u64,
    /// Errors of requests, from 0 to 1.
    pub error_rate: f64,
    /// Requests that say how long they took.
    pub timed: u64,
    /// What 95 of 100 of them do not exceed, in microseconds.
    pub p95_us: u64,
    /// How many of them take longer than twice that, from 0 to 1.
    pub slow_share: f64,
}

/// The hours from which it is told at `now` what is usual: the first, and the first one after.
#[must_use]
pub fn hours(now: Timestamp) -> (Timestamp, Timestamp) {
    let until = Span::Hour.floor(now).plus_micros(-Span::Hour.micros());
    (until.plus_micros(-Span::Day.micros()), until)
}

/// What is usual by the hours of a day, in their order; `None` if there is too little to say.
#[must_use]
pub fn usual(hours: &[Tally]) -> Option<Usual> {
    let stretches = stretches(hours);
    let middle_p95 = middle(&stretches, |stretch| {
        stretch.percentile(0.95).unwrap_or_default() as f64
    });
    let middle_errors = middle(&stretches, Tally::error_rate);
    let p95_bound = middle_p95 as u64 * FAR_SLOWER;
    let errors_bound = (3.0 * middle_errors).max(FAR_MORE_ERRORS);
    let timed = sum(&stretches, |stretch| {
        stretch.percentile(0.95).is_none_or(|p95| p95 <= p95_bound)
    })
    .durations;
    let judged = sum(&stretches, |stretch| stretch.error_rate() <= errors_bound);
    let p95_us = timed.percentile(0.95).unwrap_or_default();
    (judged.requests >= USUAL_REQUESTS).then(|| Usual {
        requests: judged.requests,
        error_rate: judged.error_rate(),
        timed: timed.count(),
        p95_us,
        slow_share: share(timed.longer_than(2 * p95_us), timed.count()),
    })
}

impl Usual {
    /// The usual p95, if enough requests said how long they took.
    #[must_use]
    pub fn p95_us(&self) -> Option<u64> {
        (self.timed >= USUAL_REQUESTS).then_some(self.p95_us)
    }
}

/// Hours put together until each stretch has enough requests; what is left belongs to the last one.
fn stretches(hours: &[Tally]) -> Vec<Tally> {
    let mut stretches = Vec::<Tally>::new();
    for hour in hours.iter().filter(|hour| hour.requests > 0) {
        match stretches.last_mut() {
            Some(last) if last.requests < STRETCH_REQUESTS => last.add(hour),
            _ => stretches.push(hour.clone()),
        }
    }
    if stretches.len() > 1
        && let Some(short) = stretches.pop_if(|last| last.requests < STRETCH_REQUESTS)
        && let Some(last) = stretches.last_mut()
    {
        last.add(&short);
    }
    stretches
}

/// The value of the stretch with the middle request.
fn middle(stretches: &[Tally], value: impl Fn(&Tally) -> f64) -> f64 {
    let mut values: Vec<(f64, u64)> = stretches
        .iter()
        .map(|stretch| (value(stretch), stretch.requests))
        .collect();
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    let half = values.iter().map(|value| value.1).sum::<u64>() / 2;
    let mut seen = 0;
    let reaches = |(_, requests): &&(f64, u64)| {
        seen += requests;
        seen > half
    };
    values.iter().find(reaches).map_or(0.0, |value| value.0)
}

fn sum(stretches: &[Tally], counts: impl Fn(&Tally) -> bool) -> Tally {
    let mut sum = Tally::default();
    stretches
        .iter()
        .filter(|stretch| counts(stretch))
        .for_each(|stretch| sum.add(stretch));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `requests` that take 1 ms, 2 ms, … `slowest` ms over and over, the first `errors` of them failing.
    fn hour(requests: u64, slowest: u64, errors: u64) -> Tally {
        let mut tally = Tally {
            requests,
            errors,
            max_us: slowest * 1_000,
            ..Tally::default()
        };
        (0..requests).for_each(|n| tally.durations.add((n % slowest + 1) * 1_000, 1));
        tally
    }

    fn near(told: u64, exact: u64) -> bool {
        told.abs_diff(exact) as f64 <= exact as f64 * 0.0625
    }

    #[test]
    fn the_hours_are_the_day_before_the_last_whole_hour() {
        let at = |text| Timestamp::parse(text).unwrap();
        let expected = (at("2026-11-21T11:00:00Z"), at("2026-11-22T11:00:00Z"));
        for now in ["2026-11-22T12:00:00Z", "2026-11-22T12:59:59Z"] {
            assert_eq!(hours(at(now)), expected);
        }
    }

    #[test]
    fn a_usual_day_is_itself() {
        let day = vec![hour(1_000, 100, 3); 24];
        let usual = usual(&day).unwrap();
        assert_eq!((usual.requests, usual.timed, usual.error_rate), (24_000, 24_000, 0.003));
        assert!(near(usual.p95_us, 95_000), "{usual:?}");
        assert_eq!(usual.slow_share, 0.0);
    }

    #[test]
    fn an_incident_of_ten_hours_does_not_become_usual_and_one_of_twenty_does() {
        let day = |bad| [vec![hour(1_000, 100, 2); 24 - bad], vec![hour(1_000, 900, 400); bad]].concat();
        let short = usual(&day(10)).unwrap();
        assert!(near(short.p95_us, 95_000) && short.error_rate == 0.002, "{short:?}");
        let long = usual(&day(20)).unwrap();
        assert!(near(long.p95_us, 855_000) && long.error_rate > 0.3, "{long:?}");
    }

    #[test]
    fn of_few_requests_nothing_is_usual() {
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&[hour(99, 10, 0)]), None);
        let sparse = usual(&vec![hour(5, 10, 0); 24]).unwrap();
        assert_eq!(sparse.requests, 120);
        let untimed = Tally {
            requests: 500,
            ..Tally::default()
        };
        assert_eq!(usual(&[untimed]).unwrap().p95_us(), None);
    }
}
