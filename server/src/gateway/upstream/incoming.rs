//! The answer's body on its way to the client. It polls the connection that it comes over, gives it back to the pool at its
//! end, and takes it down with it if dropped before.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::connection::Http1;
use super::endpoint::Lease;
use super::outgoing::{Progress, Waits};
use super::wait::Times;

/// Why an answer's body ended before its end. The client sees a broken body: its connection is closed, its stream reset.
#[derive(Debug)]
pub(super) enum Broken {
    /// The upstream's connection broke, or what came over it is no HTTP.
    Upstream(hyper::Error),
    /// Nothing came for too long.
    Idle(Duration),
    /// The whole took too long.
    Total,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(error) => write!(f, "the upstream's answer broke off: {error}"),
            Self::Idle(idle) => write!(f, "nothing more of the upstream's answer within {idle:?}"),
            Self::Total => f.write_str("the upstream's answer took longer than it may"),
        }
    }
}

impl Error for Broken {}

/// The body of an answer.
pub(super) struct Incoming {
    body: hyper::body::Incoming,
    /// Read already, see [`begin`](Self::begin).
    first: Option<Frame<Bytes>>,
    /// The HTTP/1.1 connection, until the end. HTTP/2 has a task for its own.
    connection: Option<Http1>,
    alarm: Option<Alarm>,
    lease: Option<Lease>,
    progress: Option<Arc<Progress>>,
    times: Times,
    waiting_since: Option<Instant>,
}

impl Incoming {
    pub(super) fn new(
        body: hyper::body::Incoming,
        connection: Option<Http1>,
        lease: Lease,
        progress: Option<Arc<Progress>>,
        times: Times,
    ) -> Self {
        Self {
            body,
            first: None,
            connection,
            alarm: None,
            lease: Some(lease),
            progress,
            times,
            waiting_since: None,
        }
    }

    /// The body to answer with. What has come together with the head, for small answers all of it, is read now, so that
    /// the connection goes back before the client is even written to, and a broken answer may still be another's. What has
    /// not come wakes nobody yet: whoever gets the body asks for it.
    ///
    /// # Errors
    /// That it is broken already.
    pub(super) fn begin(mut self) -> Result<Body, Broken> {
        if self.body.is_end_stream() {
            self.finish();
            return Ok(Body::empty());
        }
        let Poll::Ready(first) = self.poll_next(&mut Context::from_waker(Waker::noop())) else {
            return Ok(Body::new(self));
        };
        let Some(frame) = first.transpose()? else {
            return Ok(Body::empty());
        };
        let is_all = self.lease.is_none();
        match frame.into_data() {
            Ok(data) if is_all => return Ok(Body::from(data)),
            Ok(data) => self.first = Some(Frame::data(data)),
            Err(trailers) => self.first = Some(trailers),
        }
        Ok(Body::new(self))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.poll_body(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting_since = None;
                if self.body.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(self.broke(Broken::Upstream(error))))),
            Poll::Pending => self.poll_deadline(cx).map(|broken| Some(Err(broken))),
        }
    }

    /// The next frame. A connection that is ours fills the body in its own turn, just before, and need not wake anybody.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let body = Pin::new(&mut self.body);
        match &mut self.connection {
            Some(connection) => {
                connection.drive(cx);
                body.poll_frame(&mut Context::from_waker(Waker::noop()))
            }
            None => body.poll_frame(cx),
        }
    }

    /// The end: the answer is whole. The connection goes back if it has nothing more to do; one that is still sending the
    /// request's body has, and is closed instead.
    fn finish(&mut self) {
        let Some(mut lease) = self.lease.take() else {
            return;
        };
        lease.succeeded();
        if let Some(mut connection) = self.connection.take()
            && connection.is_usable()
        {
            lease.endpoint().pool.put(connection);
        }
    }

    /// Waits no longer than `idle_body` after the last frame either way.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        if self.lease.is_none() {
            return Poll::Pending;
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let sent = self.progress.as_ref().map(|progress| progress.waits().since());
        let idle = self.times.idle_body;
        let deadline = self.times.bounded(sent.map_or(since, |sent| sent.max(since)) + idle);
        let alarm = match &mut self.connection {
            Some(connection) => &mut connection.alarm,
            None => self.alarm.get_or_insert_with(|| Alarm::new(idle)),
        };
        ready!(alarm.poll(deadline, cx));
        let is_total = self.times.is_over(Instant::now());
        Poll::Ready(self.broke(if is_total { Broken::Total } else { Broken::Idle(idle) }))
    }

    fn broke(&mut self, broken: Broken) -> Broken {
        self.connection = None;
        if let Some(mut lease) = self.lease.take()
            && !self.is_clients_fault()
        {
            lease.failed();
        }
        broken
    }

    /// Whether the request's own body broke off, or is what is waited for.
    fn is_clients_fault(&self) -> bool {
        let progress = self.progress.as_ref();
        progress.is_some_and(|progress| progress.fault().is_some() || matches!(progress.waits(), Waits::Client(_)))
    }
}

impl hyper::body::Body for Incoming {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.first.take() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => self.poll_next(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len) as u64;
        let rest = self.body.size_hint();
        let mut all = SizeHint::new();
        all.set_lower(rest.lower() + first);
        if let Some(upper) = rest.upper() {
            all.set_upper(upper + first);
        }
        all
    }
}
