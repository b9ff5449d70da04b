//! What each person did, in order.
//!
//! Events of a person lie in many segments, and those of its identities apart. So each event becomes one number of 64 bits:
//! the person, the moment, the mark. These are thrown into buckets by person; a bucket fits into the second cache of a core, is
//! sorted there, and gone through person by person.
//!
//! Events of one moment are in the order of their seqs, which the number has no room for. Persons with such a tie between
//! events of different marks are set aside, and gathered once more with everything ([`full`]).

use std::ops::Range;

use crate::buckets::Buckets;
use crate::people::{NOBODY, People, Persons};
use crate::scan::{Needs, Source, scan};
use crate::work::{CalledOff, Work};

/// Buckets: 1,024. Each thread has a chunk of 2 KiB of each, so 2 MiB at least.
const BUCKETS: u32 = 1_024;

/// How an event is put into a number, from the most significant bit on: the person's place in its bucket, the moment, the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    slots: u32,
    persons_a_bucket: u32,
    origin: i64,
    tick: i64,
    time_bits: u32,
    mark_bits: u32,
}

/// An event of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When, microseconds since 1970.
    pub at: i64,
    /// What it is: its marks, and its part behind them.
    pub mark: u32,
}

/// An event with everything that it is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Full {
    /// Whose.
    pub person: u32,
    /// When, microseconds since 1970.
    pub at: i64,
    /// Its seq, as [`seq_key`](crate::events::seq_key) has it.
    pub seq: u64,
    /// See [`Seen::mark`].
    pub mark: u32,
}

/// The persons of whom not all could be told, and the states of the threads.
#[derive(Debug)]
pub struct Gathered<S> {
    /// Persons with different events of one moment.
    pub tied: Vec<u32>,
    /// The states.
    pub states: Vec<S>,
}

impl Layout {
    /// For events of these sources whose marks (and parts) need `mark_bits`; none, if a number has no room for them.
    #[must_use]
    pub fn new(sources: &[Source], people: &People, mark_bits: u32) -> Option<Self> {
        let stretches = || sources.iter().filter_map(|source| Some((source, source.stretch()?)));
        let tick = stretches().map(|(source, _)| source.segment.tick()).min().unwrap_or(1);
        let origin = stretches()
            .map(|(_, (first, _))| first.div_euclid(tick) * tick)
            .min()
            .unwrap_or(0);
        let last = stretches().map(|(_, (_, last))| last).max().unwrap_or(0);
        let ticks = last.checked_sub(origin)? / tick;
        let persons_a_bucket = people.slots().div_ceil(BUCKETS).max(1).next_power_of_two();
        let layout = Self {
            slots: people.slots(),
            persons_a_bucket,
            origin,
            tick,
            time_bits: u64::BITS - ticks.cast_unsigned().leading_zeros(),
            mark_bits,
        };
        let person_bits = persons_a_bucket.trailing_zeros();
        (person_bits + layout.time_bits + mark_bits <= u64::BITS).then_some(layout)
    }

    /// Ranges of persons, so that their events take `budget` bytes at the most, if all persons have equally many.
    #[must_use]
    pub fn rounds(self, sources: &[Source], budget: usize) -> Vec<Range<u32>> {
        let events: u64 = sources
            .iter()
            .filter(|source| source.stretch().is_some())
            .map(|source| source.segment.events())
            .sum();
        let rounds = (events * 8).div_ceil(budget.max(1) as u64).max(1);
        let step = u32::try_from(u64::from(self.slots).div_ceil(rounds)).unwrap_or(u32::MAX);
        // Whole buckets.
        let step = step.div_ceil(self.persons_a_bucket).max(1) * self.persons_a_bucket;
        (0..self.slots)
            .step_by(step as usize)
            .map(|from| from..from.saturating_add(step).min(self.slots))
            .collect()
    }

    fn bucket(self, person: u32) -> usize {
        (person / self.persons_a_bucket) as usize
    }

    fn pack(self, person: u32, at: i64, mark: u32) -> u64 {
        let ticks = ((at - self.origin) / self.tick).cast_unsigned();
        let person = u64::from(person % self.persons_a_bucket);
        // A shift by 64 is one of nothing.
        let person = person.checked_shl(self.time_bits + self.mark_bits).unwrap_or(0);
        person | ticks << self.mark_bits | u64::from(mark)
    }

    fn person(self, packed: u64) -> u64 {
        packed.checked_shr(self.time_bits + self.mark_bits).unwrap_or(0)
    }

    fn unpack(self, packed: u64) -> Seen {
        let ticks = packed >> self.mark_bits & !(u64::MAX.checked_shl(self.time_bits).unwrap_or(0));
        Seen {
            at: self.origin + ticks.cast_signed() * self.tick,
            mark: (packed & !(u64::MAX << self.mark_bits)) as u32,
        }
    }
}

/// Tells the events of each person in `slots`, which begin with a bucket: `told` gets the state of its thread, the person and
/// the events in order.
///
/// # Errors
/// It was called off.
pub fn gather<S: Send>(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    layout: Layout,
    slots: &Range<u32>,
    begin: impl Fn() -> S + Sync,
    told: impl Fn(&mut S, u32, &mut dyn Iterator<Item = Seen>) + Sync,
) -> Result<Gathered<S>, CalledOff> {
    let first = layout.bucket(slots.start);
    let count = layout.bucket(slots.end.saturating_sub(1)).saturating_sub(first) + 1;
    let thrown = throw(work, (sources, people), layout, slots, (first, count))?;
    let start = || (begin(), Vec::new(), Vec::new());
    let done = work.share(count, start, |(state, numbers, tied), bucket| {
        numbers.clear();
        thrown.iter().for_each(|buckets| buckets.copy_to(bucket, numbers));
        numbers.sort_unstable();
        let base = (first + bucket) as u32 * layout.persons_a_bucket;
        for events in numbers.chunk_by(|one, next| layout.person(*one) == layout.person(*next)) {
            let person = base + events.first().map_or(0, |event| layout.person(*event) as u32);
            let is_tie = |pair: &[u64]| {
                matches!(pair, [one, next] if one >> layout.mark_bits == next >> layout.mark_bits && one != next)
            };
            if events.windows(2).any(is_tie) {
                tied.push(person);
            } else {
                told(state, person, &mut events.iter().map(|event| layout.unpack(*event)));
            }
        }
    })?;
    let (mut states, mut tied) = (Vec::new(), Vec::new());
    for (state, _, some) in done {
        states.push(state);
        tied.extend(some);
    }
    Ok(Gathered { tied, states })
}

fn throw(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    layout: Layout,
    slots: &Range<u32>,
    (first, count): (usize, usize),
) -> Result<Vec<Buckets<u64>>, CalledOff> {
    let begin = || Buckets::new(count);
    let needs = |_: &Source| Needs {
        persons: true,
        times: true,
        seqs: false,
    };
    scan(work, (sources, people), needs, begin, |buckets, source, rows| {
        let events = rows
            .persons()
            .iter()
            .zip(rows.times())
            .zip(rows.marks())
            .zip(rows.parts());
        for (((person, at), mark), part) in events {
            if slots.contains(person) {
                let mark = mark | part << source.part_shift;
                buckets.push(layout.bucket(*person) - first, layout.pack(*person, *at, mark));
            }
        }
    })
}

/// The events of these persons with everything that they are sorted by, sorted.
///
/// # Errors
/// It was called off.
pub fn full(work: Work<'_>, sources: &[Source], people: &People, persons: &Persons) -> Result<Vec<Full>, CalledOff> {
    let needs = |_: &Source| Needs {
        persons: true,
        times: true,
        seqs: true,
    };
    let found = scan(work, (sources, people), needs, Vec::new, |found, source, rows| {
        let times = rows.times().iter().zip(rows.seqs());
        let events = rows.persons().iter().zip(times).zip(rows.marks()).zip(rows.parts());
        for (((person, (at, seq)), mark), part) in events {
            if *person != NOBODY && persons.has(*person) {
                found.push(Full {
                    person: *person,
                    at: *at,
                    seq: *seq,
                    mark: mark | part << source.part_shift,
                });
            }
        }
    })?;
    let mut found = found.concat();
    found.sort_unstable();
    Ok(found)
}
