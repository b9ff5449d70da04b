//! Is it alive, should it get traffic, and how is it doing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

use crate::app::App;

/// `GET /livez`: the process answers.
pub async fn livez() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 while events can be accepted, 503 while stopping or when the journal takes nothing.
///
/// A database that is away leaves the server ready, because it goes on accepting; were every node to say no, a balancer
/// would turn an outage of queries into one of ingestion. `database` in the body tells.
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
    let body = json!({
        "ready": ready,
        "stopping": stopping,
        "database": if writer.connected && app.keyring.database_answers() { "ok" } else { "failing" },
        "journal": {
            "backlog_bytes": journal.backlog_bytes,
            "backlog_records": journal.backlog_records,
            "oldest_pending_ms": journal.oldest_pending_age.map(|age| age.as_millis() as u64),
            "last_commit_micros": journal.last_commit_micros,
            "blocked": journal.blocked,
            "poisoned": journal.poisoned,
        },
        "writer": {
            "stored": writer.stored,
            "duplicates": writer.duplicates,
            "dead": writer.dead,
            "lag_records": writer.lag_records,
            "last_error": writer.last_error.map(|error| error.text),
        },
    });
    (status, Json(body)).into_response()
}

/// `GET /metrics`: Prometheus text.
pub async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    crate::observe::sample(&*app.journal);
    app.writer.publish_gauges();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.metrics.render(),
    )
}
