//! Which monitors there can be, as pure functions.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, header};

use super::schedule::INTERVAL_S;
use super::target::{Expectation, HttpTarget, Target, TcpTarget, Verb, read_status};
use crate::observe::outbound::{Guard, normal_host, read_url};
use crate::query::error::QueryError;
use crate::query::params::storable;

/// Longest name of a monitor, in characters.
pub const NAME_CHARS: usize = 200;

/// How long a check may take: 1 s to 30 s, and no longer than its interval.
pub const TIMEOUT_MS: std::ops::RangeInclusive<i32> = 1_000..=30_000;

/// Most headers, and the longest value of one in bytes: as much as most servers take in all.
const HEADERS_MAX: usize = 20;
const HEADER_BYTES: usize = 4_096;

/// Longest body that is sent, in bytes: 16 KiB, a login or a GraphQL query several times over.
const BODY_BYTES: usize = 16_384;

/// Most statuses that are well, most things that a body is looked through for, and the longest of these in characters.
const STATUSES_MAX: usize = 20;
const EXPECTATIONS_MAX: usize = 10;
const EXPECTED_CHARS: usize = 1_000;

/// Longest name of a host, in bytes (RFC 1035 §2.3.4: 255 with its lengths).
const HOST_BYTES: usize = 253;

/// What is said by the connection itself.
const SAID_BY_OTHERS: [HeaderName; 8] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
];

/// Whether a monitor can be called so.
pub(super) fn name(name: &str) -> Result<(), QueryError> {
    storable("name", name, NAME_CHARS).map(|_| ())
}

/// Whether a monitor can be checked so often, for so long.
pub(super) fn times(interval_s: i32, timeout_ms: i32) -> Result<(), QueryError> {
    let refused = |name, problem: &str| Err(QueryError::parameter(name, problem));
    if !INTERVAL_S.contains(&interval_s) {
        return refused("interval_s", "is no number of seconds from 10 to 3600");
    }
    if !TIMEOUT_MS.contains(&timeout_ms) {
        return refused("timeout_ms", "is no number of milliseconds from 1000 to 30000");
    }
    if timeout_ms > interval_s * 1_000 {
        return refused("timeout_ms", "is longer than the interval");
    }
    Ok(())
}

/// The one that is given, as it is kept: with its URL or host in the usual spelling.
pub(super) fn target(
    http: Option<HttpTarget>,
    tcp: Option<TcpTarget>,
    guard: &Guard,
) -> Result<Option<Target>, QueryError> {
    match (http, tcp) {
        (None, None) => Ok(None),
        (Some(http), None) => self::http(http, guard).map(|http| Some(Target::Http(http))),
        (None, Some(tcp)) => self::tcp(&tcp, guard).map(|tcp| Some(Target::Tcp(tcp))),
        (Some(_), Some(_)) => Err(QueryError::parameter(
            "tcp",
            "is given beside `http`: a monitor asks one thing",
        )),
    }
}

fn http(http: HttpTarget, guard: &Guard) -> Result<HttpTarget, QueryError> {
    let at_url = |problem: String| QueryError::parameter("http.url", problem);
    let url = read_url(&http.url).map_err(at_url)?;
    let host = url.host_str().unwrap_or_default();
    let permitted = guard.check_literal(host);
    permitted.map_err(|refused| at_url(format!("cannot be called: {refused}")))?;
    body(&http)?;
    expected_status(&http.expected_status)?;
    if http.expected_body.len() > EXPECTATIONS_MAX {
        return Err(QueryError::parameter("http.expected_body", "has more than 10 parts"));
    }
    for (index, expectation) in http.expected_body.iter().enumerate() {
        expected(&format!("http.expected_body[{index}]"), expectation)?;
    }
    Ok(HttpTarget {
        url: url.into(),
        headers: headers(http.headers)?,
        ..http
    })
}

fn tcp(tcp: &TcpTarget, guard: &Guard) -> Result<TcpTarget, QueryError> {
    let at_host = |problem: String| QueryError::parameter("tcp.host", problem);
    if tcp.port == 0 {
        return Err(QueryError::parameter("tcp.port", "is no port"));
    }
    if tcp.host.len() > HOST_BYTES {
        return Err(at_host("is longer than 253 bytes".to_owned()));
    }
    let host = normal_host(&tcp.host).map_err(|_| at_host("is no name of a host and no address".to_owned()))?;
    let permitted = guard.check_literal(&host);
    permitted.map_err(|refused| at_host(format!("cannot be called: {refused}")))?;
    Ok(TcpTarget { host, port: tcp.port })
}

/// Headers by their names in lower case.
fn headers(given: BTreeMap<String, Option<String>>) -> Result<BTreeMap<String, Option<String>>, QueryError> {
    if given.len() > HEADERS_MAX {
        return Err(QueryError::parameter("http.headers", "has more than 20 fields"));
    }
    let mut kept = BTreeMap::new();
    for (name, value) in given {
        let path = format!("http.headers.{name}");
        let refused = |problem: &str| QueryError::parameter(&path, problem);
        let known: HeaderName = name.parse().map_err(|_| refused("is no name of a header"))?;
        if SAID_BY_OTHERS.contains(&known) || known.as_str().starts_with("proxy-") {
            return Err(refused("is set by the connection"));
        }
        if let Some(value) = &value {
            HeaderValue::from_str(value).map_err(|_| refused("is no value of a header"))?;
            if value.len() > HEADER_BYTES {
                return Err(refused("is longer than 4096 bytes"));
            }
        }
        if kept.insert(known.as_str().to_owned(), value).is_some() {
            return Err(refused("is given twice"));
        }
    }
    Ok(kept)
}

/// Refuses a header without a value that is new, and so has none to keep.
pub(super) fn whole(target: &Target) -> Result<(), QueryError> {
    let Target::Http(http) = target else { return Ok(()) };
    match http.headers.iter().find(|(_, value)| value.is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(QueryError::parameter(&format!("http.headers.{name}"), "has no value")),
    }
}

fn body(http: &HttpTarget) -> Result<(), QueryError> {
    let Some(body) = &http.body else { return Ok(()) };
    let refused = |problem: &str| Err(QueryError::parameter("http.body", problem));
    match http.method {
        Verb::Get | Verb::Head => refused("is not sent with GET or HEAD"),
        _ if body.len() > BODY_BYTES => refused("is longer than 16384 bytes"),
        _ if body.contains('\0') => refused("holds a NUL character"),
        _ => Ok(()),
    }
}

fn expected_status(statuses: &[String]) -> Result<(), QueryError> {
    if statuses.is_empty() || statuses.len() > STATUSES_MAX {
        return Err(QueryError::parameter("http.expected_status", "has not 1 to 20 parts"));
    }
    for (index, status) in statuses.iter().enumerate() {
        if read_status(status).is_none() {
            let path = format!("http.expected_status[{index}]");
            return Err(QueryError::parameter(
                &path,
                "is no status such as 200, and no range such as 200-299",
            ));
        }
    }
    Ok(())
}

fn expected(path: &str, expectation: &Expectation) -> Result<(), QueryError> {
    let (path, text) = match expectation {
        Expectation::Contains(text) => (format!("{path}.contains"), text.clone()),
        Expectation::Lacks(text) => (format!("{path}.lacks"), text.clone()),
        Expectation::Matches(pattern) => (format!("{path}.matches"), pattern.clone()),
        Expectation::Json(json) => {
            let path = format!("{path}.json");
            if !json.pointer.is_empty() {
                let path = format!("{path}.pointer");
                storable(&path, &json.pointer, EXPECTED_CHARS)?;
                if !json.pointer.starts_with('/') {
                    return Err(QueryError::parameter(&path, "does not begin with /"));
                }
            }
            (format!("{path}.equals"), json.equals.to_string())
        }
    };
    // Postgres' JSON can hold no NUL either.
    let text = text.replace("\\u0000", "\0");
    storable(&path, &text, EXPECTED_CHARS).map(|_| ())
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
