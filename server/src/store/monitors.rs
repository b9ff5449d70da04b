//! Monitors: rows. What a target says, and when a monitor is up, is the business of `observe::uptime`.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Postgres, Transaction};
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::incidents;
use super::pg_time::PgTime;
use crate::observe::uptime::state::{Standing, State, Step};

/// Namespace of the advisory lock under which monitors of a project are made: "tmmo".
const MONITORS_LOCK: i32 = 0x746d_6d6f;

/// A monitor as it is stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct MonitorRow {
    /// Its number.
    pub id: i64,
    /// Its name for people.
    pub name: String,
    /// What it asks.
    pub target: Json<Value>,
    /// Seconds from one check to the next.
    pub interval_s: i32,
    /// How long a check may take.
    pub timeout_ms: i32,
    /// When it was made.
    pub created_at: PgTime,
    /// What is known.
    pub state: State,
    /// Since when.
    pub since: PgTime,
    /// Checks that failed since the last that did not.
    pub failures: i32,
    /// When the last check began.
    pub checked_at: Option<PgTime>,
    /// How long it took.
    pub took_ms: Option<i32>,
    /// Why it failed, for programs.
    pub error_kind: Option<String>,
    /// Why it failed, for people.
    pub error: Option<String>,
    /// When the certificate that was last seen ends.
    pub certificate_not_after: Option<PgTime>,
}

impl MonitorRow {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            since: self.since.0,
            failures: self.failures,
        }
    }
}

impl sqlx::Type<Postgres> for State {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <String as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Decode<'_, Postgres> for State {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        let word = <&str as sqlx::Decode<Postgres>>::decode(value)?;
        Self::parse(word).ok_or_else(|| format!("unknown state of a monitor: {word}").into())
    }
}

/// What a person says of a monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorSettings {
    /// Its name for people.
    pub name: String,
    /// What it asks.
    pub target: Value,
    /// Seconds from one check to the next.
    pub interval_s: i32,
    /// How long a check may take.
    pub timeout_ms: i32,
}

const LIST: &str = "
    SELECT id, name, target, interval_s, timeout_ms, created_at, state, since, failures, checked_at, took_ms, error_kind,
           error, certificate_not_after
    FROM monitors WHERE project_id = $1 ORDER BY id";

const IN_TROUBLE: &str = "
    SELECT id, name, target, interval_s, timeout_ms, created_at, state, since, failures, checked_at, took_ms, error_kind,
           error, certificate_not_after
    FROM monitors
    WHERE project_id = $1 AND (state = 'down' OR (state <> 'paused' AND certificate_not_after < $2)) ORDER BY id";

const ONE: &str = "
    SELECT id, name, target, interval_s, timeout_ms, created_at, state, since, failures, checked_at, took_ms, error_kind,
           error, certificate_not_after
    FROM monitors WHERE project_id = $1 AND id = $2";

const HOLD: &str = "
    SELECT id, name, target, interval_s, timeout_ms, created_at, state, since, failures, checked_at, took_ms, error_kind,
           error, certificate_not_after
    FROM monitors WHERE project_id = $1 AND id = $2 FOR UPDATE";

const ADD: &str = "
    INSERT INTO monitors (project_id, name, target, interval_s, timeout_ms, created_at, state, since, failures, due_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $6
    WHERE (SELECT count(*) FROM monitors WHERE project_id = $1) < $10
    RETURNING id";

/// Nobody's check under way counts any more.
const CHANGE: &str = "
    UPDATE monitors SET name = $3, target = $4, interval_s = $5, timeout_ms = $6, state = $7, since = $8, failures = $9,
           due_at = $10, claim = NULL
    WHERE project_id = $1 AND id = $2";

/// What was found out about another target says nothing.
const FORGET_LAST: &str = "
    UPDATE monitors SET checked_at = NULL, took_ms = NULL, error_kind = NULL, error = NULL, certificate_not_after = NULL
    WHERE project_id = $1 AND id = $2";

const RENAME: &str = "UPDATE monitors SET name = $3 WHERE project_id = $1 AND id = $2";

/// A monitor that is held against checks and other changes until they are committed or dropped.
#[derive(Debug)]
pub struct HeldMonitor {
    transaction: Transaction<'static, Postgres>,
    project_id: i32,
    /// What it is.
    pub row: MonitorRow,
}

impl Store {
    /// The monitors of a project, by their numbers.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn monitors(&self, project_id: i32) -> Result<Vec<MonitorRow>, StoreError> {
        Ok(sqlx::query_as(LIST).bind(project_id).fetch_all(&self.pool).await?)
    }

    /// Those that are down, or whose certificate ends before a time.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn monitors_in_trouble(
        &self,
        project_id: i32,
        certificates_until: Timestamp,
    ) -> Result<Vec<MonitorRow>, StoreError> {
        let rows = sqlx::query_as(IN_TROUBLE).bind(project_id);
        Ok(rows.bind(PgTime(certificates_until)).fetch_all(&self.pool).await?)
    }

    /// One monitor.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn monitor(&self, project_id: i32, id: i64) -> Result<Option<MonitorRow>, StoreError> {
        let found = sqlx::query_as(ONE).bind(project_id).bind(id);
        Ok(found.fetch_optional(&self.pool).await?)
    }

    /// Makes a monitor that is due at once, and returns its number; nothing if the project has `most` already.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn add_monitor(
        &self,
        project_id: i32,
        settings: MonitorSettings,
        standing: &Standing,
        most: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(MONITORS_LOCK)
            .bind(project_id)
            .execute(&mut *transaction)
            .await?;
        let id = sqlx::query_scalar(ADD)
            .bind(project_id)
            .bind(settings.name)
            .bind(Json(settings.target))
            .bind(settings.interval_s)
            .bind(settings.timeout_ms)
            .bind(PgTime(now))
            .bind(standing.state.as_str())
            .bind(PgTime(standing.since))
            .bind(standing.failures)
            .bind(most)
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Holds a monitor.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn hold_monitor(&self, project_id: i32, id: i64) -> Result<Option<HeldMonitor>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query_as(HOLD).bind(project_id).bind(id);
        let row = row.fetch_optional(&mut *transaction).await?;
        Ok(row.map(|row| HeldMonitor {
            transaction,
            project_id,
            row,
        }))
    }

    /// Removes a monitor with its history. Returns whether there was one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn remove_monitor(&self, project_id: i32, id: i64) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // First of all the monitor: a check that is writing its result is waited for, and none begins to.
        let removed = sqlx::query("DELETE FROM monitors WHERE project_id = $1 AND id = $2");
        let removed = removed.bind(project_id).bind(id).execute(&mut *transaction).await?;
        for history in [
            "DELETE FROM monitor_checks WHERE project_id = $1 AND monitor_id = $2",
            "DELETE FROM monitor_hours WHERE project_id = $1 AND monitor_id = $2",
            "DELETE FROM incidents WHERE project_id = $1 AND monitor_id = $2",
        ] {
            let forgotten = sqlx::query(history).bind(project_id).bind(id);
            forgotten.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(removed.rows_affected() > 0)
    }
}

impl HeldMonitor {
    /// Gives it another name, which changes nothing else.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn rename(mut self, name: &str) -> Result<(), StoreError> {
        let renamed = sqlx::query(RENAME).bind(self.project_id).bind(self.row.id).bind(name);
        renamed.execute(&mut *self.transaction).await?;
        Ok(self.transaction.commit().await?)
    }

    /// Gives it other settings, with which it stands as said and is due at once.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn change(
        mut self,
        settings: MonitorSettings,
        (standing, step): (Standing, Step),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let asks_another = settings.target != self.row.target.0;
        sqlx::query(CHANGE)
            .bind(self.project_id)
            .bind(self.row.id)
            .bind(settings.name)
            .bind(Json(settings.target))
            .bind(settings.interval_s)
            .bind(settings.timeout_ms)
            .bind(standing.state.as_str())
            .bind(PgTime(standing.since))
            .bind(standing.failures)
            .bind(PgTime(now))
            .execute(&mut *self.transaction)
            .await?;
        if asks_another {
            let forgotten = sqlx::query(FORGET_LAST).bind(self.project_id).bind(self.row.id);
            forgotten.execute(&mut *self.transaction).await?;
        }
        incidents::step(&mut self.transaction, (self.project_id, self.row.id), &step, None).await?;
        Ok(self.transaction.commit().await?)
    }
}
