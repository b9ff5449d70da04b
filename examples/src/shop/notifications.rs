//! `notifications`: what somebody is told. Who may tell everybody something is the gateway's to decide, by role.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::caller::Caller;

/// As many are kept.
const KEPT: usize = 100;

#[derive(Debug, Clone, Serialize)]
struct Notification {
    from: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    text: String,
}

type Notifications = Arc<Mutex<Vec<Notification>>>;

/// Its routes.
pub fn router() -> Router {
    Router::new()
        .route("/notifications", get(all).post(tell))
        .with_state(Notifications::default())
}

async fn all(State(known): State<Notifications>, _: Caller) -> Json<serde_json::Value> {
    let known = known.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({ "notifications": *known }))
}

async fn tell(
    State(known): State<Notifications>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> (StatusCode, Json<Notification>) {
    let new = Notification {
        from: caller.id,
        text: wanted.text,
    };
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() == KEPT {
        known.remove(0);
    }
    known.push(new.clone());
    (StatusCode::CREATED, Json(new))
}
