//! When a job runs, and which may run now. Pure.

use std::time::Duration;

use trailmark_protocol::Timestamp;

/// A job that failed is tried again after this long, or when it would be due anyway.
pub const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How heavy a job is, and what that means for when it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A few short statements, or waiting for others: runs whenever it is due.
    Light,
    /// Reads much. One at a time, and none while the writer is behind: events go first.
    Heavy,
}

/// The next time a job of this interval is due, as of `now`. Times are whole intervals since 1970, so that all servers mean
/// the same ones, and what was missed while no server ran is caught up once and not once for each time.
#[must_use]
pub fn next_due(now: Timestamp, every: Duration) -> Timestamp {
    let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
    let begun = now.micros().div_euclid(every);
    Timestamp::from_micros(begun.saturating_add(1).saturating_mul(every))
}

/// When to try again after a failure.
#[must_use]
pub fn retry_due(now: Timestamp, every: Duration) -> Timestamp {
    let again = now.micros() + i64::try_from(AGAIN_AFTER.as_micros()).unwrap_or(i64::MAX);
    next_due(now, every).min(Timestamp::from_micros(again))
}

/// Whether a job may begin.
#[must_use]
pub fn may_begin(weight: Weight, heavy_running: bool, is_behind: bool) -> bool {
    weight == Weight::Light || !(heavy_running || is_behind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn what_was_missed_is_caught_up_once() {
        // Due at noon, and nobody ran until a quarter to three: it runs then, and next at the next whole minute.
        assert_eq!(next_due(at("2026-11-22T14:45:10Z"), MINUTE), at("2026-11-22T14:46:00Z"));
    }

    #[test]
    fn a_failed_job_is_tried_again_soon_but_no_more_often_than_it_runs() {
        let now = at("2026-11-22T14:45:10Z");
        assert_eq!(retry_due(now, 60 * MINUTE), at("2026-11-22T14:45:40Z"));
        assert_eq!(retry_due(now, Duration::from_secs(5)), at("2026-11-22T14:45:15Z"));
    }

    #[test]
    fn heavy_jobs_run_one_at_a_time_and_never_while_events_wait() {
        assert!(may_begin(Weight::Heavy, false, false));
        assert!(!may_begin(Weight::Heavy, true, false) && !may_begin(Weight::Heavy, false, true));
        assert!(may_begin(Weight::Light, true, true));
    }

    proptest! {
        #[test]
        fn the_next_time_is_ahead_and_at_most_one_interval_away(now in 0i64..4_000_000_000_000_000, seconds in 1u64..100_000) {
            let every = Duration::from_secs(seconds);
            let next = next_due(Timestamp::from_micros(now), every).micros();
            prop_assert!(next > now && next - now <= seconds as i64 * 1_000_000);
        }
    }
}
