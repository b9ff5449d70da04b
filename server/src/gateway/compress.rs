//! Answers made smaller for clients that take it: RFC 9110 §8.4 and §12.5.3.
//!
//! # Secrets
//! An answer that holds both a secret and what an attacker may choose gives the secret away by its compressed length
//! ([BREACH](https://www.breachattack.com)). Answers that set cookies, as a login's do, are where secrets are handed out, and
//! they stay as they are. A route whose pages repeat a secret, such as a CSRF token, beside its input should say
//! `compress = false`, or `Cache-Control: no-transform`.

use std::convert::Infallible;
use std::future::{Ready, ready};

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::body::Body as _;
use tower::Service;
use tower_http::compression::{Compression, Predicate};

use super::coding::{weight, wishes};

/// Smaller bodies fit one TCP segment of 1,460 bytes with their headers, coded or not: 1 KiB.
const SMALLEST: u64 = 1024;

/// What is offered, and of equals the first is taken. At the levels used, zstd's 3, brotli's 4, gzip's 6, zstd costs the
/// least time a byte and is about as small as brotli.
const OFFERED: [&str; 3] = ["zstd", "br", "gzip"];

/// What media types are compressed already, or must not be held back.
const AS_THEY_ARE: [&str; 16] = [
    "text/event-stream",
    "image/",
    "video/",
    "audio/",
    "font/woff",
    "application/grpc",
    "application/font-woff",
    "application/octet-stream",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "application/zstd",
    "application/vnd.apache.parquet",
    "application/pdf",
    "application/x-7z-compressed",
    "application/x-bzip2",
];

/// Images that are text.
const TEXT_AFTER_ALL: &str = "image/svg+xml";

/// `response` in the coding that `request_headers` like best, if it gains from one; streaming, and what it has sent so far
/// goes out whenever it makes its reader wait.
pub fn compress(request_headers: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    if !gains(&response) {
        return response;
    }
    vary(response.headers_mut());
    let Some(coding) = best(request_headers) else {
        return response;
    };
    weaken_etag(response.headers_mut());
    encode(coding, response)
}

fn gains(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let forbidden = [
        header::CONTENT_ENCODING,
        header::CONTENT_RANGE,
        header::SET_COOKIE,
        CONTENT_DIGEST,
        REPR_DIGEST,
    ];
    has_body(response.status())
        && response.body().size_hint().upper().is_none_or(|size| size >= SMALLEST)
        && is_text(headers)
        && !forbidden.iter().any(|name| headers.contains_key(name))
        && !is_not_to_be_transformed(headers)
}

/// Digests are of the coded bytes (RFC 9530 §2, §3), and would be wrong.
const CONTENT_DIGEST: http::HeaderName = http::HeaderName::from_static("content-digest");
const REPR_DIGEST: http::HeaderName = http::HeaderName::from_static("repr-digest");

fn has_body(status: StatusCode) -> bool {
    !status.is_informational()
        && !matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
        )
}

/// Whether the media type says that there is something to gain; without one nobody knows.
fn is_text(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| {
        let media_type = media_type.trim_start();
        starts_with(media_type, TEXT_AFTER_ALL) || !AS_THEY_ARE.iter().any(|prefix| starts_with(media_type, prefix))
    })
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// RFC 9111 §5.2.2.6.
fn is_not_to_be_transformed(headers: &HeaderMap) -> bool {
    names(headers, &header::CACHE_CONTROL).any(|directive| directive.eq_ignore_ascii_case("no-transform"))
}

fn names<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Also where this client gets the answer as it is: a cache must know that others may not.
fn vary(headers: &mut HeaderMap) {
    let varies = names(headers, &header::VARY).any(|name| name == "*" || name.eq_ignore_ascii_case("accept-encoding"));
    if !varies {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// A strong validator names exact bytes (RFC 9110 §8.8.1), and those are other ones now.
fn weaken_etag(headers: &mut HeaderMap) {
    let Some(etag) = headers.get_mut(header::ETAG) else {
        return;
    };
    if etag.as_bytes().starts_with(b"\"")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat())
    {
        *etag = weak;
    }
}

/// The coding that the client likes best, unless it likes none better.
fn best(request_headers: &HeaderMap) -> Option<&'static str> {
    let wishes = wishes(request_headers);
    let mut best = ("", weight("identity", &wishes).unwrap_or(0));
    for coding in OFFERED {
        let weight = weight(coding, &wishes).unwrap_or(0);
        if weight > best.1 || weight == best.1 && weight > 0 && best.0.is_empty() {
            best = (coding, weight);
        }
    }
    Some(best.0).filter(|coding| !coding.is_empty())
}

/// tower-http's coder takes its response from a service; this one has it ready.
fn encode(coding: &'static str, response: Response<Body>) -> Response<Body> {
    let mut wish = Request::new(());
    wish.headers_mut()
        .insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
    let always = |_: StatusCode, _: http::Version, _: &HeaderMap, _: &http::Extensions| true;
    let mut coder = Compression::new(Given(Some(response))).compress_when(predicate(always));
    let encoded = coder.call(wish).now_or_never();
    let Ok(encoded) = encoded.expect("the given response is ready, and the coder waits for nothing else");
    encoded.map(Body::new)
}

/// Has the compiler see a closure of any lifetime.
fn predicate<F>(predicate: F) -> F
where
    F: Fn(StatusCode, http::Version, &HeaderMap, &http::Extensions) -> bool + Clone,
    F: Predicate,
{
    predicate
}

/// A service that has its only response already.
struct Given(Option<Response<Body>>);

impl Service<Request<()>> for Given {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(self.0.take().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests;
