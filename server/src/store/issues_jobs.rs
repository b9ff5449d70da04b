//! What time does to issues, and what is forgotten of them.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::issues::lock;
use super::pg_time::PgTime;
use crate::observe::errors::State;
use crate::observe::errors::batch::QUARTERS_KEPT_MICROS;
use crate::observe::errors::state::SETTLED_AFTER_MICROS;

/// A day.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Rows removed in one transaction: 5,000, some 20 ms.
const REMOVED_AT_ONCE: i64 = 5_000;

/// How long it is known whom an issue has met: 90 days.
const PEOPLE_KEPT_MICROS: i64 = 90 * DAY_MICROS;

/// How long an issue is kept that does not happen any more: 180 days. If it happens later, it is a new one.
const ISSUES_KEPT_MICROS: i64 = 180 * DAY_MICROS;

const MOVING: &str = "
    SELECT number, state, state_at FROM issues
    WHERE project_id = $1 AND (state IN ('new', 'regressed') AND state_at <= $2 OR state = 'escalating'
                               OR state = 'ongoing' AND number = ANY ($3))
    ORDER BY number";

const MOVE: &str = "
    UPDATE issues i SET state = new.state, state_at = $2
    FROM unnest($3::integer[], $4::text[]) AS new (number, state)
    WHERE i.project_id = $1 AND i.number = new.number";

const FORGET_QUARTERS: &str = "
    DELETE FROM issue_quarters WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM issue_quarters WHERE project_id = $1 AND quarter < $2 LIMIT $3))";

const FORGET_PEOPLE: &str = "
    DELETE FROM issue_people WHERE ctid = ANY (ARRAY(
        SELECT p.ctid FROM issues i JOIN issue_people p ON p.project_id = $1 AND p.issue = i.number AND p.last_seen < $2
        WHERE i.project_id = $1 LIMIT $3))";

const FORGET_ISSUES: &str = "
    WITH old AS (SELECT number FROM issues WHERE project_id = $1 AND last_seen < $2 LIMIT $3),
    releases AS (DELETE FROM issue_releases r USING old WHERE r.project_id = $1 AND r.issue = old.number),
    quarters AS (DELETE FROM issue_quarters q USING old WHERE q.project_id = $1 AND q.issue = old.number)
    DELETE FROM issues i USING old WHERE i.project_id = $1 AND i.number = old.number";

/// An issue that time may change.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct MovingIssue {
    /// Its number.
    number: i32,
    /// What it is.
    state: String,
    /// Since when.
    state_at: PgTime,
}

impl Store {
    /// Moves the issues of a project on ([`State::after`]): those that are new or came back long ago, that escalate, or that
    /// are `spiking`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn move_issues(&self, project_id: i32, spiking: &[i32], now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction, project_id).await?;
        let moving: Vec<MovingIssue> = sqlx::query_as(MOVING)
            .bind(project_id)
            .bind(PgTime(now.plus_micros(-SETTLED_AFTER_MICROS)))
            .bind(spiking)
            .fetch_all(&mut *transaction)
            .await?;
        let moved = moving.into_iter().filter_map(|issue| {
            let state = State::parse(&issue.state)?;
            let after = state.after(issue.state_at.0, spiking.contains(&issue.number), now);
            (after != state).then_some((issue.number, after.as_str()))
        });
        let (numbers, states): (Vec<i32>, Vec<&str>) = moved.unzip();
        if !numbers.is_empty() {
            let moved = sqlx::query(MOVE)
                .bind(project_id)
                .bind(PgTime(now))
                .bind(numbers)
                .bind(states);
            moved.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Projects that have issues.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn projects_with_issues(&self) -> Result<Vec<i32>, StoreError> {
        let projects = sqlx::query_scalar("SELECT project_id FROM issue_numbers ORDER BY project_id");
        Ok(projects.fetch_all(&self.pool).await?)
    }

    /// Forgets what is no longer kept of a project's issues.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_issues(&self, project_id: i32, now: Timestamp) -> Result<(), StoreError> {
        let old = [
            (FORGET_PEOPLE, PEOPLE_KEPT_MICROS),
            (FORGET_QUARTERS, QUARTERS_KEPT_MICROS),
            (FORGET_ISSUES, ISSUES_KEPT_MICROS),
        ];
        for (statement, kept) in old {
            loop {
                let mut transaction = self.pool.begin().await?;
                lock(&mut transaction, project_id).await?;
                let removed = sqlx::query(statement)
                    .bind(project_id)
                    .bind(PgTime(now.plus_micros(-kept)))
                    .bind(REMOVED_AT_ONCE)
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await?;
                if removed.rows_affected() < REMOVED_AT_ONCE.cast_unsigned() {
                    break;
                }
            }
        }
        Ok(())
    }
}
