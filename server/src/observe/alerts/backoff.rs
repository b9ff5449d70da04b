//! When a message that was not taken is tried again, as pure functions.

use trailmark_protocol::Timestamp;

const SECOND: i64 = 1_000_000;

/// The waits after the first, second, … failure, in seconds; the last is that of all that follow. A restart of the receiver
/// costs seconds, a broken deployment an hour, and a night costs no more than eight attempts.
const WAITS: [i64; 7] = [10, 30, 120, 600, 3_600, 10_800, 21_600];

/// A wait is made longer by up to a quarter of it, so that what failed together does not come back together.
const JITTER: i64 = 4;

/// After so many seconds without success a message is given up: 24 hours, as webhooks mostly are.
pub const GIVE_UP_AFTER: i64 = 24 * 3_600;

/// The longest wait that a receiver may ask for, in seconds: the longest of `WAITS`.
pub const RETRY_AFTER_MAX: i64 = 21_600;

/// What is known of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// When the first was.
    pub first_at: Timestamp,
    /// In how many seconds the receiver wants to be asked again, if it said so.
    pub retry_after: Option<i64>,
}

/// When to try again; `None`: never. `random` is any number; only chance should know it.
#[must_use]
pub fn next_attempt(failure: Failure, now: Timestamp, random: u64) -> Option<Timestamp> {
    let index = usize::try_from(failure.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS[index.min(WAITS.len() - 1)] * SECOND;
    let jitter = i64::try_from(random % (wait / JITTER + 1).unsigned_abs()).unwrap_or(0);
    let asked = failure.retry_after.unwrap_or(0).clamp(0, RETRY_AFTER_MAX) * SECOND;
    let next = now.plus_micros((wait + jitter).max(asked));
    (next < failure.first_at.plus_micros(GIVE_UP_AFTER * SECOND)).then_some(next)
}

/// Seconds from `Retry-After`, which says them or a date (RFC 9110 §10.2.3).
#[must_use]
pub fn retry_after(header: &str, now: Timestamp) -> Option<i64> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(i64::from(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    Some((at.as_second() - now.millis() / 1_000).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    fn failure(attempt: u32) -> Failure {
        Failure {
            attempt,
            first_at: FIRST,
            retry_after: None,
        }
    }

    fn wait(failure: Failure, random: u64) -> i64 {
        (next_attempt(failure, FIRST, random).unwrap().micros() - FIRST.micros()) / SECOND
    }

    #[test]
    fn waits_grow_from_ten_seconds_to_six_hours() {
        let waits: Vec<_> = (1..=9).map(|attempt| wait(failure(attempt), 0)).collect();
        assert_eq!(waits, [10, 30, 120, 600, 3_600, 10_800, 21_600, 21_600, 21_600]);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_neither_for_less_nor_for_days() {
        let asked = |seconds| {
            wait(
                Failure {
                    retry_after: Some(seconds),
                    ..failure(1)
                },
                0,
            )
        };
        assert_eq!((asked(1), asked(90), asked(999_999)), (10, 90, RETRY_AFTER_MAX));
    }

    #[test]
    fn a_day_after_the_first_attempt_it_is_given_up() {
        let late = FIRST.plus_micros((GIVE_UP_AFTER - 21_600) * SECOND);
        assert_eq!(next_attempt(failure(9), late, 0), None);
        assert!(next_attempt(failure(9), late.plus_micros(-1), 0).is_some());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        assert_eq!(retry_after(" 120 ", now), Some(120));
        assert_eq!(retry_after("Fri, 20 Nov 2026 12:00:30 GMT", now), Some(30));
        assert_eq!(retry_after("Fri, 20 Nov 2026 11:00:00 GMT", now), Some(0));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }

    proptest! {
        #[test]
        fn every_history_of_failures_ends_within_a_day_and_never_hurries(
            randoms in proptest::collection::vec(any::<u64>(), 40),
            asked in proptest::option::of(any::<i64>()),
        ) {
            let (mut now, mut attempts) = (FIRST, 0);
            for (attempt, random) in (1_u32..).zip(randoms) {
                let failed = Failure { attempt, first_at: FIRST, retry_after: asked };
                let Some(next) = next_attempt(failed, now, random) else { break };
                let wait = next.micros() - now.micros();
                let index = (attempt as usize - 1).min(WAITS.len() - 1);
                prop_assert!(wait >= WAITS[index] * SECOND);
                prop_assert!(wait <= (WAITS[index] * 5 / 4).max(RETRY_AFTER_MAX) * SECOND);
                prop_assert!(next < FIRST.plus_micros(GIVE_UP_AFTER * SECOND));
                (now, attempts) = (next, attempt);
            }
            prop_assert!(attempts < 12, "{attempts} attempts");
        }
    }
}
