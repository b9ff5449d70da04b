//! What an append answers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::Seq;

/// Why a record was not made durable. `Full` and `Poisoned` are a 503 with `Retry-After` to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// No space on the disk or in memory now; there will be when the writer catches up.
    #[error("the journal is full")]
    Full,
    /// A write failed; nothing can be appended until a restart. The record may or may not be there afterwards.
    #[error("the journal is poisoned by a failed write")]
    Poisoned,
    /// The journal is shutting down.
    #[error("the journal is closed")]
    Closed,
    /// The payload can never fit, whatever space is freed.
    #[error("the payload is larger than the journal takes")]
    TooLarge,
}

/// Resolves once the record is on stable storage.
#[derive(Debug)]
#[must_use = "the record is durable only when this resolves"]
pub struct Append(State);

#[derive(Debug)]
enum State {
    Known(Result<Seq, AppendError>),
    Waiting(oneshot::Receiver<Result<Seq, AppendError>>),
}

impl Append {
    /// An answer that is known already.
    pub fn ready(outcome: Result<Seq, AppendError>) -> Self {
        Self(State::Known(outcome))
    }

    /// An answer that comes later. A sender dropped without an answer counts as [`AppendError::Poisoned`].
    pub fn waiting(outcome: oneshot::Receiver<Result<Seq, AppendError>>) -> Self {
        Self(State::Waiting(outcome))
    }
}

impl Future for Append {
    type Output = Result<Seq, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(outcome) => Poll::Ready(*outcome),
            State::Waiting(answer) => Pin::new(answer)
                .poll(context)
                .map(|answered| answered.unwrap_or(Err(AppendError::Poisoned))),
        }
    }
}
