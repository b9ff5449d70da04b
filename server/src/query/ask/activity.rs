//! Who is there, and how often: lifecycle and stickiness.

use serde::Serialize;
use trailmark_protocol::Timestamp;

use super::calendar::{FIRST_MOMENT, Periods, Span};
use super::question::{Lifecycle, Path, Stickiness};
use super::sql::{Events, Making, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;

/// Persons of each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StickinessAnswer {
    /// The number of periods: 1, 2, …
    pub labels: Vec<u32>,
    /// The lines.
    pub results: Vec<StickinessLine>,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StickinessLine {
    /// What it is called.
    pub name: String,
    /// How many persons did it in exactly so many periods.
    pub values: Vec<u64>,
}

/// Who is there in a period is looked at beside the period in which they were there before, and the one after. Period 0 is
/// the one before the stretch: it is only there to know who was there.
const STATES: &str = "
    SELECT period, state, count(*) FROM (
        SELECT period, CASE WHEN before = period - 1 THEN 'returning'
                            WHEN before IS NULL AND NOT earlier THEN 'new' ELSE 'resurrecting' END AS state
        FROM seen WHERE period > 0
        UNION ALL
        SELECT period + 1, 'dormant' FROM seen WHERE after IS DISTINCT FROM period + 1) states
    GROUP BY 1, 2";

/// The answer about a lifecycle.
///
/// # Errors
/// What stands in the way.
pub async fn lifecycle(
    snapshot: &mut Snapshot,
    question: &Lifecycle,
    now: Timestamp,
) -> Result<(LifecycleAnswer, Span, Periods), QueryError> {
    let root = Path::root();
    let span = Span::resolve(
        &question.date_from,
        question.date_to.as_deref(),
        &question.timezone,
        now,
        &root,
    )?;
    let periods = span.periods(question.interval, &root)?;
    let before = span.before(question.interval, &periods);
    let bounds: Vec<Timestamp> = before.into_iter().chain(periods.bounds.iter().copied()).collect();
    let mut making = Making::new(snapshot.project_id())?;
    let ends = |from: Timestamp, to: Option<&Timestamp>| Pick {
        from,
        to: to.copied().unwrap_or_default(),
    };
    let filters = question.filters.as_ref();
    let inside = Events::new(
        &mut making,
        &question.event,
        filters,
        ends(bounds.first().copied().unwrap_or_default(), bounds.last()),
    )?;
    let earlier = Events::new(
        &mut making,
        &question.event,
        filters,
        ends(FIRST_MOMENT, bounds.first()),
    )?;
    let places = making.bind(bounds.iter().map(|at| PgTime(*at)).collect::<Vec<_>>())?;
    let there = making.with(&format!(
        "SELECT DISTINCT i.person_id, width_bucket(e.timestamp, {places}) - 1 AS period {}",
        inside.from_where()
    ));
    let known = making.with(&format!("SELECT DISTINCT i.person_id {}", earlier.from_where()));
    making.with_named(
        "seen",
        &format!(
            "SELECT period, lag(period) OVER one AS before, lead(period) OVER one AS after,
                    person_id IN (SELECT person_id FROM {known}) AS earlier
             FROM {there} WINDOW one AS (PARTITION BY person_id ORDER BY period)"
        ),
    );
    let rows: Vec<(i32, String, i64)> = making.query_as(STATES).fetch_all(snapshot.rows()).await?;
    Ok((states(rows, &periods), span, periods))
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
    now: Timestamp,
) -> Result<(StickinessAnswer, Span, Periods), QueryError> {
    let root = Path::root();
    let span = Span::resolve(
        &question.date_from,
        question.date_to.as_deref(),
        &question.timezone,
        now,
        &root,
    )?;
    let periods = span.periods(question.interval, &root)?;
    let mut results = Vec::new();
    for series in &question.series {
        let pick = Pick {
            from: span.from,
            to: span.to,
        };
        let mut making = Making::new(snapshot.project_id())?;
        let events = Events::new(&mut making, series, question.filters.as_ref(), pick)?;
        let bounds = making.bind(periods.bounds.iter().map(|at| PgTime(*at)).collect::<Vec<_>>())?;
        let select = format!(
            "SELECT periods, count(*) FROM (
                 SELECT i.person_id, count(DISTINCT width_bucket(e.timestamp, {bounds})) AS periods {} GROUP BY 1) persons
             GROUP BY 1",
            events.from_where()
        );
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
    Ok((StickinessAnswer { labels, results }, span, periods))
}
