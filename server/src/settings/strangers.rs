//! `GET /api/v1/strangers`: who tried to send events and was refused before it was known whose they are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::access::Editor;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::ReadRefused;
use crate::gateway::strangers::Stranger;
use crate::query::params::Params;
use crate::query::time::At;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(strangers))
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Stranger)]
struct Shown {
    /// When it came.
    at: At,
    /// From where.
    client_ip: Option<String>,
    /// Its method.
    method: String,
    /// Its path.
    path: String,
    /// The status of its answer. A preflight of a page that may not send is answered with 204, and refused by what is not in it.
    status: u16,
    /// Why it was refused: the code of the problem; `origin_refused` of a preflight.
    code: &'static str,
    /// The end of its key, `…3c`; `null` without one.
    key_hint: Option<String>,
    /// The page that sent it.
    origin: Option<String>,
}

/// Requests that were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Strangers {
    /// The last 50, newest first.
    requests: Vec<Shown>,
}

impl From<Stranger> for Shown {
    fn from(stranger: Stranger) -> Self {
        Self {
            at: At(stranger.at),
            client_ip: stranger.client_ip.map(|ip| ip.to_string()),
            method: stranger.method,
            path: stranger.path,
            status: stranger.status,
            code: stranger.code.as_str(),
            key_hint: stranger.key_hint,
            origin: stranger.origin,
        }
    }
}

/// The last requests to where events are sent that were refused before a project was known, and preflights of pages that may
/// not send. Each server remembers its own, since its start.
#[utoipa::path(get, path = "/api/v1/strangers", operation_id = "strangers", tag = "settings",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "The last 50.", body = Strangers), ReadRefused),
)]
async fn strangers(
    _: Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Strangers>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let strangers = app.strangers.newest_first();
    Ok(Json(Strangers {
        requests: strangers.into_iter().map(Shown::from).collect(),
    }))
}
