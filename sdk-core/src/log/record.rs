//! Records: what is appended to a segment in one write, and counts wholly or not at all.
//!
//! A record is `"TM"`, the payload's length and its CRC-32 (both little-endian `u32`), and the payload: items one after
//! the other. An item is its kind (`u8`), its length (`u32`) and its body. What one call of the app changes is in one
//! record, so a crash between two changes that belong together is not possible.

use trailmark_protocol::{Timestamp, Uuid};

use super::crc::crc32;
use super::settled::Settled;
use crate::saved::Saved;

const MAGIC: [u8; 2] = *b"TM";
/// Magic, length, checksum.
pub(super) const HEADER: usize = 2 + 4 + 4;

const EVENT: u8 = 1;
const SETTLED: u8 = 2;
const CHECKPOINT: u8 = 3;

/// What precedes the JSON of an event: seq, time, age, flags, id.
const EVENT_HEAD: usize = 8 + 8 + 8 + 1 + 16;
/// Flag: the event belongs to the client's own session, and keeps it alive.
const OWN: u8 = 1;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// An event was captured.
    Event(Saved<'a>),
    /// Events were delivered or lost.
    Settled(Settled),
    /// Everything else that is remembered, and which events are undecided. See [`crate::state`].
    Checkpoint(&'a str),
}

/// A record being made. The buffer is kept from one record to the next.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    /// Adds an event.
    pub(crate) fn event(&mut self, event: &Saved<'_>) {
        self.item(EVENT, EVENT_HEAD + event.json.len());
        self.buffer.extend_from_slice(&event.seq.to_le_bytes());
        self.buffer.extend_from_slice(&event.at.micros().to_le_bytes());
        self.buffer.extend_from_slice(&event.age.to_le_bytes());
        self.buffer.push(if event.own { OWN } else { 0 });
        self.buffer.extend_from_slice(event.id.as_bytes());
        self.buffer.extend_from_slice(event.json.as_bytes());
    }

    /// Adds what became of events.
    pub(crate) fn settled(&mut self, settled: &Settled) {
        self.text(SETTLED, &settled.to_json());
    }

    /// Adds a checkpoint.
    pub(crate) fn checkpoint(&mut self, json: &str) {
        self.text(CHECKPOINT, json);
    }

    fn text(&mut self, kind: u8, text: &str) {
        self.item(kind, text.len());
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn item(&mut self, kind: u8, len: usize) {
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(&[0; HEADER]);
        }
        self.buffer.push(kind);
        self.buffer.extend_from_slice(&length(len).to_le_bytes());
    }

    /// Finishes the record: its bytes.
    pub(crate) fn seal(&mut self) -> &[u8] {
        let header = HEADER.min(self.buffer.len());
        let (header, payload) = self.buffer.split_at_mut(header);
        let (len, crc) = (length(payload.len()).to_le_bytes(), crc32(payload).to_le_bytes());
        let bytes = MAGIC.into_iter().chain(len).chain(crc);
        header.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        &self.buffer
    }

    /// Forgets the record.
    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
    }
}

/// Lengths are bounded far below 4 GiB by the bounds of the queue and of an event.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The payloads of the complete records in a segment, each with the place where its record begins. What is damaged is
/// skipped, byte by byte, up to the next complete record: whether something was lost shows in the numbers.
pub(crate) fn payloads(segment: &[u8], from: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = from;
    std::iter::from_fn(move || {
        loop {
            let rest = segment.get(at..).filter(|rest| rest.len() >= HEADER)?;
            match payload(rest) {
                Some(payload) => {
                    let begin = at;
                    at += HEADER + payload.len();
                    return Some((begin, payload));
                }
                None => at += 1 + next_magic(rest.get(1..).unwrap_or_default()),
            }
        }
    })
}

/// How far the next record may be.
fn next_magic(bytes: &[u8]) -> usize {
    let found = bytes.windows(MAGIC.len()).position(|window| window == MAGIC);
    found.unwrap_or(bytes.len())
}

/// The payload of the record at the start of `bytes`, if it is complete.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let payload = rest.get(..usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    (crc32(payload) == u32::from_le_bytes(*crc)).then_some(payload)
}

/// The items of a payload. Kinds that this version does not know are skipped.
pub(crate) fn items(payload: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        loop {
            let (kind, tail) = rest.split_first()?;
            let (len, tail) = tail.split_first_chunk::<4>()?;
            let (body, tail) = tail.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
            rest = tail;
            if let Some(item) = item(*kind, body) {
                return Some(item);
            }
        }
    })
}

fn item(kind: u8, body: &[u8]) -> Option<Item<'_>> {
    match kind {
        EVENT => event(body).map(Item::Event),
        SETTLED => Settled::from_json(std::str::from_utf8(body).ok()?).map(Item::Settled),
        CHECKPOINT => std::str::from_utf8(body).ok().map(Item::Checkpoint),
        _ => None,
    }
}

fn event(body: &[u8]) -> Option<Saved<'_>> {
    let (seq, rest) = body.split_first_chunk::<8>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (age, rest) = rest.split_first_chunk::<8>()?;
    let (flags, rest) = rest.split_first()?;
    let (id, json) = rest.split_first_chunk::<16>()?;
    Some(Saved {
        seq: u64::from_le_bytes(*seq),
        id: Uuid::from_bytes(*id),
        at: Timestamp::from_micros(i64::from_le_bytes(*at)),
        age: u64::from_le_bytes(*age),
        own: flags & OWN != 0,
        json: std::str::from_utf8(json).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ranges::Ranges;

    fn saved(seq: u64, json: &str) -> Saved<'_> {
        Saved {
            seq,
            id: Uuid::from_u128(seq.into()),
            at: Timestamp::from_micros(-5),
            age: 77,
            own: seq.is_multiple_of(2),
            json,
        }
    }

    fn record(seq: u64, json: &str) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.event(&saved(seq, json));
        writer.seal().to_vec()
    }

    fn seqs(segment: &[u8]) -> Vec<u64> {
        payloads(segment, 0)
            .flat_map(|(_, payload)| items(payload))
            .filter_map(|item| match item {
                Item::Event(event) => Some(event.seq),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_items_of_a_record_read_back_in_their_order() {
        let settled = Settled {
            delivered: Ranges::of([1, 2]),
            dropped: vec![("too_large".into(), Ranges::of([3]))],
        };
        let mut writer = Writer::default();
        writer.event(&saved(4, r#"{"event":"é"}"#));
        writer.settled(&settled);
        writer.checkpoint("{}");
        let bytes = writer.seal().to_vec();
        let [(0, payload)] = *payloads(&bytes, 0).collect::<Vec<_>>() else {
            panic!("one record, at the start");
        };
        let found: Vec<Item<'_>> = items(payload).collect();
        let expected = [
            Item::Event(saved(4, r#"{"event":"é"}"#)),
            Item::Settled(settled),
            Item::Checkpoint("{}"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_kind_of_a_later_version_is_skipped() {
        let mut writer = Writer::default();
        writer.text(200, "what is this?");
        writer.checkpoint("{}");
        let bytes = writer.seal().to_vec();
        let (_, payload) = payloads(&bytes, 0).next().unwrap();
        assert_eq!(items(payload).collect::<Vec<_>>(), [Item::Checkpoint("{}")]);
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_not_there_and_those_before_it_are() {
        let mut segment = record(1, r#"{"a":1}"#);
        let whole = segment.len();
        segment.extend(record(2, r#"{"TMTM":2}"#));
        for cut in whole..segment.len() {
            assert_eq!(seqs(&segment[..cut]), [1], "cut at {cut}");
        }
        assert_eq!(seqs(&segment), [1, 2]);
    }

    proptest! {
        #[test]
        fn one_wrong_byte_costs_one_record_at_most(at in any::<prop::sample::Index>(), flip in 1..=255u8) {
            let records: Vec<Vec<u8>> = (1..=3).map(|seq| record(seq, r#"{"event":"TM","n":12}"#)).collect();
            let mut segment = records.concat();
            let at = at.index(segment.len());
            segment[at] ^= flip;
            let hit = (at / records[0].len()) as u64 + 1;
            let expected: Vec<u64> = (1..=3).filter(|seq| *seq != hit).collect();
            prop_assert_eq!(seqs(&segment), expected);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(prop_oneof![Just(b'T'), Just(b'M'), any::<u8>()], 0..300)) {
            for (_, payload) in payloads(&bytes, 0) {
                items(payload).for_each(drop);
            }
            items(&bytes).for_each(drop);
        }
    }
}
