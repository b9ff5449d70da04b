//! Trends from segments: events of each period and part, persons of each, and what is made of a property's values.

use std::collections::HashMap;
use std::sync::Arc;

use trailmark_segments::distinct::distinct;
use trailmark_segments::events::SESSION;
use trailmark_segments::presence::{each_person, rounds, set_bits};
use trailmark_segments::scan::{Parting, Source};
use trailmark_segments::tally::tally;
use trailmark_segments::work::Work;

use super::Asking;
use super::filter::{self, Filters};
use super::parts::Told;
use crate::query::ask::calendar::Periods;
use crate::query::ask::question::{Compare, Math, Path, Series, Trends};
use crate::query::ask::trends::{Cells, TrendsAnswer, letter, put_together};
use crate::query::columns::WORK_BYTES;
use crate::query::columns::{Look, Plan};
use crate::query::error::QueryError;

/// Most counters of one answer: 4 million, 32 MB for each thread. They are the product of periods, parts and values.
const COUNTERS_MAX: usize = 4 << 20;

/// Most goes in which persons are counted: in each all events are read again.
const GOES_MAX: usize = 16;

/// The answer; nothing, if segments have none.
pub(super) async fn answer(
    asking: &mut Asking<'_>,
    question: &Trends,
    periods: &Periods,
) -> Result<Option<TrendsAnswer>, QueryError> {
    let Some(mut whole) = lines(asking, question, periods).await? else {
        return Ok(None);
    };
    if question.compare == Some(Compare::Previous) {
        let before = periods.span.previous().periods(question.interval, &Path::root())?;
        let Some(before) = lines(asking, question, &before).await? else {
            return Ok(None);
        };
        whole.previous = Some(Box::new(before));
    }
    Ok(Some(whole))
}

async fn lines(
    asking: &mut Asking<'_>,
    question: &Trends,
    periods: &Periods,
) -> Result<Option<TrendsAnswer>, QueryError> {
    let mut plan = Plan::default();
    let (mut wants, pick) = (Vec::new(), (&periods.span).into());
    for series in &question.series {
        let events = series.events();
        filter::plan(
            asking.snapshot,
            &mut plan,
            [events.filters.as_ref(), question.filters.as_ref()],
        )
        .await?;
        wants.push(plan.events(asking.snapshot, &events, pick).await?);
        series.math_property.iter().for_each(|property| plan.property(property));
        if series.math == Math::Sessions {
            plan.sessions();
        }
    }
    plan.breakdowns(&question.breakdown);
    let Some(look) = asking.look(&plan).await? else {
        return Ok(None);
    };
    let mut all: Vec<_> = question.series.iter().map(|series| series.filters.as_ref()).collect();
    all.push(question.filters.as_ref());
    let filters = Filters::resolve(asking, &look, &all).await?;
    let look = Arc::new(look);
    let bounds: Vec<i64> = periods.bounds.iter().map(|bound| bound.micros()).collect();
    let mut results = Vec::new();
    for (index, (series, want)) in question.series.iter().zip(&wants).enumerate() {
        let mut sources: Vec<Source> = look.sources(want).map(|(_, source)| source).collect();
        for source in &mut sources {
            source.keep = filters.keep([series.filters.as_ref(), question.filters.as_ref()], &source.segment);
        }
        // Where events are counted, finding their parts can do it.
        let counted = (series.math == Math::Total).then_some(bounds.as_slice());
        let told = Told::find_all(asking, &look, &question.breakdown, &sources, counted).await?;
        for source in &mut sources {
            source.partings = Told::of_segment(&told, &source.segment);
        }
        let Some(cells) = cells(asking, &look, series, &told, (sources, bounds.clone())).await? else {
            return Ok(None);
        };
        let parts: Vec<_> = told.iter().map(|told| told.parts.clone()).collect();
        results.extend(cells.lines(series, letter(index), &parts, periods.len()));
    }
    put_together(question, periods, results).map(Some)
}

async fn cells(
    asking: &mut Asking<'_>,
    look: &Arc<Look>,
    series: &Series,
    told: &[Told],
    (sources, bounds): (Vec<Source>, Vec<i64>),
) -> Result<Option<Cells>, QueryError> {
    let parts = Told::combinations(told);
    let goes = || {
        rounds(
            &look.people,
            bounds.len(),
            parts,
            asking.counting.columns().threads(),
            WORK_BYTES,
        )
        .count()
    };
    if parts.saturating_mul(bounds.len()) > COUNTERS_MAX || series.math == Math::UniquePersons && goes() > GOES_MAX {
        return Ok(asking.unfit("too many parts and periods"));
    }
    let mut cells = match (&series.math_property, series.math) {
        (None, Math::UniquePersons) => persons(asking, look, told, (sources, bounds)).await?,
        (None, Math::Sessions) => sessions(asking, look, told, (sources, bounds)).await?,
        (None, _) => {
            let counts = match told {
                [
                    Told {
                        events: Some(events), ..
                    },
                ] => events.clone(),
                _ => {
                    let look = Arc::clone(look);
                    let count = move |work: Work<'_>| tally(work, &sources, &look.people, &bounds, parts);
                    asking.count(count).await?
                }
            };
            let mut cells = Cells::default();
            for (part, periods) in counts
                .iter()
                .enumerate()
                .filter(|(_, periods)| periods.iter().any(|count| *count > 0))
            {
                let numbers = Told::numbers_of(told, part);
                cells.put(numbers.clone(), None, Some(periods.iter().sum::<u64>() as f64));
                for (period, count) in periods.iter().enumerate().skip(1).filter(|(_, count)| **count > 0) {
                    cells.put(numbers.clone(), Some(period - 1), Some(*count as f64));
                }
            }
            cells
        }
        (Some(property), math) => match values(asking, look, told, (sources, bounds, property), math).await? {
            Some(cells) => cells,
            None => return Ok(None),
        },
    };
    if told.is_empty() {
        cells.add_nothing();
    }
    Ok(Some(cells))
}

async fn persons(
    asking: &mut Asking<'_>,
    look: &Arc<Look>,
    told: &[Told],
    (sources, bounds): (Vec<Source>, Vec<i64>),
) -> Result<Cells, QueryError> {
    let parts = Told::combinations(told);
    let look = Arc::clone(look);
    // For each part the persons of each period, and before the first of these the persons of the whole.
    let columns = bounds.len() + 1;
    let counts = asking
        .count(move |work| {
            let none = || vec![0_u64; parts * columns];
            let one = |counts: &mut Vec<u64>, _, part: usize, words: &[u32]| {
                let Some(counts) = counts.get_mut(part * columns..(part + 1) * columns) else {
                    return;
                };
                for place in [0].into_iter().chain(set_bits(words)) {
                    counts.get_mut(place).into_iter().for_each(|count| *count += 1);
                }
            };
            let told = each_person(work, (&sources, &look.people), (&bounds, parts), WORK_BYTES, none, one)?;
            let mut counts = none();
            for found in told {
                counts.iter_mut().zip(found).for_each(|(count, found)| *count += found);
            }
            Ok(counts)
        })
        .await?;
    let mut cells = Cells::default();
    for (part, counts) in counts.chunks_exact(columns).enumerate() {
        let Some((whole, periods)) = counts.split_first().filter(|(whole, _)| **whole > 0) else {
            continue;
        };
        let numbers = Told::numbers_of(told, part);
        cells.put(numbers.clone(), None, Some(*whole as f64));
        for (period, count) in periods.iter().enumerate().filter(|(_, count)| **count > 0) {
            cells.put(numbers.clone(), Some(period), Some(*count as f64));
        }
    }
    Ok(cells)
}

/// Sessions of each part and period; a part whose events are in none has a line, too.
async fn sessions(
    asking: &mut Asking<'_>,
    look: &Arc<Look>,
    told: &[Told],
    (mut sources, bounds): (Vec<Source>, Vec<i64>),
) -> Result<Cells, QueryError> {
    let parts = Told::combinations(told);
    for source in &mut sources {
        source.sessions = source.segment.column(SESSION);
    }
    let look = Arc::clone(look);
    let (events, counts) = asking
        .count(move |work| {
            let events = tally(work, &sources, &look.people, &[], parts)?;
            let counts = distinct(work, (&sources, &look.people), &bounds, parts, WORK_BYTES)?;
            Ok((events, counts))
        })
        .await?;
    let mut cells = Cells::default();
    for (part, (events, counts)) in events.iter().zip(&counts).enumerate() {
        let Some((whole, periods)) = counts.split_first().filter(|_| events.iter().any(|events| *events > 0)) else {
            continue;
        };
        let numbers = Told::numbers_of(told, part);
        cells.put(numbers.clone(), None, Some(*whole as f64));
        for (period, count) in periods.iter().skip(1).enumerate().filter(|(_, count)| **count > 0) {
            cells.put(numbers.clone(), Some(period), Some(*count as f64));
        }
    }
    Ok(cells)
}

/// Numbers of a property: how often each occurs says everything about their sum, mean and percentiles.
async fn values(
    asking: &mut Asking<'_>,
    look: &Arc<Look>,
    told: &[Told],
    (mut sources, bounds, property): (Vec<Source>, Vec<i64>, &str),
    math: Math,
) -> Result<Option<Cells>, QueryError> {
    // Place 0: what is no number.
    let mut places: HashMap<u64, u32> = HashMap::new();
    let mut numbers = Vec::new();
    for source in &mut sources {
        let Some(column) = source.segment.column(property) else {
            continue;
        };
        let place = |value: &String| {
            let number = number(value)?;
            Some(*places.entry(number.to_bits()).or_insert_with(|| {
                numbers.push(number);
                numbers.len() as u32
            }))
        };
        let values = source.segment.values(column).unwrap_or_default();
        let parts = values.iter().map(place).map(Option::unwrap_or_default);
        source.partings.push(Parting {
            column,
            parts: [0].into_iter().chain(parts).collect(),
            count: 0,
        });
    }
    let count = numbers.len() + 1;
    for parting in sources.iter_mut().filter_map(|source| source.partings.last_mut()) {
        parting.count = count as u32;
    }
    let parts = Told::combinations(told);
    let columns = bounds.len() + 1;
    if parts.saturating_mul(count).saturating_mul(columns) > COUNTERS_MAX {
        return Ok(asking.unfit("too many values and periods"));
    }
    let counted = Arc::clone(look);
    let counts = asking
        .count(move |work| tally(work, &sources, &counted.people, &bounds, parts * count))
        .await?;
    let mut cells = Cells::default();
    for (part, counts) in counts.chunks_exact(count).enumerate() {
        if counts.iter().flatten().all(|count| *count == 0) {
            continue;
        }
        let here = Told::numbers_of(told, part);
        let of = |periods: &dyn Fn(&Vec<u64>) -> u64| {
            let occurring = numbers.iter().zip(counts.iter().skip(1));
            reduced(
                math,
                occurring.map(|(number, counts)| (*number, periods(counts))).collect(),
            )
        };
        cells.put(here.clone(), None, of(&|counts| counts.iter().sum()));
        for period in 1..columns {
            let at = |counts: &Vec<u64>| counts.get(period).copied().unwrap_or_default();
            if counts.iter().any(|counts| at(counts) > 0) {
                cells.put(here.clone(), Some(period - 1), of(&at));
            }
        }
    }
    Ok(Some(cells))
}

/// A number in JSON, unless it is beyond every float (`trends::series` says the same to Postgres).
fn number(value: &str) -> Option<f64> {
    let number: serde_json::Number = serde_json::from_str(value).ok()?;
    number.as_f64().filter(|number| number.abs() < 1e300)
}

/// What is made of numbers, each with how often it occurs; nothing of none.
fn reduced(math: Math, mut occurring: Vec<(f64, u64)>) -> Option<f64> {
    occurring.retain(|(_, count)| *count > 0);
    occurring.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let count: u64 = occurring.iter().map(|(_, count)| count).sum();
    let sum = || {
        occurring
            .iter()
            .map(|(number, count)| number * *count as f64)
            .sum::<f64>()
    };
    let (first, last) = (occurring.first()?.0, occurring.last()?.0);
    // `percentile_cont`: between the two values around the place.
    let percentile = |share: f64| {
        let place = share * (count - 1) as f64;
        let at = |place: u64| {
            let mut before = 0;
            let mut found = occurring.iter().skip_while(|(_, count)| {
                before += count;
                before <= place
            });
            found.next().map_or(last, |(number, _)| *number)
        };
        let (low, high) = (at(place.floor() as u64), at(place.ceil() as u64));
        low + (high - low) * (place - place.floor())
    };
    Some(match math {
        Math::Sum => sum(),
        Math::Avg => sum() / count as f64,
        Math::Min => first,
        Math::Max => last,
        Math::P50 => percentile(0.5),
        Math::P90 => percentile(0.9),
        Math::P95 => percentile(0.95),
        Math::P99 => percentile(0.99),
        Math::Total | Math::UniquePersons | Math::Sessions => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_reduced_as_postgres_does_it() {
        let occurring = || vec![(10.0, 1), (1.0, 2), (4.0, 1), (9.0, 0)];
        let all = [1.0, 1.0, 4.0, 10.0];
        assert_eq!(reduced(Math::Sum, occurring()), Some(all.iter().sum()));
        assert_eq!(reduced(Math::Avg, occurring()), Some(4.0));
        assert_eq!(
            (reduced(Math::Min, occurring()), reduced(Math::Max, occurring())),
            (Some(1.0), Some(10.0))
        );
        assert_eq!(reduced(Math::P50, occurring()), Some(2.5));
        assert!(reduced(Math::P90, occurring()).is_some_and(|value| (value - 8.2).abs() < 1e-9));
        assert_eq!(reduced(Math::Sum, vec![(1.0, 0)]), None);
    }

    #[test]
    fn only_numbers_are_numbers() {
        assert_eq!(number("1.50"), Some(1.5));
        assert_eq!((number("\"1\""), number("null"), number("1e999")), (None, None, None));
    }
}
