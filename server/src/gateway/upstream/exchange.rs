//! One attempt: a request, an address, an answer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Incoming as Received};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::config::Protocol;
use super::connect;
use super::connection::Http1;
use super::endpoint::{Endpoint, Lease};
use super::failure::Trouble;
use super::incoming::Incoming;
use super::meters::Meters;
use super::outgoing::Outgoing;
use super::shared::Sender;
use super::wait::{Blame, Fell, Times, Wait};
use crate::gateway::headers::strip::hop_by_hop;

/// An answer's head, and the connection that its body will come over.
pub(super) type Replied = (Response<Received>, Option<Http1>);

/// Carries out one attempt, judges the address by it, and gives the answer as the client may have it.
///
/// Requests are lent on the way to their connection: handed on, one would be in the state of each function that waits for
/// another, 264 bytes each time, and all of that is moved when the request's turn begins.
///
/// # Errors
/// Why there is none.
pub(super) async fn run(
    mut lease: Lease,
    request: &mut Request<Outgoing>,
    preserve_host: bool,
    times: &Times,
    meters: &Meters,
) -> Result<Response<Body>, Fell> {
    let started = Instant::now();
    let progress = request.body().progress();
    address(request, lease.endpoint(), preserve_host);
    let (response, connection) = replied(lease.endpoint(), request, times, started)
        .await
        .and_then(asked_for)
        .inspect_err(|fell| judge(fell, &mut lease))?;
    meters.duration.record(started.elapsed());
    lease.answered(response.status());
    let (mut head, body) = response.into_parts();
    hop_by_hop(&mut head.headers);
    // The upstream's version says nothing to the client: with 1.0 hyper would speak 1.0 to it.
    head.version = Version::HTTP_11;
    match Incoming::new(body, connection, lease, progress, *times).begin() {
        Ok(body) => Ok(Response::from_parts(head, body)),
        Err(broken) => {
            tracing::debug!(%broken, "an answer broke off in its first bytes");
            Err(Fell::new(Trouble::Reset))
        }
    }
}

/// A 101 would hand the connection over to a protocol that nobody asked for.
fn asked_for(replied: Replied) -> Result<Replied, Fell> {
    match replied.0.status() {
        StatusCode::SWITCHING_PROTOCOLS => Err(Fell::new(Trouble::Garbage)),
        _ => Ok(replied),
    }
}

/// What an attempt without an answer says of the address: nothing, if it was the client's fault, or if an idle connection
/// was closed in the moment it was used.
pub(super) fn judge(fell: &Fell, lease: &mut Lease) {
    match fell.blame {
        Blame::Client(_) => {}
        Blame::Upstream(Trouble::Reset) if fell.was_reused => {}
        Blame::Upstream(_) => lease.failed(),
    }
}

/// Makes the request the endpoint's own.
pub(super) fn address(request: &mut Request<Outgoing>, endpoint: &Endpoint, preserve_host: bool) {
    match endpoint.protocol {
        Protocol::Http1 => address_http1(request, endpoint, preserve_host),
        Protocol::H2 => address_h2(request, endpoint, preserve_host),
    }
}

/// The same for HTTP/1.1, whatever the endpoint's protocol.
pub(super) fn address_http1(request: &mut Request<Outgoing>, endpoint: &Endpoint, preserve_host: bool) {
    *request.version_mut() = Version::HTTP_11;
    let is_open_ended = !request.body().is_end_stream() && request.body().size_hint().exact().is_none();
    let headers = request.headers_mut();
    // The expectation is met on this side: hyper sends its 100 to the client when the body is first asked for.
    headers.remove(EXPECT);
    if !preserve_host || !headers.contains_key(HOST) {
        headers.insert(HOST, endpoint.origin.host_header.clone());
    }
    // Hop-by-hop, and the upstream sends trailers only to those who ask (RFC 9110 §10.1.4).
    if headers.contains_key(TE) {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    // hyper would leave the body of a GET away.
    if is_open_ended && !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

fn address_h2(request: &mut Request<Outgoing>, endpoint: &Endpoint, preserve_host: bool) {
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(EXPECT);
    let host = request.headers_mut().remove(HOST).filter(|_| preserve_host);
    let kept = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(endpoint.origin.scheme.clone());
    parts.path_and_query = Some(path(request.uri()));
    // A request that comes back unsent has its authority already.
    let earlier = request.uri().authority().filter(|_| preserve_host).cloned();
    parts.authority = kept.or(earlier).or_else(|| Some(endpoint.origin.authority.clone()));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

fn path(uri: &Uri) -> PathAndQuery {
    uri.path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"))
}

/// Sends a request over a connection that there is or is made.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn replied(
    endpoint: &Arc<Endpoint>,
    request: &mut Request<Outgoing>,
    times: &Times,
    now: Instant,
) -> Result<Replied, Fell> {
    match endpoint.protocol {
        Protocol::Http1 => over_http1(endpoint, request, times, now).await,
        Protocol::H2 => Box::pin(over_h2(endpoint, request, times))
            .await
            .map(|response| (response, None)),
    }
}

async fn over_http1(
    endpoint: &Endpoint,
    request: &mut Request<Outgoing>,
    times: &Times,
    now: Instant,
) -> Result<Replied, Fell> {
    let Some(mut connection) = endpoint.pool.take(now) else {
        return Box::pin(over_new_http1(endpoint, request, times)).await;
    };
    let wait = Wait::new(request, times, now);
    match connection.reply(request, &wait).await {
        Ok(response) => Ok((response, Some(connection))),
        // Closed before anything was written: to the client nothing has happened.
        Err(fell) if fell.is_unsent => Box::pin(over_new_http1(endpoint, request, times)).await,
        Err(fell) => Err(reused(endpoint, fell)),
    }
}

fn reused(endpoint: &Endpoint, fell: Fell) -> Fell {
    if matches!(fell.blame, Blame::Upstream(Trouble::Reset)) {
        // What closed this one may have closed the others, which are older.
        endpoint.pool.clear();
    }
    Fell {
        was_reused: true,
        ..fell
    }
}

/// Sends a request over a connection of its own.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn over_new_http1(
    endpoint: &Endpoint,
    request: &mut Request<Outgoing>,
    times: &Times,
) -> Result<Replied, Fell> {
    let connected = connect::http1(endpoint, times).await;
    let mut connection = connected.map_err(Fell::unsent)?;
    let wait = Wait::new(request, times, Instant::now());
    let response = connection.reply(request, &wait).await?;
    Ok((response, Some(connection)))
}

async fn over_h2(
    endpoint: &Endpoint,
    request: &mut Request<Outgoing>,
    times: &Times,
) -> Result<Response<Received>, Fell> {
    loop {
        let (mut sender, was_there) = connect::h2(endpoint, times).await.map_err(Fell::unsent)?;
        let wait = Wait::new(request, times, Instant::now());
        match reply_h2(&mut sender, request, &wait).await {
            Err(fell) if fell.is_unsent && was_there && sender.is_closed() => {}
            Err(fell) => {
                let was_reused = was_there && sender.is_closed();
                return Err(Fell { was_reused, ..fell });
            }
            Ok(response) => return Ok(response),
        }
    }
}

async fn reply_h2(
    sender: &mut Sender,
    request: &mut Request<Outgoing>,
    wait: &Wait<'_>,
) -> Result<Response<Received>, Fell> {
    let mut alarm = Alarm::new(wait.deadline().duration_since(Instant::now()));
    let mut reply = pin!(sender.try_send_request(std::mem::take(request)));
    poll_fn(|cx| match reply.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(answer.map_err(|error| wait.fell(error, request))),
        Poll::Pending => alarm.poll(wait.deadline(), cx).map(|()| Err(wait.late())),
    })
    .await
}
