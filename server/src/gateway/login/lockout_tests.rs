use proptest::prelude::*;

use super::*;

const RULES: Rules = Rules {
    failures: 3,
    window: Duration::from_secs(60),
    base: Duration::from_secs(10),
    longest: Duration::from_secs(100),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// The count after failures at these seconds, each of which was allowed.
fn after(seconds: &[i64]) -> LoginFailures {
    seconds.iter().fold(LoginFailures::none(at(0)), |counted, second| {
        charge(counted, at(*second), &RULES).unwrap().after()
    })
}

fn left(counted: LoginFailures, second: i64) -> u64 {
    check(counted, at(second)).map_or_else(|Locked(left)| left.as_secs(), |()| 0)
}

#[test]
fn so_many_failures_within_the_window_lock() {
    assert_eq!(left(after(&[0, 1]), 1), 0);
    assert_eq!(left(after(&[0, 1, 2]), 2), 10);
    assert_eq!(left(after(&[0, 1, 2]), 11), 1);
    assert_eq!(left(after(&[0, 1, 2]), 12), 0);
    assert_eq!(left(after(&[0, 1, 60]), 60), 0, "the first was a window ago");
}

/// Of two logins at the same time, the later one may be the first to be counted.
#[test]
fn a_count_that_began_later_than_a_login_is_no_lock() {
    let counted = charge(LoginFailures::none(at(1)), at(1), &RULES).unwrap().after();
    assert_eq!(check(counted, at(0)), Ok(()));
}

#[test]
fn each_lock_in_a_row_is_twice_as_long_up_to_the_longest() {
    let mut now = 0;
    let mut counted = LoginFailures::none(at(0));
    let mut locks = Vec::new();
    for _ in 0..6 {
        for _ in 0..3 {
            counted = charge(counted, at(now), &RULES).unwrap().after();
        }
        locks.push(left(counted, now));
        now += i64::try_from(left(counted, now)).unwrap();
    }
    assert_eq!(locks, [10, 20, 40, 80, 100, 100]);
}

#[test]
fn a_lock_that_is_long_ago_is_forgotten() {
    let locked = after(&[0, 1, 2]);
    let again = |second: i64| (0..3).fold(locked, |counted, _| failed(counted, at(second), &RULES));
    assert_eq!(left(again(111), 111), 20, "the first ended 99 s ago");
    assert_eq!(left(again(112), 112), 10, "100 s ago");
}

#[test]
fn a_charge_that_was_nobodys_failure_is_taken_back() {
    let before = after(&[0, 1]);
    let charge = charge(before, at(2), &RULES).unwrap();
    assert_eq!(left(charge.after(), 2), 10, "it would have locked");
    assert_eq!(charge.taken_back(charge.after()), before);
    let others = failed(before, at(1), &RULES);
    assert_eq!(
        charge.taken_back(others).failures,
        others.failures.saturating_sub(1),
        "others have failed meanwhile"
    );
}

#[test]
fn the_longest_configuration_overflows_nothing() {
    let rules = Rules {
        failures: 1,
        window: Duration::MAX,
        base: Duration::MAX,
        longest: Duration::MAX,
    };
    let mut counted = LoginFailures::none(at(0));
    for _ in 0..100 {
        counted = failed(counted, at(1), &rules);
    }
    assert!(check(counted, at(2)).is_err());
}

#[test]
fn a_full_map_forgets_those_who_are_the_least_locked() {
    let mut counts = Counts::new(16);
    for _ in 0..3 {
        counts.failed(1_000, at(0), &RULES);
    }
    assert!(counts.check(1_000, at(5)).is_err());
    for stranger in 0..200 {
        counts.failed(stranger, at(1), &RULES);
        assert!(counts.len() <= 16);
    }
    assert!(
        counts.check(1_000, at(5)).is_err(),
        "a flood of newcomers unlocks nobody"
    );
    counts.sweep(at(500), &RULES);
    assert!(counts.is_empty());
}

/// The same in the plainest words: every failure and every lock is remembered.
#[derive(Default)]
struct Model {
    failures: Vec<i64>,
    locks: Vec<(i64, i64)>,
}

impl Model {
    fn locked(&self, now: i64) -> Option<i64> {
        self.locks.iter().map(|(_, end)| end - now).find(|left| *left > 0)
    }

    fn failed(&mut self, now: i64) {
        if self.failures.first().is_some_and(|first| now - first >= 60) {
            self.failures.clear();
        }
        self.failures.push(now);
        if self.failures.len() == 3 {
            self.failures.clear();
            self.locks.push((now, now + self.next_lock(now)));
        }
    }

    /// Locks in a row: each begins less than the longest after the end of the one before.
    fn next_lock(&self, now: i64) -> i64 {
        let mut begun = now;
        let mut row = 0;
        for (begin, end) in self.locks.iter().rev() {
            if begun - end >= 100 {
                break;
            }
            row += 1;
            begun = *begin;
        }
        (10 << row).min(100)
    }
}

proptest! {
    #[test]
    fn counting_agrees_with_a_model_that_remembers_everything(pauses in prop::collection::vec(0..150_i64, 0..60)) {
        let (mut model, mut counted, mut now) = (Model::default(), LoginFailures::none(at(0)), 0);
        for pause in pauses {
            now += pause;
            let locked = check(counted, at(now)).err().map(|Locked(left)| left.as_secs().cast_signed());
            prop_assert_eq!(locked, model.locked(now));
            if let Ok(charge) = charge(counted, at(now), &RULES) {
                counted = charge.after();
                model.failed(now);
            }
        }
    }

    #[test]
    fn who_guesses_as_fast_as_allowed_gets_one_count_in_each_longest_lock(start in 0..1_000_i64) {
        let mut counted = LoginFailures::none(at(start));
        let mut tries = 0;
        for second in start..start + 10_000 {
            if let Ok(charge) = charge(counted, at(second), &RULES) {
                counted = charge.after();
                tries += 1;
            }
        }
        // The first locks are shorter: 10, 20, 40, 80 s, and then one of 100 s after each three guesses.
        prop_assert!(tries <= 3 * (4 + 10_000 / 100 + 1), "{} guesses", tries);
    }
}
