//! A client's request body on its way to an upstream: how long it may take, how much it may be, what may follow it, and whose
//! fault its end is.
//!
//! An upstream must not be blamed for what a client does, so everything that goes wrong here is a [`ClientBodyError`], which
//! [`ClientBodyError::find`] recognises below whatever has been wrapped around it.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::headers::strip;
use super::problem::{Code, Problem};

/// How a client has failed to send its body.
#[derive(Debug, thiserror::Error)]
pub enum ClientBodyError {
    /// It has stopped, or is too slow.
    #[error("the body did not arrive in time")]
    Timeout,
    /// It sends more than it may: so many bytes, as sent or decoded.
    #[error("the body is over {0} bytes")]
    TooLarge(u64),
    /// It went away, its framing is wrong, or its coding is.
    #[error("the body broke off")]
    Broken(#[source] axum::BoxError),
}

impl ClientBodyError {
    /// The client's failure that caused `error`, if one did.
    #[must_use]
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        // What `io::Error::other` wraps is not among its sources.
        let inside = |error: &'a (dyn Error + 'static)| error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        std::iter::successors(Some(error), |error| (*error).source())
            .find_map(|error| error.downcast_ref().or_else(|| inside(error)))
    }

    /// What the client is told: 408, 413 or 400.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let code = match self {
            Self::Timeout => Code::BodyTimeout,
            Self::TooLarge(_) => Code::BodyTooLarge,
            Self::Broken(_) => Code::InvalidBody,
        };
        Problem::new(code, self.to_string())
    }
}

/// How long a body may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// From now to its end.
    Total(Duration),
    /// From one part to the next: for bodies that are meant to go on, as those of gRPC streams.
    Idle(Duration),
}

/// `body` within `patience` and `max_bytes`.
///
/// # Errors
/// [`ClientBodyError::TooLarge`] if its announced length is over `max_bytes`; nothing of it is read then.
pub fn limit(body: Body, patience: Patience, max_bytes: u64) -> Result<Body, ClientBodyError> {
    if body.size_hint().lower() > max_bytes {
        return Err(ClientBodyError::TooLarge(max_bytes));
    }
    if body.is_end_stream() {
        return Ok(body);
    }
    Ok(Body::new(Limited {
        body,
        deadline: Deadline::new(patience),
        left: max_bytes,
        max_bytes,
    }))
}

struct Limited {
    body: Body,
    deadline: Deadline,
    left: u64,
    max_bytes: u64,
}

impl hyper::body::Body for Limited {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(this.take(frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(broken(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => this.deadline.poll(cx).map(|()| Some(Err(ClientBodyError::Timeout))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Limited {
    fn take(&mut self, mut frame: Frame<Bytes>) -> Result<Frame<Bytes>, ClientBodyError> {
        if let Some(trailers) = frame.trailers_mut() {
            strip::trailers(trailers);
        }
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let left = self.left.checked_sub(length);
        self.left = left.ok_or(ClientBodyError::TooLarge(self.max_bytes))?;
        self.deadline.progress();
        Ok(frame)
    }
}

/// The error of a body below as the client's fault; one that is so already stays what it is.
pub(super) fn broken(error: impl Into<axum::BoxError>) -> ClientBodyError {
    let error = error.into();
    match ClientBodyError::find(&*error) {
        Some(ClientBodyError::Timeout) => ClientBodyError::Timeout,
        Some(ClientBodyError::TooLarge(max)) => ClientBodyError::TooLarge(*max),
        _ => ClientBodyError::Broken(error),
    }
}

/// A deadline whose timer is made when the body first keeps its reader waiting, which most never do, and moved when it goes
/// off too early, not at each part.
struct Deadline {
    patience: Patience,
    due: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn new(patience: Patience) -> Self {
        let (Patience::Total(span) | Patience::Idle(span)) = patience;
        Self {
            patience,
            due: Instant::now() + span,
            timer: None,
        }
    }

    fn progress(&mut self) {
        if let Patience::Idle(span) = self.patience {
            self.due = Instant::now() + span;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.due;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= due {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use futures_util::stream::{self, unfold};
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const PLENTY: u64 = 1 << 20;

    /// A body of `parts`, each after `gap`, which then says nothing for ever.
    fn trickle(parts: usize, gap: Duration) -> Body {
        let trickling = unfold((), move |()| async move {
            tokio::time::sleep(gap).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        Body::from_stream(trickling.take(parts).chain(stream::pending()))
    }

    async fn failure(body: Body) -> axum::Error {
        body.collect().await.map(|_| ()).unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_end_within_its_total_time_however_steadily_it_trickles() {
        let started = Instant::now();
        let body = limit(trickle(1000, SECOND), Patience::Total(30 * SECOND), PLENTY).unwrap();
        let error = failure(body).await;
        assert!(matches!(ClientBodyError::find(&error), Some(ClientBodyError::Timeout)));
        assert_eq!(started.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_go_on_for_as_long_as_it_goes_on() {
        let started = Instant::now();
        let body = limit(trickle(100, SECOND), Patience::Idle(30 * SECOND), PLENTY).unwrap();
        let error = failure(body).await;
        assert_eq!(
            ClientBodyError::find(&error).unwrap().problem().code(),
            Code::BodyTimeout
        );
        assert_eq!(started.elapsed().as_secs(), 130);
    }

    #[tokio::test]
    async fn a_body_announced_too_large_is_refused_unread_and_one_that_grows_so_is_cut() {
        let announced = limit(Body::from("12345"), Patience::Total(SECOND), 4).unwrap_err();
        assert_eq!(announced.problem().code(), Code::BodyTooLarge);
        let parts = stream::iter(["123", "45"].map(Ok::<_, std::io::Error>));
        let error = failure(limit(Body::from_stream(parts), Patience::Total(SECOND), 4).unwrap()).await;
        assert!(matches!(
            ClientBodyError::find(&error),
            Some(ClientBodyError::TooLarge(4))
        ));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_the_clients_fault() {
        let parts = stream::iter([Ok("1"), Err(std::io::Error::other("reset"))]);
        let error = failure(limit(Body::from_stream(parts), Patience::Total(SECOND), 4).unwrap()).await;
        let found = ClientBodyError::find(&error).unwrap();
        assert_eq!(found.problem().code(), Code::InvalidBody);
        assert!(
            !found.problem().detail().contains("reset"),
            "what our side calls it is not for the client"
        );
    }

    #[test]
    fn the_clients_fault_is_found_below_whatever_is_wrapped_around_it() {
        let wrapped = axum::Error::new(io::Error::other(ClientBodyError::Timeout));
        assert!(matches!(
            ClientBodyError::find(&wrapped),
            Some(ClientBodyError::Timeout)
        ));
        let wrapped = io::Error::other(axum::Error::new(ClientBodyError::Timeout));
        assert!(matches!(
            ClientBodyError::find(&wrapped),
            Some(ClientBodyError::Timeout)
        ));
    }

    #[test]
    fn other_errors_are_nobodys_fault_here() {
        assert!(ClientBodyError::find(&axum::Error::new(std::io::Error::other("ours"))).is_none());
    }

    proptest! {
        #[test]
        fn whatever_fits_passes_unchanged(parts in prop::collection::vec(any::<Vec<u8>>(), 0..8), spare in 0u64..9) {
            let whole = parts.concat();
            let body = Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>)));
            let body = limit(body, Patience::Idle(SECOND), whole.len() as u64 + spare).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let collected = runtime.block_on(body.collect()).unwrap().to_bytes();
            prop_assert_eq!(&collected[..], &whole[..]);
        }
    }
}
