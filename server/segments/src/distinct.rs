//! How many sessions there are in each period, and of each part.
//!
//! Sessions are hashes, thrown into buckets that fit into the second cache of a core, and sorted there: the same one after the
//! other is one.

use std::ops::Range;

use crate::buckets::Buckets;
use crate::people::{NOBODY, People};
use crate::scan::{Needs, Periods, Source, scan};
use crate::work::{CalledOff, Work};

/// Buckets of one go: 1,024, by the first bits of a hash.
const BUCKETS: u64 = 1_024;

/// Bytes of a hash with its part and period.
const BYTES: u64 = 16;

/// For each part how many sessions there are in all, and then in each period: before the first bound, from the first on, and so
/// on. What is remembered takes `budget` bytes; more is counted in several goes.
///
/// # Errors
/// It was called off.
pub fn distinct(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    bounds: &[i64],
    parts: usize,
    budget: usize,
) -> Result<Vec<Vec<u64>>, CalledOff> {
    let events: u64 = sources
        .iter()
        .filter_map(|source| source.stretch().map(|_| source.segment.events()))
        .sum();
    let goes = (events * BYTES).div_ceil(budget.max(1) as u64).max(1);
    let columns = bounds.len() + 2;
    let mut counts = vec![vec![0; columns]; parts.max(1)];
    for go in 0..goes {
        // Buckets of all goes, of which these are looked at.
        let range = go * BUCKETS..(go + 1) * BUCKETS;
        let thrown = throw(work, (sources, people), bounds, (range, goes * BUCKETS))?;
        let begin = || (vec![vec![0_u64; columns]; parts.max(1)], Vec::new());
        let found = work.share(BUCKETS as usize, begin, |(counts, sessions), bucket| {
            sessions.clear();
            thrown.iter().for_each(|buckets| buckets.copy_to(bucket, sessions));
            sessions.sort_unstable();
            sessions.dedup();
            let mut before = None;
            for (hash, part, period) in sessions.drain(..) {
                let Some(counts) = counts.get_mut(part as usize) else {
                    continue;
                };
                let mut count = |column: usize| counts.get_mut(column).into_iter().for_each(|count| *count += 1);
                if before != Some((hash, part)) {
                    count(0);
                }
                before = Some((hash, part));
                count(period as usize + 1);
            }
        })?;
        for (found, _) in found {
            let pairs = counts.iter_mut().flatten().zip(found.into_iter().flatten());
            pairs.for_each(|(count, found)| *count += found);
        }
    }
    Ok(counts)
}

/// A session, its part and the period.
type Session = (u64, u32, u32);

fn throw(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    bounds: &[i64],
    (range, buckets): (Range<u64>, u64),
) -> Result<Vec<Buckets<Session>>, CalledOff> {
    let needs = |source: &Source| Needs {
        persons: true,
        times: !Periods::of(source, bounds).is_one(),
        seqs: false,
    };
    let begin = || Buckets::new(BUCKETS as usize);
    scan(work, (sources, people), needs, begin, |thrown, source, rows| {
        let periods = Periods::of(source, bounds);
        let one = periods.is_one().then(|| periods.of_moment(i64::MIN));
        let events = rows
            .persons()
            .iter()
            .zip(rows.times())
            .zip(rows.parts())
            .zip(rows.sessions());
        for (((person, at), part), hash) in events {
            // The first bits of a hash say where it belongs.
            let bucket = ((u128::from(*hash) * u128::from(buckets)) >> 64) as u64;
            if *person != NOBODY && *hash != 0 && range.contains(&bucket) {
                let period = one.unwrap_or_else(|| periods.of_moment(*at)) as u32;
                thrown.push((bucket - range.start) as usize, (*hash, *part, period));
            }
        }
    })
}
