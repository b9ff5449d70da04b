//! The rows of the table of segments.

use sqlx::PgConnection;
use trailmark_segments::{Corrupt, Events, Segment};

use super::beside;
use crate::store::error::StoreError;
use crate::store::weeks::Week;

/// Whose segment: project, event name and week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) project_id: i32,
    pub(super) name: i32,
    pub(super) week: Week,
}

/// A segment as it is kept.
#[derive(Debug, Default, sqlx::FromRow)]
pub(super) struct Kept {
    pub(super) events: i64,
    pub(super) columns: Vec<String>,
    /// None while it is stale.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Why a segment is stale. The words are stable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stale {
    /// Its bytes are not those that were written.
    Corrupt,
    /// Rows of it were dropped.
    Retention,
    /// Somebody wants it to be made anew.
    Rebuild,
}

impl Stale {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Retention => "retention",
            Self::Rebuild => "rebuild",
        }
    }
}

const LOAD: &str = "
    SELECT events, columns, bytes FROM segments WHERE project_id = $1 AND event_name_id = $2 AND week = $3";

const PUT: &str = "
    INSERT INTO segments (project_id, event_name_id, week, sealed_at, events, columns, bytes)
    VALUES ($1, $2, $3, now(), $4, $5, $6)
    ON CONFLICT (project_id, event_name_id, week) DO UPDATE
    SET version = excluded.version, sealed_at = excluded.sealed_at, events = excluded.events, columns = excluded.columns,
        stale = NULL, bytes = excluded.bytes";

const SPOIL: &str = "
    INSERT INTO segments (project_id, event_name_id, week, sealed_at, events, stale)
    SELECT DISTINCT $1::integer, name, week, now(), 0, $4 FROM unnest($2::integer[], $3::integer[]) AS spoilt (name, week)
    ON CONFLICT (project_id, event_name_id, week) DO UPDATE
    SET version = excluded.version, sealed_at = excluded.sealed_at, stale = excluded.stale, bytes = NULL";

pub(super) async fn load(connection: &mut PgConnection, key: Key) -> Result<Option<Kept>, StoreError> {
    let load = sqlx::query_as(LOAD).bind(key.project_id).bind(key.name);
    Ok(load.bind(key.week.number()).fetch_optional(connection).await?)
}

/// Has the rows of segments answer until they are made anew.
pub(super) async fn spoil(
    connection: &mut PgConnection,
    project_id: i32,
    which: &[(i32, Week)],
    why: Stale,
) -> Result<(), StoreError> {
    let (names, weeks): (Vec<i32>, Vec<i32>) = which.iter().map(|(name, week)| (*name, week.number())).unzip();
    let spoil = sqlx::query(SPOIL).bind(project_id).bind(names).bind(weeks);
    spoil.bind(why.as_str()).execute(connection).await?;
    Ok(())
}

/// Keeps exactly these events; no segment, if there are none. `columns`: those that have values of all of them.
pub(super) async fn put(
    connection: &mut PgConnection,
    key: Key,
    events: Events,
    columns: &[String],
) -> Result<(), StoreError> {
    let count = events.len() as i64;
    let Some(bytes) = beside(|| events.seal()).await else {
        return remove(connection, key).await;
    };
    let put = sqlx::query(PUT).bind(key.project_id).bind(key.name);
    let put = put.bind(key.week.number()).bind(count).bind(columns).bind(bytes);
    put.execute(connection).await?;
    Ok(())
}

/// Adds events to a segment, whether there is one or not. A stale one needs nothing: it is made anew from the rows. One that
/// cannot be opened becomes stale.
pub(super) async fn add(
    connection: &mut PgConnection,
    key: Key,
    fresh: Events,
    columns: &[String],
) -> Result<(), StoreError> {
    let Some(kept) = load(connection, key).await? else {
        return put(connection, key, fresh, columns).await;
    };
    let Some(bytes) = kept.bytes else { return Ok(()) };
    let appended = beside(move || append(fresh, bytes)).await;
    match appended {
        Ok(all) => {
            let complete = |column: &&String| kept.columns.contains(column);
            let complete: Vec<String> = columns.iter().filter(complete).cloned().collect();
            put(connection, key, all, &complete).await
        }
        Err(error) => {
            warn(key, &error);
            spoil(connection, key.project_id, &[(key.name, key.week)], Stale::Corrupt).await
        }
    }
}

pub(super) fn warn(key: Key, error: &Corrupt) {
    let (project, name, week) = (key.project_id, key.name, key.week.number());
    tracing::warn!(project, event_name = name, week, %error, "a segment is made anew from the rows");
}

fn append(mut fresh: Events, bytes: Vec<u8>) -> Result<Events, Corrupt> {
    fresh.append(&Segment::open(bytes)?, |_| true);
    Ok(fresh)
}

pub(super) async fn remove(connection: &mut PgConnection, key: Key) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM segments WHERE project_id = $1 AND event_name_id = $2 AND week = $3")
        .bind(key.project_id)
        .bind(key.name)
        .bind(key.week.number())
        .execute(connection)
        .await?;
    Ok(())
}
