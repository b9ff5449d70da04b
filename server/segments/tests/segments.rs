//! What is written is read; what was not written is refused; what is counted is what a slow and obvious count finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use proptest::collection::vec;
use proptest::prelude::*;
use trailmark_segments::distinct::distinct;
use trailmark_segments::events::{SESSION, hash, seq_key};
use trailmark_segments::gather::{Layout, full, gather};
use trailmark_segments::people::Persons;
use trailmark_segments::points::points;
use trailmark_segments::presence::{Shape, presence, rounds, set_bits};
use trailmark_segments::scan::{Keep, Parting, Source};
use trailmark_segments::segment::{Decoded, forge};
use trailmark_segments::tally::tally;
use trailmark_segments::work::Work;
use trailmark_segments::{Events, People, Segment};

static GOES_ON: AtomicBool = AtomicBool::new(false);

const WORK: Work<'static> = Work {
    threads: 2,
    called_off: &GOES_ON,
};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    identity: i64,
    at: i64,
    seq: Option<i64>,
    value: Option<&'static str>,
}

fn event() -> impl Strategy<Value = Event> {
    let identity = prop_oneof![4 => 1..40_i64, 1 => 1_000_000..1_000_003_i64];
    let at = prop_oneof![0..50_i64, 0..600_000_000_000_i64].prop_map(|at| at * 1_000);
    let value = proptest::sample::select(vec![None, Some("\"a\""), Some("\"b\""), Some("3")]);
    (identity, at, proptest::option::of(0..100_i64), value).prop_map(|(identity, at, seq, value)| Event {
        identity,
        at,
        seq,
        value,
    })
}

fn sealed(events: &[Event]) -> Option<Arc<Segment>> {
    let mut collected = Events::new(["p"]);
    for event in events {
        collected.push(event.identity, event.at, event.seq, [event.value]);
    }
    Some(Arc::new(Segment::open(collected.seal()?).unwrap()))
}

fn read(segment: &Segment) -> Vec<Event> {
    let (mut decoded, mut events) = (Decoded::default(), Vec::new());
    let column = segment.column("p").unwrap();
    let values: Vec<Option<&'static str>> = [None]
        .into_iter()
        .chain(
            segment
                .values(column)
                .unwrap()
                .iter()
                .map(|value| ["\"a\"", "\"b\"", "3"].into_iter().find(|known| known == value)),
        )
        .collect();
    for block in segment.blocks() {
        block.identities(&mut decoded);
        block.times(&mut decoded);
        block.seqs(&mut decoded);
        block.codes(column, &mut decoded.codes);
        events.extend((0..block.len()).map(|row| Event {
            identity: decoded.identities[row],
            at: decoded.times[row],
            seq: (decoded.seqs[row] != u64::MAX).then(|| (decoded.seqs[row] ^ 1 << 63).cast_signed()),
            value: values[decoded.codes[row] as usize],
        }));
    }
    events
}

/// Every third identity belongs to the person of another; identity 7 was erased.
fn people() -> People {
    let mut people = People::default();
    for identity in (1..40).chain(1_000_000..1_000_003) {
        if identity != 7 {
            people.set(identity, person(identity));
        }
    }
    people
}

fn person(identity: i64) -> i64 {
    if identity % 3 == 0 && identity > 3 {
        1 + identity % 5
    } else {
        identity
    }
}

fn by_key(event: &Event) -> (i64, i64, u64) {
    (event.identity, event.at, seq_key(event.seq))
}

/// Where periods begin: anywhere, or at equal distances but for one, as days are where a clock is changed.
fn bounds() -> impl Strategy<Value = Vec<i64>> {
    let anywhere = proptest::collection::btree_set(0..600_000_000_i64, 1..70).prop_map(Vec::from_iter);
    let even = (
        0..300_000_000_i64,
        1..9_000_000_i64,
        1..70_i64,
        any::<prop::sample::Index>(),
        0..2_i64,
    );
    let even = even.prop_map(|(first, step, count, longer, by)| {
        let longer = longer.index(count as usize) as i64;
        (0..count)
            .map(|nth| first + nth * step + if nth > longer { by } else { 0 })
            .collect()
    });
    let micros = |bounds: Vec<i64>| bounds.into_iter().map(|bound| bound * 1_000_000).collect();
    prop_oneof![anywhere, even].prop_map(micros)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_sealed_is_read_in_order(mut events in vec(event(), 1..3_000)) {
        let segment = sealed(&events).unwrap();
        let mut back = read(&segment);
        prop_assert!(back.is_sorted_by_key(by_key));
        prop_assert_eq!(segment.events() as usize, events.len());
        events.sort();
        back.sort();
        prop_assert_eq!(back, events);
    }

    #[test]
    fn a_segment_and_more_events_make_the_segment_of_all(one in vec(event(), 1..1_500), more in vec(event(), 0..50)) {
        let before = sealed(&one).unwrap();
        let mut all = Events::new(["p"]);
        for event in &more {
            all.push(event.identity, event.at, event.seq, [event.value]);
        }
        all.append(&before, |identity| identity != 5);
        let mut expected: Vec<Event> = one.iter().filter(|event| event.identity != 5).chain(&more).cloned().collect();
        let Some(bytes) = all.seal() else {
            prop_assert!(expected.is_empty());
            return Ok(());
        };
        let mut back = read(&Segment::open(bytes).unwrap());
        back.sort();
        expected.sort();
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn a_changed_byte_is_noticed(events in vec(event(), 1..200), place in any::<prop::sample::Index>(), bit in 0..8) {
        let mut collected = Events::new(["p"]);
        for event in &events {
            collected.push(event.identity, event.at, event.seq, [event.value]);
        }
        let mut bytes = collected.seal().unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        prop_assert!(Segment::open(bytes).is_err());
    }

    #[test]
    fn a_forged_one_is_refused_or_read_without_a_panic(
        events in vec(event(), 1..200), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut collected = Events::new(["p"]);
        for event in &events {
            collected.push(event.identity, event.at, event.seq, [event.value]);
        }
        let mut bytes = collected.seal().unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        forge(&mut bytes);
        if let Ok(segment) = Segment::open(bytes) {
            let mut decoded = Decoded::default();
            for block in segment.blocks() {
                block.identities(&mut decoded);
                block.times(&mut decoded);
                block.seqs(&mut decoded);
                for column in 0..segment.columns().count() {
                    block.codes(column, &mut decoded.codes);
                    let values = segment.values(column).map_or(0, <[String]>::len) as u32;
                    prop_assert!(decoded.codes[..block.len()].iter().all(|code| *code <= values));
                }
            }
        }
    }

    #[test]
    fn counts_are_those_of_a_slow_count(
        events in vec(vec(event(), 0..2_000), 1..4), from in 0..300_000_000_i64, length in 1..600_000_000_i64,
        bounds in bounds(), breaks in any::<bool>(),
    ) {
        let (from, to) = (from * 1_000_000, (from + length) * 1_000_000);
        let people = people();
        let parts = if breaks { 3 } else { 1 };
        let part = |value: Option<&str>| match value {
            _ if !breaks => 0,
            None => 0,
            Some("\"a\"") => 1,
            Some(_) => 2,
        };
        let (mut sources, mut meant) = (Vec::new(), Vec::new());
        for some in &events {
            let Some(segment) = sealed(some) else { continue };
            let column = segment.column("p").unwrap();
            let values: Vec<Option<&str>> = [None].into_iter().chain(segment.values(column).unwrap().iter().map(|value| Some(value.as_str()))).collect();
            let mut source = Source::new(Arc::clone(&segment), from, to);
            let yes: Arc<[bool]> = values.iter().map(|value| *value != Some("3")).collect();
            source.keep = Keep::And(vec![Keep::Values(column, yes), Keep::Not(Box::new(Keep::Or(vec![])))]);
            if breaks {
                source.partings = vec![Parting { column, parts: values.iter().map(|value| part(*value)).collect(), count: 3 }];
            }
            meant.extend(some.iter().filter(|event| (from..to).contains(&event.at) && event.value != Some("3")));
            sources.push(source);
        }
        let period = |at: i64| bounds.partition_point(|bound| *bound <= at);
        let none = || vec![vec![0_u64; bounds.len() + 1]; parts];
        let (mut all, mut of_somebody) = (none(), none());
        let mut there: BTreeMap<(i64, usize), BTreeSet<usize>> = BTreeMap::new();
        for event in &meant {
            let part = part(event.value) as usize;
            all[part][period(event.at)] += 1;
            if event.identity != 7 {
                of_somebody[part][period(event.at)] += 1;
                there.entry((person(event.identity), part)).or_default().insert(period(event.at));
            }
        }
        prop_assert_eq!(tally(WORK, &sources, &people, &bounds, parts).unwrap(), of_somebody);
        let mut known = sources.clone();
        known.iter_mut().for_each(|source| source.everybody_known = true);
        prop_assert_eq!(tally(WORK, &known, &people, &bounds, parts).unwrap(), all);
        let mut found = BTreeMap::new();
        for slots in rounds(&people, bounds.len(), parts, 2, 2_000) {
            let shape = Shape { bounds: &bounds, parts, slots };
            let presence = presence(WORK, &sources, &people, &shape).unwrap();
            let told = presence.each(WORK, Vec::new, |told, person, part, words| {
                told.push(((people.number(person), part), set_bits(words).collect::<BTreeSet<_>>()));
            });
            found.extend(told.unwrap().into_iter().flatten());
        }
        prop_assert_eq!(found, there);
    }

    #[test]
    fn sessions_are_counted_and_told_as_a_slow_count_finds_them(
        events in vec((event(), proptest::option::of(0..30_u32)), 1..1_500), budget in 1_000..100_000_usize,
        bounds in proptest::collection::btree_set(0..600_000_i64, 1..5),
    ) {
        let people = people();
        let bounds: Vec<i64> = bounds.into_iter().map(|bound| bound * 1_000_000).collect();
        let mut collected = Events::new([SESSION]);
        for (event, session) in &events {
            let session = session.map(|session| format!("session {session}"));
            collected.push(event.identity, event.at, event.seq, [session.as_deref()]);
        }
        // Once through another segment, as sealing does it.
        let first = Segment::open(collected.seal().unwrap()).unwrap();
        let mut again = Events::new([SESSION]);
        again.append(&first, |_| true);
        let segment = Arc::new(Segment::open(again.seal().unwrap()).unwrap());
        let mut source = Source::new(Arc::clone(&segment), i64::MIN, i64::MAX);
        source.sessions = segment.column(SESSION);
        source.part_base = 7;
        let sources = [source];
        let there = || events.iter().filter(|(event, _)| event.identity != 7);
        let mut slow = vec![BTreeSet::new(); bounds.len() + 2];
        for (event, session) in there() {
            let Some(session) = session else { continue };
            slow[0].insert(*session);
            slow[bounds.partition_point(|bound| *bound <= event.at) + 1].insert(*session);
        }
        let slow: Vec<u64> = slow.iter().map(|sessions| sessions.len() as u64).collect();
        let counts = distinct(WORK, (&sources, &people), &bounds, 8, budget).unwrap();
        prop_assert_eq!(&counts[7], &slow);
        prop_assert!(counts[..7].iter().flatten().all(|count| *count == 0));
        let told = points(WORK, (&sources, &people), budget, Vec::new, |told: &mut Vec<_>, points| {
            assert!(points.is_sorted() && points.iter().all(|point| point.person == points[0].person && point.point == 7));
            told.extend(points.iter().map(|point| (people.number(point.person), point.at, point.seq, point.session)));
        });
        let mut told: Vec<_> = told.unwrap().concat();
        told.sort_unstable();
        let hashed = |session: &Option<u32>| session.map_or(0, |session| hash(&format!("session {session}")));
        let mut expected: Vec<_> = there().map(|(event, session)| (person(event.identity), event.at, seq_key(event.seq), hashed(session))).collect();
        expected.sort_unstable();
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn each_person_is_told_what_they_did_in_order(events in vec(vec(event(), 0..1_000), 1..4), budget in 100..20_000_usize) {
        let people = people();
        let (mut sources, mut expected) = (Vec::new(), BTreeMap::<i64, Vec<(i64, u64, u32)>>::new());
        for (nth, some) in (0_u32..).zip(&events) {
            let Some(segment) = sealed(some) else { continue };
            let mut source = Source::new(segment, 0, i64::MAX);
            source.marks = vec![(Keep::All, 1 << nth)];
            for event in some.iter().filter(|event| event.identity != 7) {
                let person = person(event.identity);
                expected.entry(person).or_default().push((event.at, seq_key(event.seq), 1 << nth));
            }
            sources.push(source);
        }
        expected.values_mut().for_each(|events| events.sort_unstable());
        let layout = Layout::new(&sources, &people, 3).unwrap();
        let (mut told, mut tied) = (BTreeMap::new(), Persons::none(people.slots()));
        for slots in layout.rounds(&sources, budget) {
            let gathered = gather(WORK, (&sources, &people), layout, &slots, Vec::new, |told, person, events| {
                told.push((person, events.map(|seen| (seen.at, seen.mark)).collect::<Vec<_>>()));
            }).unwrap();
            told.extend(gathered.states.into_iter().flatten());
            gathered.tied.into_iter().for_each(|person| tied.insert(person));
        }
        for (person, events) in &told {
            prop_assert!(!tied.has(*person));
            let slow: Vec<(i64, u32)> = expected.remove(&people.number(*person)).unwrap().into_iter().map(|(at, _, mark)| (at, mark)).collect();
            prop_assert_eq!(events, &slow);
        }
        for seen in full(WORK, &sources, &people, &tied).unwrap().chunk_by(|one, next| one.person == next.person) {
            let events: Vec<_> = seen.iter().map(|seen| (seen.at, seen.seq, seen.mark)).collect();
            prop_assert_eq!(Some(events), expected.remove(&people.number(seen[0].person)));
        }
        prop_assert!(expected.is_empty());
    }
}

#[test]
fn a_thousand_events_take_few_bytes() {
    let mut events = Events::new([]);
    for event in 0..100_000_i64 {
        events.push(
            event / 2 * 3,
            event.wrapping_mul(7_919_777) % 604_800_000 * 1_000,
            Some(event % 100),
            [],
        );
    }
    let bytes = events.seal().unwrap().len();
    assert!((400_000..530_000).contains(&bytes), "{bytes}");
}
