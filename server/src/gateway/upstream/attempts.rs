//! How often a request was sent, for whoever tells of it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What an upstream was asked for one request. It is filled in while the request is under way, so that it can be read also
/// of one that was given up.
#[derive(Debug, Default)]
pub struct Attempts(
    /// 0 before the upstream is asked; then one more than the attempts so far, and in the lower half where the last one
    /// went. Attempts come one after the other, so nothing is lost between a load and a store.
    AtomicU64,
);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How often the request was sent; 0 where no instance could be chosen.
    pub attempts: u32,
    /// To which of the configured endpoints at last, from 0.
    pub endpoint: Option<u32>,
}

impl Attempts {
    /// The upstream is asked, whether or not it has an instance to send the request to.
    pub(super) fn begin(&self) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(1 << 32, Ordering::Relaxed);
        }
    }

    /// The request is sent to the endpoint at `position`.
    pub(super) fn add(&self, position: usize) {
        let so_far = self.0.load(Ordering::Relaxed) >> 32;
        let position = u64::from(u32::try_from(position).unwrap_or(u32::MAX));
        self.0.store(((so_far + 1) << 32) | position, Ordering::Relaxed);
    }

    /// What the upstream was asked, if it was.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        let (count, position) = halves(self.0.load(Ordering::Relaxed));
        let attempts = count.checked_sub(1)?;
        Some(Asked {
            attempts,
            endpoint: (attempts > 0).then_some(position),
        })
    }
}

fn halves(number: u64) -> (u32, u32) {
    // Each half fits.
    ((number >> 32) as u32, (number & u64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_often_and_where_at_last_and_nothing_before_the_first_time() {
        let attempts = Attempts::default();
        let asked = |attempts, endpoint| Some(Asked { attempts, endpoint });
        assert_eq!(attempts.asked(), None);
        attempts.begin();
        assert_eq!(attempts.asked(), asked(0, None));
        attempts.add(0);
        assert_eq!(attempts.asked(), asked(1, Some(0)));
        attempts.begin();
        attempts.add(7);
        assert_eq!(attempts.asked(), asked(2, Some(7)));
    }
}
