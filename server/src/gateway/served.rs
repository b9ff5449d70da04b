//! Requests and their answers' bodies, as far as the [watch](super::watch) on their connection is concerned.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::watch::Watch;

/// A request whose answer is not finished, until it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Watch>);

impl InFlight {
    pub(super) const fn new(watch: Arc<Watch>) -> Self {
        Self(watch)
    }

    /// The body of the request's answer; when it ends, so does the request.
    #[must_use]
    pub fn answered(self, body: Body) -> Served {
        Served {
            by_frames: self.0.is_h2(),
            body,
            is_held: false,
            request: self,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.finished();
    }
}

/// The body of an answer, watched.
///
/// hyper asks an HTTP/2 body for a frame only when the client has made room for the last one. A client that makes none keeps
/// its connection's socket free, so only this tells. HTTP/1 has one answer at a time, and the socket tells.
#[derive(Debug)]
pub struct Served {
    body: Body,
    by_frames: bool,
    is_held: bool,
    request: InFlight,
}

impl hyper::body::Body for Served {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.release();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if this.by_frames && matches!(&frame, Poll::Ready(Some(Ok(frame))) if frame.is_data()) {
            this.is_held = true;
            this.request.0.hold();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Served {
    fn release(&mut self) {
        if std::mem::take(&mut self.is_held) {
            self.request.0.release();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.release();
    }
}
