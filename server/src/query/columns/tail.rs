//! Events that are in no segment, as segments: those that are not sealed yet, those that came late, and those of stale weeks.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use sqlx::Row;
use trailmark_protocol::Timestamp;
use trailmark_segments::events::SESSION;
use trailmark_segments::{Events, Segment};

use super::plan::Plan;
use crate::query::ask::question::Of;
use crate::query::ask::sql::{Making, Value};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;
use crate::store::weeks::Week;

/// Most rows that become a segment for one question: 1,000,000, about 2 s and 60 MB. With more, rows answer themselves.
const ROWS_MAX: i64 = 1_000_000;

/// Weeks of names whose segments cannot be used.
pub(super) type Stale = BTreeSet<(i32, i32)>;

/// What is in no segment, a segment for each name. `None`: it is too much.
pub(super) async fn read(
    snapshot: &mut Snapshot,
    plan: &Plan,
    sealed_before: i64,
    stale: &Stale,
) -> Result<Option<Vec<(i32, Segment)>>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let statement = statement(&mut making, plan, sealed_before, stale)?;
    let mut collected: BTreeMap<i32, Events> = BTreeMap::new();
    let mut read = 0;
    let mut rows = making.query(&statement).fetch(snapshot.rows());
    while let Some(row) = rows.try_next().await? {
        read += 1;
        if read > ROWS_MAX {
            return Ok(None);
        }
        let (name, PgTime(at), late): (i32, PgTime, bool) = (row.try_get(0)?, row.try_get(2)?, row.try_get(4)?);
        // Rows of a stale week are read as such, also the late ones.
        if late && stale.contains(&(name, Week::of_time(at).number())) {
            continue;
        }
        let events = collected
            .entry(name)
            .or_insert_with(|| Events::new(plan.columns.iter().map(String::as_str)));
        let values: Vec<Option<&str>> = (0..plan.columns.len())
            .map(|column| row.try_get(5 + column))
            .collect::<Result<_, _>>()?;
        events.push(row.try_get(1)?, at.micros(), row.try_get(3)?, values);
    }
    let sealed = collected.into_iter().filter_map(|(name, events)| {
        let segment = Segment::open(events.seal()?);
        Some((name, segment.ok()?))
    });
    Ok(Some(sealed.collect()))
}

/// `event_name_id, identity_id, timestamp, seq, late`, then the properties as texts.
fn statement(making: &mut Making, plan: &Plan, sealed_before: i64, stale: &Stale) -> Result<String, QueryError> {
    let mut values = String::new();
    for property in &plan.columns {
        let value = match property.as_str() {
            SESSION => "e.session_id".to_owned(),
            property => Value::of(making, Of::Event, property)?.expression,
        };
        values.push_str(&format!(", {value}::text"));
    }
    let (from, to) = plan.stretch();
    let moment = Timestamp::from_micros;
    let names = match plan.names() {
        Some(names) => format!("{}", making.bind(names)?),
        None => "ARRAY(SELECT id FROM event_names WHERE project_id = $1)".to_owned(),
    };
    let (rows_from, late_from) = (
        making.bind_time(moment(from.max(sealed_before)))?,
        making.bind_time(moment(from))?,
    );
    let (rows_to, late_to) = (
        making.bind_time(moment(to))?,
        making.bind_time(moment(to.min(sealed_before)))?,
    );
    let columns = |late: bool| format!("e.event_name_id, e.identity_id, e.timestamp, e.seq, {late} AS late{values}");
    let mut selects = vec![format!(
        "SELECT {} FROM events e WHERE e.project_id = $1 AND e.event_name_id = ANY ({names})
           AND e.timestamp >= {rows_from} AND e.timestamp < {rows_to}",
        columns(false)
    )];
    // What a mark says is enough where no property is asked for.
    let join = if plan.columns.is_empty() {
        "late_events e WHERE e.project_id = $1"
    } else {
        "late_events l JOIN events e ON e.project_id = $1 AND e.id = l.event_id WHERE l.project_id = $1"
    };
    let of = if plan.columns.is_empty() { "e" } else { "l" };
    selects.push(format!(
        "SELECT {} FROM {join} AND {of}.event_name_id = ANY ({names})
           AND {of}.timestamp >= {late_from} AND {of}.timestamp < {late_to}",
        columns(true)
    ));
    if !stale.is_empty() {
        let (stale_names, weeks): (Vec<i32>, Vec<i32>) = stale.iter().copied().unzip();
        let weeks = weeks.into_iter().map(Week::of_number);
        let (begins, ends): (Vec<_>, Vec<_>) = weeks
            .map(|week| (week.start(), week.end().min(moment(sealed_before))))
            .unzip();
        let (stale_names, begins, ends) = (
            making.bind(stale_names)?,
            making.bind_times(&begins)?,
            making.bind_times(&ends)?,
        );
        selects.push(format!(
            "SELECT {} FROM unnest({stale_names}::integer[], {begins}::timestamptz[], {ends}::timestamptz[]) AS s (name, begins, ends)
             JOIN events e ON e.project_id = $1 AND e.event_name_id = s.name AND e.timestamp >= s.begins AND e.timestamp < s.ends",
            columns(false)
        ));
    }
    let limit = making.bind(ROWS_MAX + 1)?;
    Ok(format!("{} LIMIT {limit}", selects.join(" UNION ALL ")))
}
