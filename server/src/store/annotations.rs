//! What the team notes on the time line.

use sqlx::FromRow;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AnnotationRow {
    /// Its number.
    pub id: i64,
    /// When that was.
    pub at: PgTime,
    /// What it was.
    pub text: String,
    /// Who wrote it.
    pub created_by: String,
}

/// The newest `$4` of a range.
const READ: &str = "
    SELECT id, at, text, created_by FROM annotations
    WHERE project_id = $1 AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3)
    ORDER BY at DESC, id DESC LIMIT $4";

/// None where there are `$5` already.
const MAKE: &str = "
    WITH held AS MATERIALIZED (SELECT id FROM projects WHERE id = $1 FOR UPDATE)
    INSERT INTO annotations (project_id, at, text, created_by)
    SELECT held.id, $2, $3, $4 FROM held WHERE (SELECT count(*) FROM annotations WHERE project_id = $1) < $5
    RETURNING id, at, text, created_by";

const CHANGE: &str = "
    UPDATE annotations SET at = COALESCE($3, at), text = COALESCE($4, text) WHERE project_id = $1 AND id = $2
    RETURNING id, at, text, created_by";

impl Store {
    /// The notes from `from` to before `to`, newest first, at most `most`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn annotations(
        &self,
        project_id: i32,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        most: i64,
    ) -> Result<Vec<AnnotationRow>, StoreError> {
        let read = sqlx::query_as(READ).bind(project_id);
        let read = read.bind(from.map(PgTime)).bind(to.map(PgTime)).bind(most);
        Ok(read.fetch_all(&self.pool).await?)
    }

    /// Notes something, unless there are `most` notes already.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn annotate(
        &self,
        project_id: i32,
        (at, text): (Timestamp, &str),
        by: &str,
        most: i64,
    ) -> Result<Option<AnnotationRow>, StoreError> {
        let make = sqlx::query_as(MAKE).bind(project_id).bind(PgTime(at)).bind(text);
        Ok(make.bind(by).bind(most).fetch_optional(&self.pool).await?)
    }

    /// Changes a note, if there is one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn change_annotation(
        &self,
        project_id: i32,
        id: i64,
        (at, text): (Option<Timestamp>, Option<&str>),
    ) -> Result<Option<AnnotationRow>, StoreError> {
        let change = sqlx::query_as(CHANGE).bind(project_id).bind(id);
        Ok(change
            .bind(at.map(PgTime))
            .bind(text)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Deletes a note. False: there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn delete_annotation(&self, project_id: i32, id: i64) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM annotations WHERE project_id = $1 AND id = $2");
        let deleted = delete.bind(project_id).bind(id).execute(&self.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }
}
