//! Rows on their way into segments.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _};
use trailmark_protocol::Timestamp;
use trailmark_segments::Events;
use trailmark_segments::events::SESSION;

use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::place::Place;

/// Settings of a transaction that reads much: planned for the stretch at hand, and not compiled.
const SETTINGS: &str =
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)";

/// Events of some names in a stretch of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'a> {
    pub(super) project_id: i32,
    pub(super) names: &'a [i32],
    pub(super) from: Timestamp,
    /// Not any more.
    pub(super) until: Timestamp,
}

const COUNT: &str = "
    SELECT count(*) FROM (
        SELECT FROM events WHERE project_id = $1 AND event_name_id = ANY ($2) AND timestamp >= $3 AND timestamp < $4
        LIMIT $5) AS counted";

const FIRST: &str = "
    SELECT min(first.timestamp) FROM unnest($2::integer[]) AS name (id) CROSS JOIN LATERAL (
        SELECT timestamp FROM events e
        WHERE e.project_id = $1 AND e.event_name_id = name.id AND e.timestamp >= $3 ORDER BY timestamp LIMIT 1) AS first";

pub(super) async fn prepare(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(SETTINGS).execute(connection).await?;
    Ok(())
}

/// The numbers of all event names.
pub(super) async fn names(connection: &mut PgConnection, project_id: i32) -> Result<Vec<i32>, StoreError> {
    let read = sqlx::query_scalar("SELECT id FROM event_names WHERE project_id = $1 ORDER BY id");
    Ok(read.bind(project_id).fetch_all(connection).await?)
}

/// The properties that segments get columns of, sorted.
pub(super) async fn promoted(connection: &mut PgConnection, project_id: i32) -> Result<Vec<String>, StoreError> {
    let read = sqlx::query_scalar(
        "SELECT property FROM promoted_properties WHERE project_id = $1 ORDER BY property COLLATE \"C\"",
    );
    Ok(read.bind(project_id).fetch_all(connection).await?)
}

/// How many events; `most` if there are more. An index alone is read, and no more of it.
pub(super) async fn count(connection: &mut PgConnection, of: Stretch<'_>, most: i64) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(COUNT).bind(of.project_id).bind(of.names);
    let count = count.bind(PgTime(of.from)).bind(PgTime(of.until)).bind(most);
    Ok(count.fetch_one(connection).await?)
}

/// When the first event happens from `from` on: a look into an index for each name and partition.
pub(super) async fn first(
    connection: &mut PgConnection,
    project_id: i32,
    names: &[i32],
    from: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let first = sqlx::query_scalar(FIRST)
        .bind(project_id)
        .bind(names)
        .bind(PgTime(from));
    let first: Option<PgTime> = first.fetch_one(connection).await?;
    Ok(first.map(|at| at.0))
}

/// The events of a stretch by their names, with their values of `columns`. Their late marks go: in the same statement, so that
/// exactly those go whose rows are read.
pub(super) async fn take(
    connection: &mut PgConnection,
    of: Stretch<'_>,
    columns: &[String],
) -> Result<BTreeMap<i32, Events>, StoreError> {
    let values = values(columns, 5);
    // Nothing but numbers of parameters is written into it.
    let statement = format!(
        "WITH seen AS (
             DELETE FROM late_events
             WHERE project_id = $1 AND event_name_id = ANY ($2) AND timestamp >= $3 AND timestamp < $4)
         SELECT e.event_name_id, e.identity_id, e.timestamp, e.seq{values} FROM events e
         WHERE e.project_id = $1 AND e.event_name_id = ANY ($2) AND e.timestamp >= $3 AND e.timestamp < $4"
    );
    let read = sqlx::query(AssertSqlSafe(statement)).bind(of.project_id).bind(of.names);
    let read = read.bind(PgTime(of.from)).bind(PgTime(of.until));
    collect(connection, bind(read, columns), columns).await
}

/// The late events of one name in a stretch; their marks go. Only a value needs the row itself, which is looked up by its key:
/// the planner cannot know how few there are.
pub(super) async fn take_late(
    connection: &mut PgConnection,
    of: Stretch<'_>,
    columns: &[String],
) -> Result<BTreeMap<i32, Events>, StoreError> {
    let values = values(columns, 5);
    let rows = "CROSS JOIN LATERAL (
        SELECT properties, context, session_id FROM events e WHERE e.project_id = $1 AND e.id = gone.event_id OFFSET 0) AS e";
    let rows = if columns.is_empty() { "" } else { rows };
    // Nothing but numbers of parameters is written into it.
    let statement = format!(
        "WITH gone AS (
             DELETE FROM late_events
             WHERE project_id = $1 AND event_name_id = ANY ($2) AND timestamp >= $3 AND timestamp < $4
             RETURNING event_name_id, identity_id, timestamp, seq, event_id)
         SELECT gone.event_name_id, gone.identity_id, gone.timestamp, gone.seq{values} FROM gone {rows}"
    );
    let read = sqlx::query(AssertSqlSafe(statement)).bind(of.project_id).bind(of.names);
    let read = read.bind(PgTime(of.from)).bind(PgTime(of.until));
    collect(connection, bind(read, columns), columns).await
}

/// `, (e.properties -> $5)::text, (e.context #> $6)::text, e.session_id`.
pub(super) fn values(columns: &[String], first: usize) -> String {
    let mut numbers = first..;
    let mut number = || numbers.next().unwrap_or(first);
    let value = |column: &String| match (column.as_str(), Place::of(column)) {
        (SESSION, _) => ", e.session_id".to_owned(),
        (_, Place::Context(_)) => format!(", (e.context #> ${})::text", number()),
        (_, Place::Property(_)) => format!(", (e.properties -> ${})::text", number()),
    };
    columns.iter().map(value).collect()
}

type Reading<'q> = Query<'q, Postgres, PgArguments>;

/// The parameters of [`values`].
pub(super) fn bind<'q>(read: Reading<'q>, columns: &[String]) -> Reading<'q> {
    let bound = columns.iter().filter(|column| *column != SESSION);
    bound.fold(read, |read, column| match Place::of(column) {
        Place::Context(path) => read.bind(path),
        Place::Property(name) => read.bind(name),
    })
}

async fn collect(
    connection: &mut PgConnection,
    read: Reading<'_>,
    columns: &[String],
) -> Result<BTreeMap<i32, Events>, StoreError> {
    let mut collected = BTreeMap::<i32, Events>::new();
    let mut rows = read.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let events = collected
            .entry(row.try_get(0)?)
            .or_insert_with(|| Events::new(columns.iter().map(String::as_str)));
        let at: PgTime = row.try_get(2)?;
        let values: Vec<Option<&str>> = (4..4 + columns.len())
            .map(|column| row.try_get(column))
            .collect::<Result<_, _>>()?;
        events.push(row.try_get(1)?, at.0.micros(), row.try_get(3)?, values);
    }
    Ok(collected)
}
