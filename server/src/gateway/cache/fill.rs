//! Storing a body while it streams to the caller.
//!
//! The body is read by a task of its own, not at the caller's pace: a caller who reads slowly, or goes away, holds up nobody
//! who waits for the stored answer, and what was half there is finished. That costs memory and no more than that: at most
//! `max_object` of one body, at most `max_bytes` of all bodies on their way. What turns out larger, or takes longer, is
//! handed to the caller as it is.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// A body that has not ended by then is not stored.
const DEADLINE: Duration = Duration::from_secs(60);

type Failure = axum::Error;

/// What goes to the caller.
enum Piece {
    Frame(Frame<Bytes>),
    /// All that is still to come, to be read at the caller's pace.
    Rest(Body),
    Failed(Failure),
    /// The end. A channel that closes without it broke off, and so must the response.
    End,
}

/// The caller's side.
struct Piped {
    pieces: mpsc::UnboundedReceiver<Piece>,
    rest: Option<Body>,
    size: SizeHint,
}

/// The storing side.
pub(super) struct Filling {
    body: Body,
    expected: Option<u64>,
    max_object: usize,
    room: Room,
    stored: Vec<u8>,
    caller: mpsc::UnboundedSender<Piece>,
}

/// A body that was read: whole, if it may be stored. The caller sees its end when this is dropped, after the answer was
/// stored: who has read an answer finds it in the cache.
pub(super) struct Filled {
    pub(super) body: Option<Bytes>,
    caller: mpsc::UnboundedSender<Piece>,
}

/// Splits a body into the caller's and the one to store.
pub(super) fn split(body: Body, expected: Option<u64>, max_object: usize, room: Room) -> (Body, Filling) {
    let (caller, pieces) = mpsc::unbounded_channel();
    let size = body.size_hint();
    let piped = Piped {
        pieces,
        rest: None,
        size,
    };
    let filling = Filling {
        body,
        expected,
        max_object,
        room,
        stored: Vec::new(),
        caller,
    };
    (Body::new(piped), filling)
}

impl Filling {
    /// Reads it to its end, or as far as it may be stored.
    pub(super) async fn run(mut self) -> Filled {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match timeout_at(deadline, self.body.frame()).await {
                Ok(Some(Ok(frame))) if self.keep(&frame) => self.pass(Piece::Frame(frame)),
                Ok(Some(Ok(frame))) => {
                    self.pass(Piece::Frame(frame));
                    return self.give_up();
                }
                Ok(Some(Err(failure))) => {
                    self.pass(Piece::Failed(failure));
                    return Filled {
                        body: None,
                        caller: self.caller,
                    };
                }
                Ok(None) => return self.complete(),
                Err(_) => return self.give_up(),
            }
        }
    }

    /// Whether there is room for it; then it is kept. Trailers are passed on and not stored (RFC 9110 §6.5.2).
    fn keep(&mut self, frame: &Frame<Bytes>) -> bool {
        let Some(data) = frame.data_ref() else { return true };
        let fits = self.stored.len() + data.len() <= self.max_object && self.room.take(data.len());
        if fits {
            self.stored.extend_from_slice(data);
        }
        fits
    }

    fn pass(&self, piece: Piece) {
        // A caller who went away misses nothing.
        let _ = self.caller.send(piece);
    }

    fn give_up(self) -> Filled {
        let _ = self.caller.send(Piece::Rest(self.body));
        Filled {
            body: None,
            caller: self.caller,
        }
    }

    /// A body that is shorter than it was said to be is not stored (RFC 9111 §3.3).
    fn complete(self) -> Filled {
        let whole = self
            .expected
            .is_none_or(|expected| expected == self.stored.len() as u64);
        // Boxed: exactly as long as it is, as it is weighed.
        let body = whole.then(|| Bytes::from(self.stored.into_boxed_slice()));
        Filled {
            body,
            caller: self.caller,
        }
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let _ = self.caller.send(Piece::End);
    }
}

impl HttpBody for Piped {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = self.get_mut();
        if let Some(rest) = &mut this.rest {
            return Pin::new(rest).poll_frame(context);
        }
        match ready!(this.pieces.poll_recv(context)) {
            Some(Piece::Frame(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Piece::Failed(failure)) => Poll::Ready(Some(Err(failure))),
            Some(Piece::End) => Poll::Ready(None),
            Some(Piece::Rest(rest)) => Pin::new(this.rest.insert(rest)).poll_frame(context),
            None => Poll::Ready(Some(Err(Failure::new("the body was not read to its end")))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

/// The bytes that bodies on their way into the cache may take, all together, and how many of them one has.
#[derive(Debug)]
pub(super) struct Room {
    taken: Arc<AtomicUsize>,
    most: usize,
    mine: usize,
}

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self {
            taken: Arc::new(AtomicUsize::new(0)),
            most,
            mine: 0,
        }
    }

    /// For one more body.
    pub(super) fn share(&self) -> Self {
        Self {
            taken: Arc::clone(&self.taken),
            most: self.most,
            mine: 0,
        }
    }

    /// Bytes that all of them have.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn take(&mut self, bytes: usize) -> bool {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        self.mine += bytes;
        before.saturating_add(bytes) <= self.most
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.mine, Ordering::Relaxed);
    }
}
