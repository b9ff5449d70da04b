//! Sessions: how many begin, how long they are, how much happens in them, how many end with their first event.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use super::answer::Part;
use super::calendar::{Periods, Span};
use super::persons::Page;
use super::question::{Event, Sessions};
use super::sql::{Events, Making, Parts, Pick, condition};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Events of a session are looked for so long before and after the stretch: 24 h, the longest session of our SDKs.
const SESSION_MAX: i64 = 24 * 3_600 * 1_000_000;

/// The lines of sessions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionsAnswer {
    /// What the periods are called.
    pub labels: Vec<String>,
    /// One line, or one for each combination of parts.
    pub results: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SessionsLine)]
pub struct Line {
    /// One part for each breakdown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breakdown: Vec<Part>,
    /// The sessions of each period.
    pub values: Vec<Facts>,
    /// Those of the whole stretch.
    pub total: Facts,
}

/// What is known of some sessions; null where there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, FromRow, ToSchema)]
#[schema(as = SessionsFacts)]
pub struct Facts {
    /// How many.
    pub sessions: i64,
    /// Mean of their lengths, in seconds.
    pub average_seconds: Option<f64>,
    /// Median of their lengths, in seconds.
    pub median_seconds: Option<f64>,
    /// Mean of their events.
    pub events_per_session: Option<f64>,
    /// The share that has one event alone: 0 to 1.
    pub bounce_rate: Option<f64>,
}

#[derive(Debug, FromRow)]
struct Row {
    period: Option<i32>,
    part: i32,
    #[sqlx(flatten)]
    facts: Facts,
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
    snapshot: &mut Snapshot,
    question: &Sessions,
    periods: &Periods,
) -> Result<SessionsAnswer, QueryError> {
    let parts = parts(snapshot, question, &periods.span).await?;
    let mut making = Making::new(snapshot)?;
    let sessions = table(&mut making, question, &parts, periods)?;
    let select = format!(
        "SELECT period, part, count(*) AS sessions, avg(seconds)::float8 AS average_seconds,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_seconds,
                avg(events)::float8 AS events_per_session, avg((events = 1)::integer)::float8 AS bounce_rate
         FROM {sessions} GROUP BY GROUPING SETS ((period, part), (part))"
    );
    let rows: Vec<Row> = making.query_as(&select).fetch_all(snapshot.rows()).await?;
    Ok(lines(rows, &parts, periods))
}

async fn parts(snapshot: &mut Snapshot, question: &Sessions, span: &Span) -> Result<Vec<Parts>, QueryError> {
    let (any, filters) = (Event::default(), question.filters.as_ref());
    Parts::find_all(snapshot, &question.breakdown, &any, filters, span.into()).await
}

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SessionsPlace)]
pub struct Spot {
    /// The label of the period; the whole stretch if there is none.
    #[serde(default)]
    pub period: Option<String>,
    /// The line's parts.
    #[serde(default)]
    pub breakdown: Vec<Part>,
}

/// Whose sessions are in one number.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Sessions,
    spot: &Spot,
    periods: &Periods,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let period = spot.period.as_deref();
    let period = period.map(|label| periods.index_of_label(label)).transpose()?;
    let period = period.map(|index| i32::try_from(index).unwrap_or(i32::MAX));
    let parts = parts(snapshot, question, &periods.span).await?;
    let part = Parts::folded(&parts, &spot.breakdown)?;
    let mut making = Making::new(snapshot)?;
    let sessions = table(&mut making, question, &parts, periods)?;
    let (part, period) = (making.bind(part)?, making.bind(period)?);
    let select = format!(
        "SELECT unnest(persons) AS person_id FROM {sessions} WHERE part = {part} AND ({period} IS NULL OR period = {period})"
    );
    page.of(snapshot, making, &select).await
}

/// The sessions that begin in the stretch: `(period, part, events, seconds, persons)`.
fn table(making: &mut Making, question: &Sessions, parts: &[Parts], periods: &Periods) -> Result<String, QueryError> {
    let span = &periods.span;
    let pick = Pick {
        from: span.from.plus_micros(-SESSION_MAX),
        to: span.to.plus_micros(SESSION_MAX),
    };
    let mut events = Events::new(making, &Event::default(), None, pick)?.and("e.session_id IS NOT NULL");
    let mut joins = String::new();
    let fits = match &question.filters {
        Some(filters) => condition(making, filters, &mut joins)?,
        None => "true".to_owned(),
    };
    events = events.joined(&joins);
    let (part, joins) = Parts::fold(parts, making, &question.breakdown)?;
    events = events.joined(&joins);
    let sessions = making.with(&format!(
        "SELECT e.session_id, min(e.timestamp) AS began, max(e.timestamp) AS ended, count(*) AS events,
                bool_or({fits}) AS fits, (array_agg({part} ORDER BY e.timestamp, e.seq, e.id))[1] AS part,
                array_agg(DISTINCT i.person_id) AS persons
         {} GROUP BY 1",
        events.from_where()
    ));
    let (from, to) = (making.bind_time(span.from)?, making.bind_time(span.to)?);
    let bounds = making.bind_times(&periods.bounds)?;
    Ok(making.with(&format!(
        "SELECT width_bucket(began, {bounds}) - 1 AS period, part, events, persons,
                extract(epoch FROM ended - began)::float8 AS seconds
         FROM {sessions} WHERE fits AND began >= {from} AND began < {to}"
    )))
}

fn lines(rows: Vec<Row>, parts: &[Parts], periods: &Periods) -> SessionsAnswer {
    let mut lines = BTreeMap::<u32, (Vec<Facts>, Facts)>::new();
    let empty = || (vec![Facts::default(); periods.len()], Facts::default());
    if parts.is_empty() {
        lines.insert(0, empty());
    }
    for row in rows {
        let line = lines.entry(row.part.cast_unsigned()).or_insert_with(empty);
        match row.period {
            None => line.1 = row.facts,
            Some(period) => {
                let place = usize::try_from(period).ok().and_then(|at| line.0.get_mut(at));
                if let Some(place) = place {
                    *place = row.facts;
                }
            }
        }
    }
    let line = |(part, (values, total)): (u32, (Vec<Facts>, Facts))| Line {
        breakdown: Parts::unfold(parts, part),
        values,
        total,
    };
    let mut results: Vec<Line> = lines.into_iter().map(line).collect();
    results.sort_by_key(|line| Reverse(line.total.sessions));
    SessionsAnswer {
        labels: periods.labels.clone(),
        results,
    }
}
