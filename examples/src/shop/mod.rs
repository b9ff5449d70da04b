//! The services of a small shop behind the gateway of `examples/gateway`: what is left to write for a backend team once
//! logins, limits, logs and headers live in the gateway.
//!
//! 1. [`caller`]: who calls, as the gateway says.
//! 2. [`users`]: who may log in, and who somebody is.
//! 3. [`orders`]: what somebody has ordered, and what can be.
//! 4. [`notifications`]: what somebody is told.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

pub mod caller;
pub mod users;
pub mod orders;
pub mod notifications;

/// Which instance has answered.
pub const X_SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// [`users`]
    Users,
    /// [`orders`]
    Orders,
    /// [`notifications`]
    Notifications,
}

impl Service {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Orders => "orders",
            Self::Notifications => "notifications",
        }
    }

    /// Its routes, of an instance that calls itself `instance`.
    pub fn router(self, instance: &str) -> Router {
        let routes = match self {
            Self::Users => users::router(),
            Self::Orders => orders::router(),
            Self::Notifications => notifications::router(),
        };
        let health = json!({ "service": self.name(), "instance": instance, "status": "healthy" });
        let served_by = HeaderValue::try_from(instance).unwrap_or(HeaderValue::from_static("?"));
        routes
            .route("/health", get(async move || Json(health.clone())))
            .layer(map_response_with_state(served_by, signed))
    }
}

/// The answer, with the name of who gave it.
async fn signed(State(served_by): State<HeaderValue>, mut response: Response) -> Response {
    response.headers_mut().insert(X_SERVED_BY, served_by);
    response
}

/// A refusal in the shape that all three have.
fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
