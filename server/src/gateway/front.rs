//! The first forks. What a route of the gateway's file takes goes its way through [`dispatch`](super::dispatch). Of
//! Trailmark's own, events are nearly all requests, and a router makes its way to a handler with a dozen boxes and clones
//! for each: they go straight to [`ingest`], through the same [`edge`](super::edge). All else goes through the router.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Version, header};
use hyper::body::Incoming;
use tower::ServiceExt;

use super::accept::Answer;
use super::client_ip::{client_ip, forwarded_scheme};
use super::dispatch::{Entry, Route, Services, Snapshot, Target, Visit};
use super::edge::{Edge, Peer, Scheme};
use super::file::Service;
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::routing::Found;
use super::seen::{self, Seen};
use super::{INGEST, routes};
use crate::app::App;
use crate::ingest;
use crate::ingest::decode::Shapes;

/// Answers what comes over connections.
#[derive(Clone)]
pub struct Front(Arc<House>);

/// What there is behind the front.
struct House {
    app: Arc<App>,
    edge: Arc<Edge>,
    router: Router,
    services: Services,
}

impl Front {
    /// The front of this server, with `pages` beside its own routes.
    #[must_use]
    pub fn new(app: &Arc<App>, pages: Router) -> Self {
        let edge = Arc::new(Edge::new(Arc::clone(app)));
        Self(Arc::new(House {
            router: routes(&edge, app, pages.clone()),
            services: Services::new(app, pages),
            app: Arc::clone(app),
            edge,
        }))
    }
}

impl House {
    /// A request of Trailmark's own.
    async fn own(&self, peer: Peer, request: Request<Incoming>) -> Response {
        let Some((route, shapes)) = ingest_route(&request) else {
            return self.router.clone().answer(peer, request).await;
        };
        let take = async |request| {
            ingest::accept(&self.app, request, shapes, Some(peer))
                .await
                .into_response()
        };
        self.edge.around(route, Some(peer), request, take).await
    }

    /// The same, seen by whom the gateway's file names.
    async fn own_seen(&self, visitor: &Visitor<'_>, request: Request<Incoming>) -> Response {
        let snapshot = visitor.snapshot;
        if snapshot.telling.is_silent() {
            return self.own(visitor.peer, request).await;
        }
        let entry = self.entry(visitor, request.headers());
        let (mut parts, body) = request.into_parts();
        let mut seen = visitor.begin(&parts, &entry);
        seen.route(&snapshot.own);
        // The edge takes it from there, and so every line has the id that its answer has.
        parts.headers.insert(super::request_id::X_REQUEST_ID, entry.request_id);
        let response = self.own(visitor.peer, Request::from_parts(parts, body)).await;
        seen.answer(response)
    }

    fn entry(&self, visitor: &Visitor<'_>, headers: &HeaderMap) -> Entry {
        let (now, peer) = (self.app.clock.now(), visitor.peer);
        let trusted = &self.app.config.http.trusted_proxies;
        Entry {
            request_id: self.edge.request_id(headers, now),
            client: client_ip(peer.ip, headers, trusted),
            scheme: forwarded_scheme(peer, headers, trusted),
            now,
            trace: self.app.gateway.trace(visitor.snapshot, headers),
        }
    }

    async fn refused(
        &self,
        peer: Peer,
        request: Request<Incoming>,
        problem: Problem,
        allow: Option<HeaderValue>,
    ) -> Response {
        let refuse = async |_| problem.into_response();
        let mut response = self.edge.around("unmatched", Some(peer), request, refuse).await;
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }

    /// Refuses what others could read differently, and everything behind it: who sends that may mean its next bytes, too,
    /// for somebody who reads differently. A stream of HTTP/2 ends where it ends for everybody.
    async fn refused_for_good(&self, peer: Peer, request: Request<Incoming>, problem: Problem) -> Response {
        let is_http1 = request.version() < Version::HTTP_2;
        let mut response = self.refused(peer, request, problem, None).await;
        if is_http1 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    /// What the route's pages may send, told to their browser.
    fn preflight(&self, route: &Route, visitor: &Visitor<'_>, parts: &Parts) -> Response {
        let entry = self.entry(visitor, &parts.headers);
        let mut seen = visitor.begin(parts, &entry);
        seen.route(&route.seen);
        if matches!(route.target, Target::Service(Service::Ingest)) {
            self.app.preflighted(&route.cors, parts, Some(visitor.peer));
        }
        seen.answer(route.cors.preflight(&parts.headers))
    }
}

impl Answer for Front {
    async fn answer(self, peer: Peer, request: Request<Incoming>) -> Response {
        let house = &*self.0;
        let snapshot = &house.app.gateway.snapshot();
        let (parts, body) = request.into_parts();
        // An id of a person may hold what no path may: that is for us alone, and for no route of the file.
        let (reading, only_ours) = match Reading::of(&parts) {
            Ok(reading) => (Ok(reading), false),
            Err(problem) => (Reading::of_an_id(&parts).ok_or(problem), true),
        };
        let reading = match reading {
            Ok(reading) => reading,
            Err(problem) => {
                let request = Request::from_parts(parts, body);
                return Box::pin(house.refused_for_good(peer, request, problem)).await;
            }
        };
        let visitor = Visitor {
            snapshot,
            peer,
            reading: &reading,
        };
        let wanted = preflight(&parts).unwrap_or_else(|| parts.method.clone());
        match snapshot.table.find(reading.host(), reading.path(), &wanted) {
            Found::Route(..) | Found::OtherMethods(_) if only_ours => {
                let problem = Problem::new(
                    Code::MalformedRequest,
                    "the path holds what services read in different ways",
                );
                Box::pin(house.refused_for_good(peer, Request::from_parts(parts, body), problem)).await
            }
            Found::Route(route, _) if wanted != parts.method => house.preflight(route, &visitor, &parts),
            Found::Route(route, parameters) => {
                let entry = house.entry(&visitor, &parts.headers);
                let seen = visitor.begin(&parts, &entry);
                let visit = Visit {
                    app: &house.app,
                    services: &house.services,
                    snapshot,
                    route,
                    parameters,
                    reading: &reading,
                    entry: &entry,
                };
                Box::pin(visit.answer(Request::from_parts(parts, Body::new(body)), seen)).await
            }
            Found::Nothing if snapshot.file.own_routes => {
                Box::pin(house.own_seen(&visitor, Request::from_parts(parts, body))).await
            }
            Found::Nothing => {
                let problem = Problem::new(Code::NotFound, format!("no route leads to {}", reading.path()));
                let request = Request::from_parts(parts, body);
                Box::pin(house.refused(peer, request, problem, None)).await
            }
            Found::OtherMethods(methods) => {
                let problem = Problem::new(
                    Code::MethodNotAllowed,
                    format!("{} does not take {}", reading.path(), parts.method),
                );
                Box::pin(house.refused(peer, Request::from_parts(parts, body), problem, allow(&methods))).await
            }
        }
    }
}

/// Who stands at the door, and what is said there.
struct Visitor<'a> {
    snapshot: &'a Arc<Snapshot>,
    peer: Peer,
    reading: &'a Reading,
}

impl Visitor<'_> {
    fn begin(&self, parts: &Parts, entry: &Entry) -> Seen {
        let arrival = seen::Arrival {
            at: entry.now,
            method: &parts.method,
            uri: &parts.uri,
            host: self.reading.host_header(),
            headers: &parts.headers,
            version: parts.version,
            tls: self.peer.scheme == Scheme::Https,
            client_ip: entry.client,
            request_id: &entry.request_id,
            trace: entry.trace,
        };
        Seen::begin(&self.snapshot.telling.witness, &self.snapshot.unmatched, &arrival)
    }
}

/// The method that a page asks for before it sends the request itself.
fn preflight(parts: &Parts) -> Option<Method> {
    if parts.method != Method::OPTIONS || !parts.headers.contains_key(header::ORIGIN) {
        return None;
    }
    let asked = parts.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    Method::from_bytes(asked.as_bytes()).ok()
}

fn allow(methods: &[Method]) -> Option<HeaderValue> {
    let names: Vec<_> = methods.iter().map(Method::as_str).collect();
    HeaderValue::try_from(names.join(", ")).ok()
}

impl Answer for Router {
    async fn answer(self, peer: Peer, request: Request<Incoming>) -> Response {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        self.oneshot(request).await.into_response()
    }
}

fn ingest_route<B>(request: &Request<B>) -> Option<(&'static str, Shapes)> {
    let path = request.uri().path();
    INGEST
        .into_iter()
        .find(|(route, _)| *route == path && request.method() == Method::POST)
}
