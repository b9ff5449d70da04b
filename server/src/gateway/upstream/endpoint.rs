//! One address of an upstream, and the requests it carries.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, StatusCode};
use metrics::{Gauge, gauge};
use rustls_pki_types::ServerName;
use tokio::time::Instant;

use super::breaker::Admission;
use super::config::{EndpointConfig, Protocol, UpstreamConfig};
use super::members::Members;
use super::pool::Pool;
use super::random::{hash_key, mix};
use super::shared::Shared;
use super::standing::Standing;
use super::tls::Tls;

/// One entry of `endpoints`, with what each request needs of it made ready.
pub(super) struct Origin {
    /// Where it is in the configuration.
    pub(super) position: usize,
    pub(super) url: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) weight: u32,
    pub(super) scheme: Scheme,
    /// The `:authority` of HTTP/2.
    pub(super) authority: Authority,
    /// The `Host` of HTTP/1.1.
    pub(super) host_header: HeaderValue,
    pub(super) tls: Option<(Arc<Tls>, ServerName<'static>)>,
    pub(super) up: Gauge,
    pub(super) breaker: Gauge,
}

impl Origin {
    /// # Errors
    /// What is wrong with the url.
    pub(super) fn new(
        upstream: &str,
        position: usize,
        config: &EndpointConfig,
        tls: Option<&Arc<Tls>>,
    ) -> Result<Self, String> {
        let target = config.target()?;
        let label = format!("{position} {}", target.authority);
        let labels = [("upstream", upstream.to_owned()), ("endpoint", label)];
        let host_header = HeaderValue::from_str(target.authority.as_str()).map_err(|error| error.to_string())?;
        let tls = match tls.filter(|_| target.is_tls) {
            Some(tls) => Some((Arc::clone(tls), tls.name_of(&target.host)?)),
            None => None,
        };
        Ok(Self {
            position,
            url: config.url.clone(),
            host: target.host,
            port: target.port,
            weight: config.weight,
            scheme: if target.is_tls { Scheme::HTTPS } else { Scheme::HTTP },
            authority: target.authority,
            host_header,
            tls,
            up: gauge!("gateway_upstream_up", &labels),
            breaker: gauge!("gateway_breaker_state", &labels),
        })
    }
}

/// One address.
pub(super) struct Endpoint {
    pub(super) id: u64,
    pub(super) origin: Arc<Origin>,
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) standing: Standing,
    pub(super) pool: Pool,
    pub(super) shared: Shared,
    in_flight: AtomicUsize,
    /// All addresses of the upstream, to which this one belongs.
    peers: Weak<ArcSwap<Members>>,
}

impl Endpoint {
    pub(super) fn new(
        origin: &Arc<Origin>,
        address: SocketAddr,
        config: &Arc<UpstreamConfig>,
        peers: Weak<ArcSwap<Members>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: mix(hash_key(origin.url.as_bytes()) ^ hash_key(address.to_string().as_bytes())),
            origin: Arc::clone(origin),
            address,
            protocol: config.protocol,
            standing: Standing::new(Arc::clone(config)),
            pool: Pool::new(&config.pool),
            shared: Shared::default(),
            in_flight: AtomicUsize::new(0),
            peers,
        })
    }

    /// Requests in flight, tunnels included.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A place for a request, if the breaker has one.
    pub(super) fn enter(self: &Arc<Self>, now: Instant) -> Option<Lease> {
        let admission = self.standing.enter(now)?;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Lease {
            endpoint: Arc::clone(self),
            admission: Some(admission),
            has_failed: false,
        })
    }

    fn crowd(&self, now: Instant) -> (usize, usize) {
        let peers = self.peers.upgrade();
        peers.map_or((0, 1), |peers| peers.load().crowd(now))
    }
}

/// A request's place at an address, from the choice to the end of the answer's body.
pub(super) struct Lease {
    endpoint: Arc<Endpoint>,
    /// Until the outcome is known.
    admission: Option<Admission>,
    has_failed: bool,
}

impl Lease {
    pub(super) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// The head of an answer has come. A body may still break, so only a probe, for which others wait, is judged by it.
    pub(super) fn answered(&mut self, status: StatusCode) {
        if status.is_server_error() {
            self.failed();
        } else if self.admission == Some(Admission::Probe) {
            self.succeeded();
        }
    }

    /// The answer came as a whole.
    pub(super) fn succeeded(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.endpoint.standing.succeeded(admission);
        }
    }

    /// It did not come, or not as a whole, or says itself that the address is not well.
    pub(super) fn failed(&mut self) {
        if std::mem::replace(&mut self.has_failed, true) {
            return;
        }
        let admission = self.admission.take().unwrap_or(Admission::Free);
        let now = Instant::now();
        self.endpoint
            .standing
            .failed(admission, || self.endpoint.crowd(now), now);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(admission) = self.admission {
            self.endpoint.standing.abandoned(admission);
        }
    }
}
