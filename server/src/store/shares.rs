//! Links that show a dashboard or a question to whoever has them. As with keys, only a hash of the token is kept.

use sqlx::FromRow;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::keys::hash_key;
use super::pg_time::PgTime;
use super::random::{CHARS_256_BITS, random_text};

/// What a link's token begins with.
pub const SHARE_PREFIX: &str = "tm_sh_";

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ShareRow {
    /// Its number.
    pub id: i64,
    /// The project.
    pub project_id: i32,
    /// The dashboard that it shows.
    pub dashboard: Option<i64>,
    /// Or the question.
    pub saved_query: Option<i64>,
    /// When it was made.
    pub created_at: PgTime,
    /// By whom.
    pub created_by: String,
    /// When it stops working.
    pub expires_at: Option<PgTime>,
}

/// What a link shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// A dashboard, by its number.
    Dashboard(i64),
    /// A saved question, by its number.
    SavedQuery(i64),
}

/// None where there are `$8` already.
const MAKE: &str = "
    WITH held AS MATERIALIZED (SELECT id FROM projects WHERE id = $1 FOR UPDATE)
    INSERT INTO shares (project_id, token_hash, dashboard, saved_query, created_at, created_by, expires_at)
    SELECT held.id, $2, $3, $4, $5, $6, $7 FROM held WHERE (SELECT count(*) FROM shares WHERE project_id = $1) < $8
    RETURNING id, project_id, dashboard, saved_query, created_at, created_by, expires_at";

impl Store {
    /// The links of a project, oldest first; those that have expired too.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn shares(&self, project_id: i32) -> Result<Vec<ShareRow>, StoreError> {
        let read = "SELECT id, project_id, dashboard, saved_query, created_at, created_by, expires_at FROM shares
            WHERE project_id = $1 ORDER BY id";
        Ok(sqlx::query_as(read).bind(project_id).fetch_all(&self.pool).await?)
    }

    /// Makes a link, and the only copy of its token, unless there are `most` already.
    ///
    /// # Errors
    /// [`StoreError::is_missing_reference`] if what it shows is not there, else what stands in the way.
    pub async fn make_share(
        &self,
        project_id: i32,
        shared: Shared,
        by: &str,
        (now, until): (Timestamp, Option<Timestamp>),
        most: i64,
    ) -> Result<Option<(ShareRow, String)>, StoreError> {
        let token = random_text(SHARE_PREFIX, CHARS_256_BITS)?;
        let (dashboard, saved_query) = match shared {
            Shared::Dashboard(id) => (Some(id), None),
            Shared::SavedQuery(id) => (None, Some(id)),
        };
        let make = sqlx::query_as(MAKE).bind(project_id).bind(hash_key(&token));
        let make = make.bind(dashboard).bind(saved_query).bind(PgTime(now)).bind(by);
        let row: Option<ShareRow> = make
            .bind(until.map(PgTime))
            .bind(most)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| (row, token)))
    }

    /// Ends a link. False: there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn delete_share(&self, project_id: i32, id: i64) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM shares WHERE project_id = $1 AND id = $2");
        let deleted = delete.bind(project_id).bind(id).execute(&self.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// What a token opens at `now`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn share_of(&self, token: &str, now: Timestamp) -> Result<Option<ShareRow>, StoreError> {
        let read = "SELECT id, project_id, dashboard, saved_query, created_at, created_by, expires_at FROM shares
            WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > $2)";
        let read = sqlx::query_as(read).bind(hash_key(token)).bind(PgTime(now));
        Ok(read.fetch_optional(&self.pool).await?)
    }
}
