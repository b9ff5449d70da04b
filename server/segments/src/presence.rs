//! In which periods persons were there: a bit for each.

use std::ops::Range;

use crate::people::People;
use crate::scan::{Needs, Periods, Source, scan};
use crate::work::{CalledOff, Work};

/// Bits of a word: 32, so that a month of days, or a quarter of weeks, takes one. Words of 64 bits would make the persons of a
/// tile take twice the cache, and counting 1.4 times as long.
const WORD: usize = u32::BITS as usize;

/// Persons of a piece of work that goes through all of them.
const PERSONS_A_PIECE: usize = 64 * 1024;

/// The periods of some persons. Period 0 is before the first bound, period n from the nth bound on.
#[derive(Debug)]
pub struct Presence {
    slots: Range<u32>,
    parts: usize,
    words: usize,
    bits: Vec<u32>,
}

/// What is to be found out.
#[derive(Debug, Clone)]
pub struct Shape<'a> {
    /// Moments at which periods begin, ascending.
    pub bounds: &'a [i64],
    /// How many parts events are told apart by.
    pub parts: usize,
    /// Which persons.
    pub slots: Range<u32>,
}

impl Shape<'_> {
    fn words(&self) -> usize {
        (self.bounds.len() + 1).div_ceil(WORD)
    }
}

/// Ranges of persons, so that what is remembered of a range by each of `threads` takes `budget` bytes at the most.
pub fn rounds(
    people: &People,
    bounds: usize,
    parts: usize,
    threads: usize,
    budget: usize,
) -> impl Iterator<Item = Range<u32>> + use<> {
    let each = (bounds + 1).div_ceil(WORD) * size_of::<u32>() * parts.max(1) * threads.max(1);
    let slots = people.slots();
    let step = u32::try_from(budget / each).unwrap_or(u32::MAX).max(1);
    (0..slots)
        .step_by(step as usize)
        .map(move |from| from..from.saturating_add(step).min(slots))
}

/// Tells the periods of all persons and parts with events, in as many goes as `budget` bytes need: see [`Presence::each`].
///
/// # Errors
/// It was called off.
pub fn each_person<S: Send>(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    (bounds, parts): (&[i64], usize),
    budget: usize,
    begin: impl Fn() -> S + Sync,
    told: impl Fn(&mut S, u32, usize, &[u32]) + Sync,
) -> Result<Vec<S>, CalledOff> {
    let mut states = Vec::new();
    for slots in rounds(people, bounds.len(), parts, work.threads, budget) {
        let shape = Shape { bounds, parts, slots };
        states.extend(presence(work, sources, people, &shape)?.each(work, &begin, &told)?);
    }
    Ok(states)
}

/// Finds out in which periods persons have events of the sources.
///
/// # Errors
/// It was called off.
pub fn presence(work: Work<'_>, sources: &[Source], people: &People, shape: &Shape<'_>) -> Result<Presence, CalledOff> {
    let (words, parts) = (shape.words(), shape.parts.max(1));
    let all = shape.slots.len() * parts * words;
    let needs = |source: &Source| Needs {
        persons: true,
        times: !Periods::of(source, shape.bounds).is_one(),
        seqs: false,
    };
    let begin = || vec![0_u32; all];
    let found = scan(work, (sources, people), needs, begin, |bits, source, rows| {
        let periods = Periods::of(source, shape.bounds);
        let one = periods.is_one().then(|| periods.of_moment(i64::MIN));
        // Persons of other slots, and nobody, are beyond the end of the bits.
        let mut set = |person: u32, part: u32, period: usize| {
            let row = person.wrapping_sub(shape.slots.start) as usize * parts + part as usize;
            if let Some(word) = bits.get_mut(row * words + period / WORD) {
                *word |= 1 << (period % WORD);
            }
        };
        let rows = rows.persons().iter().zip(rows.times()).zip(rows.parts());
        match one {
            Some(period) if source.partings.is_empty() => rows.for_each(|((person, _), _)| set(*person, 0, period)),
            _ => {
                for ((person, at), part) in rows {
                    set(*person, *part, one.unwrap_or_else(|| periods.of_moment(*at)));
                }
            }
        }
    })?;
    let mut found = found.into_iter();
    let mut bits = found.next().unwrap_or_default();
    for more in found {
        bits.iter_mut().zip(more).for_each(|(word, more)| *word |= more);
    }
    Ok(Presence {
        slots: shape.slots.clone(),
        parts,
        words,
        bits,
    })
}

impl Presence {
    /// The words of a person's first part; none, if it is not among these persons.
    #[must_use]
    pub fn words(&self, person: u32) -> &[u32] {
        let row = person
            .checked_sub(self.slots.start)
            .map(|slot| slot as usize * self.parts * self.words);
        row.and_then(|row| self.bits.get(row..row + self.words))
            .unwrap_or_default()
    }

    /// Goes through all persons and parts with events: `told` gets the state of its thread, the person, the part and the
    /// words whose bits are periods.
    ///
    /// # Errors
    /// It was called off.
    pub fn each<S: Send>(
        &self,
        work: Work<'_>,
        begin: impl Fn() -> S + Sync,
        told: impl Fn(&mut S, u32, usize, &[u32]) + Sync,
    ) -> Result<Vec<S>, CalledOff> {
        let rows = self.slots.len() * self.parts;
        work.share(rows.div_ceil(PERSONS_A_PIECE), begin, |state, piece| {
            let from = piece * PERSONS_A_PIECE;
            let to = (from + PERSONS_A_PIECE).min(rows);
            let bits = self.bits.get(from * self.words..to * self.words).unwrap_or_default();
            for (row, words) in (from..).zip(bits.chunks_exact(self.words)) {
                if words.iter().any(|word| *word != 0) {
                    let person = self.slots.start + (row / self.parts) as u32;
                    told(state, person, row % self.parts, words);
                }
            }
        })
    }
}

/// Periods 0 to 63, the lowest bit the first.
#[must_use]
pub fn first_periods(words: &[u32]) -> u64 {
    let low_first = words.iter().take(2).rev();
    low_first.fold(0, |periods, word| periods << WORD | u64::from(*word))
}

/// The numbers of the bits that are set.
pub fn set_bits(words: &[u32]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(place, word)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(place * WORD + bit)
        })
    })
}
