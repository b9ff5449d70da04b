//! Who is there, and how often: lifecycle and stickiness.

use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::calendar::{FIRST_MOMENT, Periods};
use super::persons::Page;
use super::question::{Event, Lifecycle, Stickiness};
use super::sql::{Events, Making, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Persons of each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LifecycleAnswer {
    /// What the periods are called.
    pub labels: Vec<String>,
    /// Their first event ever is in it.
    pub new: Vec<u64>,
    /// They were there in the period before.
    pub returning: Vec<u64>,
    /// They had been there, but not in the period before.
    pub resurrecting: Vec<u64>,
    /// They were there in the period before, and not in this one.
    pub dormant: Vec<u64>,
}

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

/// Who is there in a period is looked at beside the period in which they were there before, and the one after. Period 0 is
/// the one before the stretch: it is only there to know who was there.
const STATES: &str = "
    SELECT person_id, period, CASE WHEN before = period - 1 THEN 'returning'
                                   WHEN before IS NULL AND NOT earlier THEN 'new' ELSE 'resurrecting' END AS state
    FROM seen WHERE period > 0
    UNION ALL
    SELECT person_id, period + 1, 'dormant' FROM seen WHERE after IS DISTINCT FROM period + 1";

/// The answer about a lifecycle.
///
/// # Errors
/// What stands in the way.
pub async fn lifecycle(
    snapshot: &mut Snapshot,
    question: &Lifecycle,
    periods: &Periods,
) -> Result<LifecycleAnswer, QueryError> {
    let mut making = Making::new(snapshot)?;
    seen(&mut making, question, periods)?;
    let select = format!("SELECT period, state, count(*) FROM ({STATES}) states GROUP BY 1, 2");
    let rows: Vec<(i32, String, i64)> = making.query_as(&select).fetch_all(snapshot.rows()).await?;
    Ok(states(rows, periods))
}

/// `seen (person_id, period, before, after, earlier)`.
fn seen(making: &mut Making, question: &Lifecycle, periods: &Periods) -> Result<(), QueryError> {
    let before = periods.before(question.interval);
    let bounds: Vec<Timestamp> = before.into_iter().chain(periods.bounds.iter().copied()).collect();
    let (first, last) = (
        bounds.first().copied().unwrap_or_default(),
        bounds.last().copied().unwrap_or_default(),
    );
    let filters = question.filters.as_ref();
    let inside = Pick { from: first, to: last };
    let inside = Events::new(making, &question.event, filters, inside)?;
    let ever = Pick {
        from: FIRST_MOMENT,
        to: first,
    };
    let earlier = Events::new(making, &question.event, filters, ever)?;
    let places = making.bind_times(&bounds)?;
    let there = making.with(&format!(
        "SELECT DISTINCT i.person_id, width_bucket(e.timestamp, {places}) - 1 AS period {}",
        inside.from_where()
    ));
    let known = making.with(&format!("SELECT DISTINCT i.person_id {}", earlier.from_where()));
    making.with_named(
        "seen",
        &format!(
            "SELECT person_id, period, lag(period) OVER one AS before, lead(period) OVER one AS after,
                    person_id IN (SELECT person_id FROM {known}) AS earlier
             FROM {there} WINDOW one AS (PARTITION BY person_id ORDER BY period)"
        ),
    );
    Ok(())
}

/// A place in the answer about a lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LifecyclePlace)]
pub struct LifecycleSpot {
    /// The label of the period.
    pub period: String,
    /// The state.
    pub status: State,
}

/// A state of a person in a period. See [`Lifecycle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the question says what they are")]
#[schema(as = LifecycleState)]
pub enum State {
    New,
    Returning,
    Resurrecting,
    Dormant,
}

/// Who is in one number of a lifecycle.
///
/// # Errors
/// What stands in the way.
pub async fn lifecycle_persons(
    snapshot: &mut Snapshot,
    question: &Lifecycle,
    spot: &LifecycleSpot,
    periods: &Periods,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let period = periods.index_of_label(&spot.period)?;
    let mut making = Making::new(snapshot)?;
    seen(&mut making, question, periods)?;
    let state = match spot.status {
        State::New => "new",
        State::Returning => "returning",
        State::Resurrecting => "resurrecting",
        State::Dormant => "dormant",
    };
    // Period 1 is the first of the stretch.
    let period = making.bind(i32::try_from(period + 1).unwrap_or(i32::MAX))?;
    let state = making.bind(state)?;
    let select = format!("SELECT person_id FROM ({STATES}) states WHERE period = {period} AND state = {state}");
    page.of(snapshot, making, &select).await
}

/// A place in the answer about stickiness.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StickinessPlace)]
pub struct StickinessSpot {
    /// The place of the series, from 0.
    pub series: usize,
    /// In how many periods.
    pub periods: u32,
}

/// Who is in one number of stickiness.
///
/// # Errors
/// What stands in the way.
pub async fn stickiness_persons(
    snapshot: &mut Snapshot,
    question: &Stickiness,
    spot: &StickinessSpot,
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

fn states(rows: Vec<(i32, String, i64)>, periods: &Periods) -> LifecycleAnswer {
    let zeros = || vec![0; periods.len()];
    let mut answer = LifecycleAnswer {
        labels: periods.labels.clone(),
        new: zeros(),
        returning: zeros(),
        resurrecting: zeros(),
        dormant: zeros(),
    };
    for (period, state, persons) in rows {
        let line = match state.as_str() {
            "new" => &mut answer.new,
            "returning" => &mut answer.returning,
            "resurrecting" => &mut answer.resurrecting,
            _ => &mut answer.dormant,
        };
        // Period 1 is the first of the stretch.
        let place = usize::try_from(period - 1).ok().and_then(|at| line.get_mut(at));
        if let Some(place) = place {
            *place = persons.cast_unsigned();
        }
    }
    answer
}

/// The answer about stickiness.
///
/// # Errors
/// What stands in the way.
pub async fn stickiness(
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
