//! Breakdowns of segments' events.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use trailmark_segments::Segment;
use trailmark_segments::scan::{Parting, Source};
use trailmark_segments::tally::tally;

use super::Asking;
use crate::query::ask::question::Breakdown;
use crate::query::ask::sql::{Making, Parts};
use crate::query::columns::Look;
use crate::query::error::QueryError;

/// The parts of a breakdown, and which values belong to which.
#[derive(Debug)]
pub(super) struct Told {
    property: String,
    /// The values that are told apart, in their order.
    pub(super) parts: Parts,
    /// For each text of a value, its part: 1 is the first, 0 that of events without one.
    numbers: HashMap<String, u32>,
    /// The events of each part and period, if finding the parts was a count of them.
    pub(super) events: Option<Vec<Vec<u64>>>,
}

/// Most counters of values and periods that are counted before the most frequent values are known: 64 Ki, half a megabyte
/// for each thread. With more, events are counted by value, then by part and period.
const COUNTERS_AT_ONCE: usize = 64 << 10;

impl Told {
    /// The parts of each breakdown of these sources' events, the most frequent values. With `bounds` of periods, and one
    /// breakdown, also the events of each part and period.
    ///
    /// # Errors
    /// What stands in the way.
    pub(super) async fn find_all(
        asking: &mut Asking<'_>,
        look: &Arc<Look>,
        breakdowns: &[Breakdown],
        sources: &[Source],
        bounds: Option<&[i64]>,
    ) -> Result<Vec<Self>, QueryError> {
        let bounds = bounds.filter(|_| breakdowns.len() == 1);
        let mut told = Vec::new();
        for breakdown in breakdowns {
            told.push(Self::find(asking, look, breakdown, sources, bounds).await?);
        }
        Ok(told)
    }

    async fn find(
        asking: &mut Asking<'_>,
        look: &Arc<Look>,
        breakdown: &Breakdown,
        sources: &[Source],
        bounds: Option<&[i64]>,
    ) -> Result<Self, QueryError> {
        let ranks = ranks(asking, sources, &breakdown.property).await?;
        let count = ranks.values().max().map_or(1, |last| last + 1);
        let mut sources = sources.to_vec();
        for source in &mut sources {
            source.partings = parting(&source.segment, &breakdown.property, count, |value| {
                ranks.get(value).copied()
            });
        }
        let counted = Arc::clone(look);
        let few = |bounds: &&[i64]| count as usize * (bounds.len() + 1) <= COUNTERS_AT_ONCE;
        let bounds = bounds.filter(few).map(<[i64]>::to_vec);
        let at_once = bounds.is_some();
        let counts = asking
            .count(move |work| {
                let bounds = bounds.as_deref().unwrap_or_default();
                tally(work, &sources, &counted.people, bounds, count as usize)
            })
            .await?;
        let mut frequent: Vec<(u32, u64)> = (0..count)
            .zip(counts.iter().map(|periods| periods.iter().sum()))
            .filter(|(rank, events)| *rank > 0 && *events > 0)
            .collect();
        frequent.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        frequent.truncate(breakdown.limit as usize);
        let place = |rank: u32| frequent.iter().position(|(frequent, _)| *frequent == rank);
        // As `Parts::fold` numbers them: the others have the number after the last.
        let number = |rank: u32| match rank {
            0 => 0,
            rank => place(rank).unwrap_or(frequent.len()) as u32 + 1,
        };
        let numbers = ranks
            .iter()
            .map(|(value, rank)| (value.clone(), number(*rank)))
            .collect();
        let text = |rank: u32| {
            ranks
                .iter()
                .filter(|(_, there)| **there == rank)
                .map(|(text, _)| text)
                .min()
        };
        let values = frequent
            .iter()
            .filter_map(|(rank, _)| serde_json::from_str(text(*rank)?).ok());
        let parts = Parts::of(values.collect());
        let mut events = vec![Vec::new(); parts.numbers()];
        for (rank, counts) in (0..count).zip(counts) {
            let Some(part) = events.get_mut(number(rank) as usize) else {
                continue;
            };
            part.resize(counts.len(), 0);
            part.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        Ok(Self {
            property: breakdown.property.clone(),
            parts,
            numbers,
            events: at_once.then_some(events),
        })
    }

    /// How a segment's events belong to parts.
    pub(super) fn of_segment(told: &[Self], segment: &Segment) -> Vec<Parting> {
        let parting = |told: &Self| {
            let count = told.parts.numbers() as u32;
            parting(segment, &told.property, count, |value| told.numbers.get(value).copied())
        };
        told.iter().flat_map(parting).collect()
    }

    /// How many combinations of parts there are.
    pub(super) fn combinations(told: &[Self]) -> usize {
        told.iter().map(|told| told.parts.numbers()).product()
    }

    /// The numbers of the parts of a combination: -1 for events without the property, then the values, then the others.
    pub(super) fn numbers_of(told: &[Self], combination: usize) -> Vec<i32> {
        let mut rest = combination;
        let mut numbers: Vec<i32> = told
            .iter()
            .rev()
            .map(|told| {
                let here = rest % told.parts.numbers();
                rest /= told.parts.numbers();
                here as i32 - 1
            })
            .collect();
        numbers.reverse();
        numbers
    }
}

fn parting(segment: &Segment, property: &str, count: u32, part: impl Fn(&str) -> Option<u32>) -> Vec<Parting> {
    let Some(column) = segment.column(property) else {
        return Vec::new();
    };
    let values = segment.values(column).unwrap_or_default();
    let parts = values.iter().map(|value| part(value).unwrap_or_default());
    vec![Parting {
        column,
        parts: [0].into_iter().chain(parts).collect(),
        count,
    }]
}

/// The values of a property in these sources by their order, from 1; texts that mean the same value have the same number.
async fn ranks(
    asking: &mut Asking<'_>,
    sources: &[Source],
    property: &str,
) -> Result<HashMap<String, u32>, QueryError> {
    let mut values = BTreeSet::new();
    for source in sources {
        let column = source.segment.column(property);
        values.extend(
            column
                .and_then(|column| source.segment.values(column))
                .unwrap_or_default()
                .iter()
                .cloned(),
        );
    }
    let mut making = Making::new(asking.snapshot)?;
    let values = making.bind(values.into_iter().collect::<Vec<_>>())?;
    let select = format!(
        "SELECT value, dense_rank() OVER (ORDER BY value::jsonb) FROM unnest({values}::text[]) AS given (value)"
    );
    let rows: Vec<(String, i64)> = making.query_as(&select).fetch_all(asking.snapshot.rows()).await?;
    Ok(rows.into_iter().map(|(value, rank)| (value, rank as u32)).collect())
}
