//! When something happens far more often than usual.
//!
//! Events are counted by quarter-hours. Those of the last 15 minutes are the quarter that runs and, since that may have just
//! begun, the one before: an issue spikes if either does. What is usual is the median of the same quarter on the 7 days
//! before, so that day and night are not compared.

use trailmark_protocol::Timestamp;

/// A quarter of an hour.
pub const QUARTER_MICROS: i64 = 15 * 60 * 1_000_000;

/// Least events of a spike: 10 (research §1.3, point 3).
pub const EVENTS_MIN: i64 = 10;

/// Least people whom a spike meets: 3 (research §1.3, point 3). One person who reloads a broken page makes none.
pub const PEOPLE_MIN: i64 = 3;

/// A spike is more than so many times what is usual: 3 (research §1.3, point 3).
pub const TIMES_USUAL: i64 = 3;

/// Days that are compared with: 7 (research §1.3, point 3).
pub const DAYS: usize = 7;

/// Least days that must be known, for from fewer nobody knows what is usual: 3. Until then an issue is new, which is a
/// problem already.
pub const DAYS_MIN: usize = 3;

/// A spike is also beyond what chance makes of events that come one by one (Poisson), for the median of 7 days may lie far
/// below the truth: so many deviations above the second greatest of these days (the greatest may have had an incident
/// itself) and one. With 7, calm traffic passes less than once in 10⁷ quarters. After 7 days without events the least number
/// stays 10; after 1 each it is 12, after 5 each 24, after 10 each 35; from 15 on three times the median is more.
const DEVIATIONS: f64 = 7.0;

/// The quarter-hour that a moment is in.
#[must_use]
pub fn quarter_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().div_euclid(QUARTER_MICROS) * QUARTER_MICROS)
}

/// What is usual: the median. Of no days it is 0.
#[must_use]
pub fn usual(past: &[i64]) -> i64 {
    let mut sorted = past.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// Whether `events` of `people` in a quarter are a spike, after `past` events in the same quarter of the days before. Gives
/// what is usual.
#[must_use]
pub fn spike(events: i64, people: i64, past: &[i64]) -> Option<i64> {
    let usual = usual(past);
    let is_one = past.len() >= DAYS_MIN
        && events >= EVENTS_MIN
        && people >= PEOPLE_MIN
        && events > TIMES_USUAL * usual
        && is_no_chance(events, past);
    is_one.then_some(usual)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a quarter-hour are below 2^53")]
fn is_no_chance(events: i64, past: &[i64]) -> bool {
    let mut sorted = past.to_vec();
    sorted.sort_unstable();
    let second = sorted.iter().rev().nth(1).copied().unwrap_or(0) as f64 + 1.0;
    events as f64 > second + DEVIATIONS * second.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_spike_is_found_and_what_is_usual_is_told() {
        assert_eq!(spike(10, 3, &[0; 7]), Some(0));
        assert_eq!(spike(40, 9, &[4, 5, 6, 5, 5, 4, 90]), Some(5));
        assert_eq!(spike(301, 9, &[100; 7]), Some(100));
    }

    #[test]
    fn each_condition_is_needed() {
        for (events, people, past, why) in [
            (9, 3, [0; 7], "too few events"),
            (1_000, 2, [0; 7], "two people who reload"),
            (300, 9, [100; 7], "exactly three times as many"),
            (11, 5, [1; 7], "chance"),
            (30, 9, [4, 4, 5, 9, 4, 3, 12], "chance after days that differ"),
        ] {
            assert_eq!(spike(events, people, &past), None, "{why}");
        }
        assert_eq!(spike(1_000, 99, &[0, 0]), None, "nobody knows yet what is usual");
    }

    #[test]
    fn a_quarter_begins_at_its_beginning_also_before_1970() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(quarter_of(at("2026-11-20T12:29:59.999Z")), at("2026-11-20T12:15:00Z"));
        assert_eq!(quarter_of(at("2026-11-20T12:30:00Z")), at("2026-11-20T12:30:00Z"));
        assert_eq!(quarter_of(at("1969-12-31T23:50:00Z")), at("1969-12-31T23:45:00Z"));
    }

    /// Numbers that look random and are the same every time (SplitMix64).
    struct Chance(u64);

    impl Chance {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// How many of events that come one by one, `mean` of them usually.
        fn poisson(&mut self, mean: f64) -> i64 {
            let (limit, mut product, mut count) = ((-mean).exp(), self.next(), 0);
            while product > limit {
                product *= self.next();
                count += 1;
            }
            count
        }
    }

    /// Events of a quarter-hour by day and night, fewer at weekends.
    fn mean(base: f64, quarter: usize) -> f64 {
        let (day, hour) = (quarter / 96, (quarter % 96) as f64 / 4.0);
        let rhythm = 1.0 + 0.9 * ((hour - 9.0) / 24.0 * std::f64::consts::TAU).sin();
        base * rhythm * if day % 7 >= 5 { 0.4 } else { 1.0 }
    }

    #[test]
    fn a_quiet_month_has_no_spike() {
        const QUARTERS: usize = 30 * 96;
        for seed in 0..10 {
            let mut chance = Chance(seed);
            for base in [0.05, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 40.0, 120.0] {
                let counts: Vec<i64> = (0..QUARTERS)
                    .map(|quarter| chance.poisson(mean(base, quarter)))
                    .collect();
                for (quarter, events) in counts.iter().enumerate() {
                    let past: Vec<i64> = (1..=DAYS)
                        .filter_map(|day| counts.get(quarter.checked_sub(day * 96)?).copied())
                        .collect();
                    assert_eq!(
                        spike(*events, *events, &past),
                        None,
                        "seed {seed}, {base} events a quarter, quarter {quarter}"
                    );
                }
            }
        }
    }

    #[test]
    fn in_the_same_month_a_planted_outage_is_found_in_its_first_quarter() {
        for seed in 0..10 {
            let mut chance = Chance(seed);
            for base in [0.5, 2.0, 8.0, 40.0] {
                let counts: Vec<i64> = (0..8 * 96).map(|quarter| chance.poisson(mean(base, quarter))).collect();
                let quarter = counts.len() - 40;
                let past: Vec<i64> = (1..=DAYS)
                    .filter_map(|day| counts.get(quarter.checked_sub(day * 96)?).copied())
                    .collect();
                let planted = chance.poisson(20.0 + 5.0 * mean(base, quarter));
                assert!(
                    spike(planted, planted / 2, &past).is_some(),
                    "seed {seed}, base {base}: {planted} after {past:?}"
                );
            }
        }
    }
}
