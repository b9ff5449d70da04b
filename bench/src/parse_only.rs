//! The reference for accepting: the server's own accept loop, decoding and validation, and nothing else. What the real
//! endpoint does more is keys, limits, metrics, and making events durable.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use trailmark_protocol::Receipt;
use trailmark_server::Config;
use trailmark_server::gateway::accept;
use trailmark_server::gateway::problem::Problem;
use trailmark_server::ingest::decode::{self, Shapes};
use trailmark_server::ingest::validate::validate;

use crate::Outcome;

/// Serves until the process is told to end.
///
/// # Errors
/// The address is taken.
pub fn serve(listen: SocketAddr) -> Outcome<()> {
    let config = Config::load(None, [], [])?;
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/v1/batch", post(discard))
        .layer(DefaultBodyLimit::max(trailmark_protocol::limits::BODY_BYTES));
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        accept::serve(listener, None, router, &config.http, CancellationToken::new()).await;
        Ok(())
    })
}

async fn discard(body: Bytes) -> Result<Response, Problem> {
    let incoming = decode::decode(&body, Shapes::Batch)?;
    let accepted = incoming.events.iter().filter(|raw| validate(raw).is_ok()).count();
    let receipt = Receipt {
        accepted,
        ..Receipt::default()
    };
    Ok((StatusCode::ACCEPTED, receipt.to_json()).into_response())
}
