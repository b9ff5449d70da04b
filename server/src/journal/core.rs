//! What the journal's handle and its two threads share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::watch;
use tracing::error;
use uuid::Uuid;

use super::ages::Ages;
use super::disk::Disk;
use super::inbox::Inbox;
use super::record::{self, HEADER_BYTES, PAYLOAD_BYTES};
use super::recovery::{Opened, keep_corrupt};
use super::segment::Segment;
use super::shelf::Shelf;
use super::spares::Spares;
use super::{Append, AppendError, JournalStats, ReadError, Record, Seq, reader};

/// The journal without its threads.
pub(super) struct Core {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) id: Uuid,
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
    pub(super) inbox: Inbox,
    pub(super) shelf: Shelf,
    pub(super) spares: Spares,
    pub(super) durable: watch::Sender<Seq>,
    pub(super) last_commit_micros: AtomicU64,
    pub(super) groups: AtomicU64,
    acked: AtomicU64,
    ages: Mutex<Ages>,
    poison: OnceLock<String>,
    quarantined: AtomicUsize,
    payload_limit: usize,
}

/// How large things may be.
pub(super) struct Bounds {
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
    pub(super) pending_bytes: usize,
}

impl Core {
    /// The journal as it was opened. `attended` says whether threads serve it.
    pub(super) fn new(disk: Arc<dyn Disk>, bounds: &Bounds, opened: Opened, attended: bool) -> Self {
        let recovery = opened.recovery;
        let segment_room = bounds
            .segment_bytes
            .saturating_sub((HEADER_BYTES + record::FRAME_BYTES) as u64);
        let memory_room = bounds.pending_bytes.saturating_sub(record::FRAME_BYTES);
        let payload_limit = usize::try_from(segment_room)
            .unwrap_or(usize::MAX)
            .min(memory_room)
            .min(PAYLOAD_BYTES);
        Self {
            disk,
            id: recovery.id,
            max_bytes: bounds.max_bytes,
            segment_bytes: bounds.segment_bytes,
            inbox: Inbox::new(bounds.pending_bytes),
            shelf: Shelf::new(opened.segments),
            spares: Spares::new(attended),
            durable: watch::Sender::new(recovery.last_seq),
            last_commit_micros: AtomicU64::new(0),
            groups: AtomicU64::new(0),
            acked: AtomicU64::new(recovery.first_seq.saturating_sub(1)),
            ages: Mutex::new(Ages::starting(recovery.first_seq, Instant::now())),
            poison: OnceLock::new(),
            quarantined: AtomicUsize::new(recovery.quarantined.len()),
            payload_limit,
        }
    }

    pub(super) fn append(&self, payload: Bytes) -> Append {
        if payload.len() > self.payload_limit {
            return Append::ready(Err(AppendError::TooLarge));
        }
        self.inbox.push(payload)
    }

    pub(super) fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let durable = *self.durable.borrow();
        Ok(reader::read(&self.shelf, after, durable, max_bytes, |segment| {
            self.quarantine(segment);
        })?)
    }

    fn quarantine(&self, segment: &Segment) {
        if segment.mark_damaged() && keep_corrupt(&*self.disk, &segment.name()).is_some() {
            self.quarantined.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn ack(&self, through: Seq) {
        let through = through.min(*self.durable.borrow());
        if self.acked.fetch_max(through, Ordering::AcqRel) < through {
            self.ages().acked(through);
            self.spares.nudge();
        }
    }

    pub(super) fn acked(&self) -> Seq {
        self.acked.load(Ordering::Acquire)
    }

    pub(super) fn ages(&self) -> MutexGuard<'_, Ages> {
        self.ages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends appending for good. The first reason is kept.
    pub(super) fn poison(&self, reason: String) {
        error!(%reason, "the journal is poisoned: no appends until a restart");
        let _ = self.poison.set(reason);
        self.inbox.poison();
        self.spares.leave();
    }

    pub(super) fn is_poisoned(&self) -> bool {
        self.poison.get().is_some()
    }

    pub(super) fn stats(&self) -> JournalStats {
        let (acked, durable) = (self.acked(), *self.durable.borrow());
        let (segments, bytes) = self.shelf.size();
        let pending = durable > acked;
        JournalStats {
            backlog_bytes: if pending { self.shelf.bytes_after(acked) } else { 0 },
            backlog_records: durable.saturating_sub(acked),
            durable_seq: durable,
            acked_seq: acked,
            segments,
            disk_bytes: bytes + if self.spares.is_ready() { self.segment_bytes } else { 0 },
            oldest_pending_age: self.ages().oldest(Instant::now()).filter(|_| pending),
            last_commit_micros: self.last_commit_micros.load(Ordering::Relaxed),
            groups: self.groups.load(Ordering::Relaxed),
            blocked: self.spares.blocked(),
            poisoned: self.poison.get().cloned(),
            quarantined_segments: self.quarantined.load(Ordering::Relaxed),
            lost_records: self.shelf.lost_records(),
        }
    }
}
