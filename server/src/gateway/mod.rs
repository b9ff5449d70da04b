//! The front door: connections, limits, keys, and one shape of refusal. What is behind it never repeats any of this.
//!
//! A request's way in: [`accept`] (connection, header deadline) → [`edge`] (id, address, limit) → a route → [`body`]
//! (deadline, size, budget) → [`auth`] (key, through the [`keyring`]) → its handler. A refusal anywhere is a
//! [`problem::Problem`].

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::app::App;
use crate::{ingest, query};
use problem::{Code, Problem};

pub mod accept;
pub mod edge;
pub mod client_ip;
pub mod limit;
pub mod body;
pub mod query_string;
pub mod auth;
pub mod keyring;
pub mod health;
pub mod problem;

/// How long a browser may keep the answer to a preflight: a day.
const PREFLIGHT_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// All routes, with the layers around them.
pub fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/v1/batch", post(ingest::batch))
        .route("/api/events", post(ingest::events))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(query::router())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(
            // One layer made of three: a router boxes each layer's service and future for every request.
            ServiceBuilder::new()
                .layer(cors(&app.config.http.cors_origins))
                .layer(from_fn_with_state(Arc::clone(app), edge::edge))
                .layer(CatchPanicLayer::custom(panicked)),
        )
        .with_state(Arc::clone(app))
}

async fn not_found(uri: axum::http::Uri) -> Problem {
    Problem::new(Code::NotFound, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: axum::http::Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("?"), "a request handler panicked");
    Problem::new(Code::Internal, "the server made a mistake").into_response()
}

/// Keys, not cookies, authorise: credentials are never allowed, so any origin may be.
fn cors(origins: &[String]) -> CorsLayer {
    let origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("retry-after"),
        ])
        .max_age(PREFLIGHT_MAX_AGE)
}
