//! The log: how a client's memory is laid out on its [`Storage`].
//!
//! One append-only sequence of records (`record`), cut into segment files of about a mebibyte. An event is appended when
//! it is captured; what became of it is appended when that is known (`settled`); everything else that is remembered is
//! a checkpoint (`state`), written whenever it changes and at the start of each segment. So a segment is not
//! needed any more when none of its own events is undecided, whatever else is in it.
//!
//! Reading it back (`recover`) needs no order of writes beyond that of the records, and nothing is ever rewritten: a
//! crash at any byte leaves all complete records, and what is missing shows as a gap between the numbers.

mod crc;
mod numbered;
mod settled;
mod record;
mod recover;
mod rest;

use std::time::Duration;

use trailmark_protocol::Timestamp;
use trailmark_protocol::json::{as_u64, write_digits};

use crate::queue::Entry;
use crate::ranges::Ranges;
use crate::saved::Saved;
use crate::storage::{Storage, StorageError};
use crate::wait::Wait;
use numbered::Numbered;
use record::{Item, Writer, items, payloads};
pub(crate) use rest::Rest;
pub(crate) use settled::Settled;

/// A segment is closed when it is this long: 1 MiB, about 2,000 events. It is also how much is read at once.
pub(crate) const SEGMENT_BYTES: u64 = 1024 * 1024;

/// How long a storage that failed is left alone: 10 s. Until then events are kept in memory only.
pub const STORAGE_RETRY: Duration = Duration::from_secs(10);

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

impl Place {
    pub(crate) fn segment(self) -> u64 {
        self.segment
    }
}

/// A log on a storage. See the [module](self).
pub(crate) struct Log {
    storage: Box<dyn Storage>,
    /// A segment is closed when it is this long.
    segment_bytes: u64,
    writer: Writer,
    /// How many undecided events are in each segment.
    live: Numbered,
    /// Where the copy is that counts, of undecided events that were found more than once at the start.
    again: Numbered,
    /// The segment that is being written, and its length; none before the first record and after a failure, because
    /// nobody knows what a failed append has left at the end.
    open: Option<Place>,
    /// The file of the last record, and its segment.
    file: (u64, String),
    last_number: u64,
    failure: Option<Failure>,
    /// It could not be listed at the start, and is not touched.
    unusable: Option<StorageError>,
}

/// The storage does not take anything.
struct Failure {
    error: StorageError,
    wait: Wait,
}

impl Log {
    /// The file of a segment. The format's version is in the name: a version that does not know it leaves it alone.
    fn file(number: u64) -> String {
        let mut name = "events-".to_owned();
        write_digits(&mut name, number, 10);
        name + ".v1"
    }

    fn number(file: &str) -> Option<u64> {
        file.strip_prefix("events-")?.strip_suffix(".v1").and_then(as_u64)
    }

    /// Whether the next record must have a checkpoint in it.
    pub(crate) fn begins_segment(&self) -> bool {
        self.open.is_none_or(|end| end.offset >= self.segment_bytes)
    }

    /// The record that is being made; it is appended by [`Log::commit`].
    pub(crate) fn record(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// Whether an append would be tried now.
    pub(crate) fn is_open_to_writes(&mut self, now: Timestamp) -> bool {
        let waits = |failure: &mut Failure| failure.wait.until(now).is_some();
        self.unusable.is_none() && !self.failure.as_mut().is_some_and(waits)
    }

    /// Appends the record, which has `events` new events in it, and says where it is. `None`: it is not there, or
    /// perhaps only as a torn end that no reader takes for a record.
    pub(crate) fn commit(&mut self, events: u64, now: Timestamp) -> Option<Place> {
        if !self.is_open_to_writes(now) {
            self.writer.clear();
            return None;
        }
        let at = match self.open {
            Some(end) if end.offset < self.segment_bytes => end,
            _ => self.next_segment(),
        };
        if self.file.0 != at.segment {
            self.file = (at.segment, Self::file(at.segment));
        }
        let bytes = self.writer.seal();
        let len = bytes.len() as u64;
        let result = self.storage.append(&self.file.1, bytes);
        self.writer.clear();
        if let Err(error) = result {
            self.open = None;
            // What it left is not needed, and must not stay.
            self.live.add(at.segment, 0);
            let wait = Wait::start(now, STORAGE_RETRY);
            self.failure = Some(Failure { error, wait });
            return None;
        }
        self.failure = None;
        self.open = Some(Place {
            offset: at.offset + len,
            ..at
        });
        self.add_live(at.segment, events);
        if at.offset == 0 {
            self.sweep();
        }
        Some(at)
    }

    fn add_live(&mut self, segment: u64, events: u64) {
        self.live.add(segment, 0);
        if let Some(live) = self.live.get_mut(segment) {
            *live += events;
        }
    }

    fn next_segment(&mut self) -> Place {
        self.last_number += 1;
        Place {
            segment: self.last_number,
            offset: 0,
        }
    }

    /// An event of this segment is decided. A segment without undecided events is removed.
    pub(crate) fn decided(&mut self, segment: u64) {
        if let Some(live) = self.live.get_mut(segment) {
            *live = live.saturating_sub(1);
            if *live == 0 {
                self.remove(segment);
            }
        }
    }

    /// Removes a segment if another one is being written. Before the first record, and after a failure, it may be the one
    /// that has the latest checkpoint. One that cannot be removed is tried again at the next start.
    fn remove(&mut self, segment: u64) {
        if self.open.is_some_and(|end| end.segment != segment) {
            self.live.remove(segment);
            let _ = self.storage.remove(&Self::file(segment));
        }
    }

    /// Whether this segment is the one that is being written.
    pub(crate) fn is_open(&self, segment: u64) -> bool {
        self.open.is_some_and(|end| end.segment == segment)
    }

    /// The next record begins a segment, so that nothing of this one stays behind once its events are decided.
    pub(crate) fn close_segment(&mut self) {
        self.open = None;
    }

    /// Removes the closed segments without undecided events.
    fn sweep(&mut self) {
        let mut number = 0;
        while let Some(next) = self.live.next(number) {
            number = next;
            if self.live.get(number) == Some(0) {
                self.remove(number);
            }
        }
    }

    /// What the storage last said, while it does not take anything.
    pub(crate) fn error(&self) -> Option<&StorageError> {
        let failure = self.failure.as_ref().map(|failure| &failure.error);
        failure.or(self.unusable.as_ref())
    }

    /// Whether the copy of an event in this segment is the one that keeps it alive.
    fn counts(&self, seq: u64, segment: u64) -> bool {
        self.again.get(seq).is_none_or(|counts| counts == segment)
    }

    /// The events with these numbers at and behind `from` in its segment, and where the next segment begins, if there is
    /// one.
    pub(crate) fn load(&mut self, from: Place, seqs: &Ranges) -> (Vec<Entry>, Option<Place>) {
        let segment = self.storage.read(&Self::file(from.segment)).unwrap_or_default();
        let offset = usize::try_from(from.offset).unwrap_or(usize::MAX);
        let mut entries: Vec<Entry> = Vec::new();
        for (_, payload) in payloads(&segment, offset) {
            for item in items(payload) {
                if let Item::Event(event) = item
                    && seqs.contains(event.seq)
                    && self.counts(event.seq, from.segment)
                {
                    add(&mut entries, entry(&event, from.segment));
                }
            }
        }
        let next = self.live.next(from.segment);
        let next = next.map(|segment| Place { segment, offset: 0 });
        (entries, next)
    }
}

/// Adds an entry in the order of the numbers, unless it is there. Nearly always it is the last one.
fn add(entries: &mut Vec<Entry>, entry: Entry) {
    let at = entries.partition_point(|known| known.seq < entry.seq);
    if entries.get(at).is_none_or(|known| known.seq != entry.seq) {
        entries.insert(at, entry);
    }
}

fn entry(event: &Saved<'_>, segment: u64) -> Entry {
    Entry {
        seq: event.seq,
        id: event.id,
        at: event.at,
        age: event.age,
        json: event.json.into(),
        segment: Some(segment),
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("live", &self.live)
            .field("open", &self.open)
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
