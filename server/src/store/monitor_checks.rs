//! Checks of monitors: who may do one, and what came of it.

use std::time::Duration;

use serde_json::Value;
use sqlx::types::Json;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::incidents;
use super::pg_time::PgTime;
use crate::observe::uptime::schedule::LEASE_MARGIN;
use crate::observe::uptime::state::{Standing, State, Step};

/// A monitor whose check is the caller's alone, for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedMonitor {
    /// The project.
    pub project_id: i32,
    /// Its number.
    pub id: i64,
    /// What it asks.
    pub target: Value,
    /// Seconds from one check to the next.
    pub interval_s: i32,
    /// How long a check may take.
    pub timeout_ms: i32,
    /// How it stands.
    pub standing: Standing,
    /// Who may write the result.
    claim: Uuid,
}

type Row = (i32, i64, Json<Value>, i32, i32, State, PgTime, i32, Uuid);

impl From<Row> for ClaimedMonitor {
    fn from((project_id, id, target, interval_s, timeout_ms, state, since, failures, claim): Row) -> Self {
        Self {
            project_id,
            id,
            target: target.0,
            interval_s,
            timeout_ms,
            standing: Standing {
                state,
                since: since.0,
                failures,
            },
            claim,
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckResult<'a> {
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Why it failed: for programs, and for people.
    pub failure: Option<(&'a str, &'a str)>,
    /// When the certificate ends that was seen.
    pub certificate_not_after: Option<Timestamp>,
    /// How the monitor stands now.
    pub standing: Standing,
    /// What becomes of its incident.
    pub step: Step,
    /// When it is due next.
    pub due_at: Timestamp,
}

/// Materialised, so that the rows are chosen once. Those that somebody else is about to claim are passed over.
const CLAIM_DUE: &str = "
    WITH due AS MATERIALIZED (
        SELECT project_id, id FROM monitors
        WHERE state <> 'paused' AND due_at <= $1 AND project_id <> ALL ($2)
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    UPDATE monitors m
    SET claim = gen_random_uuid(), due_at = $1 + (m.timeout_ms + $4) * interval '1 millisecond'
    FROM due WHERE m.project_id = due.project_id AND m.id = due.id
    RETURNING m.project_id, m.id, m.target, m.interval_s, m.timeout_ms, m.state, m.since, m.failures, m.claim";

const CLAIM_ONE: &str = "
    UPDATE monitors m
    SET claim = gen_random_uuid(), due_at = $3 + (m.timeout_ms + $4) * interval '1 millisecond'
    WHERE m.project_id = $1 AND m.id = $2 AND m.state <> 'paused'
    RETURNING m.project_id, m.id, m.target, m.interval_s, m.timeout_ms, m.state, m.since, m.failures, m.claim";

/// Of a check that failed before a certificate was seen, the one that was seen before stays.
const WRITE: &str = "
    UPDATE monitors SET claim = NULL, due_at = $5, state = $6, since = $7, failures = $8, checked_at = $9, took_ms = $10,
           error_kind = $11, error = $12,
           certificate_not_after = CASE WHEN $12::text IS NULL THEN $13 ELSE COALESCE($13, certificate_not_after) END
    WHERE project_id = $1 AND id = $2 AND claim = $3 AND due_at > $4";

const COUNT: &str = "
    INSERT INTO monitor_checks AS c
        (project_id, monitor_id, minute, checks, failures, sum_ms, min_ms, max_ms, last_error)
    VALUES ($1, $2, date_trunc('minute', $3), 1, CASE WHEN $5::text IS NULL THEN 0 ELSE 1 END,
            CASE WHEN $5 IS NULL THEN $4 ELSE 0 END, CASE WHEN $5 IS NULL THEN $4 END, CASE WHEN $5 IS NULL THEN $4 END, $5)
    ON CONFLICT (project_id, monitor_id, minute) DO UPDATE SET
        checks = c.checks + 1, failures = c.failures + excluded.failures, sum_ms = c.sum_ms + excluded.sum_ms,
        min_ms = LEAST(c.min_ms, excluded.min_ms), max_ms = GREATEST(c.max_ms, excluded.max_ms),
        last_error = COALESCE(excluded.last_error, c.last_error)";

impl Store {
    /// Claims up to `limit` monitors that are due, of any project but those that are `busy`, the ones that wait longest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn claim_due_monitors(
        &self,
        now: Timestamp,
        busy: &[i32],
        limit: usize,
    ) -> Result<Vec<ClaimedMonitor>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(CLAIM_DUE)
            .bind(PgTime(now))
            .bind(busy)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(millis(LEASE_MARGIN))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(ClaimedMonitor::from).collect())
    }

    /// Claims one monitor, due or not, also from somebody who is checking it. Nothing if it is paused or not there.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn claim_monitor(
        &self,
        project_id: i32,
        id: i64,
        now: Timestamp,
    ) -> Result<Option<ClaimedMonitor>, StoreError> {
        let row: Option<Row> = sqlx::query_as(CLAIM_ONE)
            .bind(project_id)
            .bind(id)
            .bind(PgTime(now))
            .bind(millis(LEASE_MARGIN))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(ClaimedMonitor::from))
    }

    /// Writes down what came of a check, unless the claim counts no more: somebody else has the monitor by now, or it was
    /// changed, paused or removed. Returns whether it did.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn write_check(
        &self,
        monitor: &ClaimedMonitor,
        result: &CheckResult<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let took_ms = millis(result.took);
        let (kind, error) = result.failure.unzip();
        let written = sqlx::query(WRITE)
            .bind(monitor.project_id)
            .bind(monitor.id)
            .bind(monitor.claim)
            .bind(PgTime(now))
            .bind(PgTime(result.due_at))
            .bind(result.standing.state.as_str())
            .bind(PgTime(result.standing.since))
            .bind(result.standing.failures)
            .bind(PgTime(result.began))
            .bind(took_ms)
            .bind(kind)
            .bind(error)
            .bind(result.certificate_not_after.map(PgTime))
            .execute(&mut *transaction)
            .await?;
        if written.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(COUNT)
            .bind(monitor.project_id)
            .bind(monitor.id)
            .bind(PgTime(result.began))
            .bind(took_ms)
            .bind(error)
            .execute(&mut *transaction)
            .await?;
        let whose = (monitor.project_id, monitor.id);
        incidents::step(&mut transaction, whose, &result.step, result.failure).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
