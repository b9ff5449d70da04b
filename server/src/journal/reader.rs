//! Reading durable records in order, over as many segments as it takes.

use std::io;

use super::scanner::{Found, Scanner};
use super::segment::Segment;
use super::shelf::Shelf;
use super::{Record, Seq};

/// What is being read, and how far.
struct Batch {
    records: Vec<Record>,
    /// Bytes of payload still wanted.
    room: usize,
    /// The record to read next.
    next: Seq,
    /// The last one to read.
    durable: Seq,
}

/// Records after `after` up to `durable` until their payloads reach `max_bytes`, at least one if there is one.
/// `on_damage` is told of each segment that is met with a record it cannot read.
pub(super) fn read(
    shelf: &Shelf,
    after: Seq,
    durable: Seq,
    max_bytes: usize,
    on_damage: impl Fn(&Segment),
) -> io::Result<Vec<Record>> {
    let mut batch = Batch {
        records: Vec::new(),
        room: max_bytes.max(1),
        next: after.saturating_add(1),
        durable,
    };
    while batch.wants_more() {
        let Some((segment, following)) = shelf.holding(batch.next) else {
            break;
        };
        batch.next = batch.next.max(segment.first);
        if batch.take_from(&segment)? || !batch.wants_more() {
            continue;
        }
        on_damage(&segment);
        let Some(resumes) = resume_after(&segment, batch.next, following) else {
            break;
        };
        shelf.note_gap(batch.next, resumes);
        batch.next = resumes;
    }
    Ok(batch.records)
}

/// The next record that can be found without trusting what is damaged.
fn resume_after(segment: &Segment, bad: Seq, following: Option<Seq>) -> Option<Seq> {
    segment
        .marks()
        .after(bad)
        .map(|(seq, _)| seq)
        .or(following.filter(|&next| next > bad))
}

impl Batch {
    fn wants_more(&self) -> bool {
        self.room > 0 && self.next <= self.durable
    }

    /// Takes what `segment` has; true if it had something.
    fn take_from(&mut self, segment: &Segment) -> io::Result<bool> {
        let before = self.next;
        let (seq, offset) = segment.marks().before(self.next);
        let mut scanner = Scanner::new(&*segment.file, seq, offset, segment.end());
        while self.wants_more() {
            let Found::Record(record) = scanner.step()? else { break };
            segment.marks().note(scanner.seq, scanner.offset);
            self.take(record);
        }
        Ok(self.next > before)
    }

    fn take(&mut self, record: Record) {
        if record.seq == self.next {
            self.next += 1;
            self.room = self.room.saturating_sub(record.payload.len().max(1));
            self.records.push(record);
        }
    }
}
