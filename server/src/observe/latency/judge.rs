//! Whether an endpoint is slow, or fails, by its last 15 minutes and what is usual of it.
//!
//! A rule that is asked every minute of every endpoint must not be met by chance. Over 30 days 2,880 windows do not overlap;
//! of 100 endpoints they are 288,000. Each bound below keeps chance under 10^-6 a window.

use super::endpoint::Endpoint;
use super::tally::Tally;
use super::usual::Usual;
use crate::observe::problem::Kind;

/// The last minutes that are judged (research/product.md §1.3, point 5), the one that runs among them.
pub const WINDOW_MINUTES: i64 = 15;

/// Requests below which nothing is wrong: no endpoint with fewer can have `FAILING_LEAST` errors.
pub const LEAST_REQUESTS: i64 = 10;

/// Requests from which an endpoint can be slow (the same).
const SLOW_REQUESTS: u64 = 20;

/// How many times the usual p95 is slow (the same).
const SLOW_TIMES: u64 = 2;

/// Requests that must be slower than that, beyond [`SLOW_EXPECTED_TIMES`] of those that usually are. The p95 alone is no
/// sign where there are few: two of 20 requests make it. Of a long tail (lognormal, σ = 1) one in 100 requests is slower
/// than twice the p95, so two of 20 are in 2 % of all windows, fifty times a month. With `m` slow ones expected, `5 + 4 m`
/// and more come with 3·10^-7 (`m` = 0.25), 1.3·10^-6 (0.75), 1.1·10^-6 (1), 2·10^-7 (2): Poisson.
const SLOW_LEAST: f64 = 5.0;

/// See [`SLOW_LEAST`].
const SLOW_EXPECTED_TIMES: f64 = 4.0;

/// Errors of requests from which an endpoint fails.
const FAILING_RATE: f64 = 0.05;

/// Errors that it must have beyond [`FAILING_EXPECTED_TIMES`] of those that are usual. Three times the usual rate alone is
/// chance where there are few: of 200 requests with 1.5 % errors, 10 and more fail in one window of 900. `10 + 3 m` with
/// `m` expected come with 2·10^-7 (`m` = 0.5), 10^-8 (1), 10^-9 (3).
const FAILING_LEAST: f64 = 10.0;

/// See [`FAILING_LEAST`].
const FAILING_EXPECTED_TIMES: f64 = 3.0;

/// People whom a failure must have met where only apps tell of it: one phone in a tunnel fails at everything.
pub const CLIENT_PEOPLE: i64 = 3;

/// An endpoint and its last minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    /// Its number.
    pub id: i32,
    /// Which one.
    pub endpoint: Endpoint,
    /// Its requests of the window.
    pub window: Tally,
    /// What is usual of it; nothing if it is new, or seldom asked.
    pub usual: Option<Usual>,
}

/// What is wrong with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrong {
    /// It fails.
    Failing {
        /// Errors of its requests, from 0 to 1.
        rate: f64,
        /// What is usual.
        usual: Option<f64>,
    },
    /// It is slow.
    Slow {
        /// What 95 of 100 of its requests do not exceed, in microseconds.
        p95_us: u64,
        /// What is usual.
        usual_us: u64,
    },
}

impl Wrong {
    /// What kind of problem that is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Failing { .. } => Kind::FailingEndpoint,
            Self::Slow { .. } => Kind::SlowEndpoint,
        }
    }

    /// How many of some requests are as bad as that.
    #[must_use]
    pub fn bad(&self, tally: &Tally) -> u64 {
        match self {
            Self::Failing { .. } => tally.errors,
            Self::Slow { usual_us, .. } => tally.durations.longer_than(SLOW_TIMES * usual_us),
        }
    }

    /// Of how many.
    #[must_use]
    pub fn of(&self, tally: &Tally) -> u64 {
        match self {
            Self::Failing { .. } => tally.requests,
            Self::Slow { .. } => tally.durations.count(),
        }
    }

    /// How many of all usually are, from 0 to 1.
    #[must_use]
    pub fn usual_share(&self, usual: Option<&Usual>) -> f64 {
        usual.map_or(0.0, |usual| match self {
            Self::Failing { .. } => usual.error_rate,
            Self::Slow { .. } => usual.slow_share,
        })
    }
}

/// What is wrong: an endpoint may be slow and fail.
#[must_use]
pub fn judge(recent: &Recent) -> Vec<Wrong> {
    if recent.endpoint.stands_for_many() {
        return Vec::new();
    }
    failing(recent).into_iter().chain(slow(recent)).collect()
}

fn failing(recent: &Recent) -> Option<Wrong> {
    let window = &recent.window;
    let wrong = Wrong::Failing {
        rate: window.error_rate(),
        usual: recent.usual.map(|usual| usual.error_rate),
    };
    let expected = wrong.usual_share(recent.usual.as_ref()) * window.requests as f64;
    let fails = window.error_rate() >= FAILING_RATE
        && window.errors as f64 >= FAILING_LEAST + FAILING_EXPECTED_TIMES * expected;
    fails.then_some(wrong)
}

fn slow(recent: &Recent) -> Option<Wrong> {
    let window = &recent.window;
    let usual = recent.usual.as_ref()?;
    let (p95_us, usual_us) = (window.percentile(0.95)?, usual.p95_us()?);
    let wrong = Wrong::Slow { p95_us, usual_us };
    let expected = usual.slow_share * window.durations.count() as f64;
    let is_slow = window.durations.count() >= SLOW_REQUESTS
        && p95_us > SLOW_TIMES * usual_us
        && wrong.bad(window) as f64 >= SLOW_LEAST + SLOW_EXPECTED_TIMES * expected;
    is_slow.then_some(wrong)
}

#[cfg(test)]
mod tests;
