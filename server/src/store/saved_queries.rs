//! Saved questions, and what was found out about those that are watched.

use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::problem::Found;

/// A question as it is saved.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct SavedQueryRow {
    /// Its number.
    pub id: i64,
    /// Its name for people.
    pub name: String,
    /// The question.
    pub question: Json<Value>,
    /// Whether it is watched.
    pub watched: bool,
    /// When it was saved.
    pub created_at: PgTime,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub changed_at: PgTime,
}

/// What is to be changed of a question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SavedQueryChange<'a> {
    /// Another name.
    pub name: Option<&'a str>,
    /// Another question.
    pub question: Option<Value>,
    /// Whether to watch it.
    pub watched: Option<bool>,
}

const SAVED: &str = "
    SELECT id, name, question, watched, created_at, created_by, changed_at FROM saved_queries
    WHERE project_id = $1 AND ($2::bigint IS NULL OR id = $2) ORDER BY id";

/// None where there are `$7` already. The lock is that of the project's row: two that are saved at once are counted both.
const SAVE: &str = "
    WITH held AS MATERIALIZED (SELECT id FROM projects WHERE id = $1 FOR UPDATE)
    INSERT INTO saved_queries (project_id, name, question, watched, created_at, created_by, changed_at)
    SELECT held.id, $2, $3, $4, $5, $6, $5 FROM held
    WHERE (SELECT count(*) FROM saved_queries WHERE project_id = $1) < $7
    RETURNING id, name, question, watched, created_at, created_by, changed_at";

const CHANGE: &str = "
    UPDATE saved_queries SET name = COALESCE($3, name), question = COALESCE($4, question), watched = COALESCE($5, watched),
        changed_at = $6
    WHERE project_id = $1 AND id = $2
    RETURNING id, name, question, watched, created_at, created_by, changed_at";

const FOUND_OUT: &str = "
    INSERT INTO watched_values (project_id, kind, subject, found, looked_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (project_id, kind, subject) DO UPDATE SET found = excluded.found, looked_at = excluded.looked_at";

/// What was found, as long as somebody still looks: a watch that has ended leaves nothing behind.
const WATCHED: &str = "
    SELECT found FROM watched_values
    WHERE project_id = $1 AND found IS NOT NULL AND looked_at > $2::timestamptz - interval '3 hours'";

impl Store {
    /// The saved questions of a project, or one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn saved_queries(&self, project_id: i32, id: Option<i64>) -> Result<Vec<SavedQueryRow>, StoreError> {
        let read = sqlx::query_as(SAVED).bind(project_id).bind(id);
        Ok(read.fetch_all(&self.pool).await?)
    }

    /// Saves a question, unless there are `most` already.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn save_query(
        &self,
        project_id: i32,
        (name, question, watched): (&str, Value, bool),
        by: &str,
        now: Timestamp,
        most: i64,
    ) -> Result<Option<SavedQueryRow>, StoreError> {
        let save = sqlx::query_as(SAVE)
            .bind(project_id)
            .bind(name)
            .bind(Json(question))
            .bind(watched);
        let save = save.bind(PgTime(now)).bind(by).bind(most);
        Ok(save.fetch_optional(&self.pool).await?)
    }

    /// Changes a saved question, if there is one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn change_saved_query(
        &self,
        project_id: i32,
        id: i64,
        change: SavedQueryChange<'_>,
        now: Timestamp,
    ) -> Result<Option<SavedQueryRow>, StoreError> {
        let changed = sqlx::query_as(CHANGE).bind(project_id).bind(id).bind(change.name);
        let changed = changed
            .bind(change.question.map(Json))
            .bind(change.watched)
            .bind(PgTime(now));
        Ok(changed.fetch_optional(&self.pool).await?)
    }

    /// Deletes a saved question. False: there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn delete_saved_query(&self, project_id: i32, id: i64) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let forget = "DELETE FROM watched_values WHERE project_id = $1 AND kind = 'funnel' AND subject = $2";
        sqlx::query(forget)
            .bind(project_id)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        let delete = "DELETE FROM saved_queries WHERE project_id = $1 AND id = $2";
        let deleted = sqlx::query(delete)
            .bind(project_id)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Keeps what was found out about a watched question (`funnel`) or an alert's threshold (`threshold`).
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn keep_watched(
        &self,
        project_id: i32,
        (kind, subject): (&str, i64),
        found: Option<&Found>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let keep = sqlx::query(FOUND_OUT).bind(project_id).bind(kind).bind(subject);
        keep.bind(found.map(Json)).bind(PgTime(now)).execute(&self.pool).await?;
        Ok(())
    }

    /// What was last found out about all that is watched.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn watched(&self, project_id: i32, now: Timestamp) -> Result<Vec<Found>, StoreError> {
        let read = sqlx::query_scalar(WATCHED).bind(project_id).bind(PgTime(now));
        let found: Vec<Json<Found>> = read.fetch_all(&self.pool).await?;
        Ok(found.into_iter().map(|found| found.0).collect())
    }

    /// Forgets what nobody has looked at since `before`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_watched(&self, before: Timestamp) -> Result<u64, StoreError> {
        let forget = sqlx::query("DELETE FROM watched_values WHERE looked_at < $1").bind(PgTime(before));
        Ok(forget.execute(&self.pool).await?.rows_affected())
    }
}
