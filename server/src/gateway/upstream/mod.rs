//! Services behind the gateway: from "this request goes to users" to "here is the answer".
//!
//! A request's way: `send` (attempts) → `members` (which address: `balance`, as far as `standing` allows) →
//! `exchange` (one attempt) → `pool` or `connect` → `connection` → back as a body of `incoming`. Upgrades go through
//! `tunnel`. Decisions are pure: `balance`, `breaker`, `outlier`, `health`, `retry`.
//!
//! Why connections are polled by the requests that use them is ADR 9.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::body::Body;
use http::{Request, Response};
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

mod config;
mod words;
mod problems;
mod random;
mod balance;
mod health;
mod outlier;
mod breaker;
mod standing;
mod retry;
mod failure;
mod dns;
mod tls;
mod alarm;
mod outgoing;
mod wait;
mod connect;
mod connection;
mod shared;
mod pool;
mod endpoint;
mod members;
mod incoming;
mod exchange;
mod core;
mod attempts;
mod send;
mod frames;
mod watched;
mod tunnel;
mod check;
mod tasks;
mod meters;
mod state;
#[cfg(test)]
mod tests;

pub use attempts::{Asked, Attempts};
pub use config::{
    Balance, BreakerConfig, DnsConfig, EndpointConfig, HashBy, HealthConfig, MethodName, OutlierConfig, PoolConfig,
    Protocol, RetryConfig, RetryOn, Timeouts, TlsConfig, UpstreamConfig,
};
pub use failure::{BodyRefused, Failure, Trouble};
pub use random::hash_key;
pub use state::{EndpointState, UpstreamState};
pub use tunnel::TunnelLimits;

use self::core::Core;

/// A service that routes lead to: its instances, what is known of them, and the connections to them.
pub struct Upstream {
    core: Arc<Core>,
    /// Ends the background tasks with the upstream, once they have begun.
    tasks: OnceLock<DropGuard>,
}

/// What a route and its caller mean for one request, and what came of it.
#[derive(Debug)]
pub struct Plan {
    /// Of what [`Upstream::hash_by`] names, made by [`hash_key`]; without one, requests are spread.
    pub hash_key: Option<u64>,
    /// The route's own, before the upstream's.
    pub timeouts: Timeouts,
    /// Whether it may be sent again at all.
    pub may_retry: bool,
    /// How often it was sent, and where to.
    pub attempts: Attempts,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            hash_key: None,
            timeouts: Timeouts::default(),
            may_retry: true,
            attempts: Attempts::default(),
        }
    }
}

impl Upstream {
    /// An upstream that does nothing by itself before [`start`](Self::start): a file that is only checked, or refused,
    /// asks no instance anything.
    ///
    /// # Errors
    /// What is wrong with the configuration, as [`UpstreamConfig::problems`] says it.
    pub fn new(name: &str, config: &UpstreamConfig) -> Result<Arc<Self>, Vec<String>> {
        Self::with_lookup(name, config, dns::system())
    }

    fn with_lookup(name: &str, config: &UpstreamConfig, lookup: dns::Lookup) -> Result<Arc<Self>, Vec<String>> {
        Ok(Arc::new(Self {
            core: Arc::new(Core::new(name, config, lookup)?),
            tasks: OnceLock::new(),
        }))
    }

    /// Begins with health checks and name look-ups, the first time that it is called; they end when the upstream is
    /// dropped. Without it there is no address to send requests to. Must be called within a tokio runtime.
    pub fn start(&self) {
        self.tasks.get_or_init(|| {
            let stop = CancellationToken::new();
            tasks::start(&self.core, &stop);
            stop.drop_guard()
        });
    }

    /// Its name in the gateway's file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Whether `config` says what this one was made of, the contents of its TLS files included, so that it can be kept over
    /// a reload with all it knows.
    #[must_use]
    pub fn is_same(&self, config: &UpstreamConfig) -> bool {
        let mut tls = self.core.tls.iter();
        *self.core.config == *config && tls.all(|tls| tls.is_of(config.tls.as_ref()))
    }

    /// What the plan's `hash_key` is to be made of, if anything.
    #[must_use]
    pub fn hash_by(&self) -> Option<&HashBy> {
        match &self.core.config.balance {
            Balance::Hash(by) => Some(by),
            Balance::RoundRobin | Balance::TwoChoices => None,
        }
    }

    /// Sends a request and gives the answer as the client may have it: without the headers of the upstream's connection,
    /// with a body that streams, keeps its trailers, and ends with an error if it breaks off or stands still.
    ///
    /// The request has an origin-form URI and no hop-by-hop headers but `te: trailers`. `Host` becomes the endpoint's unless
    /// the configuration preserves it.
    ///
    /// # Errors
    /// Why there is no answer, to be turned into a [`Problem`](super::problem::Problem).
    pub fn send(
        &self,
        request: Request<Body>,
        plan: &Plan,
    ) -> impl Future<Output = Result<Response<Body>, Failure>> + Send {
        send::send(&self.core, request, plan)
    }

    /// Sends a request that asks to switch protocols, with its `Upgrade` header and no `Connection`, over an HTTP/1.1
    /// connection of its own. If the upstream switches to what was asked for, its 101 is the answer, and `client` is joined
    /// with it in the background. Any other answer is given as [`send`](Self::send) does.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn tunnel(
        &self,
        request: Request<Body>,
        client: OnUpgrade,
        plan: &Plan,
        limits: TunnelLimits,
    ) -> Result<Response<Body>, Failure> {
        tunnel::open(&self.core, request, client, plan, limits).await
    }

    /// How it stands now.
    #[must_use]
    pub fn state(&self) -> UpstreamState {
        let now = Instant::now();
        let members = self.core.members.load();
        UpstreamState {
            name: self.core.name.to_string(),
            balance: self.core.config.balance.to_string(),
            endpoints: members
                .list
                .iter()
                .map(|endpoint| EndpointState::of(endpoint, now))
                .collect(),
            tunnels: self.core.tunnels.load(Ordering::Relaxed),
        }
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.core.name)
            .finish_non_exhaustive()
    }
}

/// A lock whose holder may have panicked: what it guards is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
