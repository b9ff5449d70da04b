//! The request's body on its way to the upstream, and how far it has come.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::LengthLimitError;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::failure::BodyRefused;
use super::lock;
use crate::gateway::client_body::ClientBodyError;
use crate::gateway::problem::{Code, Problem};

/// The body of a request as it is sent.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// In memory, and so to be sent again if need be; nothing is an empty one.
    Whole(Option<Bytes>),
    /// As it comes from the client.
    Stream {
        /// What the client sends.
        body: Body,
        /// Where it is.
        progress: Arc<Progress>,
    },
}

/// Whom the request is waiting for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// The client, for more of its body.
    Client(Instant),
    /// The upstream, to take what there is.
    Upstream(Instant),
    /// The upstream, to answer: all has been sent.
    Answer(Instant),
}

impl Waits {
    pub(super) fn since(self) -> Instant {
        match self {
            Self::Client(since) | Self::Upstream(since) | Self::Answer(since) => since,
        }
    }
}

/// Where a streamed request body is.
#[derive(Debug)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    waits: Waits,
    fault: Option<Problem>,
}

impl Progress {
    fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            waits: Waits::Upstream(now),
            fault: None,
        }))
    }

    pub(super) fn waits(&self) -> Waits {
        lock(&self.0).waits
    }

    /// What was wrong with the client's body.
    pub(super) fn fault(&self) -> Option<Problem> {
        lock(&self.0).fault.clone()
    }

    fn now(&self, waits: Waits) {
        let mut state = lock(&self.0);
        // Who waits for the client already has done so since the first time.
        if !matches!((state.waits, waits), (Waits::Client(_), Waits::Client(_))) {
            state.waits = waits;
        }
    }

    fn failed(&self, problem: Problem) {
        lock(&self.0).fault = Some(problem);
    }
}

impl Default for Outgoing {
    /// Nothing.
    fn default() -> Self {
        Self::Whole(None)
    }
}

impl Outgoing {
    /// A body as it comes.
    pub(super) fn stream(body: Body, now: Instant) -> Self {
        Self::Stream {
            body,
            progress: Arc::new(Progress::new(now)),
        }
    }

    /// Where it is; a body in memory is sent as a whole.
    pub(super) fn progress(&self) -> Option<Arc<Progress>> {
        match self {
            Self::Whole(_) => None,
            Self::Stream { progress, .. } => Some(Arc::clone(progress)),
        }
    }

    /// The same body again, if it is in memory.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::Whole(bytes) => Some(Self::Whole(bytes.clone())),
            Self::Stream { .. } => None,
        }
    }
}

/// The client's body failed; what exactly is in [`Progress::fault`].
#[derive(Debug)]
pub(super) struct ClientFault;

impl fmt::Display for ClientFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client's body broke off")
    }
}

impl Error for ClientFault {}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = ClientFault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream { body, progress } => poll_stream(body, progress, cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream { body, .. } => body.size_hint(),
        }
    }
}

fn poll_stream(
    body: &mut Body,
    progress: &Progress,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, ClientFault>>> {
    let polled = Pin::new(&mut *body).poll_frame(cx);
    let now = Instant::now();
    match polled {
        Poll::Pending => {
            progress.now(Waits::Client(now));
            Poll::Pending
        }
        Poll::Ready(None) => {
            progress.now(Waits::Answer(now));
            Poll::Ready(None)
        }
        Poll::Ready(Some(Ok(frame))) => {
            let is_last = frame.is_trailers() || body.is_end_stream();
            progress.now(if is_last {
                Waits::Answer(now)
            } else {
                Waits::Upstream(now)
            });
            Poll::Ready(Some(Ok(frame)))
        }
        Poll::Ready(Some(Err(error))) => {
            progress.failed(fault(&error));
            Poll::Ready(Some(Err(ClientFault)))
        }
    }
}

/// What to tell a client whose body failed: what the layer that stopped it says, or that it broke off.
pub(super) fn fault(error: &(dyn Error + 'static)) -> Problem {
    if let Some(clients) = ClientBodyError::find(error) {
        return clients.problem();
    }
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<BodyRefused>() {
            return refused.0.clone();
        }
        if error.is::<LengthLimitError>() {
            return Problem::new(Code::BodyTooLarge, "the body is longer than this route takes");
        }
        if error.is::<tokio::time::error::Elapsed>() {
            return body_timeout();
        }
        cause = error.source();
    }
    Problem::new(Code::InvalidBody, format!("the body broke off: {error}"))
}

/// What to tell a client that does not send on.
pub(super) fn body_timeout() -> Problem {
    Problem::new(Code::BodyTimeout, "the body stopped arriving")
}
