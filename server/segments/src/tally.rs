//! How many events there are in each period, and of each part.

use crate::people::{NOBODY, People};
use crate::scan::{Needs, Periods, Rows, Source, pieces};
use crate::work::{CalledOff, Work};

/// For each part the events of each period: of before the first bound, from the first on, and so on.
///
/// # Errors
/// It was called off.
pub fn tally(
    work: Work<'_>,
    sources: &[Source],
    people: &People,
    bounds: &[i64],
    parts: usize,
) -> Result<Vec<Vec<u64>>, CalledOff> {
    let pieces = pieces(sources);
    let periods = bounds.len() + 1;
    let begin = || (Rows::default(), vec![0_u64; parts.max(1) * periods]);
    let found = work.share(pieces.len(), begin, |(rows, counts), piece| {
        let Some((source, blocks)) = pieces.get(piece) else {
            return;
        };
        let Some(source) = sources.get(*source) else { return };
        let within = Periods::of(source, bounds);
        let needs = Needs {
            times: !within.is_one(),
            seqs: false,
        };
        for block in blocks.clone() {
            rows.read(source, block, people, needs);
            let one = within.of_moment(i64::MIN);
            for ((person, at), part) in rows.persons().iter().zip(rows.times()).zip(rows.parts()) {
                let period = if needs.times { within.of_moment(*at) } else { one };
                if let Some(count) = counts.get_mut(*part as usize * periods + period) {
                    *count += u64::from(*person != NOBODY);
                }
            }
        }
    })?;
    let mut counts = vec![vec![0; periods]; parts.max(1)];
    for (_, found) in found {
        for (part, found) in counts.iter_mut().zip(found.chunks_exact(periods)) {
            part.iter_mut().zip(found).for_each(|(count, found)| *count += found);
        }
    }
    Ok(counts)
}
