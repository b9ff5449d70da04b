//! Sessions: stretches of use, told apart by a pause.

use std::time::Duration;

use trailmark_protocol::Timestamp;

/// A pause of this length ends a session: 30 min, as everywhere in the field.
pub const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);

/// No session is longer: 24 h. An app that polls all day would otherwise have one for ever.
pub const SESSION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, a UUIDv7.
    pub id: String,
    /// Its number within the install, from 1.
    pub seq: u64,
    /// When it began.
    pub started: Timestamp,
    /// Its latest event.
    pub latest: Timestamp,
}

impl Session {
    /// Whether an event at `now` still belongs to it. A clock that goes back ends no session.
    pub(crate) fn continues(&self, now: Timestamp, idle: Duration, max: Duration) -> bool {
        let since = |then: Timestamp| {
            let micros = now.micros().saturating_sub(then.micros());
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        };
        since(self.latest) < idle && since(self.started) < max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_after_a_pause_or_when_it_is_too_long_but_not_when_the_clock_goes_back() {
        let minutes = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        let session = |latest| Session {
            id: "s".into(),
            seq: 1,
            started: minutes(0),
            latest: minutes(latest),
        };
        let continues = |latest, now| session(latest).continues(minutes(now), SESSION_IDLE, SESSION_MAX);
        assert!(continues(10, 39));
        assert!(!continues(10, 40));
        assert!(continues(24 * 60 - 5, 24 * 60 - 1));
        assert!(!continues(24 * 60 - 5, 24 * 60));
        assert!(continues(10, -500));
    }
}
