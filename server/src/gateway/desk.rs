//! The operator's listener: metrics, health, what the gateway knows of its routes and upstreams, and what can be asked of
//! it. On a port of its own and on loopback unless configured otherwise; it asks for no credentials, so whoever reaches it
//! may use it. A page in the operator's browser can reach loopback too: requests that a page has sent are refused.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header;
use serde::{Deserialize, Serialize};

use super::dispatch::Reloaded;
use super::dispatch::gateway::Last;
use super::health;
use super::hub::count::HubState;
use super::problem::{Code, Problem};
use super::upstream::UpstreamState;
use crate::app::App;

/// The routes of the operator's listener.
pub fn router(app: &Arc<App>) -> Router {
    let (server, _) = health::router().split_for_parts();
    server
        .route("/gateway", get(status))
        .route("/gateway/reload", post(reload))
        .route("/gateway/cache/purge", post(purge))
        .route("/gateway/hubs/{name}/publish", post(publish))
        .fallback(super::not_found)
        .layer(from_fn(answered))
        .with_state(Arc::clone(app))
}

/// What the gateway knows of itself.
#[derive(Debug, Serialize)]
struct Status {
    #[serde(flatten)]
    last: Last,
    routes: Vec<RouteShown>,
    upstreams: Vec<UpstreamState>,
    hubs: Vec<HubState>,
    cache_bytes: u64,
}

#[derive(Debug, Serialize)]
struct RouteShown {
    id: String,
    path: String,
    target: String,
    auth: Vec<String>,
}

async fn status(State(app): State<Arc<App>>) -> Json<Status> {
    let (snapshot, last) = (app.gateway.snapshot(), app.gateway.last().clone());
    let routes = snapshot.file.routes.iter().map(|route| RouteShown {
        id: route.id.clone(),
        path: route.path.clone().or_else(|| route.prefix.clone()).unwrap_or_default(),
        target: route.target(),
        auth: route.auth.clone().unwrap_or_default(),
    });
    Json(Status {
        last,
        routes: routes.collect(),
        upstreams: snapshot.upstreams.values().map(|upstream| upstream.state()).collect(),
        hubs: snapshot.hubs.values().map(|hub| hub.state()).collect(),
        cache_bytes: snapshot.cache.weight(),
    })
}

async fn reload(State(app): State<Arc<App>>) -> Result<Json<serde_json::Value>, Problem> {
    match app.gateway.reload() {
        Ok(reloaded) => Ok(Json(serde_json::json!({ "changed": reloaded == Reloaded::Taken }))),
        Err(bad) => Err(Problem::new(Code::InvalidBody, bad.to_string())),
    }
}

#[derive(Debug, Deserialize)]
struct Purge {
    scope: Option<String>,
}

async fn purge(State(app): State<Arc<App>>, Query(purge): Query<Purge>) -> http::StatusCode {
    let snapshot = app.gateway.snapshot();
    match purge.scope {
        Some(scope) => snapshot.cache.purge_scope(&scope).await,
        None => snapshot.cache.purge_all().await,
    }
    http::StatusCode::NO_CONTENT
}

async fn publish(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let hub = app.gateway.snapshot().hubs.get(&name).cloned();
    let hub = hub.ok_or_else(|| Problem::new(Code::NotFound, format!("there is no hub {name}")))?;
    hub.publish(request).await
}

/// Refuses pages, and gives refusals their body.
async fn answered(request: Request, next: Next) -> Response {
    let is_page = [
        header::ORIGIN,
        header::REFERER,
        header::HeaderName::from_static("sec-fetch-site"),
    ];
    let mut response = match is_page.iter().any(|name| request.headers().contains_key(name)) {
        true => Problem::new(Code::OriginRefused, "pages may not ask here").into_response(),
        false => next.run(request).await,
    };
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem.render("none"),
        None => response,
    }
}
