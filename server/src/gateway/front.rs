//! The first fork. Events are nearly all requests, and a router makes its way to a handler with a dozen boxes and clones
//! for each: they go straight to [`ingest`], through the same [`edge`](super::edge). All else goes through the router.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, Request};
use hyper::body::Incoming;
use tower::ServiceExt;

use super::accept::Answer;
use super::edge::{Edge, Peer};
use super::{INGEST, routes};
use crate::app::App;
use crate::ingest;
use crate::ingest::decode::Shapes;

/// Answers what comes over connections.
#[derive(Clone)]
pub struct Front {
    app: Arc<App>,
    edge: Arc<Edge>,
    router: Router,
}

impl Front {
    /// The front of this server, with `pages` beside its own routes.
    #[must_use]
    pub fn new(app: &Arc<App>, pages: Router) -> Self {
        let edge = Arc::new(Edge::new(Arc::clone(app)));
        Self {
            router: routes(&edge, app, pages),
            app: Arc::clone(app),
            edge,
        }
    }
}

impl Answer for Front {
    async fn answer(self, peer: Peer, request: Request<Incoming>) -> Response {
        let Some((route, shapes)) = ingest_route(&request) else {
            return self.router.answer(peer, request).await;
        };
        let take = async |request| ingest::accept(&self.app, request, shapes).await.into_response();
        self.edge.around(route, Some(peer), request, take).await
    }
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
