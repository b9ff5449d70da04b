//! The last step in: to a service of this process, to one behind, or into a hub; through the cache, if the route has one.

use std::mem::take;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use hyper::upgrade::OnUpgrade;

use super::asking::Asking;
use super::route::{Route, Target};
use super::visit::Visit;
use crate::gateway::cache::{CacheStatus, Origin, RouteCache};
use crate::gateway::caller::Caller;
use crate::gateway::edge::Peer;
use crate::gateway::file::Service;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::seen::Seen;
use crate::gateway::transform::{Limits, Scope};
use crate::gateway::upstream::{Attempts, Plan, TunnelLimits, Upstream};

/// What a service says of itself, and nobody needs to know.
const UNTOLD: [HeaderName; 2] = [header::SERVER, HeaderName::from_static("x-powered-by")];

/// Who has passed a request on (RFC 9110 §7.6.3).
const VIA: HeaderValue = HeaderValue::from_static("1.1 trailmark");

/// The most gateways of ours that one request may pass: more is a loop.
const MOST_HOPS: usize = 8;

/// A request that may go on.
pub struct Forward<'v> {
    /// What it meets.
    pub visit: &'v Visit<'v>,
    /// Who sent it.
    pub caller: Option<&'v Caller>,
    /// What rules may speak of.
    pub scope: Scope<'v>,
}

impl Forward<'_> {
    fn route(&self) -> &Route {
        self.visit.route
    }

    fn limits(&self) -> Limits<'_> {
        Limits {
            budget: &self.visit.app.budget,
            max_body: self.route().max_body,
            deadline: self.route().body_deadline(self.visit.app.config.http.body_timeout()),
        }
    }

    /// The target's answer.
    ///
    /// What few requests need is boxed: the state of all that a request may wait for is moved several times on its way up
    /// to hyper, and only what most of them need should be in it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn answer(
        &self,
        request: &mut Request<Body>,
        upgrade: Option<HeaderValue>,
        seen: &mut Seen,
    ) -> Result<Response, Problem> {
        pass_on(request.headers_mut())?;
        let method = request.method().clone();
        if let Some(rules) = &self.route().rules.request_body {
            *request = Box::pin(rules.request(take(request), &self.scope, &self.limits())).await?;
        }
        let mut response = match &self.route().target {
            Target::Service(service) => Box::pin(self.served(*service, take(request))).await,
            Target::Hub(hub) => {
                let handshake = handshake(take(request), upgrade);
                return Ok(hub.join(self.caller, self.scope.request_id, handshake));
            }
            Target::Upstream(upstream) => match (upgrade, &self.route().sockets) {
                (Some(protocol), Some(_)) => {
                    return Box::pin(self.tunnel(upstream, take(request), protocol, seen)).await;
                }
                _ => self.fetched(upstream, request, seen).await?,
            },
            Target::Grpc(method, upstream) => {
                let (plan, limits) = (self.plan(upstream, request.headers()), self.limits());
                let send = async |mut call| sent(upstream, &mut call, &plan, seen).await;
                Box::pin(method.call(take(request), &self.scope, &limits, send)).await?
            }
        };
        if let Some(rules) = &self.route().rules.response_body {
            response = Box::pin(rules.response(&method, response, &self.scope, &self.limits())).await?;
        }
        self.tidy(response.headers_mut());
        Ok(response)
    }

    /// The answer of a service of this process, which learns who calls and from where.
    async fn served(&self, service: Service, mut request: Request<Body>) -> Response {
        let entry = self.visit.entry;
        let extensions = request.extensions_mut();
        extensions.insert(Peer {
            ip: entry.client,
            scheme: entry.scheme,
        });
        if let Some(caller) = self.caller {
            extensions.insert(caller.clone());
        }
        self.visit.services.answer(service, request).await
    }

    fn tidy(&self, headers: &mut HeaderMap) {
        for name in &UNTOLD {
            headers.remove(name);
        }
        self.route().rules.response_headers.apply(headers, &self.scope);
    }

    async fn fetched(
        &self,
        upstream: &Arc<Upstream>,
        request: &mut Request<Body>,
        seen: &mut Seen,
    ) -> Result<Response, Problem> {
        let plan = self.plan(upstream, request.headers());
        let Some(cache) = &self.route().cache else {
            if self.visit.snapshot.caches && !request.method().is_safe() {
                return Box::pin(self.changed(upstream, request, &plan, seen)).await;
            }
            return sent(upstream, request, &plan, seen).await;
        };
        let (upstream, plan) = (Arc::clone(upstream), Arc::new(plan));
        let fetching = Arc::clone(&plan);
        let fetch = move |request| {
            let (upstream, plan) = (Arc::clone(&upstream), Arc::clone(&fetching));
            async move { upstream.send(request, &plan).await.map_err(Problem::from) }
        };
        let mut asking = Asking::new(seen, &plan.attempts);
        let (answer, status) = Box::pin(self.cached(cache, take(request), fetch)).await?;
        asking.cached(status);
        Ok(answer)
    }

    /// A request that may change what another route has cached: if it succeeds, that is stale (RFC 9111 §4.4).
    async fn changed(
        &self,
        upstream: &Upstream,
        request: &mut Request<Body>,
        plan: &Plan,
        seen: &mut Seen,
    ) -> Result<Response, Problem> {
        let uri = request.uri().clone();
        let answer = sent(upstream, request, plan, seen).await?;
        if answer.status().is_success() || answer.status().is_redirection() {
            let cache = &self.visit.snapshot.cache;
            cache.invalidate(upstream.name(), self.origin(), &uri).await;
        }
        Ok(answer)
    }

    /// Where the request came in.
    fn origin(&self) -> Origin<'_> {
        Origin {
            scheme: self.visit.entry.scheme.as_str(),
            host: self.visit.reading.authority().unwrap_or_default(),
        }
    }

    async fn cached<F, Fut>(
        &self,
        rules: &Arc<RouteCache>,
        request: Request<Body>,
        fetch: F,
    ) -> Result<(Response, CacheStatus), Problem>
    where
        F: Fn(Request<Body>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let cache = &self.visit.snapshot.cache;
        cache
            .answer(rules, self.origin(), self.caller.is_some(), request, fetch)
            .await
    }

    fn plan(&self, upstream: &Upstream, headers: &HeaderMap) -> Plan {
        Plan {
            hash_key: Route::hash(upstream, self.visit.entry.client, self.caller, headers),
            timeouts: self.route().timeouts.clone(),
            may_retry: true,
            attempts: Attempts::default(),
        }
    }

    async fn tunnel(
        &self,
        upstream: &Upstream,
        mut request: Request<Body>,
        protocol: HeaderValue,
        seen: &mut Seen,
    ) -> Result<Response, Problem> {
        let Some(rules) = &self.route().sockets else {
            return Err(Problem::new(Code::Internal, "a route without sockets"));
        };
        rules.check_origin(request.headers().get(header::ORIGIN), self.caller)?;
        let held = rules.hold(self.caller, self.visit.entry.client)?;
        let client = request.extensions_mut().remove::<OnUpgrade>();
        let client = client.ok_or_else(|| Problem::new(Code::MalformedRequest, "the connection cannot be upgraded"))?;
        request.headers_mut().insert(header::UPGRADE, protocol);
        let plan = self.plan(upstream, request.headers());
        let limits = TunnelLimits {
            idle: rules.idle(),
            stop: self.visit.services.stop(),
            guard: Box::new(held),
        };
        let mut asking = Asking::new(seen, &plan.attempts);
        let answer = upstream.tunnel(request, client, &plan, limits).await;
        asking.answered();
        Ok(answer?)
    }
}

/// The answer of an upstream, and how long it took.
async fn sent(
    upstream: &Upstream,
    request: &mut Request<Body>,
    plan: &Plan,
    seen: &mut Seen,
) -> Result<Response, Problem> {
    let mut asking = Asking::new(seen, &plan.attempts);
    let answer = upstream.send(take(request), plan).await;
    asking.answered();
    Ok(answer?)
}

/// The handshake as a hub reads it: with the headers that were for this connection.
fn handshake(mut request: Request<Body>, upgrade: Option<HeaderValue>) -> Request<Body> {
    if let Some(protocol) = upgrade {
        let headers = request.headers_mut();
        headers.insert(header::UPGRADE, protocol);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    request
}

/// Says that the request came through here, unless it has too often.
fn pass_on(headers: &mut HeaderMap) -> Result<(), Problem> {
    let ours = headers
        .get_all(header::VIA)
        .iter()
        .filter(|via| via.as_bytes() == VIA.as_bytes())
        .count();
    if ours >= MOST_HOPS {
        return Err(Problem::new(
            Code::LoopDetected,
            "the request has come through here again and again",
        ));
    }
    headers.append(header::VIA, VIA);
    headers.remove(header::EXPECT);
    Ok(())
}
