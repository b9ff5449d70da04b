//! How long to wait before Postgres is started again.

use std::time::Duration;

/// The first wait: a single crash should cost the journal's readers no more than a blink.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait: 2 880 log lines a day if it never starts again.
const LONGEST: Duration = Duration::from_secs(30);

/// After running this long a failure counts as the first again.
const STEADY: Duration = Duration::from_secs(60);

/// Doubles with every failure in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after a failure of a Postgres that had run for `ran`.
    pub(super) fn after_failure(&mut self, ran: Duration) -> Duration {
        if ran >= STEADY {
            self.failures = 0;
        }
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_from_a_tenth_of_a_second_to_thirty_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..11)
            .map(|_| backoff.after_failure(Duration::ZERO).as_millis())
            .collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]
        );
    }

    #[test]
    fn a_minute_of_running_makes_the_next_failure_the_first() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.after_failure(Duration::ZERO);
        }
        assert_eq!(backoff.after_failure(STEADY), FIRST);
    }

    proptest! {
        #[test]
        fn no_history_gives_a_wait_outside_its_bounds(runs in proptest::collection::vec(0_u64..120, 0..200)) {
            let mut backoff = Backoff::default();
            for seconds in runs {
                let wait = backoff.after_failure(Duration::from_secs(seconds));
                prop_assert!((FIRST..=LONGEST).contains(&wait));
            }
        }
    }
}
