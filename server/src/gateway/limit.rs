//! How often one address and one key may call: GCRA through `governor`, keyed maps swept of those who left.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::problem::{Code, Problem};
use crate::config::RateLimit;

/// The limits of this node.
#[derive(Debug)]
pub struct Limits {
    per_ip: Limit<IpAddr>,
    per_key: Limit<(i32, i32)>,
}

impl Limits {
    /// Limits as configured; a rate of 0 means none.
    #[must_use]
    pub fn new(config: &RateLimit) -> Self {
        Self {
            per_ip: Limit::new(config.per_ip_per_second, config.per_ip_burst),
            per_key: Limit::new(config.per_key_per_second, config.per_key_burst),
        }
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// [`Code::RateLimited`] with the time to wait.
    pub fn check_ip(&self, ip: IpAddr) -> Result<(), Problem> {
        self.per_ip.check(&super::client_ip::limit_key(ip), "this address")
    }

    /// Counts a request of a key, given by its project and number.
    ///
    /// # Errors
    /// [`Code::RateLimited`] with the time to wait.
    pub fn check_key(&self, key: (i32, i32)) -> Result<(), Problem> {
        self.per_key.check(&key, "this key")
    }

    /// Forgets callers whose allowance is full again, so that the maps hold only the active ones.
    pub fn sweep(&self) {
        self.per_ip.sweep();
        self.per_key.sweep();
    }
}

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone>(Option<DefaultKeyedRateLimiter<K>>);

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(per_second: u32, burst: u32) -> Self {
        let quota = NonZeroU32::new(per_second)
            .map(|rate| Quota::per_second(rate).allow_burst(NonZeroU32::new(burst).unwrap_or(rate)));
        Self(quota.map(RateLimiter::keyed))
    }

    fn check(&self, key: &K, who: &str) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Problem::new(Code::RateLimited, format!("{who} calls too often")).retry_after(wait.as_secs() + 1)
        })
    }

    fn sweep(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: u32, burst: u32) -> Limits {
        let config = RateLimit {
            per_ip_per_second: per_second,
            per_ip_burst: burst,
            per_key_per_second: 0,
            per_key_burst: 0,
        };
        Limits::new(&config)
    }

    #[test]
    fn a_burst_passes_and_the_next_call_is_told_when_to_come_back() {
        let limits = limits(1, 3);
        let (a, b) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert!((0..3).all(|_| limits.check_ip(a).is_ok()));
        let refused = limits.check_ip(a).unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert!(
            refused.render("r").headers()[http::header::RETRY_AFTER]
                .to_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
                >= 1
        );
        assert!(limits.check_ip(b).is_ok(), "another address has its own allowance");
    }

    #[test]
    fn a_rate_of_zero_means_no_limit() {
        let limits = limits(0, 0);
        assert!((0..10_000).all(|_| limits.check_key((1, 1)).is_ok()));
    }
}
