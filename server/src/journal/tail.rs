//! The writing end: one write and one sync per group.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::Seq;
use super::disk::{Disk, SharedFile};
use super::record::{self, HEADER_BYTES, Header};
use super::segment::{self, Segment};

/// Most bytes of frames in one group, unless it is a single record: 1 MiB, which the disk takes in about 8 ms.
pub(super) const GROUP_BYTES: usize = 1024 * 1024;

/// Where the next group goes.
pub(super) struct Tail {
    segment: Arc<Segment>,
    journal: Uuid,
    /// Where in the segment; 0 while its header is to be written with the first group.
    offset: u64,
    /// The record to be written next.
    next: Seq,
    /// The group's bytes, kept to save allocations.
    buffer: Vec<u8>,
}

impl Tail {
    pub(super) fn new(segment: Arc<Segment>, journal: Uuid, offset: u64, next: Seq) -> Self {
        Self {
            segment,
            journal,
            offset,
            next,
            buffer: Vec::new(),
        }
    }

    /// The record to be written next.
    pub(super) fn next(&self) -> Seq {
        self.next
    }

    /// Bytes of frames that still fit into the segment.
    pub(super) fn room(&self) -> usize {
        let used = self.offset.max(HEADER_BYTES as u64);
        usize::try_from(self.segment.capacity.saturating_sub(used)).unwrap_or(usize::MAX)
    }

    /// Makes `payloads` durable; the last of their records. They must fit.
    pub(super) fn write_group<'a>(&mut self, payloads: impl Iterator<Item = &'a Bytes>) -> io::Result<Seq> {
        self.buffer.clear();
        if self.offset == 0 {
            let header = Header {
                first: self.segment.first,
                journal: self.journal,
            };
            self.buffer.extend_from_slice(&record::encode_header(header));
        }
        let first = self.next;
        for payload in payloads {
            record::encode(&mut self.buffer, self.next, payload);
            self.next += 1;
        }
        self.segment.file.write_at(&self.buffer, self.offset)?;
        self.sync()?;
        let began = self.offset.max(HEADER_BYTES as u64);
        self.offset += self.buffer.len() as u64;
        self.segment.grew(first, began, self.offset);
        self.buffer.shrink_to(GROUP_BYTES);
        Ok(self.next - 1)
    }

    fn sync(&self) -> io::Result<()> {
        #[cfg(feature = "planted-bugs")]
        if crate::planted::acknowledges_early() {
            return Ok(());
        }
        self.segment.file.sync_data()
    }

    /// Goes on in `spare`, a file called [`segment::SPARE`] of `capacity` bytes. Its name is durable before any record.
    pub(super) fn roll(&mut self, disk: &dyn Disk, spare: SharedFile, capacity: u64) -> io::Result<Arc<Segment>> {
        disk.rename(segment::SPARE, &segment::name_of(self.next))?;
        disk.sync_dir()?;
        self.segment = Arc::new(Segment::new(self.next, spare, capacity, 0));
        self.offset = 0;
        Ok(Arc::clone(&self.segment))
    }
}
