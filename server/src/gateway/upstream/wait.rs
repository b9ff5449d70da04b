//! Waiting for the head of an answer: until when, and whose fault it is if it does not come.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::client::conn::TrySendError;
use tokio::time::Instant;

use super::config::Timeouts;
use super::failure::Trouble;
use super::outgoing::{Outgoing, Progress, Waits, body_timeout};
use crate::gateway::problem::Problem;
use crate::gateway::units::Span;

/// How long things may take, where nobody says otherwise.
const CONNECT: Duration = Duration::from_secs(2);
const RESPONSE_HEADERS: Duration = Duration::from_secs(5);
const IDLE_BODY: Duration = Duration::from_secs(30);

/// The deadlines of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) connect: Duration,
    pub(super) response_headers: Duration,
    pub(super) idle_body: Duration,
    /// When the whole must be over.
    pub(super) total_at: Option<Instant>,
}

impl Times {
    /// The route's, else the upstream's, else ours.
    pub(super) fn new(route: &Timeouts, upstream: &Timeouts, now: Instant) -> Self {
        let first = |route: Option<Span>, upstream: Option<Span>| route.or(upstream).map(|span| span.0);
        let total = first(route.total, upstream.total);
        Self {
            connect: first(route.connect, upstream.connect).unwrap_or(CONNECT),
            response_headers: first(route.response_headers, upstream.response_headers).unwrap_or(RESPONSE_HEADERS),
            idle_body: first(route.idle_body, upstream.idle_body).unwrap_or(IDLE_BODY),
            total_at: total.map(|total| now + total),
        }
    }

    /// `deadline`, or the end of the whole, whichever is first.
    pub(super) fn bounded(&self, deadline: Instant) -> Instant {
        self.total_at.map_or(deadline, |total_at| total_at.min(deadline))
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.total_at.is_some_and(|total_at| now >= total_at)
    }
}

/// Whose fault it is.
#[derive(Debug, Clone)]
pub(super) enum Blame {
    Upstream(Trouble),
    Client(Problem),
}

/// An attempt that brought no answer.
#[derive(Debug)]
pub(super) struct Fell {
    pub(super) blame: Blame,
    /// Whether not a byte of the request was sent: it is where it was.
    pub(super) is_unsent: bool,
    /// Whether it went over a connection that had been used before, so that it may have been closed just then.
    pub(super) was_reused: bool,
}

impl Fell {
    pub(super) fn new(trouble: Trouble) -> Self {
        Self {
            blame: Blame::Upstream(trouble),
            is_unsent: false,
            was_reused: false,
        }
    }

    /// The request did not even leave.
    pub(super) fn unsent(trouble: Trouble) -> Self {
        Self {
            is_unsent: true,
            ..Self::new(trouble)
        }
    }
}

/// What is waited for.
pub(super) struct Wait<'a> {
    times: &'a Times,
    started: Instant,
    progress: Option<Arc<Progress>>,
}

impl<'a> Wait<'a> {
    pub(super) fn new(request: &Request<Outgoing>, times: &'a Times, started: Instant) -> Self {
        Self {
            times,
            started,
            progress: request.body().progress(),
        }
    }

    fn waits(&self) -> Waits {
        let progress = self.progress.as_ref();
        progress.map_or(Waits::Answer(self.started), |progress| progress.waits())
    }

    /// Until when. It moves while the request's body does.
    pub(super) fn deadline(&self) -> Instant {
        let deadline = match self.waits() {
            Waits::Client(since) | Waits::Upstream(since) => since + self.times.idle_body,
            Waits::Answer(since) => since + self.times.response_headers,
        };
        self.times.bounded(deadline)
    }

    /// It came and went.
    pub(super) fn late(&self) -> Fell {
        let blame = match self.waits() {
            Waits::Client(_) => Blame::Client(body_timeout()),
            _ if self.times.is_over(Instant::now()) => Blame::Upstream(Trouble::TotalTimeout),
            _ => Blame::Upstream(Trouble::Timeout),
        };
        Fell {
            blame,
            ..Fell::new(Trouble::Timeout)
        }
    }

    /// The connection is over, without a word why.
    pub(super) fn broke(&self) -> Fell {
        Fell {
            blame: self.blame(Trouble::Reset),
            ..Fell::new(Trouble::Reset)
        }
    }

    /// The connection says why there is no answer, and gives `request` back if it has not left.
    pub(super) fn fell(&self, mut error: TrySendError<Request<Outgoing>>, request: &mut Request<Outgoing>) -> Fell {
        let unsent = error.take_message();
        let is_unsent = unsent.is_some();
        if let Some(unsent) = unsent {
            *request = unsent;
        }
        let error = error.into_error();
        tracing::debug!(%error, "no answer from an upstream");
        let trouble = if error.is_parse() {
            Trouble::Garbage
        } else {
            Trouble::Reset
        };
        Fell {
            blame: self.blame(trouble),
            is_unsent,
            was_reused: false,
        }
    }

    fn blame(&self, trouble: Trouble) -> Blame {
        let fault = self.progress.as_ref().and_then(|progress| progress.fault());
        fault.map_or(Blame::Upstream(trouble), Blame::Client)
    }
}
