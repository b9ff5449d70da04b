//! Whether a request is sent again: the rule, the budget, the pause.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::config::{RetryConfig, RetryOn};
use super::failure::Trouble;
use super::random::Random;

/// The largest body that is held back so that it can be sent again: 64 KiB.
pub(super) const REPLAYABLE_BYTES: u64 = 64 * 1024;

/// The shortest and the longest pause between attempts.
const PAUSES: [Duration; 2] = [Duration::from_millis(25), Duration::from_millis(250)];

/// Retries that requests of the past can have saved up: enough for the start of an outage (at a budget of 0.2 those of the
/// last 250 requests), and not an hour's worth.
const SAVED: f64 = 50.0;

/// How an attempt ended that is no good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Without an answer.
    Trouble(Trouble),
    /// With this one.
    Status(StatusCode),
}

/// What is known of a request when an attempt at it has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    /// The how many-th it was, from 1.
    pub(super) nth: u32,
    /// How it ended.
    pub(super) ending: Ending,
    /// Whether not a byte of it was sent.
    pub(super) is_unsent: bool,
    /// Whether it went over a connection that had been used before.
    pub(super) was_reused: bool,
    /// Whether there is a copy of it, and it may be carried out twice.
    pub(super) may_repeat: bool,
    /// Whether it has been sent again for nothing before, see [`Verdict::Free`].
    pub(super) had_free: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The end.
    Stop,
    /// Again at the same address over a fresh connection, which counts for nothing: the upstream closed an idle connection
    /// in the very moment it was used (RFC 9112 §9.3.1).
    Free,
    /// Again, elsewhere if possible, if the budget has it.
    Again,
}

/// The rule.
pub(super) fn decide(attempt: Attempt, rules: &RetryConfig) -> Verdict {
    let is_stale = attempt.was_reused && attempt.ending == Ending::Trouble(Trouble::Reset);
    if is_stale && attempt.may_repeat && !attempt.had_free {
        return Verdict::Free;
    }
    let may = attempt.is_unsent || attempt.may_repeat;
    if may && attempt.nth < rules.attempts && is_listed(attempt.ending, &rules.on) {
        Verdict::Again
    } else {
        Verdict::Stop
    }
}

fn is_listed(ending: Ending, on: &[RetryOn]) -> bool {
    let reason = match ending {
        Ending::Status(status) => RetryOn::Status(status),
        Ending::Trouble(Trouble::Unreachable | Trouble::ConnectTimeout) => RetryOn::Connect,
        Ending::Trouble(Trouble::Reset) => RetryOn::Reset,
        Ending::Trouble(Trouble::Timeout) => RetryOn::Timeout,
        Ending::Trouble(Trouble::Garbage | Trouble::TotalTimeout) => return false,
    };
    on.contains(&reason)
}

/// The pause after the `nth` attempt: even between 25 ms and twice as much each time, 250 ms at most, so that clients that
/// failed together do not come back together.
pub(super) fn pause(nth: u32, random: &Random) -> Duration {
    let [shortest, longest] = PAUSES;
    let ceiling = (shortest * 2_u32.saturating_pow(nth.min(10))).min(longest);
    let spread = u64::try_from((ceiling - shortest).as_micros()).unwrap_or(0);
    shortest + Duration::from_micros(random.below(spread + 1))
}

/// Retries left: a share of recent requests, and some each second for those who have few.
#[derive(Debug)]
pub(super) struct Budget {
    share: f64,
    per_second: f64,
    saved: f64,
    floor: f64,
    at: Instant,
}

impl Budget {
    pub(super) fn new(rules: &RetryConfig, now: Instant) -> Self {
        Self {
            share: rules.budget,
            per_second: f64::from(rules.min_per_second),
            saved: 0.0,
            floor: f64::from(rules.min_per_second),
            at: now,
        }
    }

    /// Takes a retry out, if there is one. `requests` is how many there were since it was last asked.
    pub(super) fn withdraw(&mut self, requests: u64, now: Instant) -> bool {
        self.saved = (self.saved + requests as f64 * self.share).min(SAVED);
        let earned = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.floor = (self.floor + earned).min(self.per_second);
        self.at = now;
        take(&mut self.saved) || take(&mut self.floor)
    }
}

fn take(tokens: &mut f64) -> bool {
    let has = *tokens >= 1.0;
    if has {
        *tokens -= 1.0;
    }
    has
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attempt(ending: Ending) -> Attempt {
        Attempt {
            nth: 1,
            ending,
            is_unsent: false,
            was_reused: false,
            may_repeat: true,
            had_free: false,
        }
    }

    fn trouble(trouble: Trouble) -> Attempt {
        attempt(Ending::Trouble(trouble))
    }

    #[test]
    fn what_is_listed_is_tried_again_as_often_as_configured() {
        let rules = RetryConfig::default();
        let again = |attempt| decide(attempt, &rules) == Verdict::Again;
        assert!(again(trouble(Trouble::Unreachable)) && again(trouble(Trouble::Reset)));
        assert!(again(attempt(Ending::Status(StatusCode::BAD_GATEWAY))));
        assert!(!again(attempt(Ending::Status(StatusCode::INTERNAL_SERVER_ERROR))));
        assert!(!again(trouble(Trouble::Timeout)) && !again(trouble(Trouble::Garbage)));
        assert!(!again(Attempt {
            nth: 2,
            ..trouble(Trouble::Reset)
        }));
    }

    #[test]
    fn what_may_not_be_repeated_is_sent_again_only_if_it_never_left() {
        let rules = RetryConfig::default();
        let post = |trouble_, is_unsent| Attempt {
            may_repeat: false,
            is_unsent,
            ..trouble(trouble_)
        };
        assert_eq!(decide(post(Trouble::Unreachable, true), &rules), Verdict::Again);
        assert_eq!(decide(post(Trouble::Reset, false), &rules), Verdict::Stop);
        let stale = Attempt {
            was_reused: true,
            ..post(Trouble::Reset, false)
        };
        assert_eq!(decide(stale, &rules), Verdict::Stop, "it may have been carried out");
    }

    #[test]
    fn a_stale_connection_costs_no_retry_but_only_once() {
        let rules = RetryConfig {
            attempts: 1,
            ..RetryConfig::default()
        };
        let stale = Attempt {
            was_reused: true,
            ..trouble(Trouble::Reset)
        };
        assert_eq!(decide(stale, &rules), Verdict::Free);
        let again = Attempt {
            had_free: true,
            ..stale
        };
        assert_eq!(decide(again, &rules), Verdict::Stop);
    }

    proptest! {
        #[test]
        fn pauses_are_between_25_and_250_milliseconds(nth in 1_u32..100, seed: u64) {
            let pause = pause(nth, &Random::seeded(seed));
            prop_assert!(pause >= PAUSES[0] && pause <= PAUSES[1]);
        }

        /// Steps of (milliseconds passed, requests come in, retries asked for).
        #[test]
        fn over_any_window_the_budget_holds(
            steps in prop::collection::vec((0_u64..3_000, 0_u64..200, 0_usize..100), 1..60),
            share in 0.0..1.0_f64,
            min_per_second in 0_u32..10,
        ) {
            let rules = RetryConfig { budget: share, min_per_second, ..RetryConfig::default() };
            let start = Instant::now();
            let (mut budget, mut now) = (Budget::new(&rules, start), start);
            let mut history = Vec::new();
            for (millis, requests, asked) in steps {
                now += Duration::from_millis(millis);
                let mut fresh = requests;
                let granted = (0..asked).filter(|_| budget.withdraw(std::mem::take(&mut fresh), now)).count();
                let unseen = if asked == 0 { 0 } else { requests };
                history.push((now, unseen, granted));
            }
            for from in 0..history.len() {
                let (mut requests, mut granted) = (0, 0);
                for (at, more, retries) in &history[from..] {
                    requests += more;
                    granted += retries;
                    let seconds = at.duration_since(history[from].0).as_secs_f64();
                    let floor = f64::from(min_per_second);
                    let most = share * requests as f64 + floor * seconds + SAVED + floor;
                    prop_assert!(granted as f64 <= most + 1e-6, "{granted} of {most}");
                }
            }
        }
    }
}
