//! The circuit breaker of one address: closed, open, and half open with one request that tries.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::config::BreakerConfig;

/// How a request was let through; its outcome is reported with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// As everybody.
    Free,
    /// As the one that finds out whether the address is well again.
    Probe,
}

/// What it does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Lets them through.
    Closed,
    /// Lets none through until then.
    Open(Instant),
    /// Lets one through at a time, and none while that is under way.
    HalfOpen {
        /// Whether one is.
        is_probing: bool,
    },
}

/// A failure: when, and the how many-th answer of the address it was.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    answered: u64,
}

/// A breaker.
#[derive(Debug)]
pub(super) struct Breaker {
    position: Position,
    recent: VecDeque<Mark>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            position: Position::Closed,
            recent: VecDeque::new(),
        }
    }
}

impl Breaker {
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Whether [`enter`](Self::enter) would let a request through.
    pub(super) fn admits(&self, now: Instant) -> bool {
        match self.position {
            Position::Closed => true,
            Position::Open(until) => now >= until,
            Position::HalfOpen { is_probing } => !is_probing,
        }
    }

    /// Lets a request through, or not.
    pub(super) fn enter(&mut self, now: Instant) -> Option<Admission> {
        if self.position == Position::Closed {
            return Some(Admission::Free);
        }
        if !self.admits(now) {
            return None;
        }
        self.position = Position::HalfOpen { is_probing: true };
        Some(Admission::Probe)
    }

    /// A request went well.
    pub(super) fn succeeded(&mut self, admission: Admission) {
        if admission == Admission::Probe {
            *self = Self::default();
        }
    }

    /// A request failed, as the `answered`-th of all. What was sent before the breaker opened says nothing new.
    pub(super) fn failed(&mut self, admission: Admission, answered: u64, rules: &BreakerConfig, now: Instant) {
        let opens = match (admission, self.position) {
            (Admission::Probe, _) => true,
            (Admission::Free, Position::Closed) => self.is_outage(answered, rules, now),
            (Admission::Free, _) => false,
        };
        if opens {
            self.recent.clear();
            self.position = Position::Open(now + rules.open.0);
        }
    }

    /// The request that tried has ended without saying anything of the address: the next one tries.
    pub(super) fn abandoned(&mut self, admission: Admission) {
        if admission == Admission::Probe {
            self.position = Position::HalfOpen { is_probing: false };
        }
    }

    /// Whether the last `failures` came within `window` and make at least `share` of the answers since the first of them.
    fn is_outage(&mut self, answered: u64, rules: &BreakerConfig, now: Instant) -> bool {
        let failures = rules.failures as usize;
        if failures == 0 {
            return false;
        }
        self.recent.push_back(Mark { at: now, answered });
        if self.recent.len() > failures {
            self.recent.pop_front();
        }
        let Some(first) = self.recent.front().filter(|_| self.recent.len() == failures) else {
            return false;
        };
        let answers = answered.saturating_sub(first.answered) + 1;
        now.duration_since(first.at) <= rules.window.0 && failures as f64 >= rules.share * answers as f64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::gateway::units::Span;

    fn rules() -> BreakerConfig {
        BreakerConfig {
            failures: 3,
            window: Span::seconds(10),
            share: 0.5,
            open: Span::seconds(5),
        }
    }

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for answered in 1..=3 {
            breaker.failed(Admission::Free, answered, &rules(), now);
        }
        assert_eq!(breaker.position(), Position::Open(now + Duration::from_secs(5)));
        breaker
    }

    #[test]
    fn failures_spread_over_more_than_the_window_do_not_open_it() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        for nth in 0..20 {
            let now = start + Duration::from_secs(6) * u32::try_from(nth).unwrap();
            breaker.failed(Admission::Free, nth, &rules(), now);
            assert_eq!(breaker.position(), Position::Closed);
        }
    }

    #[test]
    fn few_failures_among_many_answers_do_not_open_it() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for answered in [10, 20, 30, 40] {
            breaker.failed(Admission::Free, answered, &rules(), now);
        }
        assert_eq!(breaker.position(), Position::Closed);
        // 40, 41, 42: three of three.
        breaker.failed(Admission::Free, 41, &rules(), now);
        breaker.failed(Admission::Free, 42, &rules(), now);
        assert!(matches!(breaker.position(), Position::Open(_)));
    }

    #[test]
    fn a_probe_closes_it_or_opens_it_again() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut breaker = opened(now);
        assert_eq!(breaker.enter(later - Duration::from_millis(1)), None);
        assert_eq!(breaker.enter(later), Some(Admission::Probe));
        breaker.failed(Admission::Probe, 4, &rules(), later);
        assert_eq!(breaker.enter(later), None);
        let later = later + Duration::from_secs(5);
        assert_eq!(breaker.enter(later), Some(Admission::Probe));
        breaker.succeeded(Admission::Probe);
        assert_eq!(breaker.enter(later), Some(Admission::Free));
    }

    #[test]
    fn a_probe_that_says_nothing_makes_room_for_the_next() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut breaker = opened(now);
        assert_eq!(breaker.enter(later), Some(Admission::Probe));
        breaker.abandoned(Admission::Probe);
        assert_eq!(breaker.enter(later), Some(Admission::Probe));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wait(u64),
        Enter,
        Succeed(prop::sample::Index),
        Fail(prop::sample::Index),
        Abandon(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_u64..7_000).prop_map(Step::Wait),
            Just(Step::Enter),
            Just(Step::Enter),
            any::<prop::sample::Index>().prop_map(Step::Succeed),
            any::<prop::sample::Index>().prop_map(Step::Fail),
            any::<prop::sample::Index>().prop_map(Step::Fail),
            any::<prop::sample::Index>().prop_map(Step::Abandon),
        ]
    }

    proptest! {
        #[test]
        fn never_are_two_probes_under_way(steps in prop::collection::vec(step(), 0..200)) {
            let (mut breaker, mut now, mut answered) = (Breaker::default(), Instant::now(), 0);
            let mut under_way: Vec<Admission> = Vec::new();
            for step in steps {
                match step {
                    Step::Wait(millis) => now += Duration::from_millis(millis),
                    Step::Enter => under_way.extend(breaker.enter(now)),
                    _ if under_way.is_empty() => {}
                    Step::Succeed(which) => {
                        answered += 1;
                        breaker.succeeded(under_way.swap_remove(which.index(under_way.len())));
                    }
                    Step::Fail(which) => {
                        answered += 1;
                        let admission = under_way.swap_remove(which.index(under_way.len()));
                        breaker.failed(admission, answered, &rules(), now);
                    }
                    Step::Abandon(which) => breaker.abandoned(under_way.swap_remove(which.index(under_way.len()))),
                }
                let probes = under_way.iter().filter(|admission| **admission == Admission::Probe).count();
                prop_assert!(probes <= 1);
                if let Position::Open(until) = breaker.position() {
                    prop_assert!(probes == 0);
                    prop_assert_eq!(breaker.admits(now), now >= until);
                }
                prop_assert_eq!(breaker.position() == Position::HalfOpen { is_probing: true }, probes == 1);
            }
        }
    }
}
