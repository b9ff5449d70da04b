//! When failed logins lock an account or an address, and for how long. Pure: of what was counted, the time and the rules.
//!
//! So many failures within the window lock; each lock in a row is twice as long as the one before, up to the longest. After
//! a lock a whole new count begins, so that one slip does not lock again; locks in a row are forgotten when the longest
//! lock has passed without another. Guessing slowly therefore gains nothing: it stays at about one count per longest lock.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::config::LockoutConfig;
use crate::store::LoginFailures;

/// The rules of one kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Failures that lock.
    pub failures: u32,
    /// How far apart the first and the last of them may be.
    pub window: Duration,
    /// The first lock.
    pub base: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Rules {
    /// Those of an account.
    #[must_use]
    pub const fn of_account(config: &LockoutConfig) -> Self {
        Self {
            failures: config.failures,
            window: config.window.0,
            base: config.base.0,
            longest: config.longest.0,
        }
    }

    /// Those of a client's address.
    #[must_use]
    pub const fn of_address(config: &LockoutConfig) -> Self {
        Self {
            failures: config.address_failures,
            ..Self::of_account(config)
        }
    }

    /// How long the `number`th lock in a row is, from 1.
    fn lock(&self, number: u32) -> Duration {
        let doubled = 1u32.checked_shl(number - 1).unwrap_or(u32::MAX);
        self.base.saturating_mul(doubled).min(self.longest)
    }

    /// How long after its last failure or lock something is still known about a subject.
    #[must_use]
    pub fn remembered(&self) -> Duration {
        self.window.max(self.longest)
    }
}

/// The subject is locked, for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked(pub Duration);

fn plus(at: Timestamp, span: Duration) -> Timestamp {
    at.plus_micros(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

/// Whether a login may be tried.
///
/// # Errors
/// [`Locked`].
pub fn check(counted: LoginFailures, now: Timestamp) -> Result<(), Locked> {
    // Without a lock it says when the count began, and that may be later than `now`: another login was counted first.
    if counted.locks == 0 {
        return Ok(());
    }
    let left = counted.locked_until.micros().saturating_sub(now.micros());
    match u64::try_from(left) {
        Ok(left) if left > 0 => Err(Locked(Duration::from_micros(left))),
        _ => Ok(()),
    }
}

/// What is left of a count at `now`.
#[must_use]
pub fn faded(counted: LoginFailures, now: Timestamp, rules: &Rules) -> LoginFailures {
    let mut left = counted;
    if now >= plus(counted.since, rules.window) {
        left.failures = 0;
    }
    if now >= plus(counted.locked_until, rules.longest) {
        left.locks = 0;
    }
    left
}

/// The count after one more failure.
#[must_use]
pub fn failed(counted: LoginFailures, now: Timestamp, rules: &Rules) -> LoginFailures {
    let mut after = faded(counted, now, rules);
    if after.failures == 0 {
        after.since = now;
    }
    after.failures += 1;
    if after.failures >= rules.failures {
        after.failures = 0;
        after.locks = after.locks.saturating_add(1);
        after.locked_until = plus(now, rules.lock(after.locks));
    }
    after
}

/// A failure that was counted before it was known to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    before: LoginFailures,
    after: LoginFailures,
}

/// Counts an attempt as a failure before its password is looked at: of a hundred guesses that come at once, no more are
/// tried than of a hundred that come one by one.
///
/// # Errors
/// [`Locked`], and then nothing is counted.
pub fn charge(counted: LoginFailures, now: Timestamp, rules: &Rules) -> Result<Charge, Locked> {
    check(counted, now)?;
    Ok(Charge {
        before: counted,
        after: failed(counted, now, rules),
    })
}

impl Charge {
    /// The count with the attempt in it.
    #[must_use]
    pub const fn after(&self) -> LoginFailures {
        self.after
    }

    /// The count without the attempt, which turned out to be nobody's failure but, say, a service's.
    #[must_use]
    pub fn taken_back(&self, counted: LoginFailures) -> LoginFailures {
        if counted == self.after {
            return self.before;
        }
        LoginFailures {
            failures: counted.failures.saturating_sub(1),
            ..counted
        }
    }
}

/// Most subjects counted at once: 65,536, about 6 MB.
pub const SUBJECTS_MAX: usize = 1 << 16;

/// Which part of a full map goes to make room: an eighth, so that a flood looks through the map once for 8,192 newcomers.
const ROOM: usize = 8;

/// Counts of many subjects, bounded. A full map forgets first those who are the least locked and failed the longest ago.
#[derive(Debug)]
pub struct Counts<K> {
    counts: HashMap<K, LoginFailures>,
    most: usize,
}

impl<K: Hash + Eq + Copy> Counts<K> {
    /// Counts of at most `most` subjects.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            counts: HashMap::new(),
            most: most.max(1),
        }
    }

    /// Whether a login may be tried.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn check(&self, subject: K, now: Timestamp) -> Result<(), Locked> {
        self.counts.get(&subject).map_or(Ok(()), |counted| check(*counted, now))
    }

    /// Counts a failure.
    pub fn failed(&mut self, subject: K, now: Timestamp, rules: &Rules) {
        if self.counts.len() >= self.most && !self.counts.contains_key(&subject) {
            self.make_room(now, rules);
        }
        let counted = self.counts.entry(subject).or_insert_with(|| LoginFailures::none(now));
        *counted = failed(*counted, now, rules);
    }

    /// Forgets subjects of whom nothing is left.
    pub fn sweep(&mut self, now: Timestamp, rules: &Rules) {
        self.counts.retain(|_, counted| {
            let left = faded(*counted, now, rules);
            left.failures > 0 || left.locks > 0
        });
    }

    fn make_room(&mut self, now: Timestamp, rules: &Rules) {
        self.sweep(now, rules);
        let Some(too_many) = (self.counts.len() + self.most.div_ceil(ROOM)).checked_sub(self.most) else {
            return;
        };
        let weight = |counted: &LoginFailures| (counted.locks, counted.since, counted.failures);
        let mut subjects: Vec<_> = self
            .counts
            .iter()
            .map(|(subject, counted)| (weight(counted), *subject))
            .collect();
        subjects.sort_unstable_by_key(|(weight, _)| *weight);
        for (_, subject) in subjects.into_iter().take(too_many) {
            self.counts.remove(&subject);
        }
    }

    /// How many subjects are counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

#[cfg(test)]
#[path = "lockout_tests.rs"]
mod tests;
