//! `GET /api/v1/server`: what a page of settings says of the servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::installation::Member;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::InstallationRefused;
use crate::observe::http::Server as Node;
use crate::query::QueryError;
use crate::query::params::Params;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(server))
}

/// What is known of the servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct ServerFacts {
    /// Which release answers.
    version: &'static str,
    /// Where people reach it, as configured (`[http] public_url`); `null`: it is not said.
    public_url: Option<String>,
    /// For how long what is kept.
    retention: RetentionFacts,
    /// Whether there is a mail server for alerts (`[smtp]`).
    mail: bool,
    /// Whether there is a gateway's file.
    gateway: bool,
    /// The servers of this database, those that told of themselves last first.
    nodes: Vec<Node>,
}

/// For how long what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ServerRetention)]
struct RetentionFacts {
    /// Events, in days; `null`: for ever.
    events_days: Option<u32>,
}

/// What is known of the servers. Takes any role.
#[utoipa::path(get, path = "/api/v1/server", operation_id = "server", tag = "settings",
    security(("session" = [])),
    responses((status = 200, description = "What is known.", body = ServerFacts), InstallationRefused),
)]
async fn server(
    _: Member,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<ServerFacts>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let (config, nodes) = (&app.config, app.store.nodes().await.map_err(QueryError::from)?);
    let public_url = config.http.public_url.trim_end_matches('/').to_owned();
    Ok(Json(ServerFacts {
        version: env!("CARGO_PKG_VERSION"),
        public_url: Some(public_url).filter(|url| !url.is_empty()),
        retention: RetentionFacts {
            events_days: Some(config.retention.events_days).filter(|days| *days > 0),
        },
        mail: !config.smtp.host.is_empty(),
        gateway: !config.gateway.file.as_os_str().is_empty(),
        nodes: nodes.into_iter().map(Node::from).collect(),
    }))
}
