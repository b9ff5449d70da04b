//! Records waiting to be committed, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::record::framed;
use super::tail::GROUP_BYTES;
use super::{Append, AppendError, Seq};

/// A record and whom to tell.
pub(super) struct Waiting {
    pub(super) payload: Bytes,
    answer: oneshot::Sender<Result<Seq, AppendError>>,
}

impl Waiting {
    /// Tells the outcome. Nobody listening any more is fine.
    pub(super) fn answer(self, outcome: Result<Seq, AppendError>) {
        let _ = self.answer.send(outcome);
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Waiting>,
    /// Bytes of frames in the queue and in the group being committed.
    bytes: usize,
    /// Why nothing more is taken.
    shut: Option<AppendError>,
}

/// What waits between `append` and the committer.
pub(super) struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
    limit: usize,
}

impl Inbox {
    /// Holds at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            limit,
        }
    }

    /// Queues a record, or says why not.
    pub(super) fn push(&self, payload: Bytes) -> Append {
        let mut state = self.lock();
        if let Some(reason) = state.shut {
            return Append::ready(Err(reason));
        }
        let bytes = state.bytes + framed(payload.len());
        if bytes > self.limit {
            return Append::ready(Err(AppendError::Full));
        }
        state.bytes = bytes;
        let (answer, outcome) = oneshot::channel();
        state.queue.push_back(Waiting { payload, answer });
        drop(state);
        self.arrived.notify_one();
        Append::waiting(outcome)
    }

    /// Waits for a record; false once there will be none.
    pub(super) fn wait(&self) -> bool {
        let idle = |state: &mut State| state.queue.is_empty() && state.shut.is_none();
        let state = self
            .arrived
            .wait_while(self.lock(), idle)
            .unwrap_or_else(PoisonError::into_inner);
        !state.queue.is_empty()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// The next group: as many records as fit into `room` and [`GROUP_BYTES`], or a single larger one. None if the first
    /// does not fit into `room`.
    pub(super) fn take_group(&self, room: usize) -> Vec<Waiting> {
        let mut state = self.lock();
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += framed(waiting.payload.len());
            let alone = bytes == framed(waiting.payload.len());
            bytes <= room && (alone || bytes <= GROUP_BYTES)
        };
        let count = state.queue.iter().take_while(fits).count();
        state.queue.drain(..count).collect()
    }

    /// Takes the first record out, to refuse it.
    pub(super) fn take_first(&self) -> Option<Waiting> {
        self.lock().queue.pop_front()
    }

    /// Gives back the memory of records that were taken.
    pub(super) fn release(&self, bytes: usize) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// Takes nothing more; what waits may still be committed.
    pub(super) fn close(&self) {
        self.lock().shut.get_or_insert(AppendError::Closed);
        self.arrived.notify_all();
    }

    /// Takes nothing more and answers all that wait.
    pub(super) fn poison(&self) {
        let mut state = self.lock();
        state.shut = Some(AppendError::Poisoned);
        let abandoned = std::mem::take(&mut state.queue);
        drop(state);
        self.arrived.notify_all();
        abandoned
            .into_iter()
            .for_each(|waiting| waiting.answer(Err(AppendError::Poisoned)));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
