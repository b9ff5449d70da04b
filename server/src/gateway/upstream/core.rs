//! What an upstream's requests and its background tasks share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::config::UpstreamConfig;
use super::dns::Lookup;
use super::endpoint::{Endpoint, Lease, Origin};
use super::failure::Failure;
use super::lock;
use super::members::{Choice, Members};
use super::meters::Meters;
use super::random::Random;
use super::retry::Budget;
use super::tls::Tls;
use super::tunnel::Tunnels;
use super::wait::Times;

/// An upstream without its tasks.
pub(super) struct Core {
    pub(super) name: Arc<str>,
    pub(super) config: Arc<UpstreamConfig>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) origins: Vec<Arc<Origin>>,
    pub(super) members: Arc<ArcSwap<Members>>,
    pub(super) lookup: Lookup,
    /// Whether names have been asked for once.
    pub(super) resolved: watch::Sender<bool>,
    pub(super) random: Random,
    pub(super) meters: Meters,
    pub(super) tunnels: Tunnels,
    budget: Mutex<Budget>,
    /// Requests since the budget was last asked.
    requests: AtomicU64,
}

impl Core {
    /// # Errors
    /// What is wrong with the configuration.
    pub(super) fn new(name: &str, config: &UpstreamConfig, lookup: Lookup) -> Result<Self, Vec<String>> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let tls = Tls::load(config).map_err(|problem| vec![problem])?.map(Arc::new);
        let origins = origins(name, config, tls.as_ref()).map_err(|problem| vec![problem])?;
        Ok(Self {
            name: name.into(),
            budget: Mutex::new(Budget::new(&config.retry, Instant::now())),
            config: Arc::new(config.clone()),
            tls,
            origins,
            members: Arc::default(),
            lookup,
            resolved: watch::Sender::new(false),
            random: Random::new(),
            meters: Meters::new(name),
            tunnels: Tunnels::new(0),
            requests: AtomicU64::new(0),
        })
    }

    pub(super) fn counts_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether there is room for a retry.
    pub(super) fn may_retry(&self) -> bool {
        let requests = self.requests.swap(0, Ordering::Relaxed);
        let may = lock(&self.budget).withdraw(requests, Instant::now());
        if !may {
            self.meters.over_budget.increment(1);
        }
        may
    }

    /// How many addresses there are.
    pub(super) fn count(&self) -> usize {
        self.members.load().list.len()
    }

    /// A place for a request.
    ///
    /// # Errors
    /// That there is none now.
    pub(super) async fn pick(&self, key: Option<u64>, tried: &[u64], times: &Times) -> Result<Lease, Failure> {
        if self.count() == 0 {
            Box::pin(self.first_names(times)).await;
        }
        let choice = Choice {
            balance: &self.config.balance,
            key,
            tried,
        };
        let picked = self.members.load().pick(&choice, &self.random, Instant::now());
        picked.map_err(|wait| Failure::unavailable(&self.name, seconds(wait)))
    }

    /// Waits for the names to have been asked for once, as long as for a connection.
    async fn first_names(&self, times: &Times) {
        let mut resolved = self.resolved.subscribe();
        let deadline = times.bounded(Instant::now() + times.connect);
        // Neither a timeout nor a closed channel changes what comes next.
        let _ = timeout_at(deadline, resolved.wait_for(|resolved| *resolved)).await;
    }

    /// A new address of an endpoint.
    pub(super) fn endpoint(&self, origin: &Arc<Origin>, address: SocketAddr) -> Arc<Endpoint> {
        Endpoint::new(origin, address, &self.config, Arc::downgrade(&self.members))
    }
}

fn origins(name: &str, config: &UpstreamConfig, tls: Option<&Arc<Tls>>) -> Result<Vec<Arc<Origin>>, String> {
    let origin = |(at, endpoint)| {
        let origin = Origin::new(name, at, endpoint, tls);
        origin
            .map(Arc::new)
            .map_err(|problem| format!("endpoints[{at}].url: {problem}"))
    };
    config.endpoints.iter().enumerate().map(origin).collect()
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX)
}
