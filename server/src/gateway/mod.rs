//! The front door: connections, limits, keys, and one shape of refusal. What is behind it never repeats any of this.
//!
//! A request's way in: [`accept`] → [`connection`] ([`proxy_protocol`], [`tls`], then HTTP over a [`stream`] that is
//! [watched](watch)) → [`front`], which [reads](reading) it in one way. What a route of the gateway's [`mod@file`] takes goes
//! through [`dispatch`]: limits ([`quota`]), who calls ([`credentials`], [`login`]), what changes ([`headers`],
//! [`transform`]), then to a service of ours, through the [`cache`] to an [`upstream`], or into a [`hub`]; [`seen`] tells of
//! it. Trailmark's own requests go past the [`edge`] (id, address, limit) to a route → [`body`] (deadline, size, budget) →
//! [`auth`] (key, through the [`keyring`]) → its handler. A refusal anywhere is a [`problem::Problem`].

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::ingest::decode::Shapes;
use crate::{admin, dashboard, ingest, jobs, live, observe, query, settings};
use edge::Edge;
use problem::{Code, Problem};

pub mod accept;
pub mod proxy_protocol;
pub mod tls;
pub mod stream;
pub mod watch;
pub mod served;
pub mod connection;
pub mod front;
pub mod edge;
pub mod request_id;
pub mod client_ip;
pub mod cors;
pub mod limit;
pub mod body;
pub mod client_body;
pub mod decompress;
pub mod query_string;
pub mod auth;
pub mod access;
pub mod installation;
pub mod strangers;
pub mod keyring;
pub mod login;
pub mod health;
pub mod coding;
pub mod compress;
pub mod files;
pub mod sdk;
pub mod openapi;
pub mod file;
pub mod routing;
pub mod reading;
pub mod changes;
pub mod dispatch;
pub mod desk;
pub mod credentials;
pub mod cache;
pub mod transform;
pub mod seen;
pub mod headers;
pub mod quota;
pub mod units;
pub mod trust;
pub mod upstream;
pub mod caller;
pub mod digits;
pub mod hub;
pub mod problem;
pub mod refusals;

/// Where events are posted, and which shapes each path takes.
const INGEST: [(&str, Shapes); 2] = [("/v1/batch", Shapes::Batch), ("/api/events", Shapes::Any)];

/// All routes, with the edge around them.
pub fn router(app: &Arc<App>) -> Router {
    routes(&Arc::new(Edge::new(Arc::clone(app))), app, Router::new())
}

fn routes(edge: &Arc<Edge>, app: &Arc<App>, pages: Router) -> Router {
    let (described, _) = described().split_for_parts();
    described
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(dashboard::files::elsewhere)
        .with_state(Arc::clone(app))
        .merge(pages)
        .layer(from_fn_with_state(Arc::clone(edge), edge::layer))
}

/// All routes with their description; that is made of the same calls, so there is no route without.
#[must_use]
pub fn described() -> OpenApiRouter<Arc<App>> {
    let routes = ingest::routes::router()
        .merge(reading())
        .merge(admin::router())
        .merge(login::http::router())
        .merge(settings::router())
        .merge(looking());
    openapi::describe(routes)
}

/// What is asked about a project, and what watches it.
fn reading() -> OpenApiRouter<Arc<App>> {
    query::router()
        .merge(live::http::router())
        .merge(observe::http::router())
        .merge(observe::saved::router())
        .merge(observe::promoted::router())
        .merge(observe::errors::http::router())
        .merge(observe::uptime::http::router())
        .merge(observe::alerts::http::router())
        .merge(jobs::http::router())
        .merge(dashboard::router())
}

/// What can be looked at without being anybody.
fn looking() -> OpenApiRouter<Arc<App>> {
    dashboard::files::router()
        .merge(sdk::router())
        .merge(health::router())
        .routes(routes!(openapi::openapi))
}

/// For listeners that no browser opens pages of.
async fn not_found(uri: axum::http::Uri) -> Problem {
    Problem::new(Code::NotFound, format!("there is nothing at {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: axum::http::Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not take {method}", uri.path()))
}
