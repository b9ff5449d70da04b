//! Bytes as a columnar segment: what was not written is refused, and whatever has a right checksum is read without a panic, counted
//! alike in three ways, and, written once more, the same events again.
#![no_main]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use trailmark_segments::presence::{Shape, first_periods, presence};
use trailmark_segments::scan::Source;
use trailmark_segments::segment::{Decoded, forge};
use trailmark_segments::tally::tally;
use trailmark_segments::work::Work;
use trailmark_segments::{Events, People, Segment};

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    /// Bytes of anybody.
    Bytes(&'a [u8]),
    /// A segment of these events, of which some bytes were changed.
    Changed(Vec<Event>, Vec<(u16, u8)>),
}

#[derive(Debug, Arbitrary)]
struct Event {
    identity: i16,
    at: i64,
    seq: Option<i16>,
    value: Option<u8>,
}

fuzz_target!(|input: Input<'_>| {
    let (mut bytes, written) = match input {
        Input::Bytes(bytes) => (bytes.to_vec(), None),
        Input::Changed(events, changes) => {
            let Some(written) = sealed(&events) else { return };
            assert_eq!(read(&Segment::open(written.clone()).unwrap()).len(), events.len());
            let mut bytes = written.clone();
            for (place, byte) in changes {
                let place = usize::from(place) % bytes.len();
                bytes[place] = byte;
            }
            (bytes, Some(written))
        }
    };
    if written.as_ref() != Some(&bytes) {
        assert!(Segment::open(bytes.clone()).is_err(), "the checksum notices");
    }
    forge(&mut bytes);
    if let Ok(segment) = Segment::open(bytes) {
        whatever_it_is_is_consistent(segment);
    }
});

fn sealed(events: &[Event]) -> Option<Vec<u8>> {
    let mut collected = Events::new(["p"]);
    for event in events {
        let value = event.value.map(|value| value.to_string());
        // A week at the most lies between two events of a segment; here it is two centuries.
        let at = event.at >> 11;
        collected.push(
            i64::from(event.identity),
            at,
            event.seq.map(i64::from),
            [value.as_deref()],
        );
    }
    collected.seal()
}

fn whatever_it_is_is_consistent(segment: Segment) {
    let events = read(&segment);
    assert_eq!(events.len() as u64, segment.events());
    let mut again = Events::new(segment.columns());
    again.append(&segment, |_| true);
    let ordered = |events: &[(i64, i64, u64)]| {
        let mut events = events.to_vec();
        events.sort_unstable();
        events
    };
    // Times that lie centuries apart, which no segment that was written has, do not fit into one again.
    let apart = |events: &[(i64, i64, u64)]| events.iter().any(|(_, at, _)| at.unsigned_abs() >> 54 != 0);
    if !apart(&events) {
        let again = Segment::open(again.seal().unwrap()).unwrap();
        assert_eq!(ordered(&read(&again)), ordered(&events));
    }
    let mut people = People::default();
    for (identity, ..) in events.iter().filter(|(identity, ..)| identity.unsigned_abs() < 1 << 16) {
        people.set(*identity, *identity);
    }
    counts_agree(segment, &people);
}

fn read(segment: &Segment) -> Vec<(i64, i64, u64)> {
    let (mut decoded, mut events) = (Decoded::default(), Vec::new());
    for block in segment.blocks() {
        block.identities(&mut decoded);
        block.times(&mut decoded);
        block.seqs(&mut decoded);
        for column in 0..segment.columns().count() {
            block.codes(column, &mut decoded.codes);
            let values = segment.values(column).map_or(0, <[String]>::len) as u32;
            assert!(decoded.codes[..block.len()].iter().all(|code| *code <= values));
        }
        let rows = decoded
            .identities
            .iter()
            .zip(&decoded.times)
            .zip(&decoded.seqs)
            .take(block.len());
        events.extend(rows.map(|((identity, at), seq)| (*identity, *at, *seq)));
    }
    events
}

/// Whoever has an event is there, and whoever is there has one.
fn counts_agree(segment: Segment, people: &People) {
    let called_off = AtomicBool::new(false);
    let work = Work {
        threads: 1,
        called_off: &called_off,
    };
    let (first, last) = segment.times();
    let bounds = [first, i64::midpoint(first, last)];
    let sources = [Source::new(Arc::new(segment), i64::MIN, i64::MAX)];
    let counted = tally(work, &sources, people, &bounds, 1).unwrap();
    let shape = Shape {
        bounds: &bounds,
        parts: 1,
        slots: 0..people.slots(),
    };
    let there = presence(work, &sources, people, &shape).unwrap();
    let there = there
        .each(work, || 0, |bits, _, _, words| *bits |= first_periods(words))
        .unwrap();
    let there = there.into_iter().fold(0, |all, bits| all | bits);
    for (period, events) in counted[0].iter().enumerate() {
        assert_eq!(*events > 0, there >> period & 1 == 1, "period {period}");
    }
}
