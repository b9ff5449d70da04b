//! How an address stands: its health, its ejection, its breaker. What is asked for each request is one atomic load, as long
//! as all is well.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::breaker::{Admission, Breaker, Position};
use super::config::UpstreamConfig;
use super::health::Health;
use super::lock;
use super::outlier::{Outlier, may_eject};

/// How an address stands.
#[derive(Debug)]
pub(super) struct Standing {
    rules: Arc<UpstreamConfig>,
    is_clear: AtomicBool,
    in_a_row: AtomicU32,
    answered: AtomicU64,
    failed: AtomicU64,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    health: Health,
    outlier: Outlier,
    breaker: Breaker,
}

/// What may be done with an address at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fitness {
    /// Ejected, or not well: used only when too many are.
    pub(super) is_out: bool,
    /// Whether its breaker lets a request through.
    pub(super) admits: bool,
}

/// The same, for those who look.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) is_up: bool,
    pub(super) ejected_until: Option<Instant>,
    pub(super) breaker: Position,
    pub(super) answered: u64,
    pub(super) failed: u64,
}

const WELL: Fitness = Fitness {
    is_out: false,
    admits: true,
};

impl Standing {
    pub(super) fn new(rules: Arc<UpstreamConfig>) -> Self {
        Self {
            rules,
            is_clear: AtomicBool::new(true),
            in_a_row: AtomicU32::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            record: Mutex::default(),
        }
    }

    /// Whether nothing at all is the matter.
    pub(super) fn is_clear(&self) -> bool {
        self.is_clear.load(Ordering::Relaxed)
    }

    pub(super) fn fitness(&self, now: Instant) -> Fitness {
        if self.is_clear() {
            return WELL;
        }
        self.change(|record| Fitness {
            is_out: !record.health.is_up() || record.outlier.is_out(now),
            admits: record.breaker.admits(now),
        })
    }

    /// Lets a request through, or not.
    pub(super) fn enter(&self, now: Instant) -> Option<Admission> {
        if self.is_clear() {
            return Some(Admission::Free);
        }
        self.change(|record| record.breaker.enter(now))
    }

    /// A request went well.
    pub(super) fn succeeded(&self, admission: Admission) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if self.in_a_row.load(Ordering::Relaxed) != 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
        if admission == Admission::Probe {
            self.change(|record| record.breaker.succeeded(admission));
        }
    }

    /// A request failed. `crowd` says how many of all addresses are out, and how many there are.
    pub(super) fn failed(&self, admission: Admission, crowd: impl FnOnce() -> (usize, usize), now: Instant) {
        let answered = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
        self.failed.fetch_add(1, Ordering::Relaxed);
        let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        let rules = &self.rules.outlier;
        // Counted before the lock is taken: the crowd's locks include this one.
        let ejects = rules.consecutive != 0 && in_a_row >= rules.consecutive && {
            let (out, total) = crowd();
            may_eject(out, total, rules.max_eject_percent)
        };
        self.change(|record| {
            record.breaker.failed(admission, answered, &self.rules.breaker, now);
            if ejects && !record.outlier.is_out(now) {
                self.in_a_row.store(0, Ordering::Relaxed);
                record.outlier.eject(rules.base_eject.0, now);
            }
        });
    }

    /// A request ended without saying anything of the address.
    pub(super) fn abandoned(&self, admission: Admission) {
        if admission == Admission::Probe {
            self.change(|record| record.breaker.abandoned(admission));
        }
    }

    /// The address answered the gateway's own question; whether that changed how it stands.
    pub(super) fn checked(&self, is_good: bool) -> bool {
        let Some(rules) = &self.rules.health else {
            return false;
        };
        self.change(|record| record.health.observe(is_good, rules))
    }

    pub(super) fn view(&self, now: Instant) -> View {
        let (is_up, ejected_until, breaker) = self.change(|record| {
            let until = record.outlier.is_out(now).then(|| record.outlier.until()).flatten();
            (record.health.is_up(), until, record.breaker.position())
        });
        View {
            is_up,
            ejected_until,
            breaker,
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Record) -> T) -> T {
        let mut record = lock(&self.record);
        let result = change(&mut record);
        let is_clear =
            record.health.is_up() && record.outlier.until().is_none() && record.breaker.position() == Position::Closed;
        self.is_clear.store(is_clear, Ordering::Relaxed);
        result
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn standing() -> Standing {
        let rules = "endpoints = []\nhealth = { path = \"/\", fall = 1, rise = 1 }\n\
                     outlier = { consecutive = 3, base_eject = \"30s\" }\nbreaker = { failures = 6, open = \"10s\" }";
        Standing::new(Arc::new(toml::from_str(rules).unwrap()))
    }

    fn fails(standing: &Standing, times: usize, now: Instant) {
        for _ in 0..times {
            standing.failed(Admission::Free, || (0, 2), now);
        }
    }

    #[test]
    fn failures_in_a_row_eject_and_one_success_between_them_saves() {
        let (standing, now) = (standing(), Instant::now());
        fails(&standing, 2, now);
        standing.succeeded(Admission::Free);
        fails(&standing, 2, now);
        assert!(standing.is_clear());
        fails(&standing, 1, now);
        assert!(standing.fitness(now).is_out && !standing.is_clear());
        let later = now + Duration::from_secs(30);
        assert_eq!(standing.fitness(later), WELL);
        assert!(standing.is_clear(), "seen once, it costs nothing any more");
    }

    #[test]
    fn a_crowd_of_which_too_many_are_out_lets_nobody_go() {
        let (standing, now) = (standing(), Instant::now());
        for _ in 0..4 {
            standing.failed(Admission::Free, || (1, 2), now);
        }
        assert!(!standing.fitness(now).is_out);
    }

    #[test]
    fn the_breaker_and_the_ejection_do_not_need_each_other() {
        let (standing, now) = (standing(), Instant::now());
        fails(&standing, 6, now);
        assert_eq!(
            standing.fitness(now),
            Fitness {
                is_out: true,
                admits: false
            }
        );
        let later = now + Duration::from_secs(10);
        assert_eq!(standing.enter(later), Some(Admission::Probe));
        assert_eq!(standing.enter(later), None);
        standing.succeeded(Admission::Probe);
        assert_eq!(
            standing.fitness(later),
            Fitness {
                is_out: true,
                admits: true
            },
            "ejected still"
        );
    }

    #[test]
    fn its_own_answers_take_it_out_and_bring_it_back() {
        let (standing, now) = (standing(), Instant::now());
        assert!(standing.checked(false) && standing.fitness(now).is_out);
        assert!(standing.checked(true) && standing.is_clear());
        assert!(!standing.checked(true), "nothing changed");
    }
}
