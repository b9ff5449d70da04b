//! `GET /api/v1/gateway`: what the gateway's file says, and how the services behind it fare. To be looked at; the file is the
//! only place where it is changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::file::RouteConfig;
use crate::gateway::installation::Manager;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::InstallationRefused;
use crate::gateway::upstream::UpstreamState;
use crate::query::params::Params;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(gateway))
}

/// What the gateway's file says, and how it goes. Both are empty without a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GatewayView)]
struct View {
    /// The routes, in the order of the file.
    routes: Vec<RouteView>,
    /// The services behind.
    upstreams: Vec<UpstreamView>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GatewayRoute)]
struct RouteView {
    /// Its id in the file.
    name: String,
    /// The host that it is for; `null`: any.
    host: Option<String>,
    /// The path, or the beginning of one with `*`.
    path: String,
    /// The methods; none: any.
    methods: Vec<String>,
    /// How callers may prove who they are; none: it lets everybody in.
    auth: Vec<String>,
    /// Roles, one of which a caller needs.
    any_role: Vec<String>,
    /// Its limits, by name.
    limits: Vec<String>,
    /// Where requests go: `service query`, `upstream shop`, `hub chat`, `grpc Method of shop`.
    target: String,
}

/// A service behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GatewayUpstream)]
struct UpstreamView {
    /// Its name in the file.
    name: String,
    /// How requests find their instance.
    balance: String,
    /// Its instances, as this server sees them.
    instances: Vec<InstanceView>,
}

/// An instance of a service behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GatewayInstance)]
struct InstanceView {
    /// Where it is.
    url: String,
    /// The address that its host resolved to.
    address: String,
    /// Whether its health checks pass, or there are none.
    healthy: bool,
    /// Whether it is left out for failures in a row.
    ejected: bool,
    /// `closed`, `half_open` or `open`.
    breaker: &'static str,
    /// Requests and tunnels under way.
    in_flight: usize,
    /// Answers and failures since it was first known.
    answered: u64,
    /// Those of them that were failures.
    failed: u64,
}

impl From<&RouteConfig> for RouteView {
    fn from(route: &RouteConfig) -> Self {
        let beginning = route
            .prefix
            .as_ref()
            .map(|prefix| format!("{}/*", prefix.trim_end_matches('/')));
        Self {
            name: route.id.clone(),
            host: route.host.clone(),
            path: route.path.clone().or(beginning).unwrap_or_default(),
            methods: route.methods.clone(),
            auth: route.auth.clone().unwrap_or_default(),
            any_role: route.any_role.clone(),
            limits: route.limits.clone(),
            target: route.target(),
        }
    }
}

impl From<UpstreamState> for UpstreamView {
    fn from(state: UpstreamState) -> Self {
        let instances = state.endpoints.into_iter().map(|endpoint| InstanceView {
            url: endpoint.url,
            address: endpoint.address.to_string(),
            healthy: endpoint.healthy,
            ejected: endpoint.ejected_for_ms > 0,
            breaker: endpoint.breaker,
            in_flight: endpoint.in_flight,
            answered: endpoint.answered,
            failed: endpoint.failed,
        });
        Self {
            name: state.name,
            balance: state.balance,
            instances: instances.collect(),
        }
    }
}

/// What the gateway's file says, and how the services behind it fare. Takes the role admin.
#[utoipa::path(get, path = "/api/v1/gateway", operation_id = "gateway", tag = "settings",
    security(("session" = [])),
    responses((status = 200, description = "Routes and services.", body = View), InstallationRefused),
)]
async fn gateway(_: Manager, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<View>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let snapshot = app.gateway.snapshot();
    let upstreams = snapshot.upstreams.values().map(|upstream| upstream.state());
    Ok(Json(View {
        routes: snapshot.file.routes.iter().map(RouteView::from).collect(),
        upstreams: upstreams.map(UpstreamView::from).collect(),
    }))
}
