//! How far the segments of a project reach.

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::tombstones::ERASURES_LOCK;

/// Before every event: 200,000 weeks before 1970, some 1,860 years before the year 0, before which validation lets nothing
/// happen; Postgres counts from 4714 BC.
pub(super) const BEGINNING: Timestamp = Timestamp::from_millis(-200_000 * 7 * 86_400_000);

/// How far the segments of a project reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Frontier {
    /// What is stored with an earlier timestamp is marked as late.
    pub closed_before: PgTime,
    /// What happened before is in segments, late or stale.
    pub sealed_before: PgTime,
}

const CLOSE: &str = "
    INSERT INTO segment_frontiers AS f (project_id, closed_before, sealed_before) VALUES ($1, $2, $3)
    ON CONFLICT (project_id) DO UPDATE SET closed_before = greatest(f.closed_before, excluded.closed_before)";

impl Store {
    /// Has every event that is stored from now on marked as late if it happened before `until`. The first half of
    /// [`seal`](Self::seal); alone, it only costs these marks.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn close_segments(&self, project_id: i32, until: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(ERASURES_LOCK)
            .bind(project_id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(CLOSE)
            .bind(project_id)
            .bind(PgTime(until.max(BEGINNING)))
            .bind(PgTime(BEGINNING))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How far the segments of a project reach; none: it has none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn frontier(&self, project_id: i32) -> Result<Option<Frontier>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, project_id).await
    }
}

pub(super) async fn read(connection: &mut PgConnection, project_id: i32) -> Result<Option<Frontier>, StoreError> {
    let read = sqlx::query_as("SELECT closed_before, sealed_before FROM segment_frontiers WHERE project_id = $1");
    Ok(read.bind(project_id).fetch_optional(connection).await?)
}

pub(super) async fn advance(
    connection: &mut PgConnection,
    project_id: i32,
    sealed_before: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE segment_frontiers SET sealed_before = $2 WHERE project_id = $1")
        .bind(project_id)
        .bind(PgTime(sealed_before))
        .execute(connection)
        .await?;
    Ok(())
}
