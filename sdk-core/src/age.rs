//! How long events have waited, on a clock that a wrong wall clock cannot jump forward.
//!
//! A device that starts with its clock in 1970 and learns the time later has not waited for half a century. So the
//! queue has a clock of its own, which moves with the wall clock, but never back, and by at most [`MAX_STEP`] between
//! two looks at it. It errs on the side of keeping: while the app is not running at most one step is counted.

use std::time::Duration;

use trailmark_protocol::Timestamp;

/// The most that is believed between two looks at the clock: a day, far below the age at which events expire.
pub const MAX_STEP: Duration = Duration::from_secs(24 * 60 * 60);

/// While events wait, what the clock shows is saved when it has moved by this many milliseconds: an hour.
pub(crate) const AGE_SAVED_EVERY: u64 = 60 * 60 * 1000;

/// The queue's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct AgeClock {
    /// What it shows, in milliseconds.
    pub(crate) millis: u64,
    /// The wall clock when it was last looked at.
    pub(crate) looked_at: Option<Timestamp>,
}

impl AgeClock {
    /// Moves on to `now` and says what it shows.
    pub(crate) fn tick(&mut self, now: Timestamp) -> u64 {
        let passed = self
            .looked_at
            .map_or(0, |then| now.millis().saturating_sub(then.millis()));
        let step = u64::try_from(passed).unwrap_or(0);
        if passed != 0 || self.looked_at.is_none() {
            self.looked_at = Some(now);
        }
        self.millis = self.millis.saturating_add(step.min(MAX_STEP.as_millis() as u64));
        self.millis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_wall_clock_but_no_jump_in_either_direction() {
        let mut clock = AgeClock::default();
        let at = Timestamp::from_millis;
        assert_eq!(clock.tick(at(5)), 0);
        assert_eq!(clock.tick(at(1_005)), 1_000);
        assert_eq!(clock.tick(at(-90_000)), 1_000, "back: nothing passed");
        assert_eq!(clock.tick(at(-89_000)), 2_000);
        assert_eq!(
            clock.tick(at(1_763_600_000_000)),
            2_000 + 86_400_000,
            "56 years: one step"
        );
    }
}
