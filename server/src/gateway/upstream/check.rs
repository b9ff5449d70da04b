//! The gateway's own question to an instance: are you well?

use std::sync::Arc;

use http::header::{CONNECTION, USER_AGENT};
use http::{HeaderValue, Request};
use tokio::time::{Instant, timeout};

use super::config::{HealthConfig, Protocol, Timeouts};
use super::endpoint::Endpoint;
use super::exchange::{self, address};
use super::outgoing::Outgoing;
use super::wait::Times;

/// Who asks.
const ASKER: HeaderValue = HeaderValue::from_static("trailmark-gateway");

/// Whether an instance answers with 2xx or 3xx in time: over a connection of its own, so that one that takes no more
/// connections is found; with HTTP/2 over the shared one.
pub(super) async fn is_well(endpoint: &Arc<Endpoint>, rules: &HealthConfig) -> bool {
    let asked = timeout(rules.timeout.0, ask(endpoint, rules)).await;
    asked.unwrap_or(false)
}

async fn ask(endpoint: &Arc<Endpoint>, rules: &HealthConfig) -> bool {
    let Ok(mut request) = Request::get(rules.path.as_str()).body(Outgoing::Whole(None)) else {
        return false;
    };
    request.headers_mut().insert(USER_AGENT, ASKER);
    address(&mut request, endpoint, false);
    let times = times(rules);
    let replied = match endpoint.protocol {
        Protocol::Http1 => {
            request
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            exchange::over_new_http1(endpoint, &mut request, &times).await
        }
        Protocol::H2 => exchange::replied(endpoint, &mut request, &times, Instant::now()).await,
    };
    replied.is_ok_and(|(response, _)| response.status().is_success() || response.status().is_redirection())
}

/// All within the check's own time.
fn times(rules: &HealthConfig) -> Times {
    let all = Timeouts {
        connect: Some(rules.timeout),
        response_headers: Some(rules.timeout),
        idle_body: Some(rules.timeout),
        total: None,
    };
    Times::new(&all, &Timeouts::default(), Instant::now())
}
