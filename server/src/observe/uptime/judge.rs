//! Whether an answer is well, and where a redirect leads, as pure functions.

use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;

use super::target::{Expectation, HttpTarget, JsonValue, read_status};
use crate::observe::outbound::{Call, OutboundError, Url, read_url};

/// Most redirects that are followed: 5. A browser follows 20, and nothing well has that many.
pub const REDIRECTS_MAX: usize = 5;

/// Longest part of an expectation that is told when it is not met, in characters.
const TOLD_CHARS: usize = 100;

/// Why a check failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For programs. Stable: those of a call ([`ErrorKind`](crate::observe::outbound::ErrorKind)), `status`, `body`,
    /// `redirect` and `too_many_redirects`.
    pub kind: &'static str,
    /// For people: `503 instead of 200-299`.
    pub text: String,
}

impl Failure {
    pub(super) fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

impl From<&OutboundError> for Failure {
    fn from(error: &OutboundError) -> Self {
        Self::new(error.kind.as_str(), error.to_string())
    }
}

/// Whether a status is well.
///
/// # Errors
/// It is not.
pub fn status(expected: &[String], status: StatusCode) -> Result<(), Failure> {
    let is_in =
        |text: &String| read_status(text).is_some_and(|(first, last)| (first..=last).contains(&status.as_u16()));
    if expected.iter().any(is_in) {
        return Ok(());
    }
    let text = format!("{} instead of {}", status.as_u16(), expected.join(", "));
    Err(Failure::new("status", text))
}

/// Whether a body is well, as far as that can be said without regular expressions.
///
/// # Errors
/// It is not.
pub fn body(target: &HttpTarget, body: &str) -> Result<(), Failure> {
    target
        .expected_body
        .iter()
        .try_for_each(|expectation| match expectation {
            Expectation::Contains(text) if !body.contains(text) => unmet("does not contain", text),
            Expectation::Lacks(text) if body.contains(text) => unmet("contains", text),
            Expectation::Json(expected) => json(expected, body),
            Expectation::Contains(_) | Expectation::Lacks(_) | Expectation::Matches(_) => Ok(()),
        })
}

/// The regular expressions that are to be found in the body.
pub fn patterns(target: &HttpTarget) -> impl Iterator<Item = &str> {
    target.expected_body.iter().filter_map(|expectation| match expectation {
        Expectation::Matches(pattern) => Some(pattern.as_str()),
        _ => None,
    })
}

/// That a regular expression was not found.
pub fn unmatched(pattern: &str) -> Failure {
    Failure::new("body", format!("the body does not match {}", told(pattern)))
}

fn unmet(what: &str, text: &str) -> Result<(), Failure> {
    Err(Failure::new("body", format!("the body {what} {}", told(text))))
}

/// The body itself is not told: it may hold what is not for everybody who sees the monitor.
fn json(expected: &JsonValue, body: &str) -> Result<(), Failure> {
    let Ok(found) = serde_json::from_str::<Value>(body) else {
        return Err(Failure::new("body", "the body is no JSON, or longer than 256 KiB"));
    };
    if found.pointer(&expected.pointer) == Some(&expected.equals) {
        return Ok(());
    }
    let place = match expected.pointer.as_str() {
        "" => "the body".to_owned(),
        pointer => format!("{} of the body", told(pointer)),
    };
    let text = format!("{place} is not {}", cut(&expected.equals.to_string()));
    Err(Failure::new("body", text))
}

fn told(text: &str) -> String {
    format!("{:?}", cut(text))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TOLD_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The call that follows a redirect; nothing if the answer is none.
///
/// What was sent stays what it is, but: after 303, and for a POST after 301 and 302, a GET (RFC 9110 §15.4); and another
/// origin gets neither headers, for they may be secrets, nor a body.
///
/// # Errors
/// It leads nowhere that can be called.
pub fn redirected(call: &Call, status: StatusCode, answered: &HeaderMap) -> Result<Option<Call>, Failure> {
    let Some(location) = answered.get(header::LOCATION) else {
        return Ok(None);
    };
    let becomes_get = match status {
        StatusCode::SEE_OTHER => call.method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => call.method == Method::POST,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => false,
        _ => return Ok(None),
    };
    let refused = |problem: &str| Failure::new("redirect", format!("it redirects to a URL that {problem}"));
    let joined = location.to_str().ok().and_then(|location| call.url.join(location).ok());
    let joined = joined.ok_or_else(|| refused("is none"))?;
    let url = read_url(joined.as_str()).map_err(|problem| refused(&problem))?;
    let is_elsewhere = !is_same_origin(&url, &call.url);
    let mut next = Call { url, ..call.clone() };
    if becomes_get {
        next.method = Method::GET;
        next.body = bytes::Bytes::new();
        next.headers.remove(header::CONTENT_TYPE);
    }
    if is_elsewhere {
        if !next.body.is_empty() {
            return Err(Failure::new(
                "redirect",
                "it redirects to another host, which is not sent the body",
            ));
        }
        next.headers.clear();
    }
    Ok(Some(next))
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    let origin = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        )
    };
    origin(one) == origin(other)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
