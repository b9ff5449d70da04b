//! `GET /openapi.json`: the API as OpenAPI 3.1, generated from the handlers.

use std::sync::Arc;

use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use http::{HeaderValue, header};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// What is not said by the handlers themselves.
#[derive(OpenApi)]
#[openapi(info(
    title = "Trailmark",
    license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
))]
struct Api;

/// The routes, with the description of the whole.
pub fn describe(routes: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Api::openapi()).merge(routes)
}

/// Serves the description, which is written once.
pub fn serve(openapi: &utoipa::openapi::OpenApi) -> MethodRouter<Arc<App>> {
    let text = Bytes::from(openapi.to_json().unwrap_or_default());
    get(move || async move {
        (
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            text,
        )
            .into_response()
    })
}
