//! Who calls, as the gateway says. A service verifies nothing again: nobody else can reach it, and the gateway has taken
//! away what clients send under these names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::refused;

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// `X-User-Id`.
    pub id: String,
    /// `X-User-Role`: the roles, with commas between them.
    pub role: String,
    /// `X-Request-Id`, to be written into every log line.
    pub request_id: String,
    /// `X-Forwarded-For`: where the request comes from.
    pub address: String,
}

impl Caller {
    /// Whether it has this role.
    #[must_use]
    pub fn is(&self, role: &str) -> bool {
        self.role.split(',').any(|known| known == role)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let id = text(&parts.headers, "x-user-id");
        if id.is_empty() {
            return Err(refused(StatusCode::UNAUTHORIZED, "Missing user context"));
        }
        Ok(Self {
            id,
            role: text(&parts.headers, "x-user-role"),
            request_id: text(&parts.headers, "x-request-id"),
            address: text(&parts.headers, "x-forwarded-for"),
        })
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
