//! One HTTP/1.1 request over a connection, and its answer.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::Call;
use super::connect::{Stream, timed_out};
use super::error::{ErrorKind, OutboundError};

/// Who calls.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("Trailmark/", env!("CARGO_PKG_VERSION")));

/// The largest head of an answer: 64 KiB, as for the gateway's upstreams.
const HEAD_BYTES: usize = 64 * 1024;

/// An answer as it came.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) is_cut: bool,
}

/// Sends `call` over `stream`, which is closed then.
///
/// # Errors
/// There is no whole answer in time.
pub(super) async fn exchange(stream: Stream, call: Call, deadline: Instant) -> Result<Answered, OutboundError> {
    let (max_bytes, request) = (call.max_body_bytes, request(call)?);
    let greeted = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream));
    let (mut sender, driver) = greeted.await.map_err(|error| broken(&error))?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(driver));
    let answer = timeout_at(deadline, sender.send_request(request)).await;
    let answer = answer.map_err(|_| timed_out("no answer in time"))?;
    let (head, body) = answer.map_err(|error| broken(&error))?.into_parts();
    let (body, is_cut) = timeout_at(deadline, read(body, max_bytes))
        .await
        .map_err(|_| OutboundError::new(ErrorKind::TooSlowBody, "the body of the answer did not end in time"))??;
    Ok(Answered {
        status: head.status,
        headers: head.headers,
        body,
        is_cut,
    })
}

fn request(call: Call) -> Result<Request<Full<Bytes>>, OutboundError> {
    let unsendable = |_| OutboundError::new(ErrorKind::InvalidUrl, "cannot be sent");
    let host = HeaderValue::try_from(authority(&call.url))
        .map_err(|_| OutboundError::new(ErrorKind::InvalidUrl, "has a host that cannot be sent"))?;
    let mut headers = call.headers;
    // How long the body is, hyper says.
    for set_here in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
        headers.remove(set_here);
    }
    headers.insert(header::HOST, host);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let mut request = Request::builder()
        .method(call.method)
        .uri(target(&call.url))
        .body(Full::new(call.body))
        .map_err(unsendable)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Host and port, without one that goes without saying.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Path and query.
fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// The first `max_bytes` of a body, and whether there is more.
async fn read(mut body: Incoming, max_bytes: usize) -> Result<(Bytes, bool), OutboundError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else {
            continue;
        };
        let room = max_bytes - read.len();
        if data.len() > room {
            read.extend_from_slice(&data.slice(..room));
            return Ok((read.freeze(), true));
        }
        read.extend_from_slice(&data);
    }
    Ok((read.freeze(), false))
}

fn broken(error: &hyper::Error) -> OutboundError {
    let detail = if error.is_incomplete_message() {
        "the connection was closed before the answer was whole".to_owned()
    } else if error.is_parse() {
        "what came back is no HTTP/1.1".to_owned()
    } else {
        "the connection broke before the answer was whole".to_owned()
    };
    OutboundError::new(ErrorKind::Protocol, detail)
}
