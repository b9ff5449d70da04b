//! Projects.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::keys::{self, KeyKind, NewKey};
use super::pg_time::PgTime;

/// One product whose events are kept apart from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its number, from 1.
    pub id: i32,
    /// Its name for people; not unique.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

type Row = (i32, String, PgTime);

impl From<Row> for Project {
    fn from((id, name, created_at): Row) -> Self {
        Self {
            id,
            name,
            created_at: created_at.0,
        }
    }
}

impl Store {
    /// Makes a project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn create_project(&self, name: &str) -> Result<Project, StoreError> {
        let row: Row = sqlx::query_as("INSERT INTO projects (name) VALUES ($1) RETURNING id, name, created_at")
            .bind(name)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.into())
    }

    /// Makes a project with a write key, unless there are `most` already.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn create_project_with_key(
        &self,
        name: &str,
        most: i64,
    ) -> Result<Option<(Project, NewKey)>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row: Option<Row> = sqlx::query_as(
            "INSERT INTO projects (name) SELECT $1 WHERE (SELECT count(*) FROM projects) < $2 RETURNING id, name, created_at",
        )
        .bind(name)
        .bind(most)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(project) = row.map(Project::from) else {
            return Ok(None);
        };
        let key = keys::create(&mut transaction, project.id, (KeyKind::Write, name), i64::MAX).await?;
        let key = key.ok_or(StoreError::NoProject(project.id))?;
        transaction.commit().await?;
        Ok(Some((project, key)))
    }

    /// Gives a project another name, if there is one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn rename_project(&self, id: i32, name: &str) -> Result<Option<Project>, StoreError> {
        let rename = sqlx::query_as("UPDATE projects SET name = $2 WHERE id = $1 RETURNING id, name, created_at");
        let row: Option<Row> = rename.bind(id).bind(name).fetch_optional(&self.pool).await?;
        Ok(row.map(Project::from))
    }

    /// All projects, oldest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn list_projects(&self) -> Result<Vec<Project>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as("SELECT id, name, created_at FROM projects ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(Project::from).collect())
    }

    /// One project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn project(&self, id: i32) -> Result<Option<Project>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT id, name, created_at FROM projects WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(Project::from))
    }
}
