//! Numbers for choices that need no secrecy: which instance, how long a pause.

use std::sync::atomic::{AtomicU64, Ordering};

/// The odd number closest to 2^64 / φ: steps of it visit every number once.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A SplitMix64 generator (Steele, Lea, Flood 2014) that many threads draw from without a lock.
#[derive(Debug)]
pub(super) struct Random(AtomicU64);

impl Random {
    /// One that starts anywhere.
    pub(super) fn new() -> Self {
        // Without the system's randomness every instance would choose alike, which is no worse than round robin.
        Self::seeded(getrandom::u64().unwrap_or(STEP))
    }

    /// One whose numbers are known.
    pub(super) const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(super) fn next(&self) -> u64 {
        mix(self.0.fetch_add(STEP, Ordering::Relaxed))
    }

    /// A number below `bound`; 0 where there is none. The bias, `bound` / 2^64, is nothing to a balancer.
    pub(super) fn below(&self, bound: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }
}

/// SplitMix64's finaliser: every bit of the result depends on every bit of `x`.
pub(super) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key of a text, for [`Plan::hash_key`](super::Plan::hash_key): FNV-1a, mixed. The same in every build, so that all
/// instances of the gateway choose alike.
#[must_use]
pub fn hash_key(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}
