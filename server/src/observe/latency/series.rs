//! One endpoint over time.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::list::millis;
use super::tally::{Span, Tally};
use crate::query::time::At;

const THREE_HOURS: i64 = 3 * Span::Hour.micros();
const DAY: i64 = Span::Day.micros();
const MONTH: i64 = 31 * DAY;

/// How long a point of a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndpointStep)]
pub enum Step {
    /// A minute.
    #[serde(rename = "minute")]
    Minute,
    /// Five minutes.
    #[serde(rename = "5 minutes")]
    FiveMinutes,
    /// An hour.
    #[serde(rename = "hour")]
    Hour,
    /// A day in UTC.
    #[serde(rename = "day")]
    Day,
}

impl Step {
    /// The step for a time that is asked for at `now`: 180 points for three hours, 288 for a day, 744 for a month.
    #[must_use]
    pub fn of(from: Timestamp, to: Timestamp, now: Timestamp) -> Self {
        let length = to.micros() - from.micros();
        let has_minutes = from >= Span::Minute.kept_since(now);
        match length {
            ..=THREE_HOURS if has_minutes => Self::Minute,
            ..=DAY if has_minutes => Self::FiveMinutes,
            ..=MONTH => Self::Hour,
            _ => Self::Day,
        }
    }

    /// The sums that it is made of.
    #[must_use]
    pub const fn span(self) -> Span {
        match self {
            Self::Minute | Self::FiveMinutes => Span::Minute,
            Self::Hour => Span::Hour,
            Self::Day => Span::Day,
        }
    }

    /// Its length in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        match self {
            Self::FiveMinutes => 5 * Span::Minute.micros(),
            step => step.span().micros(),
        }
    }

    /// The time in whole steps.
    #[must_use]
    pub const fn widen(self, from: Timestamp, to: Timestamp) -> (Timestamp, Timestamp) {
        let (from, to) = (from.micros(), to.micros() + self.micros() - 1);
        (
            Timestamp::from_micros(from - from.rem_euclid(self.micros())),
            Timestamp::from_micros(to - to.rem_euclid(self.micros())),
        )
    }
}

/// An endpoint over time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EndpointSeries {
    /// The beginning of the first step.
    pub from: At,
    /// The end of the last step.
    pub to: At,
    /// How long each point is.
    pub step: Step,
    /// The points in the order of time. Steps without a request are left out.
    pub points: Vec<EndpointPoint>,
}

/// An endpoint over one step. Durations are in milliseconds, to 6 %; `null` if no request says how long it took.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EndpointPoint {
    /// The beginning of the step.
    pub at: At,
    /// Requests.
    pub requests: u64,
    /// Of these, without an answer or with a status of 500 and more.
    pub errors: u64,
    /// Of these, with a status of 400 to 499, or given up by who asked.
    pub client_errors: u64,
    /// `errors` of `requests`, from 0 to 1.
    pub error_rate: f64,
    /// What half of the requests do not exceed.
    pub p50_ms: Option<f64>,
    /// What 95 of 100 do not exceed.
    pub p95_ms: Option<f64>,
    /// What 99 of 100 do not exceed.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
}

impl From<(Timestamp, Tally)> for EndpointPoint {
    fn from((at, sum): (Timestamp, Tally)) -> Self {
        Self {
            at: At(at),
            requests: sum.requests,
            errors: sum.errors,
            client_errors: sum.client_errors,
            error_rate: sum.error_rate(),
            p50_ms: sum.percentile(0.50).map(millis),
            p95_ms: sum.percentile(0.95).map(millis),
            p99_ms: sum.percentile(0.99).map(millis),
            max_ms: (sum.durations.count() > 0).then(|| millis(sum.max_us)),
        }
    }
}
