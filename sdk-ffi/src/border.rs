//! The border: a panic ends here, is counted, and the host gets what "nothing" is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Panics that were caught. None is known; each is a bug worth reporting.
#[derive(Debug, Default)]
pub(crate) struct Border {
    panics: AtomicU64,
}

impl Border {
    /// What `call` returns, or the default if it panics.
    pub(crate) fn guard<T: Default>(&self, call: impl FnOnce() -> T) -> T {
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
            self.panics.fetch_add(1, Ordering::Relaxed);
            T::default()
        })
    }

    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_and_becomes_nothing() {
        let border = Border::default();
        assert_eq!(border.guard(|| 7), 7);
        assert_eq!(border.guard(|| -> u64 { panic!("on purpose") }), 0);
        assert_eq!(border.panics(), 1);
    }
}
