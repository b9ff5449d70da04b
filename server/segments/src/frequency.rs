//! How often each person has events.

use crate::people::{NOBODY, People};
use crate::scan::{Needs, Source, scan};
use crate::work::{CalledOff, Work};

/// For each slot how many events of the sources its person has.
///
/// # Errors
/// It was called off.
pub fn frequency(work: Work<'_>, sources: &[Source], people: &People) -> Result<Vec<u32>, CalledOff> {
    let begin = || vec![0_u32; people.slots() as usize];
    let found = scan(
        work,
        (sources, people),
        |_| Needs {
            persons: true,
            ..Needs::default()
        },
        begin,
        |counts, _, rows| {
            for person in rows.persons().iter().filter(|person| **person != NOBODY) {
                if let Some(count) = counts.get_mut(*person as usize) {
                    *count = count.saturating_add(1);
                }
            }
        },
    )?;
    let mut found = found.into_iter();
    let mut counts = found.next().unwrap_or_default();
    for more in found {
        counts
            .iter_mut()
            .zip(more)
            .for_each(|(count, more)| *count = count.saturating_add(more));
    }
    Ok(counts)
}
