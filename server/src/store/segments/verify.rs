//! Whether segments say what the rows say. Reads everything, a name and week at a time, at one moment.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::beside;
use super::fold::sealed_end;
use super::frontier::{self, BEGINNING};
use super::keep::{self, Key, Stale};
use super::read::{self, Stretch};
use super::sum::{of_rows, of_segment};
use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::weeks::Week;

/// What a look at all segments of a project found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Segments, stale ones among them.
    pub segments: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Segments that are to be made anew; the rows answer in their place.
    pub stale: u64,
    /// Late events that are still to be folded in.
    pub late: u64,
    /// Names and weeks that would give wrong answers.
    pub wrong: Vec<Wrong>,
}

/// A name and week that would give wrong answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The event's name.
    pub event: String,
    /// The first moment of the week.
    pub week: Timestamp,
    /// What is wrong.
    pub what: String,
    name: i32,
}

const NAMES: &str = "SELECT id, name FROM event_names WHERE project_id = $1";

const SEGMENTS: &str = "SELECT event_name_id, week FROM segments WHERE project_id = $1";

const ROWS: &str = "
    SELECT DISTINCT event_name_id, date_trunc('week', timestamp, 'UTC') FROM events
    WHERE project_id = $1 AND event_name_id = ANY ($2) AND timestamp < $3";

/// Identities whose events are just being erased: segments lose them before the rows do.
const BEING_ERASED: &str = "
    SELECT identity_id FROM tombstones t JOIN erasures e ON e.project_id = t.project_id AND e.id = t.erasure_id
    WHERE t.project_id = $1 AND e.done_at IS NULL";

/// Marks that are not of a row, or say something else.
const MARKED_WRONGLY: &str = "
    SELECT event_name_id, date_trunc('week', timestamp, 'UTC'), count(*) FROM late_events l
    WHERE project_id = $1 AND NOT EXISTS (
        SELECT FROM events e
        WHERE e.project_id = $1 AND e.id = l.event_id AND e.event_name_id = l.event_name_id
          AND e.timestamp = l.timestamp AND e.identity_id = l.identity_id AND e.seq IS NOT DISTINCT FROM l.seq)
    GROUP BY 1, 2 ORDER BY 1, 2";

impl Store {
    /// Compares all segments of a project with its rows.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn verify_segments(&self, project_id: i32) -> Result<Verified, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .execute(&mut *transaction)
            .await?;
        read::prepare(&mut transaction).await?;
        let verified = verify(&mut transaction, project_id).await?;
        transaction.commit().await?;
        Ok(verified)
    }

    /// Makes anew what is wrong. Until that is done the rows answer.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn rebuild_wrong(&self, project_id: i32, wrong: &[Wrong]) -> Result<(), StoreError> {
        let wrong: Vec<(i32, Week)> = wrong
            .iter()
            .map(|wrong| (wrong.name, Week::of_time(wrong.week)))
            .collect();
        let mut transaction = self.pool.begin().await?;
        super::hold(&mut transaction, project_id).await?;
        keep::spoil(&mut transaction, project_id, &wrong, Stale::Rebuild).await?;
        transaction.commit().await?;
        while self.rebuild_stale(project_id, 1).await? > 0 {}
        Ok(())
    }
}

async fn verify(connection: &mut PgConnection, project_id: i32) -> Result<Verified, StoreError> {
    let names: Vec<(i32, String)> = sqlx::query_as(NAMES)
        .bind(project_id)
        .fetch_all(&mut *connection)
        .await?;
    let names: BTreeMap<i32, String> = names.into_iter().collect();
    let frontier = frontier::read(connection, project_id).await?;
    let sealed_before = frontier.map_or(BEGINNING, |frontier| frontier.sealed_before.0);
    let being_erased: Vec<i64> = sqlx::query_scalar(BEING_ERASED)
        .bind(project_id)
        .fetch_all(&mut *connection)
        .await?;
    let being_erased: BTreeSet<i64> = being_erased.into_iter().collect();
    let mut verified = Verified {
        late: late(connection, project_id).await?,
        ..Verified::default()
    };
    let wrong = |name: i32, week: Week, what: String| Wrong {
        event: names.get(&name).cloned().unwrap_or_default(),
        week: week.start(),
        what,
        name,
    };
    for (name, week) in keys(connection, project_id, &names, sealed_before).await? {
        let key = Key { project_id, name, week };
        let of = Stretch {
            project_id,
            names: &[name],
            from: week.start(),
            until: sealed_end(week, sealed_before),
        };
        if let Some(what) = compare(connection, key, of, &being_erased, &mut verified).await? {
            verified.wrong.push(wrong(name, week, what));
        }
    }
    let marked: Vec<(i32, PgTime, i64)> = sqlx::query_as(MARKED_WRONGLY)
        .bind(project_id)
        .fetch_all(&mut *connection)
        .await?;
    for (name, start, events) in marked {
        let what = format!("{events} late events that are not, or not so, among the rows");
        verified.wrong.push(wrong(name, Week::of_time(start.0), what));
    }
    Ok(verified)
}

async fn late(connection: &mut PgConnection, project_id: i32) -> Result<u64, StoreError> {
    let count = sqlx::query_scalar("SELECT count(*) FROM late_events WHERE project_id = $1").bind(project_id);
    let late: i64 = count.fetch_one(connection).await?;
    Ok(late.cast_unsigned())
}

/// Names and weeks that have segments, or sealed rows.
async fn keys(
    connection: &mut PgConnection,
    project_id: i32,
    names: &BTreeMap<i32, String>,
    sealed_before: Timestamp,
) -> Result<BTreeSet<(i32, Week)>, StoreError> {
    let segments: Vec<(i32, i32)> = sqlx::query_as(SEGMENTS)
        .bind(project_id)
        .fetch_all(&mut *connection)
        .await?;
    let names: Vec<i32> = names.keys().copied().collect();
    let rows = sqlx::query_as(ROWS)
        .bind(project_id)
        .bind(names)
        .bind(PgTime(sealed_before));
    let rows: Vec<(i32, PgTime)> = rows.fetch_all(connection).await?;
    let segments = segments.into_iter().map(|(name, week)| (name, Week::of_number(week)));
    let rows = rows.into_iter().map(|(name, start)| (name, Week::of_time(start.0)));
    Ok(segments.chain(rows).collect())
}

/// What is wrong with a name and week, if anything.
async fn compare(
    connection: &mut PgConnection,
    key: Key,
    of: Stretch<'_>,
    without: &BTreeSet<i64>,
    verified: &mut Verified,
) -> Result<Option<String>, StoreError> {
    let Some(kept) = keep::load(connection, key).await? else {
        let rows = of_rows(connection, of, &[], without).await?;
        return Ok((rows.events > 0).then(|| format!("no segment, but {} rows", rows.events)));
    };
    verified.segments += 1;
    let Some(bytes) = kept.bytes else {
        verified.stale += 1;
        return Ok(None);
    };
    verified.bytes += bytes.len() as u64;
    let gone = without.clone();
    let (held, columns) = match beside(move || of_segment(bytes, &gone)).await {
        Ok(read) => read,
        Err(error) => return Ok(Some(error.to_string())),
    };
    verified.events += held.all;
    if held.all != kept.events.cast_unsigned() {
        return Ok(Some(format!(
            "{} events, not {} as was written down",
            held.all, kept.events
        )));
    }
    let rows = of_rows(connection, of, &columns, without).await?;
    Ok(match () {
        () if held.events != rows.events => Some(format!("{} events, but {} rows", held.events, rows.events)),
        () if held.what != rows.what => Some("other events than the rows".to_owned()),
        () if held.values != rows.values => Some("other values of properties than the rows".to_owned()),
        () => None,
    })
}
