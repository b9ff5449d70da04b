//! What came of checks over time: minutes become hours, and both are forgotten.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// How long minutes are kept: 7 days.
pub const MINUTES_KEPT: i64 = 7 * DAY;

/// How long hours and incidents are kept: 400 days, a year and a month to compare with.
pub const HOURS_KEPT: i64 = 400 * DAY;

/// How late the result of a check may be written: 2 minutes. A claim counts for 45 s (30 s and its margin), and servers' clocks
/// differ a little.
const LATE: i64 = 2 * 60 * 1_000_000;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Rows forgotten with one statement: 10,000, some 50 ms.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

/// What came of the checks of a minute.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct MinuteRow {
    /// Which minute.
    pub minute: PgTime,
    /// How many.
    pub checks: i32,
    /// How many of them failed.
    pub failures: i32,
    /// How long those took together that did not fail.
    pub sum_ms: i64,
    /// How long the quickest of those took.
    pub min_ms: Option<i32>,
    /// How long the slowest of those took.
    pub max_ms: Option<i32>,
    /// Why the last that failed did so.
    pub last_error: Option<String>,
}

/// What came of the checks of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct HourRow {
    /// The monitor.
    pub monitor_id: i64,
    /// Which hour.
    pub hour: PgTime,
    /// How many.
    pub checks: i64,
    /// How many of them failed.
    pub failures: i64,
    /// How long those took together that did not fail.
    pub sum_ms: i64,
}

const MINUTES: &str = "
    SELECT minute, checks, failures, sum_ms, min_ms, max_ms, last_error FROM monitor_checks
    WHERE project_id = $1 AND monitor_id = $2 AND minute >= $3 ORDER BY minute";

/// Hours as they are stored, and after the last of them the minutes that have not become hours yet. Both of each monitor alone,
/// so that each is a short range of an index.
const HOURS: &str = "
    SELECT m.id AS monitor_id, date_trunc('hour', h.hour, 'UTC') AS hour, sum(h.checks)::bigint AS checks,
           sum(h.failures)::bigint AS failures, sum(h.sum_ms)::bigint AS sum_ms
    FROM monitors m
    CROSS JOIN LATERAL (
        SELECT max(hour) + interval '1 hour' AS until FROM monitor_hours
        WHERE project_id = m.project_id AND monitor_id = m.id) AS rolled
    CROSS JOIN LATERAL (
        SELECT hour, checks, failures, sum_ms FROM monitor_hours
        WHERE project_id = m.project_id AND monitor_id = m.id AND hour >= $3
        UNION ALL
        SELECT minute, checks, failures, sum_ms FROM monitor_checks
        WHERE project_id = m.project_id AND monitor_id = m.id
          AND minute >= GREATEST($3, COALESCE(rolled.until, '-infinity'))) AS h
    WHERE m.project_id = $1 AND ($2::bigint IS NULL OR m.id = $2)
    GROUP BY 1, 2 ORDER BY 1, 2";

/// All hours that are over, from the last that there is: whoever rolls them again makes the same of them.
const ROLL: &str = "
    INSERT INTO monitor_hours (project_id, monitor_id, hour, checks, failures, sum_ms, min_ms, max_ms)
    SELECT c.project_id, c.monitor_id, date_trunc('hour', c.minute, 'UTC'), sum(c.checks), sum(c.failures), sum(c.sum_ms),
           min(c.min_ms), max(c.max_ms)
    FROM monitor_checks c JOIN monitors m ON m.project_id = c.project_id AND m.id = c.monitor_id
    WHERE c.minute < date_trunc('hour', $1, 'UTC')
      AND c.minute >= COALESCE((SELECT max(hour) FROM monitor_hours), '-infinity')
    GROUP BY 1, 2, 3
    ON CONFLICT (project_id, monitor_id, hour) DO UPDATE SET
        checks = excluded.checks, failures = excluded.failures, sum_ms = excluded.sum_ms, min_ms = excluded.min_ms,
        max_ms = excluded.max_ms";

/// Only minutes that have become hours.
const FORGET_MINUTES: &str = "
    DELETE FROM monitor_checks WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM monitor_checks
        WHERE minute < $1 AND minute < (SELECT max(hour) FROM monitor_hours) LIMIT $2))";

const FORGET_HOURS: &str = "
    DELETE FROM monitor_hours WHERE ctid = ANY (ARRAY(SELECT ctid FROM monitor_hours WHERE hour < $1 LIMIT $2))";

const FORGET_INCIDENTS: &str = "
    DELETE FROM incidents WHERE ctid = ANY (ARRAY(SELECT ctid FROM incidents WHERE ended_at < $1 LIMIT $2))";

impl Store {
    /// The minutes of a monitor since `from` in which it was checked, oldest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn monitor_minutes(
        &self,
        project_id: i32,
        id: i64,
        from: Timestamp,
    ) -> Result<Vec<MinuteRow>, StoreError> {
        let rows = sqlx::query_as(MINUTES).bind(project_id).bind(id).bind(PgTime(from));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The hours since `from`, of one monitor or of all of a project, in which it was checked.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn monitor_hours(
        &self,
        project_id: i32,
        id: Option<i64>,
        from: Timestamp,
    ) -> Result<Vec<HourRow>, StoreError> {
        let rows = sqlx::query_as(HOURS).bind(project_id).bind(id).bind(PgTime(from));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Makes hours of the minutes of hours that are over, of all projects.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn roll_monitors(&self, now: Timestamp) -> Result<u64, StoreError> {
        let rolled = sqlx::query(ROLL).bind(PgTime(now.plus_micros(-LATE)));
        Ok(rolled.execute(&self.pool).await?.rows_affected())
    }

    /// Forgets what is too old, of all projects: minutes, hours and incidents that are over.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_monitors(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for (statement, kept) in [
            (FORGET_MINUTES, MINUTES_KEPT),
            (FORGET_HOURS, HOURS_KEPT),
            (FORGET_INCIDENTS, HOURS_KEPT),
        ] {
            loop {
                let done = sqlx::query(statement)
                    .bind(PgTime(now.plus_micros(-kept)))
                    .bind(FORGOTTEN_AT_ONCE)
                    .execute(&self.pool)
                    .await?;
                forgotten += done.rows_affected();
                if done.rows_affected() < FORGOTTEN_AT_ONCE.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}
