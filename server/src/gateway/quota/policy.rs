//! One limit of the file, with the counts of its callers.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use metrics::{Counter, counter};

use super::counted::{Counted, Keys};
use super::fields::Named;
use super::gcra::Gcra;
use super::window::Windows;
use super::{Algorithm, LimitConfig};
use crate::gateway::caller::Caller;
use crate::gateway::problem::{Code, Problem};

/// The most callers that one policy keeps apart; at 64 bytes for each entry and its share of the map that is 13 MB. Beyond
/// it all callers share [`BUCKETS`] counts, so a flood of made-up addresses costs others some of their allowance and the
/// server no memory.
const MOST_CALLERS: usize = 200_000;

/// The counts that are shared when there are too many callers.
const BUCKETS: u64 = 65_536;

/// The map is swept after this many requests at the latest, so it never holds more than this beyond [`MOST_CALLERS`].
const SWEEP_EVERY: u32 = 65_536;

/// How a caller stands with a policy after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests that may still come at once.
    pub remaining: u32,
    /// When all of them may again.
    pub until_full: Duration,
    /// How long to wait, if this one was one too many.
    pub wait: Option<Duration>,
}

/// One limit of the file.
#[derive(Debug)]
pub struct Policy {
    config: LimitConfig,
    /// Its name, and how headers spell it.
    pub named: Named,
    keys: Keys,
    counts: Counts,
    since_sweep: AtomicU32,
    is_crowded: AtomicBool,
    refused: Counter,
}

#[derive(Debug)]
enum Counts {
    Gcra(Gcra),
    Windows(Box<Windows>),
}

impl Policy {
    /// The limit `name`.
    #[must_use]
    pub fn new(name: &str, config: &LimitConfig) -> Self {
        let counts = match config.algorithm {
            Algorithm::Gcra => Counts::Gcra(Gcra::new(config.rate, config.per.0, config.burst())),
            Algorithm::FixedWindow => Counts::Windows(Box::new(Windows::new(config.rate, config.per.0))),
        };
        Self {
            named: Named::new(name, config.rate, config.per.0),
            config: config.clone(),
            keys: Keys::default(),
            counts,
            since_sweep: AtomicU32::new(0),
            is_crowded: AtomicBool::new(false),
            refused: counter!("gateway_rate_limited_total", "policy" => name.to_owned()),
        }
    }

    /// Whether it is the limit that `config` describes, so that its counts can stay over a reload.
    #[must_use]
    pub fn is_same(&self, config: &LimitConfig) -> bool {
        self.config == *config
    }

    /// What it counts together.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.config.key
    }

    /// Counts a request from `client`.
    pub fn check_address(&self, client: IpAddr) -> Standing {
        self.count(self.keys.address(client, self.config.ipv6_prefix))
    }

    /// Counts a request of `caller`; `None` if the policy does not count callers of this kind.
    pub fn check_caller(&self, caller: &Caller) -> Option<Standing> {
        let name = match self.config.key {
            Counted::User => caller.user.as_deref(),
            Counted::ApiKey => caller.key.as_deref(),
            Counted::Ip | Counted::Route => None,
        };
        name.map(|name| self.count(self.keys.name(name)))
    }

    /// Counts a request to the route `id`.
    pub fn check_route(&self, id: &str) -> Standing {
        self.count(self.keys.name(id))
    }

    /// The refusal of a request that was one too many.
    #[must_use]
    pub fn refusal(&self, wait: Duration) -> Problem {
        self.refused.increment(1);
        let (rate, per) = (self.config.rate, self.config.per.0);
        let detail = format!("the limit \"{}\" is {rate} requests in {per:?}", self.named.name);
        Problem::new(Code::RateLimited, detail).retry_after(seconds_up(wait))
    }

    fn count(&self, key: u64) -> Standing {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) >= SWEEP_EVERY {
            self.sweep();
        }
        let key = match self.is_crowded.load(Ordering::Relaxed) {
            true => key % BUCKETS,
            false => key,
        };
        match &self.counts {
            Counts::Gcra(gcra) => gcra.check(key),
            Counts::Windows(windows) => windows.check(key),
        }
    }

    /// Forgets callers who have their whole allowance again; to be called once a minute.
    pub fn sweep(&self) {
        self.since_sweep.store(0, Ordering::Relaxed);
        let left = match &self.counts {
            Counts::Gcra(gcra) => gcra.sweep(),
            Counts::Windows(windows) => windows.sweep(),
        };
        self.is_crowded.store(left > MOST_CALLERS, Ordering::Relaxed);
    }

    #[cfg(test)]
    fn callers(&self) -> usize {
        match &self.counts {
            Counts::Gcra(gcra) => gcra.sweep(),
            Counts::Windows(windows) => windows.sweep(),
        }
    }
}

/// Whole seconds, and never fewer than the time itself or than one.
#[must_use]
pub fn seconds_up(time: Duration) -> u64 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    seconds.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::units::Span;

    fn policy(algorithm: Algorithm, rate: u32, per: Span, burst: Option<u32>) -> Policy {
        let config = LimitConfig {
            key: Counted::Ip,
            rate,
            per,
            burst,
            ipv6_prefix: 64,
            algorithm,
        };
        assert_eq!(config.problems(), Vec::<String>::new());
        Policy::new("ip", &config)
    }

    fn ip(last: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + last).into())
    }

    #[test]
    fn a_burst_passes_then_every_refusal_says_how_long() {
        let policy = policy(Algorithm::Gcra, 100, Span::seconds(900), Some(3));
        let standings: Vec<_> = (0..4).map(|_| policy.check_address(ip(1))).collect();
        let remaining: Vec<_> = standings.iter().map(|standing| standing.remaining).collect();
        assert_eq!(remaining, [2, 1, 0, 0]);
        let wait = standings[3].wait.unwrap();
        assert!(
            (8..=9).contains(&seconds_up(wait)) && wait <= Duration::from_secs(9),
            "one request each 9 s: {wait:?}"
        );
        assert_eq!(
            policy.check_address(ip(2)).remaining,
            2,
            "another address has its own allowance"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_fixed_window_lets_its_rate_through_and_opens_again() {
        let policy = policy(Algorithm::FixedWindow, 2, Span::seconds(900), None);
        assert!((0..2).all(|_| policy.check_address(ip(1)).wait.is_none()));
        assert_eq!(policy.check_address(ip(1)).wait, Some(Duration::from_secs(900)));
        tokio::time::advance(Duration::from_secs(899)).await;
        assert_eq!(policy.check_address(ip(1)).wait, Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(policy.check_address(ip(1)).remaining, 1);
    }

    #[test]
    fn retry_after_is_never_zero_and_never_early() {
        for (nanos, seconds) in [(0, 1), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2)] {
            assert_eq!(seconds_up(Duration::from_nanos(nanos)), seconds);
        }
    }

    #[test]
    fn a_flood_of_made_up_callers_is_bounded() {
        for algorithm in [Algorithm::Gcra, Algorithm::FixedWindow] {
            let policy = policy(algorithm, 100, Span::seconds(900), None);
            for last in 0..400_000 {
                policy.check_address(ip(last));
            }
            let bound = MOST_CALLERS + 2 * SWEEP_EVERY as usize + BUCKETS as usize;
            assert!(policy.callers() <= bound, "{algorithm:?}: {}", policy.callers());
        }
    }
}
