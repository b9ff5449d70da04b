//! The routes of what is broken, and of what is watched.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::now::{self, Now, Problem as Broken};
use super::problem::Kind;
use crate::app::App;
use crate::gateway::access::Access;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::ReadRefused;
use crate::query::QueryError;
use crate::query::parameters::{LimitQuery, RangeQuery};
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::nodes::{Node, RefusedRow};
use crate::store::problems::ProblemFilter;
use crate::store::usage::UsageDay;

/// How far back a list goes where nothing is said: 30 days, in microseconds.
const MONTH_MICROS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// How far back the ingest is told of where nothing is said: a day.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(now))
        .merge(super::now_live::router())
        .routes(routes!(problems))
        .routes(routes!(ingest))
        .routes(routes!(usage))
}

/// What is broken now, and how the last hour went: the first screen in one answer.
#[utoipa::path(get, path = "/api/v1/now", operation_id = "now", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "The first screen.", body = Now), ReadRefused),
)]
async fn now(access: Access, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Now>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let read = now::read(&app.store, access.project_id(), app.clock.now()).await;
    Ok(Json(read.map_err(QueryError::Store)?))
}

/// Problems, those found last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Problems {
    /// The problems.
    problems: Vec<Broken>,
    /// What to ask the next page with; `null` at the end.
    next_cursor: Option<i64>,
}

/// What is broken, and what was.
#[utoipa::path(get, path = "/api/v1/problems", operation_id = "problems", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    params(
        ("open" = Option<bool>, Query, description = "Only those that last, or only those that are over."),
        ("kind" = inline(Option<Kind>), Query, description = "Only of this kind."),
        LimitQuery,
        ("cursor" = Option<i64>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of problems.", body = Problems), ReadRefused),
)]
async fn problems(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Problems>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["open", "kind", "limit", "cursor"])?;
    let limit = i64::from(params.limit()?);
    let filter = ProblemFilter {
        open: params.word("open", &["true", "false"])?.map(|word| word == "true"),
        kind: params.word("kind", &Kind::ALL.map(Kind::as_str))?.and_then(Kind::parse),
        before: params.cursor(|text| text.parse().ok())?,
        limit: limit + 1,
    };
    let rows = app
        .store
        .problems(access.project_id(), filter)
        .await
        .map_err(QueryError::Store)?;
    let mut problems: Vec<Broken> = rows.into_iter().map(Broken::from).collect();
    let more = problems.len() as i64 > limit;
    problems.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(Json(Problems {
        next_cursor: problems.last().filter(|_| more).map(|problem| problem.id),
        problems,
    }))
}

/// How the ingest fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Ingest {
    /// The servers of this database, as each tells of itself every ten seconds.
    servers: Vec<Server>,
    /// What was refused in the time range, most frequent first.
    refused: Vec<Refused>,
    /// Events that the database refused in the last day, and that were not replayed.
    dead_letters: i64,
    /// Notes that the background work has not taken up yet.
    waiting_notes: i64,
    /// Notes that it could not take up, and left alone: a bug.
    failed_notes: i64,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ServerNode)]
pub(crate) struct Server {
    /// Named by its journal.
    id: trailmark_protocol::Uuid,
    /// When it was started.
    started_at: At,
    /// When it last told of itself.
    seen_at: At,
    /// Which release it runs.
    version: String,
    /// Where it listens.
    listen: String,
    /// Batches in its journal that are not stored.
    backlog_records: i64,
    /// Their bytes.
    backlog_bytes: i64,
    /// For how long the oldest of them has waited, in milliseconds.
    oldest_ms: i64,
    /// Whether its journal has failed and takes nothing until a restart.
    poisoned: bool,
    /// Why its writer does not get on, if it does not.
    writer_error: Option<String>,
}

/// How many were refused for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefusedCount)]
struct Refused {
    /// `event`: one of a batch. `request`: a whole request.
    what: String,
    /// The reason of the event's verdict, or the code of the request's problem.
    reason: String,
    /// How many.
    count: i64,
}

impl From<Node> for Server {
    fn from(node: Node) -> Self {
        Self {
            id: node.id,
            started_at: At(node.started_at.0),
            seen_at: At(node.seen_at.0),
            version: node.version,
            listen: node.listen,
            backlog_records: node.backlog_records,
            backlog_bytes: node.backlog_bytes,
            oldest_ms: node.oldest_ms,
            poisoned: node.poisoned,
            writer_error: node.writer_error,
        }
    }
}

impl From<RefusedRow> for Refused {
    fn from(row: RefusedRow) -> Self {
        Self {
            what: row.what,
            reason: row.reason,
            count: row.refused,
        }
    }
}

/// How the ingest itself fares: servers and their queues, refusals, dead letters.
#[utoipa::path(get, path = "/api/v1/ingest", operation_id = "ingest", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    params(RangeQuery),
    responses((status = 200, description = "How it fares; refusals of the last day, if no other range is asked for.", body = Ingest), ReadRefused),
)]
async fn ingest(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Ingest>, Problem> {
    let range = Params::parse(&query.unwrap_or_default(), &["from", "to"])?.time_range()?;
    let (store, now, project) = (&app.store, app.clock.now(), access.project_id());
    let to = range.to.unwrap_or(now.plus_micros(1));
    let from = range.from.unwrap_or(to.plus_micros(-DAY_MICROS));
    let read = async {
        let (waiting_notes, failed_notes) = store.notes_left().await?;
        Ok(Ingest {
            servers: store.nodes().await?.into_iter().map(Server::from).collect(),
            refused: store
                .refused(project, from, to)
                .await?
                .into_iter()
                .map(Refused::from)
                .collect(),
            dead_letters: store.ingested(project, now).await?.dead,
            waiting_notes,
            failed_notes,
        })
    };
    Ok(Json(read.await.map_err(QueryError::Store)?))
}

/// What a project used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Usage {
    /// Days with events, oldest first.
    days: Vec<UsageDay>,
}

/// What the project used, day by day (UTC): events, persons, sessions. Counted again when late events have come.
#[utoipa::path(get, path = "/api/v1/usage", operation_id = "usage", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    params(RangeQuery),
    responses((status = 200, description = "Days; the last 30, if no other range is asked for.", body = Usage), ReadRefused),
)]
async fn usage(access: Access, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Usage>, Problem> {
    let range = Params::parse(&query.unwrap_or_default(), &["from", "to"])?.time_range()?;
    let to = range.to.unwrap_or(app.clock.now());
    let from = range.from.unwrap_or(to.plus_micros(-MONTH_MICROS));
    let read = app.store.usage(access.project_id(), from, to).await;
    Ok(Json(Usage {
        days: read.map_err(QueryError::Store)?,
    }))
}
