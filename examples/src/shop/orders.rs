//! `orders`: what somebody has ordered, and what can be. It keeps nothing, so that any number of instances agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::caller::Caller;
use super::refused;

/// What the shop sells: name and price in cents.
const CATALOG: [(&str, u32); 3] = [("sencha", 890), ("gyokuro", 2_450), ("teapot", 3_900)];

#[derive(Debug, Serialize)]
struct Order {
    id: String,
    user: String,
    item: &'static str,
    cents: u32,
}

#[derive(Debug, Deserialize)]
struct Wish {
    item: String,
}

/// Its routes.
pub fn router() -> Router {
    Router::new()
        .route("/orders", get(all).post(place))
        .route("/orders/{id}", get(one))
        .route("/catalog", get(catalog))
        .with_state(Arc::new(AtomicU64::new(0)))
}

/// Everybody has ordered each thing once.
fn orders_of(caller: &Caller) -> impl Iterator<Item = Order> {
    let sold = (1..).zip(CATALOG);
    sold.map(|(number, (item, cents))| Order {
        id: format!("o_{number}"),
        user: caller.id.clone(),
        item,
        cents,
    })
}

async fn all(caller: Caller) -> Json<serde_json::Value> {
    Json(json!({ "orders": orders_of(&caller).collect::<Vec<_>>() }))
}

async fn one(Path(id): Path<String>, caller: Caller) -> Response {
    match orders_of(&caller).find(|order| order.id == id) {
        Some(order) => Json(order).into_response(),
        None => refused(StatusCode::NOT_FOUND, "There is no such order"),
    }
}

async fn place(caller: Caller, Json(wish): Json<Wish>) -> Response {
    match orders_of(&caller).find(|order| order.item == wish.item) {
        Some(order) => (StatusCode::CREATED, Json(order)).into_response(),
        None => refused(StatusCode::UNPROCESSABLE_ENTITY, "The shop does not sell that"),
    }
}

/// For everybody, and good for a minute: how often this instance has been asked tells whether a cache stands in between.
async fn catalog(State(asked): State<Arc<AtomicU64>>) -> Response {
    let asked = asked.fetch_add(1, Ordering::Relaxed) + 1;
    let items = CATALOG.map(|(item, cents)| json!({ "item": item, "cents": cents }));
    let headers = [(header::CACHE_CONTROL, "public, max-age=60")];
    (headers, Json(json!({ "asked": asked, "items": items }))).into_response()
}
