//! What happens to every request, whatever it asks for: an id, the client's address, its limit, a metric, and the body
//! of a refusal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::client_ip::client_ip;
use super::problem::Problem;
use crate::app::App;

/// The header that carries the request's id, both ways.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id taken from a client, in characters.
const REQUEST_ID_CHARS: usize = 64;

/// The address at the other end of the connection; the accept loop puts it into every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The layer around all routes.
pub async fn edge(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(request.headers());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        count_refusal(&problem, &request_id);
        response = problem.render(&request_id);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    app.requests.finished(route, response.status(), started.elapsed());
    response
}

fn admit(app: &App, request: &Request) -> Result<(), Problem> {
    let Some(Peer(peer)) = request.extensions().get().copied() else {
        return Ok(());
    };
    app.limits
        .check_ip(client_ip(peer, request.headers(), &app.config.http.trusted_proxies))
}

/// The client's id for the request if it is harmless in a log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |id: &&str| {
        (1..=REQUEST_ID_CHARS).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(harmless);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn count_refusal(problem: &Problem, request_id: &str) {
    metrics::counter!("trailmark_http_refused_total", "code" => problem.code().as_str()).increment(1);
    if problem.code().status().is_server_error() {
        tracing::warn!(
            request_id,
            code = problem.code().as_str(),
            detail = problem.detail(),
            "request refused"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_request_id_is_kept_and_any_other_replaced() {
        let id =
            |value: &'static str| request_id(&HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(value))]));
        assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
        for bad in ["", "a b", "a\"b", "<script>"] {
            assert_ne!(id(bad), bad);
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }
}
