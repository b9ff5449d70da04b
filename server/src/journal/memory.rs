//! A journal in memory, for tests of what stands around a journal.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use super::record::framed;
use super::{Append, AppendError, Journal, JournalStats, ReadError, Record, Seq};

/// Not durable, otherwise a journal: bounded, ordered, and it can be poisoned.
#[derive(Debug)]
pub struct MemoryJournal {
    state: Mutex<State>,
    durable: watch::Sender<Seq>,
    max_bytes: u64,
}

#[derive(Debug, Default)]
struct State {
    records: VecDeque<Record>,
    bytes: u64,
    acked: Seq,
    closed: bool,
    poisoned: Option<String>,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::bounded(u64::MAX)
    }
}

impl MemoryJournal {
    /// A journal that is full at `max_bytes` of unacknowledged records.
    #[must_use]
    pub fn bounded(max_bytes: u64) -> Self {
        Self {
            state: Mutex::default(),
            durable: watch::Sender::new(0),
            max_bytes,
        }
    }

    /// Refuses appends from now on, as after a failed `fdatasync`.
    pub fn poison(&self, reason: &str) {
        self.lock().poisoned = Some(reason.to_owned());
    }

    fn append_now(&self, payload: Bytes) -> Result<Seq, AppendError> {
        let mut state = self.lock();
        let bytes = framed(payload.len()) as u64;
        if state.poisoned.is_some() {
            return Err(AppendError::Poisoned);
        } else if state.closed {
            return Err(AppendError::Closed);
        } else if bytes > self.max_bytes {
            return Err(AppendError::TooLarge);
        } else if state.bytes + bytes > self.max_bytes {
            return Err(AppendError::Full);
        }
        state.bytes += bytes;
        let seq = *self.durable.borrow() + 1;
        state.records.push_back(Record { seq, payload });
        self.durable.send_replace(seq);
        Ok(seq)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn append(&self, payload: Bytes) -> Append {
        Append::ready(self.append_now(payload))
    }

    fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let state = self.lock();
        let mut room = max_bytes.max(1);
        let from = state.records.partition_point(|record| record.seq <= after);
        let wanted = state.records.range(from..).take_while(|record| {
            let wanted = room > 0;
            room = room.saturating_sub(record.payload.len().max(1));
            wanted
        });
        Ok(wanted.cloned().collect())
    }

    fn durable(&self) -> watch::Receiver<Seq> {
        self.durable.subscribe()
    }

    fn ack(&self, through: Seq) {
        let mut state = self.lock();
        state.acked = state.acked.max(through.min(*self.durable.borrow()));
        while let Some(record) = state.records.pop_front_if(|record| record.seq <= through) {
            state.bytes -= framed(record.payload.len()) as u64;
        }
    }

    fn stats(&self) -> JournalStats {
        let state = self.lock();
        JournalStats {
            backlog_bytes: state.bytes,
            backlog_records: state.records.len() as u64,
            durable_seq: *self.durable.borrow(),
            acked_seq: state.acked,
            poisoned: state.poisoned.clone(),
            ..JournalStats::default()
        }
    }

    fn close(&self) {
        self.lock().closed = true;
    }
}
