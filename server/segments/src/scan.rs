//! The events that a question means, block by block.

use std::ops::Range;
use std::sync::Arc;

use crate::BLOCK;
use crate::people::{NOBODY, People, Persons};
use crate::segment::{Decoded, Segment};
use crate::work::{CalledOff, Work};

/// Blocks of a piece of work: 32, so 32,768 events, about 0.1 ms.
const BLOCKS_A_PIECE: usize = 32;

/// Identities that are looked at together: 32,768, whose persons' periods take 128 KiB.
const TILE: i64 = 32_768;

/// Which events of a segment count.
#[derive(Debug, Clone)]
pub enum Keep {
    /// All.
    All,
    /// Those whose value of a column has a place at which this is true.
    Values(usize, Arc<[bool]>),
    /// Those of these persons.
    Persons(Arc<Persons>),
    /// Those that do not count.
    Not(Box<Keep>),
    /// Those that count for all of these.
    And(Vec<Keep>),
    /// Those that count for one of these.
    Or(Vec<Keep>),
}

impl Keep {
    /// Whether it depends on whose events they are.
    fn asks_for_persons(&self) -> bool {
        match self {
            Self::All | Self::Values(..) => false,
            Self::Persons(_) => true,
            Self::Not(keep) => keep.asks_for_persons(),
            Self::And(all) | Self::Or(all) => all.iter().any(Self::asks_for_persons),
        }
    }
}

/// A breakdown of a segment's events, or one of several.
#[derive(Debug, Clone)]
pub struct Parting {
    /// The column.
    pub column: usize,
    /// For each place of its values the number of the part.
    pub parts: Arc<[u32]>,
    /// How many parts there are.
    pub count: u32,
}

/// A part of an event that does not belong to any.
pub const NO_PART: u32 = u32::MAX;

/// A segment, and what is looked for in it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The segment.
    pub segment: Arc<Segment>,
    /// The first moment that counts.
    pub from: i64,
    /// The first that no longer does.
    pub to: i64,
    /// Which events count.
    pub keep: Keep,
    /// What they are broken down by; the parts are combined, the first the most significant.
    pub partings: Vec<Parting>,
    /// The number of the part of events without `partings`, and what is added to that of others.
    pub part_base: u32,
    /// The column of sessions, if they are to be known.
    pub sessions: Option<usize>,
    /// By how many bits parts are moved where they stand beside marks.
    pub part_shift: u32,
    /// What an event may be, as bits: those for which it counts. An event that is nothing of it is skipped, unless `others`.
    pub marks: Vec<(Keep, u32)>,
    /// Also events that are none of `marks`.
    pub others: bool,
    /// Whether all its events are of somebody, so that persons need not be looked up where they do not matter. Events of
    /// identities that are [`NOBODY`]'s do not count.
    pub everybody_known: bool,
}

impl Source {
    /// All events of a segment in a stretch of time.
    #[must_use]
    pub fn new(segment: Arc<Segment>, from: i64, to: i64) -> Self {
        Self {
            segment,
            from,
            to,
            keep: Keep::All,
            partings: Vec::new(),
            part_base: 0,
            sessions: None,
            part_shift: 0,
            marks: Vec::new(),
            others: true,
            everybody_known: false,
        }
    }

    /// The first and the last moment at which its events can have happened; nothing, if there can be none.
    #[must_use]
    pub fn stretch(&self) -> Option<(i64, i64)> {
        let (first, last) = self.segment.times();
        let (from, to) = (first.max(self.from), last.min(self.to.saturating_sub(1)));
        (from <= to).then_some((from, to))
    }

    /// Whether the stretch cuts some of its events off.
    fn is_cut(&self) -> bool {
        self.stretch() != Some(self.segment.times())
    }
}

/// The person of events that count, where it is not to be known.
pub const SOMEBODY: u32 = 0;

/// What is to be known of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whose they are. Otherwise those that count are of [`SOMEBODY`].
    pub persons: bool,
    /// When they happened.
    pub times: bool,
    /// Their seqs.
    pub seqs: bool,
}

/// The events of a block. All lists are equally long.
#[derive(Debug, Clone)]
pub struct Rows {
    decoded: Decoded,
    persons: Box<[u32]>,
    parts: Box<[u32]>,
    marks: Box<[u32]>,
    kept: Box<[bool]>,
    /// Not all of `parts` are 0.
    has_parts: bool,
    /// Not all of `marks` are 0.
    has_marks: bool,
    len: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            decoded: Decoded::default(),
            persons: vec![0; BLOCK].into(),
            parts: vec![0; BLOCK].into(),
            marks: vec![0; BLOCK].into(),
            kept: vec![false; BLOCK].into(),
            has_parts: false,
            has_marks: false,
            len: 0,
        }
    }
}

impl Rows {
    /// Reads a block of a source.
    fn read(&mut self, source: &Source, block: usize, people: &People, needs: Needs) {
        let block = source.segment.block(block);
        self.len = block.len();
        let mut keeps = [&source.keep]
            .into_iter()
            .chain(source.marks.iter().map(|(keep, _)| keep));
        if needs.persons || keeps.any(Keep::asks_for_persons) {
            block.identities(&mut self.decoded);
            for (place, identity) in self.persons.iter_mut().zip(&self.decoded.identities).take(self.len) {
                *place = people.person(*identity);
            }
        } else {
            self.persons.fill(SOMEBODY);
        }
        let cut = source.is_cut();
        if needs.times || cut {
            block.times(&mut self.decoded);
        }
        if cut {
            for (person, at) in self.persons.iter_mut().zip(&self.decoded.times).take(self.len) {
                *person = if (source.from..source.to).contains(at) {
                    *person
                } else {
                    NOBODY
                };
            }
        }
        if needs.seqs {
            block.seqs(&mut self.decoded);
        }
        if !matches!(source.keep, Keep::All) {
            self.kept(source, &source.keep, block);
            for (person, kept) in self.persons.iter_mut().zip(&self.kept).take(self.len) {
                *person = if *kept { *person } else { NOBODY };
            }
        }
        match source.sessions {
            Some(column) => block.hashes(column, &mut self.decoded),
            None => self.decoded.hashes.fill(0),
        }
        self.read_parts(source, block);
        self.read_marks(source, block);
    }

    /// Whose each event is; [`NOBODY`] if it does not count.
    #[must_use]
    pub fn persons(&self) -> &[u32] {
        self.persons.get(..self.len).unwrap_or_default()
    }

    /// When each happened, if that was to be known.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        self.decoded.times.get(..self.len).unwrap_or_default()
    }

    /// Its seq, if that was to be known.
    #[must_use]
    pub fn seqs(&self) -> &[u64] {
        self.decoded.seqs.get(..self.len).unwrap_or_default()
    }

    /// The hash of its session; 0: it has none, or that was not to be known.
    #[must_use]
    pub fn sessions(&self) -> &[u64] {
        self.decoded.hashes.get(..self.len).unwrap_or_default()
    }

    /// Its part.
    #[must_use]
    pub fn parts(&self) -> &[u32] {
        self.parts.get(..self.len).unwrap_or_default()
    }

    /// Its marks.
    #[must_use]
    pub fn marks(&self) -> &[u32] {
        self.marks.get(..self.len).unwrap_or_default()
    }

    fn read_parts(&mut self, source: &Source, block: crate::segment::Block<'_>) {
        let is_zero = source.partings.is_empty() && source.part_base == 0;
        if is_zero && !self.has_parts {
            return;
        }
        self.has_parts = !is_zero;
        self.parts.fill(0);
        for parting in &source.partings {
            block.codes(parting.column, &mut self.decoded.codes);
            for (part, code) in self.parts.iter_mut().zip(&self.decoded.codes).take(self.len) {
                let here = parting.parts.get(*code as usize).copied().unwrap_or(NO_PART);
                *part = match (*part, here) {
                    (NO_PART, _) | (_, NO_PART) => NO_PART,
                    (part, here) => part * parting.count + here,
                };
            }
        }
        for (person, part) in self.persons.iter_mut().zip(&mut self.parts).take(self.len) {
            if *part == NO_PART {
                *person = NOBODY;
            } else {
                *part += source.part_base;
            }
        }
    }

    fn read_marks(&mut self, source: &Source, block: crate::segment::Block<'_>) {
        if source.marks.is_empty() && !self.has_marks {
            return;
        }
        self.has_marks = !source.marks.is_empty();
        self.marks.fill(0);
        for (keep, bit) in &source.marks {
            match keep {
                Keep::All => self.marks.iter_mut().for_each(|mark| *mark |= bit),
                keep => {
                    self.kept(source, keep, block);
                    for (mark, kept) in self.marks.iter_mut().zip(&self.kept).take(self.len) {
                        *mark |= if *kept { *bit } else { 0 };
                    }
                }
            }
        }
        if !source.others {
            for (person, mark) in self.persons.iter_mut().zip(&self.marks).take(self.len) {
                *person = if *mark == 0 { NOBODY } else { *person };
            }
        }
    }

    /// Says for each event whether it counts. Persons that are [`NOBODY`] already may be said to.
    fn kept(&mut self, source: &Source, keep: &Keep, block: crate::segment::Block<'_>) {
        let len = self.len;
        match keep {
            Keep::All => self.kept.fill(true),
            Keep::Values(column, yes) => {
                block.codes(*column, &mut self.decoded.codes);
                for (kept, code) in self.kept.iter_mut().zip(&self.decoded.codes).take(len) {
                    *kept = yes.get(*code as usize).copied().unwrap_or(false);
                }
            }
            Keep::Persons(persons) => {
                for (kept, person) in self.kept.iter_mut().zip(&self.persons).take(len) {
                    *kept = *person != NOBODY && persons.has(*person);
                }
            }
            Keep::Not(keep) => {
                self.kept(source, keep, block);
                self.kept.iter_mut().for_each(|kept| *kept = !*kept);
            }
            Keep::And(all) => self.join(source, all, block, true),
            Keep::Or(any) => self.join(source, any, block, false),
        }
    }

    /// Joined by `and`, of which none is true, or by `or`, of which none is false.
    fn join(&mut self, source: &Source, keeps: &[Keep], block: crate::segment::Block<'_>, and: bool) {
        let mut joined = vec![and; BLOCK];
        for keep in keeps {
            self.kept(source, keep, block);
            for (joined, kept) in joined.iter_mut().zip(&self.kept) {
                *joined = if and { *joined && *kept } else { *joined || *kept };
            }
        }
        self.kept.copy_from_slice(&joined);
    }
}

/// Tells the events of all sources, block by block in any order: `told` gets the state of its thread, the source and the events,
/// of which those of [`NOBODY`] do not count.
///
/// # Errors
/// It was called off.
pub fn scan<S: Send>(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    needs: impl Fn(&Source) -> Needs + Sync,
    begin: impl Fn() -> S + Sync,
    told: impl Fn(&mut S, &Source, &Rows) + Sync,
) -> Result<Vec<S>, CalledOff> {
    let pieces = pieces(sources);
    let start = || (begin(), Rows::default());
    let states = work.share(pieces.len(), start, |(state, rows), piece| {
        for (source, blocks) in pieces.get(piece).into_iter().flatten() {
            let Some(source) = sources.get(*source) else { continue };
            let needs = needs(source);
            for block in blocks.clone() {
                rows.read(source, block, people, needs);
                told(state, source, rows);
            }
        }
    })?;
    Ok(states.into_iter().map(|(state, _)| state).collect())
}

/// A run of blocks of one source.
type Run = (usize, Range<usize>);

/// Pieces of work, each some runs of blocks. What cannot have events is left out.
///
/// Neighbours in the list are about the same identities: what is remembered of their persons stays in a core's cache, where
/// going through one segment after the other would sweep over all persons for each (twice the time at a hundred million
/// events).
fn pieces(sources: &[Source]) -> Vec<Vec<Run>> {
    let mut blocks = Vec::new();
    for (source, that) in sources.iter().enumerate().filter(|(_, that)| that.stretch().is_some()) {
        for (block, here) in that.segment.blocks().enumerate() {
            blocks.push((here.identity_range().0 / TILE, source, block));
        }
    }
    blocks.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    let mut pieces = Vec::new();
    let mut taken = 0;
    for (_, source, block) in blocks {
        match runs.last_mut() {
            Some((last, run)) if *last == source && run.end == block => run.end += 1,
            _ => runs.push((source, block..block + 1)),
        }
        taken += 1;
        if taken == BLOCKS_A_PIECE {
            pieces.push(std::mem::take(&mut runs));
            taken = 0;
        }
    }
    if !runs.is_empty() {
        pieces.push(runs);
    }
    pieces
}

/// Finds the period of a moment: how many bounds are not after it. So 0 is before the first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Periods<'a> {
    /// How many bounds lie before all moments of a source.
    before: usize,
    /// The bounds among its moments.
    within: &'a [i64],
    /// The first of them and their distance, if that is always the same: not where a day has 23 hours.
    even: Option<(i64, u64)>,
}

impl<'a> Periods<'a> {
    pub(crate) fn of(source: &Source, bounds: &'a [i64]) -> Self {
        let (first, last) = source.stretch().unwrap_or_default();
        let before = bounds.partition_point(|bound| *bound <= first);
        let until = bounds.partition_point(|bound| *bound <= last);
        let within = bounds.get(before..until).unwrap_or_default();
        let even = match within {
            [one] => Some((*one, u64::MAX)),
            [one, two, ..] => {
                let distance = |one: &i64, two: &i64| two.wrapping_sub(*one).cast_unsigned();
                let step = distance(one, two);
                let even = within
                    .windows(2)
                    .all(|pair| matches!(pair, [one, two] if distance(one, two) == step));
                (even && step > 0).then_some((*one, step))
            }
            [] => None,
        };
        Self { before, within, even }
    }

    /// Whether all moments are in one period.
    pub(crate) fn is_one(self) -> bool {
        self.within.is_empty()
    }

    pub(crate) fn of_moment(self, at: i64) -> usize {
        let within = match self.even {
            Some((first, _)) if at < first => 0,
            // The last period may be longer than the others.
            Some((first, step)) => {
                let steps = (at.wrapping_sub(first).cast_unsigned() / step) as usize;
                1 + steps.min(self.within.len() - 1)
            }
            None => self.within.partition_point(|bound| *bound <= at),
        };
        self.before + within
    }
}
