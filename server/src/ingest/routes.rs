//! `POST /v1/batch` and `POST /api/events`, as the router knows them. (The front takes a shorter way to the same code.)

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accept;
use super::decode::Shapes;
use super::wire::{Batch, Receipt, Sent};
use crate::app::App;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::EventsRefused;

/// The routes of events.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(batch)).routes(routes!(events))
}

/// Takes a batch of events.
///
/// The 202 comes when the accepted events are on the server's disk. One bad event costs only itself. The body may be
/// compressed: `Content-Encoding` gzip, zstd, br or deflate.
#[utoipa::path(post, path = "/v1/batch", operation_id = "send_batch", tag = "ingest",
    security(("write_key" = []), ("write_key_in_query" = []), ()),
    request_body = Batch,
    responses((status = 202, description = "What became of the events.", body = Receipt), EventsRefused),
)]
async fn batch(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let peer = request.extensions().get().copied();
    accept(&app, request, Shapes::Batch, peer).await
}

/// Takes a batch, an array of events, or one event.
///
/// Otherwise the same as `POST /v1/batch`.
#[utoipa::path(post, path = "/api/events", operation_id = "send_events", tag = "ingest",
    security(("write_key" = []), ("write_key_in_query" = []), ()),
    request_body = Sent,
    responses((status = 202, description = "What became of the events.", body = Receipt), EventsRefused),
)]
async fn events(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let peer = request.extensions().get().copied();
    accept(&app, request, Shapes::Any, peer).await
}
