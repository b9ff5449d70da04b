//! When people shop: by day and night, by weekday, and more from week to week.

use trailmark_protocol::Timestamp;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Whole days before the one on which the story is told first.
pub(crate) const DAYS: i64 = 30;

/// Where the shop may be, in hours ahead of UTC: Los Angeles, New York, Berlin, Kolkata, Tokyo, Sydney.
const HOMES: [f64; 6] = [-8.0, -5.0, 1.0, 5.5, 9.0, 11.0];

/// The hour of the day at which it is told first, as nearly as one of [`HOMES`] has it: who looks at a demo is awake, and a
/// shop in the middle of the night is dull.
const TOLD_AT_HOUR: f64 = 15.0;

/// How busy the hours of a day are: at four in the afternoon three times as busy as at four in the morning.
fn busy(hour: f64) -> f64 {
    1.0 + 0.5 * ((hour - 16.0) / 24.0 * std::f64::consts::TAU).cos()
}

/// From Monday on.
const WEEKDAYS: [f64; 7] = [1.0, 1.02, 1.0, 1.04, 1.08, 0.92, 0.86];

/// Days of the shop's own time zone, 0 the first of the story.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    /// The midnight with which day 0 begins.
    first: Timestamp,
    /// Monday: 0.
    first_weekday: i64,
    /// Up to each quarter-hour, the share of a day's visits that have begun.
    begun: Vec<f64>,
}

impl Calendar {
    /// Of a story that is told first at `told_at`.
    pub(crate) fn new(told_at: Timestamp) -> Self {
        let utc_hours = told_at.micros().rem_euclid(DAY) as f64 / HOUR as f64;
        let off = |ahead: f64| {
            let late = (utc_hours + ahead - TOLD_AT_HOUR).rem_euclid(24.0);
            late.min(24.0 - late)
        };
        let ahead = HOMES.into_iter().min_by(|one, other| off(*one).total_cmp(&off(*other)));
        let ahead = ahead.unwrap_or_default();
        let ahead = (ahead * HOUR as f64) as i64;
        let local_day = (told_at.micros() + ahead).div_euclid(DAY) - DAYS;
        let weights: Vec<f64> = (0..96).map(|quarter| busy(f64::from(quarter) / 4.0)).collect();
        let all: f64 = weights.iter().sum();
        let begun = weights.iter().scan(0.0, |sum, weight| {
            *sum += weight / all;
            Some(*sum)
        });
        Self {
            first: Timestamp::from_micros(local_day * DAY - ahead),
            // 1970-01-01 was a Thursday.
            first_weekday: (local_day + 3).rem_euclid(7),
            begun: begun.collect(),
        }
    }

    /// With which midnight a day begins.
    pub(crate) fn midnight(&self, day: i64) -> Timestamp {
        self.first.plus_micros(day * DAY)
    }

    /// The day that a moment is in.
    pub(crate) fn day(&self, at: Timestamp) -> i64 {
        (at.micros() - self.first.micros()).div_euclid(DAY)
    }

    /// How busy a day is: by weekday, and by how well the shop is known, twice as well at the end as in the beginning.
    pub(crate) fn busy(&self, day: i64) -> f64 {
        let known = (day.clamp(0, DAYS) as f64 / DAYS as f64).exp2();
        known * WEEKDAYS[(self.first_weekday + day).rem_euclid(7) as usize]
    }

    /// The moment of a day up to which this share of its visits has begun.
    pub(crate) fn moment(&self, day: i64, share: f64) -> Timestamp {
        let quarter = self.begun.partition_point(|begun| *begun <= share).min(95);
        let before = if quarter == 0 { 0.0 } else { self.begun[quarter - 1] };
        let within = (share - before) / (self.begun[quarter] - before);
        let micros = (quarter as f64 + within.clamp(0.0, 0.999)) * 15.0 * MINUTE as f64;
        self.midnight(day).plus_micros(micros as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whenever_it_is_told_it_is_day_in_the_shop() {
        for hour in 0..24 {
            let now = Timestamp::from_micros(1_795_176_000_000_000 + hour * HOUR);
            let calendar = Calendar::new(now);
            let today = now.micros() - calendar.midnight(calendar.day(now)).micros();
            assert!((10 * HOUR..20 * HOUR).contains(&today), "{hour}: {}", today / HOUR);
            assert_eq!(calendar.day(now), DAYS);
        }
    }

    #[test]
    fn more_visits_begin_by_day_than_by_night() {
        let calendar = Calendar::new(Timestamp::parse("2026-11-22T12:00:00Z").unwrap());
        let moments: Vec<i64> = (0..1_000)
            .map(|n| calendar.moment(3, f64::from(n) / 1_000.0).micros() - calendar.midnight(3).micros())
            .collect();
        assert!(moments.is_sorted() && moments[0] == 0 && moments[999] < DAY);
        let in_hours = |from: i64, to: i64| {
            moments
                .iter()
                .filter(|at| (from * HOUR..to * HOUR).contains(*at))
                .count()
        };
        assert!(in_hours(14, 18) > 2 * in_hours(2, 6));
    }
}
