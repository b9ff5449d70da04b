//! Incidents: when monitors were down.

use sqlx::PgConnection;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::uptime::state::{FAILURES_TO_BE_DOWN, Step};
use crate::query::params::TimeRange;

/// An incident as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct IncidentRow {
    /// Its number.
    pub id: i64,
    /// The monitor.
    pub monitor_id: i64,
    /// The monitor's name.
    pub name: String,
    /// When the first failed check began.
    pub started_at: PgTime,
    /// When it ended.
    pub ended_at: Option<PgTime>,
    /// What ended it.
    pub ended_by: Option<String>,
    /// Why it was down, for programs.
    pub cause_kind: String,
    /// Why it was down, for people.
    pub cause: String,
    /// How many checks failed in it.
    pub failed_checks: i32,
}

/// Which incidents, newest first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct IncidentPage {
    /// Of this monitor alone.
    pub monitor_id: Option<i64>,
    /// Only those that last.
    pub open: bool,
    /// Those that lasted at any time of it.
    pub range: TimeRange,
    /// Only those before this one, the last of the page before.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

const LIST: &str = "
    SELECT i.id, i.monitor_id, m.name, i.started_at, i.ended_at, i.ended_by, i.cause_kind, i.cause, i.failed_checks
    FROM incidents i JOIN monitors m ON m.project_id = i.project_id AND m.id = i.monitor_id
    WHERE i.project_id = $1 AND ($2::bigint IS NULL OR i.monitor_id = $2) AND (NOT $3 OR i.ended_at IS NULL)
      AND ($4::timestamptz IS NULL OR i.ended_at IS NULL OR i.ended_at > $4)
      AND ($5::timestamptz IS NULL OR i.started_at < $5)
      AND ($6::bigint IS NULL OR i.id < $6)
    ORDER BY i.id DESC LIMIT $7";

const OPEN: &str = "
    INSERT INTO incidents (project_id, monitor_id, started_at, cause_kind, cause, failed_checks)
    VALUES ($1, $2, $3, $4, $5, $6)";

const GO_ON: &str = "
    UPDATE incidents SET failed_checks = failed_checks + 1
    WHERE project_id = $1 AND monitor_id = $2 AND ended_at IS NULL";

const END: &str = "
    UPDATE incidents SET ended_at = $3, ended_by = $4 WHERE project_id = $1 AND monitor_id = $2 AND ended_at IS NULL";

impl Store {
    /// The incidents of a project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn incidents(&self, project_id: i32, page: &IncidentPage) -> Result<Vec<IncidentRow>, StoreError> {
        let rows = sqlx::query_as(LIST)
            .bind(project_id)
            .bind(page.monitor_id)
            .bind(page.open)
            .bind(page.range.from.map(PgTime))
            .bind(page.range.to.map(PgTime))
            .bind(page.before)
            .bind(page.limit);
        Ok(rows.fetch_all(&self.pool).await?)
    }
}

/// Writes down what becomes of a monitor's incident; `cause` is why the check failed, where it was a check.
pub(super) async fn step(
    connection: &mut PgConnection,
    (project_id, monitor_id): (i32, i64),
    step: &Step,
    cause: Option<(&str, &str)>,
) -> Result<(), StoreError> {
    let of_monitor = |statement: &'static str| sqlx::query(statement).bind(project_id).bind(monitor_id);
    let statement = match step {
        Step::Nothing => return Ok(()),
        Step::GoesOn => of_monitor(GO_ON),
        Step::Ends { at, by } => of_monitor(END).bind(PgTime(*at)).bind(by.as_str()),
        Step::Opens { started_at } => {
            let (kind, text) = cause.unwrap_or_default();
            let opened = of_monitor(OPEN).bind(PgTime(*started_at)).bind(kind).bind(text);
            opened.bind(FAILURES_TO_BE_DOWN)
        }
    };
    statement.execute(connection).await?;
    Ok(())
}
