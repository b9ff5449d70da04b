//! How an upstream stands, for the admin listener.

use std::net::SocketAddr;

use serde::Serialize;
use tokio::time::Instant;

use super::breaker::Position;
use super::endpoint::Endpoint;

/// An upstream at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct UpstreamState {
    /// Its name in the gateway's file.
    pub name: String,
    /// How requests find their instance.
    pub balance: String,
    /// Its addresses.
    pub endpoints: Vec<EndpointState>,
    /// Open tunnels (WebSockets) to any of them.
    pub tunnels: usize,
}

/// One address.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointState {
    /// As configured.
    pub url: String,
    /// What its host resolved to.
    pub address: SocketAddr,
    /// Its share, relative to the others.
    pub weight: u32,
    /// Whether its health checks pass, or there are none.
    pub healthy: bool,
    /// How much longer it is ejected for failures in a row, in milliseconds; 0 if it is not.
    pub ejected_for_ms: u64,
    /// `closed`, `half_open` or `open`.
    pub breaker: &'static str,
    /// Requests and tunnels under way.
    pub in_flight: usize,
    /// HTTP/1.1 connections waiting for a request.
    pub idle_connections: usize,
    /// Answers and failures since it was first known.
    pub answered: u64,
    /// Those of them that were failures: 5xx, no answer, or half of one.
    pub failed: u64,
}

impl EndpointState {
    pub(super) fn of(endpoint: &Endpoint, now: Instant) -> Self {
        let view = endpoint.standing.view(now);
        let ejected_for = view.ejected_until.map(|until| until.duration_since(now).as_millis());
        Self {
            url: endpoint.origin.url.clone(),
            address: endpoint.address,
            weight: endpoint.origin.weight,
            healthy: view.is_up,
            ejected_for_ms: ejected_for.map_or(0, |millis| u64::try_from(millis).unwrap_or(u64::MAX)),
            breaker: view.breaker.as_str(),
            in_flight: endpoint.in_flight(),
            idle_connections: endpoint.pool.len(),
            answered: view.answered,
            failed: view.failed,
        }
    }
}

impl Position {
    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen { .. } => "half_open",
            Self::Open(_) => "open",
        }
    }

    /// As the metric has it.
    pub(super) fn as_number(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::HalfOpen { .. } => 1.0,
            Self::Open(_) => 2.0,
        }
    }
}
