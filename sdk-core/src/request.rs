//! What a driver carries to the server and what it brings back.

use std::sync::Arc;

use trailmark_protocol::json::write_u64;
use trailmark_protocol::{Timestamp, Uuid, headers, id};

/// Where batches go, below the server's address.
pub const BATCH_PATH: &str = "/v1/batch";

/// One attempt of one request: `POST` these bytes to the server's address and [`PATH`](BATCH_PATH).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names the request; the same on every attempt. Hand it back to [`Engine::done`](crate::Engine::done).
    pub id: Uuid,
    /// The path below the server's address.
    pub path: &'static str,
    /// The headers, the `Authorization` and `Content-Type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON. A driver may compress it; it is the same on every attempt.
    pub body: Arc<str>,
}

/// The headers of one attempt. What changes between attempts is here, never in the body.
pub(crate) fn headers(
    write_key: &str,
    sdk_name: &str,
    id: Uuid,
    attempt: u32,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".to_owned()),
        (headers::AUTHORIZATION, "Bearer ".to_owned() + write_key),
        (headers::SDK, sdk_name.to_owned()),
        (headers::REQUEST_ID, id::text(id)),
        (headers::ATTEMPT, text(|out| write_u64(out, attempt.into()))),
        (headers::SENT_AT, text(|out| now.write(out))),
    ]
}

fn text(write: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    write(&mut out);
    out
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server, or somebody on the way, answered.
    Answered(Answer),
    /// No answer: no network, no such host, connection refused or reset. The text is for people.
    Unreachable(String),
    /// No answer in time.
    TimedOut,
}

/// An HTTP answer, as far as the engine needs it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after: Option<String>,
    /// The `Date` header: what the server's clock says, so that a wrong clock here does not matter.
    pub date: Option<String>,
    /// The body, perhaps cut off: a receipt is short.
    pub body: String,
}
