//! Requests by endpoint: what is added up, told over HTTP, found wrong, forgotten.

mod fold;
mod found;
mod http;
mod speed;

use serde_json::{Value, json};
use sqlx::types::Json;
use trailmark_protocol::{Timestamp, Uuid};
use trailmark_server::store::notes::Observed;
use trailmark_server::store::{PgTime, Store, endpoints};

/// A Sunday noon.
const NOON: &str = "2026-11-22T12:00:00Z";

fn noon() -> Timestamp {
    Timestamp::parse(NOON).unwrap()
}

fn minutes(n: i64) -> Timestamp {
    noon().plus_micros(n * 60_000_000)
}

/// A request `n` minutes after noon that was told at once.
fn request(n: i64, properties: Value) -> Observed {
    told(minutes(n), minutes(n), properties)
}

fn told(timestamp: Timestamp, received_at: Timestamp, properties: Value) -> Observed {
    Observed {
        id: Uuid::now_v7(),
        timestamp: PgTime(timestamp),
        received_at: PgTime(received_at),
        identity_id: 1,
        properties: Some(Json(properties)),
        context: None,
    }
}

fn get(path: &str, status: u16, ms: f64) -> Value {
    json!({"method": "GET", "path": path, "status": status, "duration_ms": ms})
}

async fn fold(store: &Store, project_id: i32, events: &[Observed]) {
    let mut transaction = store.pool().begin().await.unwrap();
    endpoints::fold(&mut transaction, project_id, events).await.unwrap();
    transaction.commit().await.unwrap();
}
