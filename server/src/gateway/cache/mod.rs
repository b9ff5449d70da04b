//! A shared cache for the answers of upstreams, in memory (RFC 9111).
//!
//! [`Cache::answer`] stands between a route and its upstream. A request's way: `ask` (what does it mean to a cache?) →
//! `key` → `store` → `plan` (may what is stored be given?) → `flight` (does somebody fetch it already?) → the
//! upstream → `entry` (may the answer be stored?) → `fill` (stored while it streams). `served` says and counts how it
//! went.
//!
//! An answer crosses from one caller to another only here, so doubts are decided against storing: see
//! `entry::Storable::judge`.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, Uri, header};

use crate::clock::SharedClock;
use crate::gateway::problem::Problem;
use ask::Meaning;
use fill::Room;
use flight::Flights;
use key::Resource;
use served::{Served, Why};
use store::Store;

mod settings;
mod ask;
mod directives;
mod key;
mod store;
mod entry;
mod freshness;
mod lifetime;
mod conditional;
mod plan;
mod read;
mod flight;
mod fetch;
mod fill;
mod served;
#[cfg(test)]
mod tests;

pub use key::Origin;
pub use served::CacheStatus;
pub use settings::{CacheConfig, RouteCache, RouteCacheConfig};

/// The stored answers of all routes.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    flights: Arc<Flights>,
    room: Room,
    max_object: usize,
    clock: SharedClock,
}

/// A response, and how it came to be.
struct Reply {
    response: Response,
    served: Served,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(config: &CacheConfig, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            store: Store::new(config.max_bytes.0),
            flights: Arc::default(),
            room: Room::new(config.max_bytes.0),
            max_object: config.max_object.0,
            clock,
        })
    }

    /// Answers `request` from the cache, or through `fetch`, which asks the upstream. It is called with the request as the
    /// upstream is to get it, once as a rule: not at all for a hit, twice if a 304 was about something else, and once
    /// more behind the caller's back to renew a stale answer that was given.
    ///
    /// `request` has the path and query that the upstream will see. `origin` is where it came in. `has_credentials` says
    /// whether the gateway knows the caller, also if it took the credentials out of the headers.
    ///
    /// Gives the answer, counted, and what the cache did for it.
    ///
    /// # Errors
    /// Those of `fetch`; `GatewayTimeout` for `only-if-cached` and nothing stored.
    pub async fn answer<F, Fut>(
        self: &Arc<Self>,
        route: &Arc<RouteCache>,
        origin: Origin<'_>,
        has_credentials: bool,
        request: Request<Body>,
        fetch: F,
    ) -> Result<(Response, CacheStatus), Problem>
    where
        F: Fn(Request<Body>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let reply = match Meaning::of(route, origin, has_credentials, request) {
            Meaning::Ask(ask) => self.read(ask, fetch).await?,
            Meaning::Change(request) => self.change(route, origin, request, fetch).await?,
            Meaning::Pass(request, why) => Reply::forwarded(fetch(request).await?, why),
        };
        let Reply { mut response, served } = reply;
        route.meters.count(served.status());
        served.mark(response.headers_mut());
        Ok((response, served.status()))
    }

    /// A request that may change its resource: if it succeeds, what is stored of that, and of what the answer names as
    /// its place, is stale (RFC 9111 §4.4).
    async fn change<F, Fut>(
        &self,
        route: &RouteCache,
        origin: Origin<'_>,
        request: Request<Body>,
        fetch: F,
    ) -> Result<Reply, Problem>
    where
        F: Fn(Request<Body>) -> Fut,
        Fut: Future<Output = Result<Response, Problem>>,
    {
        let resource = Resource::new(&route.scope, origin, request.uri());
        let response = fetch(request).await?;
        if response.status().is_success() || response.status().is_redirection() {
            self.invalidate_named(&resource, response.headers()).await;
        }
        Ok(Reply::forwarded(response, Why::Method))
    }

    async fn invalidate_named(&self, resource: &Resource, headers: &HeaderMap) {
        let named = |name| resource.sibling(headers.get(name)?.to_str().ok()?);
        for sibling in [header::LOCATION, header::CONTENT_LOCATION]
            .into_iter()
            .filter_map(named)
        {
            self.store.invalidate(&sibling).await;
        }
        self.store.invalidate(resource).await;
    }

    /// Drops what is stored of a resource: for routes without a cache that change what routes with one have stored.
    pub async fn invalidate(&self, scope: &str, origin: Origin<'_>, uri: &Uri) {
        self.store.invalidate(&Resource::new(scope, origin, uri)).await;
    }

    /// Drops everything.
    pub async fn purge_all(&self) {
        self.store.purge(|_| true).await;
    }

    /// Drops what is stored of one scope.
    pub async fn purge_scope(&self, scope: &str) {
        self.store.purge(|resource| resource.scope() == scope).await;
    }

    /// Bytes that the stored answers take; never more than `max_bytes` once an answer is stored.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.store.weight()
    }
}

impl Reply {
    fn forwarded(response: Response, why: Why) -> Self {
        Self {
            response,
            served: Served::Forwarded { why, stored: false },
        }
    }
}
