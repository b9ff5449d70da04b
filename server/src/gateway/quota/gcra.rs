//! Counting smoothly, through `governor`.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, QuantaClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::policy::Standing;

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, QuantaClock, StateInformationMiddleware>;

/// A burst at once, then one request each `every`.
#[derive(Debug)]
pub struct Gcra {
    limiter: Limiter,
    clock: QuantaClock,
    burst: u32,
    every: Duration,
}

impl Gcra {
    /// `rate` requests in `per`, `burst` of them at once; neither may be 0.
    #[must_use]
    pub fn new(rate: u32, per: Duration, burst: u32) -> Self {
        let (rate, burst) = (rate.max(1), NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN));
        let every = (per / rate).max(Duration::from_nanos(1));
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(burst));
        let limiter = RateLimiter::dashmap_with_clock(quota.allow_burst(burst), QuantaClock::default());
        Self {
            limiter: limiter.with_middleware(),
            clock: QuantaClock::default(),
            burst: burst.get(),
            every,
        }
    }

    /// Counts a request of `key`.
    pub fn check(&self, key: u64) -> Standing {
        match self.limiter.check_key(&key) {
            Ok(state) => self.standing(state.remaining_burst_capacity(), None),
            Err(until) => self.standing(0, Some(until.wait_time_from(self.clock.now()))),
        }
    }

    fn standing(&self, remaining: u32, wait: Option<Duration>) -> Standing {
        Standing {
            remaining,
            until_full: self.every * self.burst.saturating_sub(remaining),
            wait,
        }
    }

    /// Forgets who has the whole burst again, and says how many are left.
    pub fn sweep(&self) -> usize {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.limiter.len()
    }
}
