//! Counting, away from the threads that serve requests, and called off when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use trailmark_segments::work::{CalledOff, Work};

use crate::query::columns::Columns;
use crate::query::error::QueryError;

/// Who counts.
#[derive(Debug)]
pub(super) struct Counting {
    columns: Arc<Columns>,
}

/// Calls off what is counted, when it is dropped.
struct CallOff(Arc<AtomicBool>);

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Counting {
    pub(super) fn new(columns: Arc<Columns>) -> Self {
        Self { columns }
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Runs `count` on a thread of its own, which may call others to its help.
    ///
    /// # Errors
    /// [`QueryError::Timeout`] if it was called off.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        count: impl FnOnce(Work<'_>) -> Result<T, CalledOff> + Send + 'static,
    ) -> Result<T, QueryError> {
        // Held until counting has ended, also if nobody waits for it any more.
        let turn = self.columns.turn().await;
        let call_off = CallOff(Arc::default());
        let (called_off, threads) = (Arc::clone(&call_off.0), self.columns.threads());
        let counted = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            count(Work {
                threads,
                called_off: &called_off,
            })
        });
        match counted.await {
            Ok(counted) => counted.map_err(|CalledOff| QueryError::Timeout),
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(QueryError::Timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use futures_util::FutureExt;
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_called_off() {
        let counting = Counting::new(Arc::default());
        let (tell, told) = oneshot::channel();
        let counted = counting.run(move |work| {
            while !work.called_off.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            let _ = tell.send(());
            Err::<(), _>(CalledOff)
        });
        assert!(counted.now_or_never().is_none(), "it was begun, and is dropped here");
        told.await.unwrap();
    }

    #[tokio::test]
    async fn two_answers_are_counted_at_once_and_the_next_when_one_is_done() {
        let counting = Counting::new(Arc::default());
        let (begun, mut beginnings) = mpsc::unbounded_channel();
        let count = |number: u32| {
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let begun = begun.clone();
            let counted = counting.run(move |_| {
                let _ = begun.send(number);
                let _ = ended.recv();
                Ok(number)
            });
            (end, Box::pin(counted))
        };
        let ((end_first, mut first), (_end_second, mut second), (end_third, mut third)) =
            (count(1), count(2), count(3));
        for counted in [&mut first, &mut second, &mut third] {
            assert!(counted.now_or_never().is_none());
        }
        let mut first_two = [beginnings.recv().await, beginnings.recv().await];
        first_two.sort_unstable();
        assert_eq!(first_two, [Some(1), Some(2)]);
        assert!(
            (&mut third).now_or_never().is_none() && beginnings.try_recv().is_err(),
            "it waits"
        );
        drop(end_first);
        assert_eq!(first.await.unwrap(), 1);
        drop(end_third);
        assert_eq!(third.await.unwrap(), 3);
        assert_eq!(beginnings.recv().await, Some(3));
    }
}
