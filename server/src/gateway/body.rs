//! Reading request bodies: a deadline, a length limit, and one budget of bytes for all bodies in memory at once.

use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailmark_protocol::limits::BODY_BYTES;

use super::problem::{Code, Problem};

/// Bytes a permit stands for; a semaphore counts to 2^29 at the most, so counting bytes one by one would still do, but
/// blocks make small bodies one step.
const BLOCK: usize = 1024;

/// The bytes that all bodies together may take, read or decompressed.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Semaphore>);

impl Budget {
    /// A budget of `bytes`.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(
            bytes.div_ceil(BLOCK).min(Semaphore::MAX_PERMITS),
        )))
    }
}

/// Bytes that grow only as far as their limit and the budget allow, and give back to it when dropped.
#[derive(Debug)]
pub struct Metered {
    bytes: Vec<u8>,
    limit: usize,
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
    reserved: usize,
}

impl Metered {
    /// Empty bytes that may grow to `limit`.
    #[must_use]
    pub fn new(budget: &Budget, limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            budget: budget.clone(),
            held: None,
            reserved: 0,
        }
    }

    /// Refuses a body whose announced length is over the limit before any of it is read.
    ///
    /// # Errors
    /// [`Code::BodyTooLarge`].
    pub fn announce(&self, length: u64) -> Result<(), Problem> {
        if length > self.limit as u64 {
            Err(self.too_large())
        } else {
            Ok(())
        }
    }

    fn too_large(&self) -> Problem {
        Problem::new(Code::BodyTooLarge, format!("the body is over {} bytes", self.limit))
    }

    /// Appends `chunk`.
    ///
    /// # Errors
    /// [`Code::BodyTooLarge`] over the limit, [`Code::Overloaded`] when the budget is used up.
    pub fn extend(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        let length = self.bytes.len() + chunk.len();
        if length > self.limit {
            return Err(self.too_large());
        }
        if length > self.reserved {
            // At least as much again, so that a body arriving in crumbs takes few permits.
            let blocks = (length.max(2 * self.reserved).min(self.limit) - self.reserved).div_ceil(BLOCK);
            let permit = Arc::clone(&self.budget.0).try_acquire_many_owned(u32::try_from(blocks).unwrap_or(u32::MAX));
            let overloaded = |_| Problem::new(Code::Overloaded, "too many request bodies at once").retry_after(1);
            let permit = permit.map_err(overloaded)?;
            match &mut self.held {
                Some(held) => held.merge(permit),
                none => *none = Some(permit),
            }
            self.reserved += blocks * BLOCK;
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// What it holds.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The budget it draws on.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

/// Reads a whole body, of at most [`BODY_BYTES`].
///
/// # Errors
/// The [`Problem`] to answer with.
pub async fn read<B>(body: B, budget: &Budget, deadline: Duration) -> Result<Metered, Problem>
where
    B: Body<Data = Bytes, Error: Display>,
{
    let collected = tokio::time::timeout(deadline, collect(body, budget)).await;
    collected.unwrap_or_else(|_| {
        Err(Problem::new(
            Code::BodyTimeout,
            format!("no whole body within {deadline:?}"),
        ))
    })
}

async fn collect<B>(body: B, budget: &Budget) -> Result<Metered, Problem>
where
    B: Body<Data = Bytes, Error: Display>,
{
    let mut body = pin!(body);
    let mut metered = Metered::new(budget, BODY_BYTES);
    metered.announce(body.size_hint().lower())?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::new(Code::InvalidBody, format!("the body broke off: {error}")))?;
        if let Ok(chunk) = frame.into_data() {
            metered.extend(&chunk)?;
        }
    }
    Ok(metered)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let budget = Budget::new(10 * BODY_BYTES);
        let body = Body::from(vec![b'x'; BODY_BYTES + 1]);
        let refused = read(body, &budget, Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(refused.code(), Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn a_body_announced_over_the_limit_is_refused_unread() {
        let body = Body::new(http_body_util::Full::new(bytes::Bytes::from(vec![
            b'x';
            BODY_BYTES + 1
        ])));
        let refused = read(body, &Budget::new(0), Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(refused.code(), Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn the_budget_is_shared_and_given_back() {
        let budget = Budget::new(4 * BLOCK);
        let first = read(Body::from(vec![0; 3 * BLOCK]), &budget, Duration::from_secs(1))
            .await
            .unwrap();
        let refused = read(Body::from(vec![0; 2 * BLOCK]), &budget, Duration::from_secs(1))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Overloaded);
        drop(first);
        assert!(
            read(Body::from(vec![0; 2 * BLOCK]), &budget, Duration::from_secs(1))
                .await
                .is_ok()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_given_up() {
        let refused = read(Body::new(Never), &Budget::new(BLOCK), Duration::from_secs(30))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::BodyTimeout);
    }

    /// A body that never sends anything.
    struct Never;

    impl hyper::body::Body for Never {
        type Data = bytes::Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
}
