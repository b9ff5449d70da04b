//! How a socket comes in, and that it leaves no trace when it goes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderValue, Request, Response, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use trailmark_protocol::Timestamp;

use super::ending::Ending;
use super::envelope::{Envelope, Who};
use super::outbox::Outbox;
use super::registry::Full;
use super::socket::Socket;
use super::{Hub, handshake};
use crate::gateway::caller::Caller;
use crate::gateway::problem::{Code, Problem};

/// The longest a token's end is waited for: a year. A timer cannot wait for ever, and a process does not last that long.
pub(super) const LONGEST_TOKEN: Duration = Duration::from_secs(365 * 86_400);

/// A place in the registry, and a socket's way out of it.
struct Seat {
    hub: Arc<Hub>,
    who: Who,
    outbox: Arc<Outbox>,
    /// Whether it came to a socket.
    is_open: bool,
    ending: Ending,
}

impl Hub {
    /// Answers a request to open a socket. `caller` is `None` on a public route.
    ///
    /// The response is 101, after which the socket lives in a task of the hub's own, or a [`Problem`]: 400, 403
    /// `origin_refused`, 429 `too_many_sockets`, 503 `draining` or, with all places taken, `upstream_unavailable`.
    pub fn join(self: &Arc<Self>, caller: Option<&Caller>, request_id: &str, request: Request<Body>) -> Response<Body> {
        self.admit(caller, request_id, request).unwrap_or_else(|problem| {
            let is_version = problem.code() == Code::MalformedRequest;
            let mut response = problem.into_response();
            if is_version {
                // RFC 6455 §4.4: which version would do.
                let version = HeaderValue::from_static("13");
                response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, version);
            }
            response
        })
    }

    fn admit(
        self: &Arc<Self>,
        caller: Option<&Caller>,
        request_id: &str,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Problem> {
        self.origins.check(caller, request.headers())?;
        let asked = handshake::read(&request)?;
        let seat = self.seat(Who::new(caller, request_id))?;
        let left = caller.and_then(|caller| left_of(caller, self.clock.now()));
        let expires = left.map(|left| Instant::now() + left);
        let carrying = carry(seat, hyper::upgrade::on(&mut request), expires);
        self.sockets.spawn(self.cut.clone().run_until_cancelled_owned(carrying));
        Ok(asked.accept())
    }

    fn seat(self: &Arc<Self>, who: Who) -> Result<Seat, Problem> {
        let outbox = Arc::new(Outbox::new(self.config.queue, self.config.queue_bytes.0));
        let entered = self
            .registry()
            .enter(&who.connection, who.owner.clone(), Arc::clone(&outbox));
        entered.map_err(|full| self.refusal(full))?;
        Ok(Seat {
            hub: Arc::clone(self),
            who,
            outbox,
            is_open: false,
            ending: Ending::Draining,
        })
    }

    fn refusal(&self, full: Full) -> Problem {
        let most = self.config.max_per_user;
        match full {
            Full::Closed => Problem::new(Code::Draining, "no more sockets are opened here"),
            Full::Owner => Problem::new(Code::TooManySockets, format!("{most} sockets are open already")),
            Full::All => Problem::new(
                Code::UpstreamUnavailable,
                format!("hub {}: all places are taken", self.name),
            ),
        }
    }
}

/// How long a caller's credentials last from `now` on: the claim `exp`, in seconds (RFC 7519 §4.1.4).
pub(super) fn left_of(caller: &Caller, now: Timestamp) -> Option<Duration> {
    let ends_s = caller.claims.get("exp")?.as_f64()?;
    let now_s = now.micros() as f64 / 1e6;
    Some(Duration::try_from_secs_f64((ends_s - now_s).max(0.0)).map_or(LONGEST_TOKEN, |left| left.min(LONGEST_TOKEN)))
}

async fn carry(mut seat: Seat, upgrading: OnUpgrade, expires: Option<Instant>) {
    let upgraded = match upgrading.await {
        Ok(upgraded) => TokioIo::new(upgraded),
        Err(error) => return tracing::debug!(%error, "a socket was not opened"),
    };
    seat.open();
    let socket = Socket::new(&seat.hub, &seat.who, &seat.outbox, upgraded, expires).await;
    let ending = socket.run().await;
    seat.ending = ending;
}

impl Seat {
    fn open(&mut self) {
        self.is_open = true;
        let (hub, who) = (&self.hub, &self.who);
        hub.counts.opened();
        let joined = Envelope::joined(&hub.name, who, hub.clock.now());
        hub.tell(who, std::slice::from_ref(&hub.presence), &joined);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (hub, who) = (&self.hub, &self.who);
        hub.registry().leave(&who.connection);
        if self.is_open {
            hub.counts.closed(self.ending);
            let left = Envelope::left(&hub.name, who, hub.clock.now(), self.ending);
            hub.tell(who, std::slice::from_ref(&hub.presence), &left);
        }
    }
}
