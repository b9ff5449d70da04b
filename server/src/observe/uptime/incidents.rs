//! The route of incidents.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::EndedBy;
use crate::app::App;
use crate::gateway::access::{Access, PROJECT};
use crate::gateway::problem::Problem;
use crate::gateway::refusals::ReadRefused;
use crate::query::error::QueryError;
use crate::query::parameters::{LimitQuery, RangeQuery};
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::{IncidentPage, IncidentRow};

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_incidents))
}

/// A time in which a monitor was down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incident {
    /// Its number.
    pub id: i64,
    /// The monitor.
    pub monitor_id: i64,
    /// The monitor's name.
    pub monitor: String,
    /// When the first failed check began.
    pub started_at: At,
    /// When the first check began that did not fail, or the monitor was paused or changed; null while it lasts.
    pub ended_at: Option<At>,
    /// What ended it; null while it lasts.
    #[schema(value_type = Option<EndedBy>)]
    pub ended_by: Option<String>,
    /// Why the check failed that made it an incident, for programs, as in `last_check` of the monitor.
    pub cause_kind: String,
    /// The same for people.
    pub cause: String,
    /// How many checks failed in it.
    pub failed_checks: i32,
}

impl From<IncidentRow> for Incident {
    fn from(row: IncidentRow) -> Self {
        Self {
            id: row.id,
            monitor_id: row.monitor_id,
            monitor: row.name,
            started_at: At(row.started_at.0),
            ended_at: row.ended_at.map(|at| At(at.0)),
            ended_by: row.ended_by,
            cause_kind: row.cause_kind,
            cause: row.cause,
            failed_checks: row.failed_checks,
        }
    }
}

/// A page of incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incidents {
    /// The incidents, newest first.
    pub incidents: Vec<Incident>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<i64>,
}

/// When monitors were down, newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", operation_id = "incidents", tag = "monitors",
    params(
        ("monitor" = Option<i64>, Query, description = "Only those of this monitor."),
        ("open" = Option<bool>, Query, description = "Only those that last."),
        RangeQuery,
        LimitQuery,
        ("cursor" = Option<i64>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of incidents; with `from` and `to`, those that lasted at any time between.", body = Incidents), ReadRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn list_incidents(
    caller: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Incidents>, Problem> {
    let known = [PROJECT, "monitor", "open", "from", "to", "limit", "cursor"];
    let params = Params::parse(&query.unwrap_or_default(), &known)?;
    let monitor = params.text("monitor", 20)?.map(|text| {
        let number = text.parse().ok();
        number.ok_or_else(|| QueryError::parameter("monitor", "is no number of a monitor"))
    });
    let limit = params.limit()?;
    let page = IncidentPage {
        monitor_id: monitor.transpose()?,
        open: params.flag("open")?,
        range: params.time_range()?,
        before: params.cursor(|text| text.parse().ok())?,
        limit: i64::from(limit) + 1,
    };
    let rows = app.store.incidents(caller.project_id(), &page).await;
    let mut incidents: Vec<Incident> = rows
        .map_err(QueryError::Store)?
        .into_iter()
        .map(Incident::from)
        .collect();
    let has_more = incidents.len() > limit as usize;
    incidents.truncate(limit as usize);
    Ok(Json(Incidents {
        next_cursor: incidents.last().filter(|_| has_more).map(|last| last.id),
        incidents,
    }))
}
