//! Stickiness: in how many periods persons do something.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calendar::Periods;
use super::persons::Page;
use super::question::{Event, Stickiness};
use super::sql::{Events, Making, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// How many persons did something in one period, in two, …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StickinessAnswer {
    /// The number of periods: 1, 2, …
    pub labels: Vec<u32>,
    /// The lines.
    pub results: Vec<StickinessLine>,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StickinessLine {
    /// What it is called.
    pub name: String,
    /// How many persons did it in exactly so many periods.
    pub values: Vec<u64>,
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
    snapshot: &mut Snapshot,
    question: &Stickiness,
    periods: &Periods,
) -> Result<StickinessAnswer, QueryError> {
    let mut results = Vec::new();
    for series in &question.series {
        let mut making = Making::new(snapshot)?;
        let persons = sticking(&mut making, question, series, periods)?;
        let select = format!("SELECT periods, count(*) FROM {persons} GROUP BY 1");
        let rows: Vec<(i64, i64)> = making.query_as(&select).fetch_all(snapshot.rows()).await?;
        let mut values = vec![0; periods.len()];
        for (number, persons) in rows {
            let place = usize::try_from(number - 1).ok().and_then(|at| values.get_mut(at));
            if let Some(place) = place {
                *place = persons.cast_unsigned();
            }
        }
        results.push(StickinessLine {
            name: series.label().to_owned(),
            values,
        });
    }
    let labels = (1..).take(periods.len()).collect();
    Ok(StickinessAnswer { labels, results })
}

/// `(person_id, periods)`: in how many periods each person did it.
fn sticking(
    making: &mut Making,
    question: &Stickiness,
    series: &Event,
    periods: &Periods,
) -> Result<String, QueryError> {
    let pick = Pick::from(&periods.span);
    let events = Events::new(making, series, question.filters.as_ref(), pick)?;
    let bounds = making.bind_times(&periods.bounds)?;
    Ok(making.with(&format!(
        "SELECT i.person_id, count(DISTINCT width_bucket(e.timestamp, {bounds})) AS periods {} GROUP BY 1",
        events.from_where()
    )))
}

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StickinessPlace)]
pub struct Spot {
    /// The place of the series, from 0.
    pub series: usize,
    /// In how many periods.
    pub periods: u32,
}

/// Who is in one number.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Stickiness,
    spot: &Spot,
    periods: &Periods,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let series = question.series.get(spot.series);
    let series = series.ok_or_else(|| QueryError::parameter("at.series", "is none of the question's"))?;
    let mut making = Making::new(snapshot)?;
    let persons = sticking(&mut making, question, series, periods)?;
    let number = making.bind(i64::from(spot.periods))?;
    let select = format!("SELECT person_id FROM {persons} WHERE periods = {number}");
    page.of(snapshot, making, &select).await
}
