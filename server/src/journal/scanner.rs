//! Walks the records of one segment, in windows, verifying each.

use std::io;

use bytes::Bytes;

use super::disk::DiskFile;
use super::record::{self, FRAME_BYTES, Frame};
use super::{Record, Seq};

/// Bytes read at a time: 256 KiB. A record that is kept keeps its window in memory.
const WINDOW_BYTES: usize = 256 * 1024;

/// What stands where the next record was looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Record(Record),
    /// Nothing was written here.
    End,
    /// Something else than the next record.
    Damaged,
}

/// A walk through one segment.
pub(super) struct Scanner<'a> {
    file: &'a dyn DiskFile,
    /// Where records end at the latest.
    end: u64,
    /// Where the next record begins, and which one it is.
    pub(super) offset: u64,
    pub(super) seq: Seq,
    /// Bytes of the file from `offset` on.
    window: Bytes,
}

impl<'a> Scanner<'a> {
    /// Starts with record `seq` at `offset`, which must be where it begins.
    pub(super) fn new(file: &'a dyn DiskFile, seq: Seq, offset: u64, end: u64) -> Self {
        Self {
            file,
            end,
            offset,
            seq,
            window: Bytes::new(),
        }
    }

    /// The next record. After anything but a record, the walk stays where it is.
    pub(super) fn step(&mut self) -> io::Result<Found> {
        let Some(frame) = self.frame()? else {
            return Ok(Found::End);
        };
        let (len, crc) = match record::decode(&frame, self.seq) {
            Frame::End => return Ok(Found::End),
            Frame::Damaged => return Ok(Found::Damaged),
            Frame::Payload { len, crc } => (len, crc),
        };
        if !self.reach(record::framed(len))? {
            return Ok(Found::Damaged);
        }
        let payload = self.window.slice(FRAME_BYTES..record::framed(len));
        if record::crc_of(self.seq, &payload) != crc {
            return Ok(Found::Damaged);
        }
        Ok(Found::Record(self.pass(payload)))
    }

    fn pass(&mut self, payload: Bytes) -> Record {
        let seq = self.seq;
        let bytes = record::framed(payload.len());
        self.window = self.window.slice(bytes..);
        self.offset += bytes as u64;
        self.seq = seq.saturating_add(1);
        Record { seq, payload }
    }

    fn frame(&mut self) -> io::Result<Option<[u8; FRAME_BYTES]>> {
        Ok(if self.reach(FRAME_BYTES)? {
            self.window.first_chunk().copied()
        } else {
            None
        })
    }

    /// Whether the window holds `bytes` bytes, after reading more if it must.
    fn reach(&mut self, bytes: usize) -> io::Result<bool> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        if bytes > left {
            return Ok(false);
        }
        if bytes > self.window.len() {
            let mut window = vec![0; bytes.max(WINDOW_BYTES).min(left)];
            let read = self.file.read_at(&mut window, self.offset)?;
            window.truncate(read);
            self.window = window.into();
        }
        Ok(bytes <= self.window.len())
    }
}
