//! How a monitor fared, from the hours that are kept of it.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use crate::query::time::At;
use crate::store::{HourRow, MinuteRow};

/// An hour, and a day, in microseconds.
pub const HOUR: i64 = 60 * 60 * 1_000_000;
/// See [`HOUR`].
pub const DAY: i64 = 24 * HOUR;

/// How many days a history has.
pub const DAYS: i64 = 90;

/// How many hours a list shows of each monitor.
pub const HOURS: i64 = 24;

/// Which share of the checks did not fail, from 0 to 1; null where there were none. From the beginning of the hour in which the
/// time begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Uptime {
    /// In the last 24 hours.
    pub last_24h: Option<f64>,
    /// In the last 7 days.
    pub last_7d: Option<f64>,
    /// In the last 30 days.
    pub last_30d: Option<f64>,
    /// In the last 90 days.
    pub last_90d: Option<f64>,
}

/// What came of the checks of an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = UptimeBar)]
pub struct Bar {
    /// When it begins, in UTC.
    pub at: At,
    /// How many checks there were.
    pub checks: i64,
    /// How many of them failed.
    pub failures: i64,
    /// Which share of them did not; null where there were none.
    pub uptime: Option<f64>,
    /// How long those took on average that did not fail, in milliseconds; null where there were none.
    pub avg_ms: Option<i64>,
}

/// What came of the checks of a minute.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = UptimeMinute)]
pub struct Minute {
    /// When it begins.
    pub at: At,
    /// How many checks there were.
    pub checks: i32,
    /// How many of them failed.
    pub failures: i32,
    /// How long the quickest took that did not fail, in milliseconds; null where all failed.
    pub min_ms: Option<i32>,
    /// The same on average.
    pub avg_ms: Option<i64>,
    /// The same of the slowest.
    pub max_ms: Option<i32>,
    /// Why the last that failed did so.
    pub error: Option<String>,
}

impl From<MinuteRow> for Minute {
    fn from(row: MinuteRow) -> Self {
        Self {
            at: At(row.minute.0),
            checks: row.checks,
            failures: row.failures,
            min_ms: row.min_ms,
            avg_ms: average(row.sum_ms, i64::from(row.checks - row.failures)),
            max_ms: row.max_ms,
            error: row.last_error,
        }
    }
}

/// The beginning of the hour or day that lies so many of them before the one of `now`.
#[must_use]
pub fn back(now: Timestamp, unit: i64, count: i64) -> Timestamp {
    now.plus_micros(-now.micros().rem_euclid(unit) - count * unit)
}

/// The shares, from the hours of a monitor.
#[must_use]
pub fn uptime(hours: &[HourRow], now: Timestamp) -> Uptime {
    let of = |days: i64| {
        let from = back(now, HOUR, days * 24);
        let within = hours.iter().filter(|row| row.hour.0 >= from);
        let (checks, failures) = within.fold((0, 0), |(checks, failures), row| {
            (checks + row.checks, failures + row.failures)
        });
        share(checks, failures)
    };
    Uptime {
        last_24h: of(1),
        last_7d: of(7),
        last_30d: of(30),
        last_90d: of(90),
    }
}

/// The last `count` hours or days with the one of `now`, oldest first, also those without checks.
#[must_use]
pub fn bars(hours: &[HourRow], now: Timestamp, unit: i64, count: i64) -> Vec<Bar> {
    let first = back(now, unit, count - 1);
    let mut sums = vec![(0, 0, 0); usize::try_from(count).unwrap_or_default()];
    for row in hours {
        let place = (row.hour.0.micros() - first.micros()).div_euclid(unit);
        let sum = usize::try_from(place).ok().and_then(|place| sums.get_mut(place));
        if let Some((checks, failures, sum_ms)) = sum {
            *checks += row.checks;
            *failures += row.failures;
            *sum_ms += row.sum_ms;
        }
    }
    let bar = |(place, (checks, failures, sum_ms)): (i64, (i64, i64, i64))| Bar {
        at: At(first.plus_micros(place * unit)),
        checks,
        failures,
        uptime: share(checks, failures),
        avg_ms: average(sum_ms, checks - failures),
    };
    (0..).zip(sums).map(bar).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn share(checks: i64, failures: i64) -> Option<f64> {
    (checks > 0).then(|| (checks - failures) as f64 / checks as f64)
}

fn average(sum: i64, count: i64) -> Option<i64> {
    (count > 0).then(|| (sum + count / 2) / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PgTime;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-20T10:30:00Z").unwrap()
    }

    fn hour(at: &str, checks: i64, failures: i64) -> HourRow {
        HourRow {
            monitor_id: 1,
            hour: PgTime(Timestamp::parse(at).unwrap()),
            checks,
            failures,
            sum_ms: 200 * (checks - failures),
        }
    }

    #[test]
    fn shares_are_of_the_checks_since_an_hour_began() {
        let hours = [
            hour("2026-08-22T10:00:00Z", 60, 60),
            hour("2026-08-22T09:00:00Z", 1_000, 1_000),
            hour("2026-10-21T10:00:00Z", 60, 0),
            hour("2026-11-13T10:00:00Z", 60, 30),
            hour("2026-11-19T10:00:00Z", 60, 0),
            hour("2026-11-19T09:00:00Z", 60, 60),
        ];
        let shares = uptime(&hours, now());
        assert_eq!(shares.last_24h, Some(1.0));
        assert_eq!(shares.last_7d, Some(0.5));
        assert_eq!(shares.last_30d, Some(150.0 / 240.0));
        assert_eq!(shares.last_90d, Some(0.5));
        assert_eq!(uptime(&[], now()).last_90d, None);
    }

    #[test]
    fn there_is_a_bar_for_each_day_also_without_checks() {
        let hours = [
            hour("2026-11-20T00:00:00Z", 60, 15),
            hour("2026-11-20T10:00:00Z", 20, 5),
            hour("2026-11-19T23:00:00Z", 60, 60),
            hour("2026-08-22T00:00:00Z", 7, 0),
            hour("2026-08-23T00:00:00Z", 9, 0),
        ];
        let bars = bars(&hours, now(), DAY, DAYS);
        assert_eq!(bars.len(), 90);
        let of = |bar: &Bar| (bar.at.0.to_string(), bar.checks, bar.failures, bar.uptime, bar.avg_ms);
        let day = |at: &str| format!("{at}T00:00:00.000Z");
        assert_eq!(of(&bars[89]), (day("2026-11-20"), 80, 20, Some(0.75), Some(200)));
        assert_eq!(of(&bars[88]), (day("2026-11-19"), 60, 60, Some(0.0), None));
        assert_eq!(of(&bars[87]), (day("2026-11-18"), 0, 0, None, None));
        assert_eq!(of(&bars[0]), (day("2026-08-23"), 9, 0, Some(1.0), Some(200)));
    }
}
