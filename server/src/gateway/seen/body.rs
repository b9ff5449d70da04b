//! Bodies that are watched: how much of them went through, and whether they reached their end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::record::{Outcome, Seen};

/// A request's body, which counts what is read of it.
pub(super) struct Counted {
    inner: Body,
    bytes: Arc<AtomicU64>,
}

impl Counted {
    pub(super) fn new(inner: Body, bytes: Arc<AtomicU64>) -> Self {
        Self { inner, bytes }
    }
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.bytes.fetch_add(length(frame), Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A response's body, which ends its request.
pub(super) struct Watched {
    inner: Body,
    /// Its length, where it is known beforehand: with its last byte handed over, nobody asks for its end.
    length: Option<u64>,
    seen: Seen,
}

impl Watched {
    /// `announced` is the length that the response's head tells, which is what hyper goes by.
    pub(super) fn new(inner: Body, announced: Option<u64>, seen: Seen) -> Self {
        let length = hyper::body::Body::size_hint(&inner).exact().or(announced);
        Self { inner, length, seen }
    }

    fn is_all_there(&self) -> bool {
        hyper::body::Body::is_end_stream(&self.inner)
            || self.length.is_some_and(|length| self.seen.bytes_out() >= length)
    }
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => self.seen.add_bytes(0, length(frame)),
            Poll::Ready(Some(Err(_))) => self.seen.finish(Outcome::Broken),
            Poll::Ready(None) => self.seen.finish(Outcome::Complete),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let all_there = self.is_all_there();
        self.seen
            .finish(if all_there { Outcome::Complete } else { Outcome::Aborted });
    }
}

fn length(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}
