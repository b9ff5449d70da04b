//! Lifecycle and stickiness from segments: in which periods persons were there says both.

use std::sync::Arc;

use trailmark_segments::presence::{each_person, set_bits};
use trailmark_segments::scan::Source;

use super::Asking;
use super::filter::{self, Filters};
use crate::query::ask::calendar::{FIRST_MOMENT, Periods};
use crate::query::ask::lifecycle::LifecycleAnswer;
use crate::query::ask::question::{Event, Filter, Lifecycle, Stickiness};
use crate::query::ask::sql::Pick;
use crate::query::ask::stickiness::{StickinessAnswer, StickinessLine};
use crate::query::columns::{Look, Plan, WORK_BYTES};
use crate::query::error::QueryError;

/// The answer; nothing, if segments have none.
pub(super) async fn lifecycle(
    asking: &mut Asking<'_>,
    question: &Lifecycle,
    periods: &Periods,
) -> Result<Option<LifecycleAnswer>, QueryError> {
    // Period 1 is the one before the stretch, period 0 all the time before.
    let before = periods.before(question.interval);
    let bounds: Vec<i64> = before
        .iter()
        .chain(&periods.bounds)
        .map(|bound| bound.micros())
        .collect();
    let pick = Pick {
        from: FIRST_MOMENT,
        to: periods.bounds.last().copied().unwrap_or_default(),
    };
    let found = sources(asking, &[(&question.event, pick)], question.filters.as_ref()).await?;
    let Some((look, mut sources)) = found else {
        return Ok(None);
    };
    let sources = sources.pop().unwrap_or_default();
    let count = periods.len();
    let lines = asking
        .count(move |work| {
            let states = |lines: &mut Vec<[u64; 4]>, _, _, words: &[u32]| states(lines, words);
            let none = || vec![[0_u64; 4]; count];
            let told = each_person(work, (&sources, &look.people), (&bounds, 1), WORK_BYTES, none, states)?;
            let mut lines = none();
            for found in told {
                let pairs = lines.iter_mut().flatten().zip(found.into_iter().flatten());
                pairs.for_each(|(count, found)| *count += found);
            }
            Ok(lines)
        })
        .await?;
    let line = |state: usize| lines.iter().filter_map(|counts| counts.get(state)).copied().collect();
    Ok(Some(LifecycleAnswer {
        labels: periods.labels.clone(),
        new: line(NEW),
        returning: line(RETURNING),
        resurrecting: line(RESURRECTING),
        dormant: line(DORMANT),
    }))
}

const NEW: usize = 0;
const RETURNING: usize = 1;
const RESURRECTING: usize = 2;
const DORMANT: usize = 3;

/// Counts one person, who was there in these periods, in the lines of periods 2 and on.
fn states(lines: &mut [[u64; 4]], periods: &[u32]) {
    let mut count = |period: usize, state: usize| {
        let line = period.checked_sub(2).and_then(|line| lines.get_mut(line));
        let count = line.and_then(|line| line.get_mut(state));
        count.into_iter().for_each(|count| *count += 1);
    };
    let mut before: Option<usize> = None;
    for period in set_bits(periods) {
        if let Some(before) = before.filter(|before| *before > 0 && before + 1 < period) {
            count(before + 1, DORMANT);
        }
        if period > 1 {
            count(
                period,
                match before {
                    Some(before) if before > 0 && before + 1 == period => RETURNING,
                    None => NEW,
                    Some(_) => RESURRECTING,
                },
            );
        }
        before = Some(period);
    }
    if let Some(last) = before.filter(|last| *last > 0) {
        count(last + 1, DORMANT);
    }
}

/// The answer; nothing, if segments have none.
pub(super) async fn stickiness(
    asking: &mut Asking<'_>,
    question: &Stickiness,
    periods: &Periods,
) -> Result<Option<StickinessAnswer>, QueryError> {
    let bounds: Vec<i64> = periods.bounds.iter().map(|bound| bound.micros()).collect();
    let events: Vec<(&Event, Pick)> = question
        .series
        .iter()
        .map(|series| (series, (&periods.span).into()))
        .collect();
    let Some((look, lines)) = sources(asking, &events, question.filters.as_ref()).await? else {
        return Ok(None);
    };
    let (mut results, count) = (Vec::new(), periods.len());
    for (series, sources) in question.series.iter().zip(lines) {
        let (look, bounds) = (Arc::clone(&look), bounds.clone());
        let values = asking
            .count(move |work| {
                let none = || vec![0_u64; count];
                let one = |values: &mut Vec<u64>, _, _, words: &[u32]| {
                    let periods: u32 = words.iter().map(|word| word.count_ones()).sum();
                    let value = values.get_mut(periods as usize - 1);
                    value.into_iter().for_each(|value| *value += 1);
                };
                let told = each_person(work, (&sources, &look.people), (&bounds, 1), WORK_BYTES, none, one)?;
                let mut values = none();
                for found in told {
                    values.iter_mut().zip(found).for_each(|(value, found)| *value += found);
                }
                Ok(values)
            })
            .await?;
        results.push(StickinessLine {
            name: series.label().to_owned(),
            values,
        });
    }
    Ok(Some(StickinessAnswer {
        labels: (1..).take(periods.len()).collect(),
        results,
    }))
}

/// The sources of these events, in their order; nothing, if segments cannot answer.
pub(super) async fn sources(
    asking: &mut Asking<'_>,
    events: &[(&Event, Pick)],
    filters: Option<&Filter>,
) -> Result<Option<(Arc<Look>, Vec<Vec<Source>>)>, QueryError> {
    let (mut plan, mut wants) = (Plan::default(), Vec::new());
    for (event, pick) in events {
        filter::plan(asking.snapshot, &mut plan, [event.filters.as_ref(), filters]).await?;
        wants.push(plan.events(asking.snapshot, event, *pick).await?);
    }
    let Some(look) = asking.look(&plan).await? else {
        return Ok(None);
    };
    let mut all: Vec<_> = events.iter().map(|(event, _)| event.filters.as_ref()).collect();
    all.push(filters);
    let resolved = Filters::resolve(asking, &look, &all).await?;
    let sources = events.iter().zip(&wants).map(|((event, _), want)| {
        let sources = look.sources(want).map(|(_, mut source)| {
            source.keep = resolved.keep([event.filters.as_ref(), filters], &source.segment);
            source
        });
        sources.collect()
    });
    let sources = sources.collect();
    Ok(Some((Arc::new(look), sources)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_in_one_state_of_each_period() {
        // Before everything; in the period before the stretch; in its second and third.
        let mut lines = [[0; 4]; 5];
        states(&mut lines, &[0b11_0011 & !0b1]);
        assert_eq!(lines, [[0, 0, 0, 1], [0; 4], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]);
        let mut lines = [[0; 4]; 3];
        states(&mut lines, &[0b1000]);
        assert_eq!(lines, [[0; 4], [1, 0, 0, 0], [0, 0, 0, 1]]);
        let mut lines = [[0; 4]; 3];
        states(&mut lines, &[0b1001]);
        assert_eq!(lines, [[0; 4], [0, 0, 1, 0], [0, 0, 0, 1]]);
    }
}
