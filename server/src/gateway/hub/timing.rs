//! When a client is asked whether it is still there, when it is given up, and how fast it is read. Pure: `now` is given.

use std::time::Duration;

use tokio::time::Instant;

/// How long ago the client was heard, and asked.
#[derive(Debug)]
pub(super) struct Quiet {
    idle: Duration,
    /// Zero never asks.
    ping: Duration,
    heard: Instant,
    asked: bool,
}

/// What is to be done about a silent client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing yet.
    Nothing,
    /// Ask it.
    Ping,
    /// Give it up.
    GiveUp,
}

impl Quiet {
    pub(super) const fn new(idle: Duration, ping: Duration, now: Instant) -> Self {
        Self {
            idle,
            ping,
            heard: now,
            asked: false,
        }
    }

    /// Something came from the client.
    pub(super) const fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = false;
    }

    /// When [`Quiet::due`] is to be asked again, if nothing is heard until then.
    pub(super) fn wakes(&self) -> Instant {
        let asks = !self.asked && !self.ping.is_zero();
        self.heard + if asks { self.ping.min(self.idle) } else { self.idle }
    }

    /// What is to be done now. A ping is said once.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if now < self.wakes() {
            return Due::Nothing;
        }
        if now >= self.heard + self.idle {
            return Due::GiveUp;
        }
        self.asked = true;
        Due::Ping
    }
}

/// How fast a client is read: the generic cell rate algorithm. Nothing is refused, the client's frames wait in its own
/// buffers; so one client cannot make the bus lose the messages of others.
#[derive(Debug)]
pub(super) struct Pace {
    /// The time of one frame.
    each: Duration,
    burst: Duration,
    /// When all frames so far would have come at the steady rate.
    paid_until: Instant,
}

impl Pace {
    /// `per_second` frames, and as many at once after a second's rest.
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self {
            each,
            burst: Duration::from_secs(1).saturating_sub(each),
            paid_until: now,
        }
    }

    /// When the next frame may be read.
    pub(super) fn free_at(&self) -> Instant {
        self.paid_until.checked_sub(self.burst).unwrap_or(self.paid_until)
    }

    /// A frame was read.
    pub(super) fn read(&mut self, now: Instant) {
        self.paid_until = self.paid_until.max(now) + self.each;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_silent_client_is_asked_once_and_then_given_up() {
        let start = Instant::now();
        let mut quiet = Quiet::new(ms(60), ms(20), start);
        assert_eq!(quiet.due(start + ms(19)), Due::Nothing);
        assert_eq!(quiet.wakes(), start + ms(20));
        assert_eq!(quiet.due(start + ms(20)), Due::Ping);
        assert_eq!(quiet.due(start + ms(59)), Due::Nothing);
        assert_eq!(quiet.wakes(), start + ms(60));
        assert_eq!(quiet.due(start + ms(60)), Due::GiveUp);
    }

    #[test]
    fn whoever_answers_is_asked_again_and_never_given_up() {
        let start = Instant::now();
        let mut quiet = Quiet::new(ms(60), ms(20), start);
        let mut now = start;
        for _ in 0..10 {
            now = quiet.wakes();
            assert_eq!(quiet.due(now), Due::Ping);
            now += ms(5);
            quiet.heard(now);
        }
        assert_eq!(now, start + ms(250));
    }

    #[test]
    fn without_pings_only_silence_counts() {
        let start = Instant::now();
        let mut quiet = Quiet::new(ms(60), ms(0), start);
        assert_eq!(quiet.wakes(), start + ms(60));
        assert_eq!(quiet.due(start + ms(60)), Due::GiveUp);
    }

    proptest! {
        #[test]
        fn no_second_sees_more_frames_than_a_burst_and_a_seconds_worth(
            per_second in 1..50_u32,
            gaps in prop::collection::vec(0..300_u64, 1..150),
        ) {
            let start = Instant::now();
            let (mut pace, mut now, mut read) = (Pace::new(per_second, start), start, Vec::new());
            for gap in gaps {
                now = (now + ms(gap)).max(pace.free_at());
                pace.read(now);
                read.push(now);
            }
            for (n, first) in read.iter().enumerate() {
                let within = read[n..].iter().take_while(|at| **at < *first + ms(1000)).count();
                prop_assert!(within <= 2 * per_second as usize, "{} in a second", within);
            }
        }

        #[test]
        fn whoever_keeps_to_the_rate_never_waits(per_second in 1..50_u32, frames in 1..200_u32) {
            let start = Instant::now();
            let mut pace = Pace::new(per_second, start);
            for n in 0..frames {
                let now = start + Duration::from_secs(1) / per_second * n;
                prop_assert!(pace.free_at() <= now);
                pace.read(now);
            }
        }
    }
}
