//! Retention from segments: in which periods persons began, and in which they were back.

use trailmark_segments::presence::{Shape, first_periods, presence, rounds};

use super::Asking;
use super::activity::sources;
use crate::query::ask::calendar::{FIRST_MOMENT, Periods};
use crate::query::ask::question::{Retention, RetentionType};
use crate::query::ask::retention::{Cells, RetentionAnswer, fits_bits, whole};
use crate::query::ask::sql::Pick;
use crate::query::columns::WORK_BYTES;
use crate::query::error::QueryError;

/// The answer; nothing, if segments have none.
pub(super) async fn answer(
    asking: &mut Asking<'_>,
    question: &Retention,
    periods: &Periods,
) -> Result<Option<RetentionAnswer>, QueryError> {
    if !fits_bits(question, periods) {
        return Ok(asking.unfit("periods of each person's own, or too many"));
    }
    let whole = whole(periods);
    let first_time = question.kind == RetentionType::FirstTime;
    let since = if first_time { FIRST_MOMENT } else { whole.from };
    let begin = (&question.start_event, Pick { from: since, ..whole });
    let same = question.start_event.is_same(&question.return_event);
    // Where both are the same, one look says both.
    let events = [begin, (&question.return_event, whole)];
    let events = events.get(..if same { 1 } else { 2 }).unwrap_or_default();
    let Some((look, lines)) = sources(asking, events, question.filters.as_ref()).await? else {
        return Ok(None);
    };
    let bounds: Vec<i64> = periods.bounds.iter().map(|bound| bound.micros()).collect();
    let none = Cells::of(question, periods);
    let cells = asking
        .count(move |work| {
            let (mut cells, parts) = (none.clone(), lines.len());
            for slots in rounds(&look.people, bounds.len(), parts, work.threads, WORK_BYTES) {
                let shape = Shape {
                    bounds: &bounds,
                    parts: 1,
                    slots,
                };
                let there = |line: usize| {
                    let sources = lines.get(line).map(Vec::as_slice).unwrap_or_default();
                    presence(work, sources, &look.people, &shape)
                };
                let began = there(0)?;
                let back = if same { None } else { Some(there(1)?) };
                let found = began.each(
                    work,
                    || none.clone(),
                    |cells, person, _, words| {
                        let began = first_periods(words);
                        let back = back.as_ref().map_or(began, |back| first_periods(back.words(person)));
                        // The first period alone is that of the lowest bit, and bit 0 is before all of them.
                        let counted = if first_time {
                            began & began.wrapping_neg()
                        } else {
                            began
                        };
                        if began & 1 == 0 {
                            cells.add(counted, back, 1);
                        }
                    },
                )?;
                found.iter().for_each(|found| cells.merge(found));
            }
            Ok(cells)
        })
        .await?;
    Ok(Some(cells.answer(question, periods)))
}
