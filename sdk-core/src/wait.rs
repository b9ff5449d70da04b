//! Waiting, by a clock that may be set back.

use std::time::Duration;

use trailmark_protocol::Timestamp;

/// The length in microseconds; saturates.
pub(crate) fn micros(length: Duration) -> i64 {
    let seconds = i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
    seconds
        .saturating_mul(1_000_000)
        .saturating_add(length.subsec_micros().into())
}

/// A wait of some length. A clock set back before its start starts it again, so it never grows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wait {
    from: Timestamp,
    length: i64,
}

impl Wait {
    /// A wait that starts now.
    pub(crate) fn start(now: Timestamp, length: Duration) -> Self {
        Self {
            from: now,
            length: micros(length),
        }
    }

    /// When it ends; `None` once it is over.
    pub(crate) fn until(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.from = self.from.min(now);
        let until = self.from.plus_micros(self.length);
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_wait_ends_after_its_length() {
        let mut wait = Wait::start(at(1_000), Duration::from_millis(500));
        assert_eq!(wait.until(at(1_499)), Some(at(1_500)));
        assert_eq!(wait.until(at(1_500)), None);
    }

    #[test]
    fn a_clock_set_back_by_a_day_does_not_stretch_the_wait() {
        let mut wait = Wait::start(at(86_400_000), Duration::from_millis(500));
        assert_eq!(wait.until(at(0)), Some(at(500)));
        assert_eq!(wait.until(at(500)), None);
    }

    #[test]
    fn no_wait_is_over_at_once() {
        assert_eq!(Wait::default().until(at(5)), None);
    }
}
