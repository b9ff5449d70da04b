//! What waits on the storage alone.

use super::{Log, Place};
use crate::queue::Entry;
use crate::ranges::Ranges;

/// Waiting events that are on the storage alone.
#[derive(Debug)]
pub(crate) struct Rest {
    /// Where the first of them is, or something before it.
    from: Place,
    seqs: Ranges,
    bytes: usize,
}

impl Rest {
    /// None yet; the first will be at this place.
    pub(crate) fn new(from: Place) -> Self {
        Self {
            from,
            seqs: Ranges::default(),
            bytes: 0,
        }
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, seq: u64, bytes: usize, place: Place) {
        // What was saved late, because the storage had failed, or again, is not where its number would have it.
        self.from = self.from.min(place);
        self.seqs.insert(seq, seq);
        self.bytes += bytes;
    }

    /// Adds an event that is somewhere in this segment.
    pub(crate) fn add_in(&mut self, seq: u64, bytes: usize, segment: u64) {
        self.add(seq, bytes, Place { segment, offset: 0 });
    }

    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.seqs.count()).unwrap_or(usize::MAX)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn seqs(&self) -> &Ranges {
        &self.seqs
    }

    /// Reads the next of them, a segment's. Returns them, and what is left, or how many the storage has lost.
    pub(crate) fn read_on(mut self, log: &mut Log) -> (Vec<Entry>, Result<Self, u64>) {
        let (entries, next) = log.load(self.from, &self.seqs);
        for entry in &entries {
            self.seqs.remove(entry.seq);
            self.bytes = self.bytes.saturating_sub(entry.json.len());
        }
        let left = self.seqs.count();
        let rest = match next {
            Some(from) if left > 0 => Ok(Self { from, ..self }),
            _ => Err(left),
        };
        (entries, rest)
    }
}
