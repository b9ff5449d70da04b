//! What a session's token is worth at a moment. Pure.

use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::config::SessionConfig;
use crate::store::Opening;

/// How long a replaced token still passes: 5 s. Two tabs of one page refresh at the same time, and what one of them has
/// sent with the old token arrives after the other's refresh.
pub const GRACE: Duration = Duration::from_secs(5);

/// How exact `last_seen_at` is: to the minute, so that a session costs one write a minute and not one a request.
pub const SEEN_EVERY: Duration = Duration::from_secs(60);

/// What a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It opens the session.
    Live,
    /// It was replaced a moment ago: it opens the session, and no token is made of it.
    Grace,
    /// It was replaced, and here it is again: one of two who have it has stolen it. Which one cannot be told, so the
    /// session ends for both (RFC 9700 §4.14.2).
    Replayed,
    /// The session is over.
    Ended,
}

/// What a token is worth at `now`.
#[must_use]
pub fn standing(opening: &Opening, now: Timestamp, config: &SessionConfig) -> Standing {
    if opening.revoked || now >= ends_at(opening, config) {
        return Standing::Ended;
    }
    match opening.replaced_at {
        None => Standing::Live,
        Some(at) if now < plus(at, GRACE) => Standing::Grace,
        Some(_) => Standing::Replayed,
    }
}

/// When the session ends if nobody uses it from now on.
#[must_use]
pub fn ends_at(opening: &Opening, config: &SessionConfig) -> Timestamp {
    opening.expires_at.min(plus(opening.last_seen_at, config.idle.0))
}

/// Whether it is time to note that a session is in use.
#[must_use]
pub fn is_to_be_noted(opening: &Opening, now: Timestamp) -> bool {
    now >= plus(opening.last_seen_at, SEEN_EVERY)
}

/// A time later by `span`.
#[must_use]
pub fn plus(at: Timestamp, span: Duration) -> Timestamp {
    at.plus_micros(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn opening() -> Opening {
        Opening {
            last_seen_at: at(0),
            expires_at: at(30 * 24 * HOUR),
            revoked: false,
            replaced_at: None,
        }
    }

    fn standing_at(opening: &Opening, seconds: i64) -> Standing {
        standing(opening, at(seconds), &SessionConfig::default())
    }

    #[test]
    fn a_session_lives_while_it_is_used_and_no_longer_than_the_longest() {
        assert_eq!(standing_at(&opening(), 24 * HOUR - 1), Standing::Live);
        assert_eq!(standing_at(&opening(), 24 * HOUR), Standing::Ended, "idle for a day");
        let used = Opening {
            last_seen_at: at(30 * 24 * HOUR - 1),
            ..opening()
        };
        assert_eq!(standing_at(&used, 30 * 24 * HOUR - 1), Standing::Live);
        assert_eq!(standing_at(&used, 30 * 24 * HOUR), Standing::Ended);
    }

    #[test]
    fn a_revoked_session_is_over_whatever_its_token() {
        for replaced_at in [None, Some(at(1)), Some(at(100))] {
            let revoked = Opening {
                revoked: true,
                replaced_at,
                ..opening()
            };
            assert_eq!(standing_at(&revoked, 100), Standing::Ended);
        }
    }

    #[test]
    fn a_replaced_token_passes_for_a_moment_and_then_betrays_a_thief() {
        let replaced = Opening {
            replaced_at: Some(at(100)),
            ..opening()
        };
        assert_eq!(standing_at(&replaced, 100), Standing::Grace);
        assert_eq!(standing_at(&replaced, 104), Standing::Grace);
        assert_eq!(standing_at(&replaced, 105), Standing::Replayed);
    }

    #[test]
    fn use_is_noted_once_a_minute() {
        assert!(!is_to_be_noted(&opening(), at(59)));
        assert!(is_to_be_noted(&opening(), at(60)));
    }
}
