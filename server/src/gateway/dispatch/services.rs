//! The services of this process, each alone: a route to one leads to no other.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, Request};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::dashboard::files::elsewhere;
use crate::gateway::file::Service;
use crate::gateway::{INGEST, login, looking, method_not_allowed, reading};
use crate::{admin, ingest, settings};

/// The services of this process.
#[derive(Clone)]
pub struct Services {
    app: Arc<App>,
    ingest: Router,
    query: Router,
    admin: Router,
    dashboard: Router,
    auth: Router,
}

impl Services {
    /// Those of `app`; `pages` are beside the dashboard.
    #[must_use]
    pub fn new(app: &Arc<App>, pages: Router) -> Self {
        let alone = |routes: OpenApiRouter<Arc<App>>| {
            let (router, _) = routes.split_for_parts();
            router
                .method_not_allowed_fallback(method_not_allowed)
                .fallback(elsewhere)
                .with_state(Arc::clone(app))
        };
        Self {
            ingest: alone(ingest::routes::router()),
            query: alone(reading()),
            admin: alone(admin::router().merge(settings::router())),
            dashboard: alone(looking()).merge(pages),
            auth: alone(login::http::router()),
            app: Arc::clone(app),
        }
    }

    /// Ends tunnels when the server stops.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.app.gateway.stop()
    }

    /// The answer of `service`.
    pub async fn answer(&self, service: Service, request: Request<Body>) -> Response {
        let router = match service {
            Service::Ingest => match self.shapes(&request) {
                Some(shapes) => {
                    let peer = request.extensions().get().copied();
                    return ingest::accept(&self.app, request, shapes, peer).await.into_response();
                }
                None => &self.ingest,
            },
            Service::Query => &self.query,
            Service::Admin => &self.admin,
            Service::Dashboard => &self.dashboard,
            Service::Auth => &self.auth,
        };
        router.clone().oneshot(request).await.into_response()
    }

    /// Events take a way without a router, as in [`front`](crate::gateway::front).
    fn shapes(&self, request: &Request<Body>) -> Option<crate::ingest::decode::Shapes> {
        let mut known = INGEST.into_iter();
        let found = known.find(|(path, _)| *path == request.uri().path());
        found
            .filter(|_| request.method() == Method::POST)
            .map(|(_, shapes)| shapes)
    }
}
