//! Cohorts that are kept: rows and lists. What a definition says is the business of `query`.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Postgres, Transaction};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::tombstones::ERASURES_LOCK;

/// Namespace of the advisory lock under which the cohorts of a project are changed: "tmco".
const COHORTS_LOCK: i32 = 0x746d_636f;

/// Most ids that are unknown and named in an answer: 20 show what is wrong with a list.
const UNKNOWN_NAMED: i64 = 20;

/// A cohort as it is stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct CohortRow {
    /// Its number.
    pub id: i64,
    /// Its name for people.
    pub name: String,
    /// What is to be so of its persons; none: it is a list.
    pub definition: Option<Json<Value>>,
    /// How many identities its list has.
    pub members: i64,
    /// When it was made.
    pub created_at: PgTime,
}

/// What became of ids that were put on a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedIds {
    /// How many are known.
    pub matched: i64,
    /// How many of these were not on the list yet.
    pub added: i64,
    /// How many are not known.
    pub unknown: i64,
    /// Some of those.
    pub unknown_ids: Vec<String>,
}

const ALL: &str = "
    SELECT c.id, c.name, c.definition, c.created_at,
           (SELECT count(*) FROM cohort_members m WHERE m.project_id = $1 AND m.cohort_id = c.id) AS members
    FROM cohorts c WHERE c.project_id = $1 ORDER BY c.id";

const ADD: &str = "INSERT INTO cohorts (project_id, name, definition) VALUES ($1, $2, $3) RETURNING id";

const CHANGE: &str = "
    UPDATE cohorts SET name = COALESCE($3, name), definition = COALESCE($4, definition)
    WHERE project_id = $1 AND id = $2";

const REMOVE: &str = "
    WITH members AS (DELETE FROM cohort_members WHERE project_id = $1 AND cohort_id = $2)
    DELETE FROM cohorts WHERE project_id = $1 AND id = $2";

/// The user wins where a user_id and an anonymous_id are the same text, as everywhere. One index probe for each id.
const LIST: &str = "
    WITH wanted AS (SELECT DISTINCT id FROM unnest($3::text[]) AS given (id)),
    found AS MATERIALIZED (
        SELECT wanted.id AS text, known.id FROM wanted LEFT JOIN LATERAL (
            SELECT i.id FROM identities i
            WHERE i.project_id = $1 AND i.kind = ANY ('{0,1}') AND i.external_id = wanted.id
            ORDER BY i.kind DESC LIMIT 1) AS known ON true),
    added AS (
        INSERT INTO cohort_members (project_id, cohort_id, identity_id)
        SELECT $1, $2, id FROM found WHERE id IS NOT NULL ON CONFLICT DO NOTHING RETURNING identity_id)
    SELECT (SELECT count(id) FROM found) AS matched, (SELECT count(*) FROM added) AS added,
           (SELECT count(*) FROM found WHERE id IS NULL) AS unknown,
           ARRAY(SELECT text FROM found WHERE id IS NULL ORDER BY text LIMIT $4) AS unknown_ids";

/// The cohorts of a project, held against other changes until they are committed or dropped: what is true of all of them
/// (none is made of itself, all that one is made of are there, nobody on a list is erased) stays so.
#[derive(Debug)]
pub struct HeldCohorts {
    transaction: Transaction<'static, Postgres>,
    project_id: i32,
}

impl Store {
    /// Holds the cohorts of a project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn hold_cohorts(&self, project_id: i32) -> Result<HeldCohorts, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock_shared($1, $3), pg_advisory_xact_lock($2, $3)")
            .bind(ERASURES_LOCK)
            .bind(COHORTS_LOCK)
            .bind(project_id)
            .execute(&mut *transaction)
            .await?;
        Ok(HeldCohorts {
            transaction,
            project_id,
        })
    }
}

impl HeldCohorts {
    /// All of them, by their numbers.
    ///
    /// # Errors
    /// What stands in the way. This is so for every method.
    pub async fn all(&mut self) -> Result<Vec<CohortRow>, StoreError> {
        let rows = sqlx::query_as(ALL).bind(self.project_id);
        Ok(rows.fetch_all(&mut *self.transaction).await?)
    }

    /// Adds one and returns its number.
    ///
    /// # Errors
    /// See [`Self::all`].
    pub async fn add(&mut self, name: &str, definition: Option<Value>) -> Result<i64, StoreError> {
        let added = sqlx::query_scalar(ADD)
            .bind(self.project_id)
            .bind(name)
            .bind(definition.map(Json));
        Ok(added.fetch_one(&mut *self.transaction).await?)
    }

    /// Gives one another name, another definition, or both.
    ///
    /// # Errors
    /// See [`Self::all`].
    pub async fn change(&mut self, id: i64, name: Option<&str>, definition: Option<Value>) -> Result<(), StoreError> {
        let changed = sqlx::query(CHANGE)
            .bind(self.project_id)
            .bind(id)
            .bind(name)
            .bind(definition.map(Json));
        changed.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Removes one and its list.
    ///
    /// # Errors
    /// See [`Self::all`].
    pub async fn remove(&mut self, id: i64) -> Result<(), StoreError> {
        let removed = sqlx::query(REMOVE).bind(self.project_id).bind(id);
        removed.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Puts the identities of user_ids and anonymous_ids on the list of one.
    ///
    /// # Errors
    /// See [`Self::all`].
    pub async fn list(&mut self, id: i64, ids: &[String]) -> Result<ListedIds, StoreError> {
        let listed = sqlx::query_as(LIST)
            .bind(self.project_id)
            .bind(id)
            .bind(ids)
            .bind(UNKNOWN_NAMED);
        Ok(listed.fetch_one(&mut *self.transaction).await?)
    }

    /// Makes the changes last.
    ///
    /// # Errors
    /// See [`Self::all`].
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
