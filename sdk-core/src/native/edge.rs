//! The edge to the operating system: the wall clock and randomness. Nothing else in this crate reads either.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::SystemTime;

use trailmark_protocol::Timestamp;

use crate::Entropy;

/// The wall clock, to the microsecond. A clock before 1970 reads as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the wall clock"
)]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Randomness of the operating system, fetched 512 bytes at a time: one system call for about fifty events.
pub(super) struct OsEntropy {
    pool: [u8; POOL],
    used: usize,
}

const POOL: usize = 512;

impl Default for OsEntropy {
    fn default() -> Self {
        Self {
            pool: [0; POOL],
            used: POOL,
        }
    }
}

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used >= POOL {
                refill(&mut self.pool);
                self.used = 0;
            }
            *byte = self.pool.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
    }
}

/// Where the system has no randomness (it refuses the call, or has not enough yet), the keys of the standard library's
/// hash maps have to do: ids stay unique, which is all they are for.
fn refill(pool: &mut [u8; POOL]) {
    if getrandom::fill(pool).is_err() {
        for chunk in pool.chunks_mut(8) {
            let word = RandomState::new().build_hasher().finish().to_le_bytes();
            chunk.copy_from_slice(word.get(..chunk.len()).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_does_not_repeat_across_its_pool() {
        let mut entropy = OsEntropy::default();
        let draws: std::collections::HashSet<[u8; 16]> =
            (0..1000).map(|_| crate::entropy::bytes(&mut entropy)).collect();
        assert_eq!(draws.len(), 1000);
    }

    #[test]
    fn the_clock_is_past_the_day_this_was_written() {
        assert!(now() > Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
    }
}
