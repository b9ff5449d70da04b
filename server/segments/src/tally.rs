//! How many events there are in each period, and of each part.

use crate::people::{NOBODY, People};
use crate::scan::{Needs, Periods, Source, scan};
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
    let periods = bounds.len() + 1;
    let needs = |source: &Source| Needs {
        persons: !source.everybody_known,
        times: !Periods::of(source, bounds).is_one(),
        seqs: false,
    };
    let begin = || vec![0_u64; parts.max(1) * periods];
    let found = scan(work, (sources, people), needs, begin, |counts, source, rows| {
        let within = Periods::of(source, bounds);
        let one = within.is_one().then(|| within.of_moment(i64::MIN));
        for ((person, at), part) in rows.persons().iter().zip(rows.times()).zip(rows.parts()) {
            let period = one.unwrap_or_else(|| within.of_moment(*at));
            if let Some(count) = counts.get_mut(*part as usize * periods + period) {
                *count += u64::from(*person != NOBODY);
            }
        }
    })?;
    let mut counts = vec![vec![0; periods]; parts.max(1)];
    for found in found {
        for (part, found) in counts.iter_mut().zip(found.chunks_exact(periods)) {
            part.iter_mut().zip(found).for_each(|(count, found)| *count += found);
        }
    }
    Ok(counts)
}
