//! Reading a message's body as a whole, with its content coding undone, and putting another in its place.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::BodyExt;

use super::Limits;
use crate::gateway::body::Metered;
use crate::gateway::problem::{Code, Problem};
use crate::ingest::decompress::{Coding, decompress_within};

/// Fields that are true of the bytes as they were (RFC 9530, RFC 3230, RFC 9110 §14.3).
const OF_THE_BYTES: [&str; 5] = [
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
    "accept-ranges",
];

/// Bodies longer than this, as sent, are decompressed off the network threads: 64 KiB takes about a millisecond.
const INLINE_BYTES: usize = 64 * 1024;

/// A body as it came.
///
/// # Errors
/// The [`Problem`] of a client's body: [`Code::BodyTooLarge`], [`Code::BodyTimeout`], [`Code::InvalidBody`],
/// [`Code::Overloaded`]. For a service's body see [`of_upstream`].
pub async fn read(body: Body, limits: &Limits<'_>) -> Result<Metered, Problem> {
    read_with_trailers(body, limits).await.map(|(body, _)| body)
}

/// A body as it came, and the fields that came after it.
///
/// # Errors
/// As [`read`].
pub async fn read_with_trailers(body: Body, limits: &Limits<'_>) -> Result<(Metered, HeaderMap), Problem> {
    let late = |_| Problem::new(Code::BodyTimeout, format!("no whole body within {:?}", limits.deadline));
    tokio::time::timeout(limits.deadline, collect(body, limits))
        .await
        .map_err(late)?
}

async fn collect(mut body: Body, limits: &Limits<'_>) -> Result<(Metered, HeaderMap), Problem> {
    let mut metered = Metered::new(limits.budget, limits.max_body);
    let mut trailers = HeaderMap::new();
    metered.announce(hyper::body::Body::size_hint(&body).lower())?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::new(Code::InvalidBody, format!("the body broke off: {error}")))?;
        match frame.into_data() {
            Ok(chunk) => metered.extend(&chunk)?,
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    Ok((metered, trailers))
}

/// The body with its `Content-Encoding` undone.
///
/// # Errors
/// [`Code::UnsupportedEncoding`], [`Code::InvalidEncoding`], and [`Code::BodyTooLarge`] where it grows over the limit.
pub async fn decode(headers: &HeaderMap, body: Metered, limits: &Limits<'_>) -> Result<Metered, Problem> {
    let coding = Coding::of(headers, body.as_slice())?;
    let max_body = limits.max_body;
    if coding == Coding::Identity || body.as_slice().len() <= INLINE_BYTES {
        return decompress_within(coding, body, max_body);
    }
    let task = tokio::task::spawn_blocking(move || decompress_within(coding, body, max_body));
    let failed = |_| Problem::new(Code::Internal, "decompression failed");
    task.await.map_err(failed)?
}

/// The type that the headers name, without its parameters, in lower case.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split(';').next().unwrap_or_default();
    Some(media.trim().to_ascii_lowercase())
}

/// Whether a type is JSON: RFC 8259 §11, RFC 6839 §3.1.
#[must_use]
pub fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json")
}

/// The JSON of a client's body, decoded; empty where there is none.
///
/// # Errors
/// [`Code::InvalidJson`] if it says that it is something else, and what [`read`] and [`decode`] refuse.
pub async fn json(headers: &HeaderMap, body: Body, limits: &Limits<'_>) -> Result<Metered, Problem> {
    let wire = read(body, limits).await?;
    if wire.as_slice().is_empty() {
        return Ok(wire);
    }
    if !media_type(headers).is_some_and(|media| is_json(&media)) {
        return Err(Problem::new(
            Code::InvalidJson,
            "the Content-Type is not application/json",
        ));
    }
    decode(headers, wire, limits).await
}

/// The refusal of a service's body, which is no fault of the client.
#[must_use]
pub fn of_upstream(problem: Problem) -> Problem {
    match problem.code() {
        Code::BodyTimeout => Problem::new(Code::GatewayTimeout, "the answer did not arrive as a whole in time"),
        Code::Overloaded => problem,
        _ => Problem::new(
            Code::BadGateway,
            format!("the answer cannot be changed: {}", problem.detail()),
        ),
    }
}

/// Corrects `headers` for a body that is now `length` bytes long and as it is.
pub fn corrected(headers: &mut HeaderMap, length: usize) {
    as_changed(headers);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

/// Takes away what was true of the bytes as they were, also where there are no bytes: in the answer to a HEAD.
pub fn as_changed(headers: &mut HeaderMap) {
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::TRAILER,
    ] {
        headers.remove(name);
    }
    for name in OF_THE_BYTES {
        headers.remove(HeaderName::from_static(name));
    }
    weaken(headers);
}

/// A strong `ETag` promises bytes (RFC 9110 §8.8.1); a weak one still names the service's version, so that a client's
/// `If-None-Match` goes on working (§13.1.2).
pub fn weaken(headers: &mut HeaderMap) {
    if let Some(tag) = headers
        .get_mut(header::ETAG)
        .filter(|tag| !tag.as_bytes().starts_with(b"W/"))
    {
        let weak = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat());
        *tag = weak.unwrap_or_else(|_| tag.clone());
    }
}
