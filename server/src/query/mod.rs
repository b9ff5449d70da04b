//! Reads.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The routes of the reads.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
