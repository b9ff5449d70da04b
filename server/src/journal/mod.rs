//! The durable buffer between the 202 and Postgres.
//!
//! A request's events are one *record*: an opaque payload with a sequence number. [`Journal::append`] resolves once the
//! record is on stable storage, which is what the 202 promises; the writer reads records in order, stores them, and
//! [`Journal::ack`]s them, after which their space is freed.
//!
//! # On disk ([`LocalJournal`])
//! One directory, held by one process (`flock` on `lock`), mode 0700. Segments are named by their first record,
//! `00000000000000000001.log`, and are allocated in full before their first use, so that a commit changes no file size.
//! A segment is a 48-byte header and then records, all little endian:
//! ```text
//! header  magic "TMJRNL01" | first seq u64 | journal id u128 | reserved 12 bytes | crc32c u32 of all before
//! record  len u32 (of the payload) | crc32c u32 of len, seq and payload | seq u64 | payload
//! ```
//! Sixteen zero bytes end a segment. The next segment is made ahead, as `spare.tmp`, by a second thread, which also
//! deletes what was acknowledged; files are never recycled, because an old record could pass for a new one.
//!
//! # Rules
//! - One thread commits. It takes what waits, up to 1 MiB, writes it with one `pwrite`, makes it durable with one
//!   `fdatasync`, publishes it, and only then completes the futures. Groups form while the disk is busy. Under a load
//!   where more than four records come during a sync, a group also waits for company, at most 1 ms from the end of the
//!   one before: a commit costs about 40 µs of CPU, a single event about 35 in all. A record that comes after a pause
//!   does not wait.
//! - A failed write or `fdatasync` is final ([`AppendError::Poisoned`]): after EIO the kernel may call lost pages clean,
//!   so a retry that succeeds proves nothing. Opening again reads what the disk has, not what the page cache has.
//! - No space, by [`JournalOptions::max_bytes`] or by the disk, is [`AppendError::Full`] and ends when space is freed.
//! - Opening cuts the torn tail that a power loss leaves, and only that. Damage that no torn write explains is kept
//!   beside the journal as `….log.corrupt` and counted, and the journal serves on with all that is whole.
//! - A damaged record's neighbours are found by offsets this process wrote or verified itself, never by searching for
//!   something that looks like a record: payloads come from strangers, who could forge one.
//! - Sequence numbers are never used twice: the last segment stays, even when all is acknowledged. A journal that starts
//!   from an empty directory has a new [`LocalJournal::id`]; a cursor kept elsewhere must be kept per id.

mod append;
mod record;
mod disk;
mod os_disk;
#[doc(hidden)]
pub mod fake_disk;
mod marks;
mod segment;
mod shelf;
mod scanner;
mod reader;
mod ending;
mod recovery;
mod inbox;
mod spares;
mod tail;
mod ages;
mod core;
mod committer;
mod housekeeper;
mod local;
mod memory;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;

pub use append::{Append, AppendError};
pub use disk::{DirLock, Disk, DiskFile, SharedFile};
pub use local::{JournalOptions, LocalJournal, OpenError};
pub use memory::MemoryJournal;
pub use os_disk::OsDisk;
pub use recovery::Recovery;

/// A record's place in the journal. The first record is 1; 0 means "none".
pub type Seq = u64;

/// One durable record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place. Strictly increasing, without gaps unless the disk damaged something.
    pub seq: Seq,
    /// What was appended. May share a read buffer of up to 256 KiB with its neighbours.
    pub payload: Bytes,
}

/// Append durable, read in order, acknowledge.
pub trait Journal: Send + Sync + 'static {
    /// Queues `payload` and resolves to its place once it is on stable storage. Queued when this returns: dropping the
    /// future does not take the record back.
    fn append(&self, payload: Bytes) -> Append;

    /// Durable records after `after`, in order, until their payloads reach about `max_bytes`; at least one if there is one.
    /// Blocks for as long as reading the page cache takes. Empty means: nothing until [`Journal::durable`] changes.
    ///
    /// # Errors
    /// [`ReadError`] if the disk refuses to read; the same call may be made again.
    fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Record>, ReadError>;

    /// The last durable record, to be awaited by the writer. Changes before the append's future resolves.
    fn durable(&self) -> tokio::sync::watch::Receiver<Seq>;

    /// Says that every record up to and including `through` is stored: its space may be freed. Call it once after
    /// opening with the cursor from the store, as the journal does not remember it.
    fn ack(&self, through: Seq);

    /// What the journal holds and how it fares.
    fn stats(&self) -> JournalStats;

    /// Commits what is queued and stops; later appends are refused as [`AppendError::Closed`]. Reading stays possible.
    /// Blocks for one or a few `fdatasync`. Calling it twice is fine.
    fn close(&self);
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk said no.
    #[error("cannot read the journal: {0}")]
    Io(#[from] std::io::Error),
}

/// What a journal holds and how it fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Bytes not acknowledged yet, frames included; up to 64 KiB too many.
    pub backlog_bytes: u64,
    /// Records not acknowledged yet.
    pub backlog_records: u64,
    /// The last durable record.
    pub durable_seq: Seq,
    /// The last acknowledged record.
    pub acked_seq: Seq,
    /// Segment files, the spare one not counted.
    pub segments: usize,
    /// Bytes of disk taken, allocated but unused ones and the spare segment included.
    pub disk_bytes: u64,
    /// For how long at most the oldest unacknowledged record has waited, since it was committed or the journal opened.
    pub oldest_pending_age: Option<Duration>,
    /// How long the last group took to write and sync, in microseconds.
    pub last_commit_micros: u64,
    /// Groups committed since opening: one `fdatasync` each.
    pub groups: u64,
    /// Why no next segment can be made at the moment: appends are refused once the present one is used up.
    pub blocked: Option<String>,
    /// The error that made further appends impossible until a restart.
    pub poisoned: Option<String>,
    /// Segments found damaged since opening, and those found set aside when opening.
    pub quarantined_segments: usize,
    /// Records that damage made unreadable since opening; an upper bound.
    pub lost_records: u64,
}
