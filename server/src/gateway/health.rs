//! Is it alive, should it get traffic, and how is it doing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::refusals::AnyRefused;
use crate::app::App;

/// The routes of the server's own state.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
}

/// How the server fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether events are accepted.
    pub ready: bool,
    /// Whether it was asked to stop.
    pub stopping: bool,
    /// Whether the database answers.
    pub database: DatabaseState,
    /// Accepted events on their way into the database.
    pub journal: JournalState,
    /// How they get there.
    pub writer: WriterState,
}

/// Whether the database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseState {
    /// It does.
    Ok,
    /// It does not; events are accepted all the same.
    Failing,
}

/// Accepted events on their way into the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JournalState {
    /// Bytes that wait.
    pub backlog_bytes: u64,
    /// Batches that wait.
    pub backlog_records: u64,
    /// For how long the oldest has waited.
    pub oldest_pending_ms: Option<u64>,
    /// How long the last write to the disk took.
    pub last_commit_micros: u64,
    /// Why no more than the present file can be written.
    pub blocked: Option<String>,
    /// Why nothing can be written until a restart.
    pub poisoned: Option<String>,
}

/// How events get into the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WriterState {
    /// Events stored since the start.
    pub stored: u64,
    /// Events that were stored already.
    pub duplicates: u64,
    /// Events that the database refused.
    pub dead: u64,
    /// Batches that are not stored yet.
    pub lag_records: u64,
    /// The last error; it stays after it has passed.
    pub last_error: Option<String>,
}

/// The process answers.
#[utoipa::path(get, path = "/livez", operation_id = "livez", tag = "server",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"), AnyRefused))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Whether events can be accepted.
///
/// 200 while they can, 503 while stopping or when the journal takes nothing.
///
/// A database that is away leaves the server ready, because it goes on accepting; were every node to say no, a balancer
/// would turn an outage of queries into one of ingestion. `database` in the body tells.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "server", responses(
    (status = 200, description = "They can.", body = Readiness),
    (status = 503, description = "They cannot.", body = Readiness),
    AnyRefused,
))]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let journal = app.journal.stats();
    let writer = app.writer.status();
    let stopping = app.stopping.load(Ordering::Relaxed);
    let ready = !stopping && journal.poisoned.is_none();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = Readiness {
        ready,
        stopping,
        database: if writer.connected && app.keyring.database_answers() {
            DatabaseState::Ok
        } else {
            DatabaseState::Failing
        },
        journal: JournalState {
            backlog_bytes: journal.backlog_bytes,
            backlog_records: journal.backlog_records,
            oldest_pending_ms: journal.oldest_pending_age.map(|age| age.as_millis() as u64),
            last_commit_micros: journal.last_commit_micros,
            blocked: journal.blocked,
            poisoned: journal.poisoned,
        },
        writer: WriterState {
            stored: writer.stored,
            duplicates: writer.duplicates,
            dead: writer.dead,
            lag_records: writer.lag_records,
            last_error: writer.last_error.map(|error| error.text),
        },
    };
    (status, Json(body)).into_response()
}

/// Prometheus text.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "server",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain"), AnyRefused))]
pub async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    crate::telemetry::sample(&*app.journal, &app.live);
    app.writer.publish_gauges();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.metrics.render(),
    )
}
