//! What servers tell of themselves, and what they have refused.

use sqlx::FromRow;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// A server of this database.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Node {
    /// Named by its journal.
    pub id: Uuid,
    /// When it was started.
    pub started_at: PgTime,
    /// When it last told.
    pub seen_at: PgTime,
    /// Which release it runs.
    pub version: String,
    /// Where it listens.
    pub listen: String,
    /// Batches in its journal that are not stored.
    pub backlog_records: i64,
    /// Their bytes.
    pub backlog_bytes: i64,
    /// For how long the oldest of them has waited, in milliseconds.
    pub oldest_ms: i64,
    /// Whether its journal has failed.
    pub poisoned: bool,
    /// Why its writer does not get on, if it does not.
    pub writer_error: Option<String>,
}

/// How many were refused for a reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct RefusedRow {
    /// The project.
    pub project_id: i32,
    /// `event` or `request`.
    pub what: String,
    /// The stable word.
    pub reason: String,
    /// How many.
    pub refused: i64,
}

/// What the ingest detector looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Ingested {
    /// Events of the last quarter of an hour that were stored.
    pub stored: i64,
    /// Events and requests that were refused in it.
    pub refused: i64,
    /// Dead letters of the last day that were not replayed.
    pub dead: i64,
    /// The earliest of them.
    pub dead_since: Option<PgTime>,
}

const TELL: &str = "
    INSERT INTO nodes (id, started_at, seen_at, version, listen, backlog_records, backlog_bytes, oldest_ms, poisoned, writer_error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, seen_at = excluded.seen_at, version = excluded.version,
        listen = excluded.listen, backlog_records = excluded.backlog_records, backlog_bytes = excluded.backlog_bytes,
        oldest_ms = excluded.oldest_ms, poisoned = excluded.poisoned, writer_error = excluded.writer_error";

const REFUSED: &str = "
    INSERT INTO refused_minutes AS r (project_id, minute, what, reason, refused)
    SELECT project, date_trunc('minute', $1::timestamptz, 'UTC'), what, reason, n
    FROM unnest($2::integer[], $3::text[], $4::text[], $5::bigint[]) AS refused (project, what, reason, n)
    ORDER BY project, what, reason
    ON CONFLICT (project_id, minute, what, reason) DO UPDATE SET refused = r.refused + excluded.refused";

const INGESTED: &str = "
    SELECT (SELECT COALESCE(sum(events), 0)::bigint FROM event_minutes
            WHERE project_id = $1 AND minute > $2::timestamptz - interval '15 minutes' AND minute <= $2) AS stored,
           (SELECT COALESCE(sum(refused), 0)::bigint FROM refused_minutes
            WHERE project_id = $1 AND minute > $2::timestamptz - interval '15 minutes' AND minute <= $2) AS refused,
           dead.dead, dead.dead_since
    FROM (SELECT count(*) AS dead, min(failed_at) AS dead_since FROM dead_letters
          WHERE project_id = $1 AND failed_at > $2::timestamptz - interval '1 day' AND replayed_at IS NULL) AS dead";

impl Store {
    /// Tells how a server fares.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn tell_node(&self, node: &Node) -> Result<(), StoreError> {
        sqlx::query(TELL)
            .bind(node.id)
            .bind(node.started_at)
            .bind(node.seen_at)
            .bind(&node.version)
            .bind(&node.listen)
            .bind(node.backlog_records)
            .bind(node.backlog_bytes)
            .bind(node.oldest_ms)
            .bind(node.poisoned)
            .bind(&node.writer_error)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The servers, as each last told of itself.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let read = "SELECT id, started_at, seen_at, version, listen, backlog_records, backlog_bytes, oldest_ms, poisoned, writer_error
                    FROM nodes ORDER BY seen_at DESC";
        Ok(sqlx::query_as(read).fetch_all(&self.pool).await?)
    }

    /// Adds to what was refused at `now`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn add_refused(&self, refused: &[RefusedRow], now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(REFUSED)
            .bind(PgTime(now))
            .bind(refused.iter().map(|row| row.project_id).collect::<Vec<_>>())
            .bind(refused.iter().map(|row| row.what.as_str()).collect::<Vec<_>>())
            .bind(refused.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>())
            .bind(refused.iter().map(|row| row.refused).collect::<Vec<_>>())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What was refused in a stretch, by reason, most frequent first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn refused(
        &self,
        project_id: i32,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<RefusedRow>, StoreError> {
        let read = "SELECT project_id, what, reason, sum(refused)::bigint AS refused FROM refused_minutes
                    WHERE project_id = $1 AND minute >= $2 AND minute < $3
                    GROUP BY project_id, what, reason ORDER BY 4 DESC, what, reason";
        let read = sqlx::query_as(read)
            .bind(project_id)
            .bind(PgTime(from))
            .bind(PgTime(to));
        Ok(read.fetch_all(&self.pool).await?)
    }

    /// What the ingest of a project did in the last quarter of an hour.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn ingested(&self, project_id: i32, now: Timestamp) -> Result<Ingested, StoreError> {
        let read = sqlx::query_as(INGESTED).bind(project_id).bind(PgTime(now));
        Ok(read.fetch_one(&self.pool).await?)
    }

    /// Forgets refusals and servers of before `before`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_nodes(&self, before: Timestamp) -> Result<u64, StoreError> {
        let refused = sqlx::query("DELETE FROM refused_minutes WHERE minute < $1").bind(PgTime(before));
        let refused = refused.execute(&self.pool).await?.rows_affected();
        let nodes = sqlx::query("DELETE FROM nodes WHERE seen_at < $1").bind(PgTime(before));
        Ok(refused + nodes.execute(&self.pool).await?.rows_affected())
    }
}
