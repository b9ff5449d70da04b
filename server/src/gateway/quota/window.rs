//! Counting in fixed windows.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::policy::Standing;

/// Parts of the map, each with its lock: with two cores, 16 make a wait for one unlikely.
const SHARDS: usize = 16;

/// At most `rate` requests in each window of `per`.
#[derive(Debug)]
pub struct Windows {
    rate: u32,
    per: Duration,
    shards: [Mutex<HashMap<u64, Window>>; SHARDS],
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    count: u32,
}

impl Windows {
    /// `rate` requests in each `per`.
    #[must_use]
    pub fn new(rate: u32, per: Duration) -> Self {
        Self {
            rate,
            per,
            shards: Default::default(),
        }
    }

    /// Counts a request of `key`.
    pub fn check(&self, key: u64) -> Standing {
        let now = Instant::now();
        let shard = &self.shards[key as usize % SHARDS];
        let mut windows = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Window {
            ends: now + self.per,
            count: 0,
        };
        let window = windows.entry(key).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        window.count = window.count.saturating_add(1);
        let left = window.ends - now;
        Standing {
            remaining: self.rate.saturating_sub(window.count),
            until_full: left,
            wait: (window.count > self.rate).then_some(left),
        }
    }

    /// Forgets windows that are over, and says how many are left.
    pub fn sweep(&self) -> usize {
        let now = Instant::now();
        let sweep = |shard: &Mutex<HashMap<u64, Window>>| {
            let mut windows = shard.lock().unwrap_or_else(PoisonError::into_inner);
            windows.retain(|_, window| window.ends > now);
            windows.shrink_to_fit();
            windows.len()
        };
        self.shards.iter().map(sweep).sum()
    }
}
