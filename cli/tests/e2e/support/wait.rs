//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

/// The deadline of everything: a machine with two cores, loaded by other tests, takes seconds where an idle one takes
/// milliseconds. Only failing tests wait this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The pause between two looks: 10 ms.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Looks again and again until `condition` holds.
pub(crate) fn until_true(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, || condition().then_some(()));
}
