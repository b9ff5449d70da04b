//! Lifecycle: who is new, who stays, who comes back, who is gone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calendar::{FIRST_MOMENT, Periods};
use super::persons::Page;
use super::question::Lifecycle;
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

/// Who is there in a period is looked at beside the period in which they were there before, and the one after. Period 0 is
/// the one before the stretch: it is only there to know who was there.
const STATES: &str = "
    SELECT person_id, period, CASE WHEN before = period - 1 THEN 'returning'
                                   WHEN before IS NULL AND NOT earlier THEN 'new' ELSE 'resurrecting' END AS state
    FROM seen WHERE period > 0
    UNION ALL
    SELECT person_id, period + 1, 'dormant' FROM seen WHERE after IS DISTINCT FROM period + 1";

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
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
    let bounds: Vec<_> = before.into_iter().chain(periods.bounds.iter().copied()).collect();
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

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LifecyclePlace)]
pub struct Spot {
    /// The label of the period.
    pub period: String,
    /// The state.
    pub status: State,
}

/// A state of a person in a period. See [`Lifecycle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LifecycleState)]
pub enum State {
    /// Their first event ever is in it.
    New,
    /// They were there in the period before.
    Returning,
    /// They had been there, but not in the period before.
    Resurrecting,
    /// They were there in the period before, and not in this one.
    Dormant,
}

/// Who is in one number.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Lifecycle,
    spot: &Spot,
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
