//! Reading the log back at the start: one pass over the records, in their order.

use std::borrow::Cow;

use super::numbered::Numbered;
use super::record::{Item, items, payloads};
use super::{Log, Place, Writer};
use crate::ranges::Ranges;
use crate::saved::Saved;
use crate::state::{Checkpoint, Past, from_json};
use crate::storage::{Storage, StorageError};

/// What a client remembers.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) past: Past,
    /// The undecided events, by number.
    pub(crate) undecided: Vec<Found>,
}

/// An undecided event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) seq: u64,
    pub(crate) place: Place,
    /// Bytes of its JSON.
    pub(crate) bytes: u64,
    /// It was found more than once; this is the latest copy. What is beside an earlier one may have to go.
    again: bool,
}

/// What has been read so far.
#[derive(Default)]
struct Replay {
    past: Past,
    /// By number, each once.
    found: Vec<Found>,
    /// Decided since the last checkpoint.
    settled: Ranges,
}

impl Replay {
    fn item(&mut self, item: Item<'_>, place: Place) {
        match item {
            Item::Event(event) => self.event(&event, place),
            Item::Settled(settled) => {
                self.past.counters.delivered += settled.delivered.count();
                self.settled.extend(&settled.delivered);
                for (reason, seqs) in settled.dropped {
                    self.count(reason, seqs.count());
                    self.settled.extend(&seqs);
                    self.past.captured(seqs.last().unwrap_or(0));
                }
            }
            Item::Checkpoint(json) => self.checkpoint(from_json(json)),
        }
    }

    fn event(&mut self, event: &Saved<'_>, place: Place) {
        let mut found = Found {
            seq: event.seq,
            place,
            bytes: event.json.len() as u64,
            again: false,
        };
        let at = self.found.partition_point(|known| known.seq < event.seq);
        match self.found.get_mut(at) {
            Some(earlier) if earlier.seq == event.seq => {
                found.again = true;
                *earlier = found;
            }
            _ => self.found.insert(at, found),
        }
        self.past.captured(event.seq);
        let Some(state) = &mut self.past.state else { return };
        state.age.millis = state.age.millis.max(event.age);
        state.age.looked_at = Some(event.at);
        if let Some(session) = state.session.as_mut().filter(|_| event.own) {
            session.latest = event.at;
        }
    }

    fn checkpoint(&mut self, checkpoint: Option<Checkpoint>) {
        let Some(checkpoint) = checkpoint else { return };
        self.keep(&checkpoint.undecided, true);
        self.settled = Ranges::default();
        self.past = Past::from(checkpoint);
    }

    /// Keeps the events with these numbers, or those without.
    fn keep(&mut self, seqs: &Ranges, with: bool) {
        self.found.retain(|event| seqs.contains(event.seq) == with);
    }

    fn count(&mut self, reason: Cow<'static, str>, events: u64) {
        self.past.counters.dropped.count(reason, events);
    }

    fn end(mut self) -> Recovered {
        let settled = std::mem::take(&mut self.settled);
        self.keep(&settled, false);
        self.past.balance(self.found.len() as u64);
        Recovered {
            past: self.past,
            undecided: self.found,
        }
    }
}

impl Log {
    /// Reads what is there. A storage that cannot be listed or read as a whole is not believed in parts, because an older
    /// checkpoint may say the opposite of the latest; nor is it written to, so that nothing is lost once it can be read
    /// again (a phone that was not yet unlocked, say).
    pub(crate) fn open(mut storage: Box<dyn Storage>, segment_bytes: u64) -> (Self, Recovered) {
        let (files, unusable) = match storage.list() {
            Ok(files) => (files, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let mut live = Numbered::default();
        let segments = files.iter().filter_map(|file| Self::number(file));
        segments.for_each(|segment| live.add(segment, 0));
        let last_number = live.iter().next_back().map_or(0, |(last, _)| last);
        let mut log = Self {
            storage,
            segment_bytes,
            writer: Writer::default(),
            again: Numbered::default(),
            live,
            open: None,
            file: (0, Self::file(0)),
            last_number,
            failure: None,
            unusable,
        };
        match log.replay() {
            Ok(recovered) => {
                log.sweep();
                (log, recovered)
            }
            Err(error) => {
                log.unusable = Some(error);
                (log, Recovered::default())
            }
        }
    }

    fn replay(&mut self) -> Result<Recovered, StorageError> {
        let mut replay = Replay::default();
        let mut number = 0;
        while let Some(next) = self.live.next(number) {
            number = next;
            let segment = self.storage.read(&Self::file(number))?;
            self.open = replay_segment(&mut replay, number, &segment).filter(|end| end.offset < self.segment_bytes);
        }
        let recovered = replay.end();
        for event in &recovered.undecided {
            self.add_live(event.place.segment, 1);
            if event.again {
                self.again.add(event.seq, event.place.segment);
            }
        }
        Ok(recovered)
    }
}

/// Returns the end of the segment if it can be written on: nothing torn is there, and the checkpoint that makes those
/// before it superfluous was read.
fn replay_segment(replay: &mut Replay, number: u64, segment: &[u8]) -> Option<Place> {
    let (mut end, mut has_checkpoint) = (0, false);
    for (offset, payload) in payloads(segment, 0) {
        let place = Place {
            segment: number,
            offset: offset as u64,
        };
        end = offset + super::record::HEADER + payload.len();
        for item in items(payload) {
            has_checkpoint |= matches!(item, Item::Checkpoint(_));
            replay.item(item, place);
        }
    }
    (end == segment.len() && has_checkpoint).then_some(Place {
        segment: number,
        offset: end as u64,
    })
}
