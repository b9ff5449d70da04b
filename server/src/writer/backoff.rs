//! How long to wait after a failure.

use std::time::Duration;

use crate::store::ErrorClass;

/// First and longest wait of a class. Transient: a restart of Postgres takes 0.3–4 s. Saturated: space has to be freed, and
/// every try costs what is scarce. Data and bug: somebody has to act; a try a minute shows that they did.
const fn bounds(class: ErrorClass) -> (Duration, Duration) {
    match class {
        ErrorClass::Transient => (Duration::from_millis(50), Duration::from_secs(5)),
        ErrorClass::Saturated => (Duration::from_secs(1), Duration::from_secs(30)),
        ErrorClass::Data | ErrorClass::Bug => (Duration::from_secs(2), Duration::from_secs(60)),
    }
}

/// The wait before try number `failures` + 1, `failures` counting from 1: doubled each time up to the bound, and between
/// half and all of that by `entropy`, so that servers that failed together do not come back together.
pub(super) fn wait(class: ErrorClass, failures: u32, entropy: u32) -> Duration {
    let (first, longest) = bounds(class);
    let doublings = failures.saturating_sub(1).min(16);
    let full = first.saturating_mul(1 << doublings).min(longest);
    full.mul_f64(0.5 + 0.5 * f64::from(entropy) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_are_jittered() {
        let longest = |failures| wait(ErrorClass::Transient, failures, u32::MAX);
        assert_eq!(
            [longest(1), longest(2), longest(3)].map(|wait| wait.as_millis()),
            [50, 100, 200]
        );
        assert_eq!(longest(1000), Duration::from_secs(5));
        assert_eq!(wait(ErrorClass::Bug, u32::MAX, 0), Duration::from_secs(30));
        assert_eq!(wait(ErrorClass::Saturated, 0, 0), Duration::from_millis(500));
    }
}
