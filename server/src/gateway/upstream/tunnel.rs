//! Upgraded connections: both sides are copied as they are, from the upstream's 101 to the end of one of them.

use std::any::Any;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming as Received;
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Plan;
use super::alarm::Alarm;
use super::config::Protocol;
use super::connect;
use super::core::Core;
use super::endpoint::{Endpoint, Lease};
use super::exchange::{address_http1, judge};
use super::failure::{Failure, Trouble};
use super::frames::GOING_AWAY;
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::send::{failure, packed};
use super::wait::{Fell, Times, Wait};
use super::watched::{Moved, Watched};
use crate::gateway::headers::strip::hop_by_hop;

/// How long a tunnel that is stopped has to get its last bytes out: 1 s.
const FAREWELL: Duration = Duration::from_secs(1);

/// What bounds a tunnel.
pub struct TunnelLimits {
    /// How long it may be without a byte either way.
    pub idle: Duration,
    /// Ends it: a WebSocket with status 1001 ("going away") if it is between two frames.
    pub stop: CancellationToken,
    /// Dropped at the end of the tunnel, or when there is none: what counts it.
    pub guard: Box<dyn Any + Send>,
}

/// Opens a tunnel: see [`Upstream::tunnel`](super::Upstream::tunnel).
///
/// # Errors
/// Why there is no answer.
pub(super) async fn open(
    core: &Arc<Core>,
    request: Request<Body>,
    client: OnUpgrade,
    plan: &Plan,
    limits: TunnelLimits,
) -> Result<Response<Body>, Failure> {
    core.counts_request();
    plan.attempts.begin();
    let times = Times::new(&plan.timeouts, &core.config.timeouts, Instant::now());
    let asked = request.headers().get(UPGRADE).cloned();
    let (lease, io) = connected(core, plan, &times).await?;
    let request = upgrading(request, lease.endpoint(), core.config.preserve_host);
    let mut exchange = Exchange {
        lease,
        times,
        client,
        asked,
        limits,
    };
    let replied = greet(io, request, times).await;
    let replied = replied.inspect_err(|fell| judge(fell, &mut exchange.lease));
    let response = replied.map_err(|fell| failure(&core.name, fell))?;
    exchange.lease.answered(response.status());
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => exchange.joined(core, response),
        _ => exchange.refused(core, response).await,
    }
}

/// A connection of the tunnel's own. One that cannot be had is sought elsewhere, as often as a request may be sent.
async fn connected(core: &Core, plan: &Plan, times: &Times) -> Result<(Lease, connect::Io), Failure> {
    let attempts = if plan.may_retry { core.config.retry.attempts } else { 1 };
    let mut tried = Vec::new();
    loop {
        let mut lease = core.pick(plan.hash_key, &tried, times).await?;
        plan.attempts.add(lease.endpoint().origin.position);
        match connect::in_time(
            lease.endpoint(),
            times,
            connect::open(lease.endpoint(), Protocol::Http1),
        )
        .await
        {
            Ok(io) => return Ok((lease, io)),
            Err(trouble) => {
                lease.failed();
                tried.push(lease.endpoint().id);
                if tried.len() >= attempts as usize || !core.may_retry() {
                    return Err(Failure::trouble(&core.name, trouble));
                }
            }
        }
    }
}

fn upgrading(request: Request<Body>, endpoint: &Endpoint, preserve_host: bool) -> Request<Outgoing> {
    let mut request = packed(request);
    address_http1(&mut request, endpoint, preserve_host);
    if request.headers().contains_key(UPGRADE) {
        let upgrade = HeaderValue::from_static("upgrade");
        request.headers_mut().insert(CONNECTION, upgrade);
    }
    request
}

/// Sends the request and waits for the head of the answer. The connection has a task of its own: it outlives the request.
async fn greet(io: connect::Io, mut request: Request<Outgoing>, times: Times) -> Result<Response<Received>, Fell> {
    let wait = Wait::new(&request, &times, Instant::now());
    let (mut sender, driver) = http1::handshake(TokioIo::new(io))
        .await
        .map_err(|_| Fell::new(Trouble::Reset))?;
    tokio::spawn(async move {
        if let Err(error) = driver.with_upgrades().await {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    let mut alarm = Alarm::new(times.response_headers);
    let mut reply = pin!(sender.try_send_request(std::mem::take(&mut request)));
    poll_fn(|cx| match reply.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(answer.map_err(|error| wait.fell(error, &mut request))),
        Poll::Pending => alarm.poll(wait.deadline(), cx).map(|()| Err(wait.late())),
    })
    .await
}

/// A tunnel that is being agreed upon.
struct Exchange {
    lease: Lease,
    times: Times,
    client: OnUpgrade,
    asked: Option<HeaderValue>,
    limits: TunnelLimits,
}

impl Exchange {
    /// The upstream has switched: so does the client, and the two are joined.
    fn joined(mut self, core: &Arc<Core>, mut response: Response<Received>) -> Result<Response<Body>, Failure> {
        let switched = response.headers().get(UPGRADE).cloned();
        let protocol = match (&self.asked, switched) {
            (Some(asked), Some(switched)) if is_among(&switched, asked) => switched,
            _ => {
                self.lease.failed();
                return Err(Failure::trouble(&core.name, Trouble::Garbage));
            }
        };
        let upstream = hyper::upgrade::on(&mut response);
        let (mut head, _) = response.into_parts();
        hop_by_hop(&mut head.headers);
        head.version = Version::HTTP_11;
        // hyper's own handle to the upstream's side, not the client's.
        head.extensions.clear();
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        let is_websocket = protocol.as_bytes().eq_ignore_ascii_case(b"websocket");
        head.headers.insert(UPGRADE, protocol);
        self.lease.succeeded();
        tokio::spawn(self.carry(Count::new(core), upstream, is_websocket));
        Ok(Response::from_parts(head, Body::empty()))
    }

    /// The upstream will not switch: its answer is one like any other.
    async fn refused(self, core: &Core, response: Response<Received>) -> Result<Response<Body>, Failure> {
        let (mut head, body) = response.into_parts();
        hop_by_hop(&mut head.headers);
        head.version = Version::HTTP_11;
        let body = Incoming::new(body, None, self.lease, None, self.times).begin();
        let body = body.map_err(|_| Failure::trouble(&core.name, Trouble::Reset))?;
        Ok(Response::from_parts(head, body))
    }

    /// Copies both ways until both sides have ended, nothing has moved for too long, or it is stopped.
    async fn carry(self, count: Count, upstream: OnUpgrade, is_websocket: bool) {
        let (idle, stop) = (self.limits.idle, &self.limits.stop);
        let moved = Arc::new(Moved::new());
        let both = async { tokio::try_join!(self.client, upstream) };
        let Ok(Ok((client, upstream))) = timeout_at(Instant::now() + idle, both).await else {
            tracing::debug!("a tunnel's sides did not both switch");
            return;
        };
        let mut client = Watched::new(client, &moved);
        let mut upstream = Watched::new(upstream, &moved);
        let is_stopped = tokio::select! {
            ended = copy_bidirectional(&mut client, &mut upstream) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a tunnel broke");
                }
                false
            }
            () = moved.rests(idle) => false,
            () = stop.cancelled() => true,
        };
        if is_stopped {
            let farewell = farewell(&mut client, &mut upstream, is_websocket);
            let _ = timeout_at(Instant::now() + FAREWELL, farewell).await;
        }
        drop((count, self.lease, self.limits.guard));
    }
}

/// Says good-bye to a client between two frames, and closes both sides. What fails here has ended anyway.
async fn farewell(client: &mut Watched, upstream: &mut Watched, is_websocket: bool) {
    if is_websocket && client.written.is_between() {
        let _ = client.write_all(&GOING_AWAY).await;
    }
    let _ = client.shutdown().await;
    let _ = upstream.shutdown().await;
}

/// Whether the protocol that was switched to is one of those asked for.
fn is_among(switched: &HeaderValue, asked: &HeaderValue) -> bool {
    let mut asked = asked.as_bytes().split(|byte| *byte == b',');
    asked.any(|asked| {
        asked
            .trim_ascii()
            .eq_ignore_ascii_case(switched.as_bytes().trim_ascii())
    })
}

/// Counts a tunnel as long as it lives.
struct Count(Arc<Core>);

impl Count {
    fn new(core: &Arc<Core>) -> Self {
        core.tunnels.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(core))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.tunnels.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Open tunnels of an upstream.
pub(super) type Tunnels = AtomicUsize;
