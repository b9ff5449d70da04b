//! What came of a monitor's checks before it was a monitor here, as somebody else has written it down.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::monitor_history::MinuteRow;
use super::pg_time::PgTime;

/// The past of a monitor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MonitorPast {
    /// Whole hours.
    pub hours: Vec<PastHour>,
    /// Minutes of the hours after these.
    pub minutes: Vec<MinuteRow>,
    /// When it was down, oldest first.
    pub incidents: Vec<PastIncident>,
}

/// What came of the checks of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastHour {
    /// Which.
    pub hour: Timestamp,
    /// How many.
    pub checks: i32,
    /// How many of them failed.
    pub failures: i32,
    /// How long those took together that did not fail.
    pub sum_ms: i64,
    /// How long the quickest and the slowest of those took.
    pub range_ms: Option<(i32, i32)>,
}

/// When a monitor was down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastIncident {
    /// From its first failed check.
    pub started_at: Timestamp,
    /// To the first that did not fail.
    pub ended_at: Timestamp,
    /// Why, for programs.
    pub cause_kind: &'static str,
    /// Why, for people.
    pub cause: &'static str,
    /// How many checks failed.
    pub failed_checks: i32,
}

const HOURS: &str = "
    INSERT INTO monitor_hours (project_id, monitor_id, hour, checks, failures, sum_ms, min_ms, max_ms)
    SELECT $1, $2, hour, checks, failures, sum_ms, min_ms, max_ms
    FROM unnest($3::timestamptz[], $4::integer[], $5::integer[], $6::bigint[], $7::integer[], $8::integer[])
        AS past (hour, checks, failures, sum_ms, min_ms, max_ms)
    ON CONFLICT (project_id, monitor_id, hour) DO NOTHING";

const MINUTES: &str = "
    INSERT INTO monitor_checks (project_id, monitor_id, minute, checks, failures, sum_ms, min_ms, max_ms, last_error)
    SELECT $1, $2, minute, checks, failures, sum_ms, min_ms, max_ms, last_error
    FROM unnest($3::timestamptz[], $4::integer[], $5::integer[], $6::bigint[], $7::integer[], $8::integer[], $9::text[])
        AS past (minute, checks, failures, sum_ms, min_ms, max_ms, last_error)
    ON CONFLICT (project_id, monitor_id, minute) DO NOTHING";

const INCIDENTS: &str = "
    INSERT INTO incidents (project_id, monitor_id, started_at, ended_at, ended_by, cause_kind, cause, failed_checks)
    SELECT $1, $2, started_at, ended_at, 'recovered', cause_kind, cause, failed_checks
    FROM unnest($3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::integer[])
        AS past (started_at, ended_at, cause_kind, cause, failed_checks)
    ORDER BY started_at";

impl Store {
    /// Writes a monitor's past down. Hours and minutes that are there stay as they are.
    ///
    /// # Errors
    /// What stands in the way; then nothing is written.
    pub async fn keep_monitor_past(&self, project_id: i32, id: i64, past: &MonitorPast) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let (hours, minutes, incidents) = (&past.hours, &past.minutes, &past.incidents);
        sqlx::query(HOURS)
            .bind(project_id)
            .bind(id)
            .bind(hours.iter().map(|row| PgTime(row.hour)).collect::<Vec<_>>())
            .bind(hours.iter().map(|row| row.checks).collect::<Vec<_>>())
            .bind(hours.iter().map(|row| row.failures).collect::<Vec<_>>())
            .bind(hours.iter().map(|row| row.sum_ms).collect::<Vec<_>>())
            .bind(
                hours
                    .iter()
                    .map(|row| row.range_ms.map(|range| range.0))
                    .collect::<Vec<_>>(),
            )
            .bind(
                hours
                    .iter()
                    .map(|row| row.range_ms.map(|range| range.1))
                    .collect::<Vec<_>>(),
            )
            .execute(&mut *transaction)
            .await?;
        sqlx::query(MINUTES)
            .bind(project_id)
            .bind(id)
            .bind(minutes.iter().map(|row| row.minute).collect::<Vec<_>>())
            .bind(minutes.iter().map(|row| row.checks).collect::<Vec<_>>())
            .bind(minutes.iter().map(|row| row.failures).collect::<Vec<_>>())
            .bind(minutes.iter().map(|row| row.sum_ms).collect::<Vec<_>>())
            .bind(minutes.iter().map(|row| row.min_ms).collect::<Vec<_>>())
            .bind(minutes.iter().map(|row| row.max_ms).collect::<Vec<_>>())
            .bind(minutes.iter().map(|row| row.last_error.clone()).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(INCIDENTS)
            .bind(project_id)
            .bind(id)
            .bind(incidents.iter().map(|row| PgTime(row.started_at)).collect::<Vec<_>>())
            .bind(incidents.iter().map(|row| PgTime(row.ended_at)).collect::<Vec<_>>())
            .bind(incidents.iter().map(|row| row.cause_kind).collect::<Vec<_>>())
            .bind(incidents.iter().map(|row| row.cause).collect::<Vec<_>>())
            .bind(incidents.iter().map(|row| row.failed_checks).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
