//! What happens to every request, whatever it asks for: an id, the client's address, its limit, a metric, CORS, and the
//! body of a refusal.

use std::any::Any;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, Request, header};

use super::INGEST;
use super::client_ip::client_ip;
use super::cors::{Cors, CorsConfig};
use super::problem::{Code, Problem};
use super::request_id::{RequestIds, X_REQUEST_ID};
use super::sdk;
use crate::app::App;
use crate::dashboard::files;
use trailmark_protocol::Timestamp;

/// The other end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address; behind a balancer that speaks the PROXY protocol, its client's.
    pub ip: IpAddr,
    /// How it speaks: to us, or to such a balancer.
    pub scheme: Scheme,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// It is not.
    Http,
    /// It is.
    Https,
}

impl Peer {
    /// A peer that speaks plain HTTP.
    #[must_use]
    pub const fn plain(ip: IpAddr) -> Self {
        Self {
            ip,
            scheme: Scheme::Http,
        }
    }
}

impl Scheme {
    /// Its name in a URI and in `X-Forwarded-Proto`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What stands around all routes.
pub struct Edge {
    app: Arc<App>,
    cors: Cors,
    ids: RequestIds,
}

impl Edge {
    /// The edge of this server.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let cors = Cors::new(&CorsConfig::own(&app.config.http.cors_origins));
        Self {
            app,
            cors,
            ids: RequestIds::default(),
        }
    }

    /// Lets `answer` answer a request to `route`, if the client's address is within its rate. One without a peer has none.
    pub async fn around<B, F: Future<Output = Response>>(
        &self,
        route: &str,
        peer: Option<Peer>,
        request: Request<B>,
        answer: impl FnOnce(Request<B>) -> F,
    ) -> Response {
        let started = Instant::now();
        let request_id = self.ids.of(request.headers(), self.app.clock.now());
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = match self.admit(peer, request.headers()) {
            Ok(()) => whole(answer(request)).await,
            Err(problem) => problem.into_response(),
        };
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            response = refuse(&problem, &request_id);
        }
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, request_id);
        self.cors.share(origin.as_ref(), headers);
        self.app.requests.finished(route, response.status(), started.elapsed());
        response
    }

    /// The request's id: the client's, if it is harmless, or a new one.
    pub fn request_id(&self, headers: &HeaderMap, now: Timestamp) -> HeaderValue {
        self.ids.of(headers, now)
    }

    fn admit(&self, peer: Option<Peer>, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(peer) = peer else { return Ok(()) };
        let client = client_ip(peer.ip, headers, &self.app.config.http.trusted_proxies);
        self.app.limits.check_ip(client)
    }
}

/// The edge as the layer around a router's routes.
pub async fn layer(State(edge): State<Arc<Edge>>, request: axum::extract::Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        let (parts, _) = request.into_parts();
        if takes_events(parts.uri.path()) {
            let peer = parts.extensions.get().copied();
            edge.app.preflighted(&edge.cors, &parts, peer);
        }
        return edge.cors.preflight(&parts.headers);
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let peer = request
        .extensions()
        .get::<Peer>()
        .copied()
        .filter(|_| route != sdk::ROUTE && !files::FILES.contains(&route));
    edge.around(route, peer, request, |request| next.run(request)).await
}

fn takes_events(path: &str) -> bool {
    INGEST.iter().any(|(route, _)| *route == path)
}

/// The response, also if making it panics. Not an `async fn`, which would have room for `answer` twice.
pub(super) fn whole(answer: impl Future<Output = Response>) -> impl Future<Output = Response> {
    let answered = AssertUnwindSafe(answer).catch_unwind();
    answered.map(|answered| answered.unwrap_or_else(|panic| panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("?"), "a request handler panicked");
    Problem::new(Code::Internal, "the server made a mistake").into_response()
}

fn refuse(problem: &Problem, request_id: &HeaderValue) -> Response {
    let request_id = request_id.to_str().unwrap_or_default();
    metrics::counter!("trailmark_http_refused_total", "code" => problem.code().as_str()).increment(1);
    if problem.code().status().is_server_error() {
        tracing::warn!(
            request_id,
            code = problem.code().as_str(),
            detail = problem.detail(),
            "request refused"
        );
    }
    problem.render(request_id)
}
