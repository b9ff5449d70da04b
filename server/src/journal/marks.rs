//! A sparse index of one segment: where some of its records begin.

use super::Seq;
use super::record::HEADER_BYTES;

/// Least bytes between two marks: 64 KiB. Finding a record then skips at most that (about 10 µs), and a full 64 MiB
/// segment has at most 1,024 marks of 16 bytes.
const SPACING: u64 = 64 * 1024;

/// Places known to begin a record, because this process wrote or verified what stands before them.
#[derive(Debug)]
pub(super) struct Marks(Vec<(Seq, u64)>);

impl Marks {
    /// A segment whose first record is `first`.
    pub(super) fn starting(first: Seq) -> Self {
        Self(vec![(first, HEADER_BYTES as u64)])
    }

    /// Record `seq` begins at `offset`. Kept if it is far enough after the last one.
    pub(super) fn note(&mut self, seq: Seq, offset: u64) {
        if self
            .0
            .last()
            .is_none_or(|&(last, at)| seq > last && offset >= at + SPACING)
        {
            self.0.push((seq, offset));
        }
    }

    /// The last mark at or before `seq`.
    pub(super) fn before(&self, seq: Seq) -> (Seq, u64) {
        let after = self.0.partition_point(|&(at, _)| at <= seq);
        self.0
            .get(after.saturating_sub(1))
            .copied()
            .unwrap_or((seq, HEADER_BYTES as u64))
    }

    /// The first mark after `seq`.
    pub(super) fn after(&self, seq: Seq) -> Option<(Seq, u64)> {
        self.0.get(self.0.partition_point(|&(at, _)| at <= seq)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_sought_from_the_mark_before_it() {
        let mut marks = Marks::starting(10);
        marks.note(11, HEADER_BYTES as u64 + 1);
        marks.note(20, 100_000);
        assert_eq!(marks.before(10), (10, HEADER_BYTES as u64));
        assert_eq!(marks.before(19), (10, HEADER_BYTES as u64));
        assert_eq!(marks.before(20), (20, 100_000));
        assert_eq!(marks.after(10), Some((20, 100_000)));
        assert_eq!(marks.after(20), None);
    }
}
