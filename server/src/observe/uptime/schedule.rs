//! When a monitor is checked next.

use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::state::{Standing, State};

/// Shortest and longest time from one check to the next: 10 s, 1 h.
pub const INTERVAL_S: std::ops::RangeInclusive<i32> = 10..=3_600;

/// How soon after a first failure it is checked again: 10 s, so that an outage is known 10 s after the check that met it,
/// and a hiccup has passed.
const AGAIN_AFTER_S: i32 = 10;

/// How much longer than its timeout a check may take before whoever does it is given up: 15 s, for the database at both ends
/// of it.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// 2^64 / φ: multiples of it spread well over 64 bits (Knuth, TAOCP 3, 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

const MICROS: i64 = 1_000_000;

/// When a monitor is due after a check that `began`, and after which it stands so. Each has its own place within its interval,
/// so that those that were made together are not checked together.
#[must_use]
pub fn next_due(id: i64, interval_s: i32, standing: &Standing, began: Timestamp) -> Timestamp {
    if standing.state == State::Failing {
        return began.plus_micros(i64::from(interval_s.min(AGAIN_AFTER_S)) * MICROS);
    }
    let interval = i64::from(interval_s.max(1)) * MICROS;
    let place = place(id, interval);
    let passed = (began.micros() - place).rem_euclid(interval);
    began.plus_micros(interval - passed)
}

/// Where in an interval of so many microseconds.
fn place(id: i64, interval: i64) -> i64 {
    let spread = u128::from(id.cast_unsigned().wrapping_mul(SPREAD));
    let place = (spread * u128::from(interval.unsigned_abs())) >> 64;
    i64::try_from(place).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn standing(state: State) -> Standing {
        Standing {
            state,
            ..Standing::unknown(Timestamp::from_millis(0))
        }
    }

    #[test]
    fn a_first_failure_is_looked_at_again_soon() {
        let began = Timestamp::from_millis(1_000_000);
        let due = |interval| next_due(7, interval, &standing(State::Failing), began).millis() - began.millis();
        assert_eq!((due(60), due(3_600), due(10)), (10_000, 10_000, 10_000));
    }

    #[test]
    fn monitors_that_were_made_together_are_not_checked_together() {
        let began = Timestamp::from_millis(1_700_000_000_000);
        let mut by_second = BTreeMap::new();
        for id in 1..=600 {
            let due = next_due(id, 60, &standing(State::Up), began);
            *by_second.entry(due.millis() / 1_000).or_insert(0) += 1;
        }
        assert!(by_second.len() >= 60, "{by_second:?}");
        assert!(
            by_second.values().all(|count| *count <= 20),
            "ten a second: {by_second:?}"
        );
    }

    proptest! {
        #[test]
        fn checks_come_once_an_interval_however_late_each_began(
            id in 1_i64..1_000_000,
            interval in INTERVAL_S,
            began in 1_000_000_000_000_000_i64..2_000_000_000_000_000,
            late in 0_i64..1_000_000,
        ) {
            let up = standing(State::Up);
            let step = i64::from(interval) * MICROS;
            let first = next_due(id, interval, &up, Timestamp::from_micros(began));
            prop_assert!(first.micros() > began && first.micros() <= began + step);
            let second = next_due(id, interval, &up, first.plus_micros(late));
            prop_assert_eq!(second.micros(), first.micros() + step);
        }
    }
}
