//! All segments in order, the one being written last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Seq;
use super::segment::Segment;

/// The segments, oldest first, and what was found damaged in them. Never empty.
pub(super) struct Shelf {
    segments: Mutex<Vec<Arc<Segment>>>,
    /// First lost record → the next good one.
    gaps: Mutex<BTreeMap<Seq, Seq>>,
}

impl Shelf {
    /// The segments found, oldest first.
    pub(super) fn new(segments: Vec<Arc<Segment>>) -> Self {
        Self {
            segments: Mutex::new(segments),
            gaps: Mutex::default(),
        }
    }

    /// The segment in which record `seq` stands, or the oldest if it was deleted; and the first record of the one after.
    pub(super) fn holding(&self, seq: Seq) -> Option<(Arc<Segment>, Option<Seq>)> {
        let segments = self.lock();
        let at = segments
            .partition_point(|segment| segment.first <= seq)
            .saturating_sub(1);
        let segment = segments.get(at)?;
        Some((Arc::clone(segment), segments.get(at + 1).map(|next| next.first)))
    }

    /// A new segment to write to. It takes the place of an empty one of the same name.
    pub(super) fn push(&self, segment: Arc<Segment>) {
        let mut segments = self.lock();
        segments.pop_if(|last| last.first == segment.first);
        segments.push(segment);
    }

    /// The oldest segment, if all its records are at or below `acked` and it is not the one being written.
    pub(super) fn oldest_acked(&self, acked: Seq) -> Option<Arc<Segment>> {
        let segments = self.lock();
        let next = segments.get(1)?;
        segments
            .first()
            .filter(|_| next.first <= acked.saturating_add(1))
            .cloned()
    }

    /// Takes the oldest segment off the shelf, after its file was deleted.
    pub(super) fn drop_oldest(&self) {
        let mut segments = self.lock();
        if segments.len() > 1 {
            segments.remove(0);
        }
    }

    /// Number of segments, and the bytes of disk they take.
    pub(super) fn size(&self) -> (usize, u64) {
        let segments = self.lock();
        (segments.len(), segments.iter().map(|segment| segment.capacity).sum())
    }

    /// Bytes of records after `acked`, at most a mark's distance too many.
    pub(super) fn bytes_after(&self, acked: Seq) -> u64 {
        let segments = self.lock();
        let next_firsts = segments.iter().skip(1).map(|next| next.first).chain([Seq::MAX]);
        let pending = segments
            .iter()
            .zip(next_firsts)
            .filter(|(_, next)| *next > acked.saturating_add(1));
        pending.map(|(segment, _)| bytes_of(segment, acked)).sum()
    }

    /// Records from `lost` up to before `resumes` cannot be read.
    pub(super) fn note_gap(&self, lost: Seq, resumes: Seq) {
        self.gaps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(lost, resumes);
    }

    /// Records that cannot be read, as far as noticed.
    pub(super) fn lost_records(&self) -> u64 {
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.iter().map(|(lost, resumes)| resumes - lost).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Segment>>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(segment: &Segment, acked: Seq) -> u64 {
    let (_, from) = segment.marks().before(acked.saturating_add(1).max(segment.first));
    segment.end().saturating_sub(from)
}
