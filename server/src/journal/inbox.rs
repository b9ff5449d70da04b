//! Records waiting to be committed, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::record::framed;
use super::tail::GROUP_BYTES;
use super::{Append, AppendError, Seq};

/// How long a group is gathered at most, from the end of the one before: 1 ms. Under a load that is not enough for company
/// a record is at most this much later; after a pause it is not later at all.
const GATHER_AT_MOST: Duration = Duration::from_millis(1);

/// Bytes of frames that are company enough: 64 KiB. Writing that many takes the disk as long as its sync.
const GATHER_BYTES: usize = 64 * 1024;

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
    /// With how many records in the queue the committer wants to be woken; none while it is busy, so that records which
    /// nobody waits for cost no system call.
    awaited: Option<usize>,
    /// Why nothing more is taken.
    shut: Option<AppendError>,
}

impl State {
    fn has(&self, records: usize) -> bool {
        self.shut.is_some() || self.queue.len() >= records || (self.bytes >= GATHER_BYTES && !self.queue.is_empty())
    }
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
        let wake = state.awaited.is_some_and(|records| state.has(records));
        if wake {
            state.awaited = None;
        }
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
        Append::waiting(outcome)
    }

    /// Waits a little for `company` records, then for one; false once there will be none. Call it right after a commit.
    pub(super) fn wait(&self, company: usize) -> bool {
        let mut state = self.lock();
        state.awaited = Some(company);
        let (mut state, _) = self
            .arrived
            .wait_timeout_while(state, GATHER_AT_MOST, |state| !state.has(company))
            .unwrap_or_else(PoisonError::into_inner);
        state.awaited = Some(1);
        let mut state = self
            .arrived
            .wait_while(state, |state| !state.has(1))
            .unwrap_or_else(PoisonError::into_inner);
        state.awaited = None;
        !state.queue.is_empty()
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.lock().queue.len()
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
