//! What the detectors look at.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::issues_rows::TOGETHER;
use super::pg_time::PgTime;
use crate::observe::errors::spike::{EVENTS_MIN, QUARTER_MICROS, quarter_of};

/// A day.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Most issues of each kind that a detector looks at: 30, the newest or the most frequent. Nobody reads more problems, and
/// each costs the counting of its people.
const LOOKED_AT: i64 = 30;

/// Up to so many identities of an issue a detector counts the people whom they are: 100, a quarter of a millisecond. Of more
/// it tells the number of identities, which is greater only by those who came with several devices.
const PEOPLE_COUNTED: i64 = 100;

/// Most identities that a detector counts: 10,000 of an issue, 2 ms.
const IDENTITIES_COUNTED: i64 = 10_000;

/// The same of all issues together, of whom each is looked up as a person: 500, 2 ms.
const IDENTITIES_TOGETHER: i64 = 500;

/// An issue that is new or came back.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FreshIssue {
    /// Its number.
    pub number: i32,
    /// The error's type.
    pub kind: String,
    /// What it says.
    pub title: String,
    /// Where it was thrown.
    pub culprit: String,
    /// The worst level of its events.
    pub level: String,
    /// `new` or `regressed`.
    pub state: String,
    /// Since when.
    pub state_at: PgTime,
    /// Its earliest event.
    pub first_seen: PgTime,
    /// Its latest event.
    pub last_seen: PgTime,
    /// When it was resolved last.
    pub resolved_at: Option<PgTime>,
    /// How many people it has met; many are counted roughly.
    pub people: i64,
}

/// A quarter-hour in which an issue, or all of them, had many events.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BusyQuarter {
    /// The issue's number; 0: all together.
    pub number: i32,
    /// The error's type.
    pub kind: String,
    /// What it says.
    pub title: String,
    /// The quarter-hour.
    pub quarter: PgTime,
    /// Events in it.
    pub events: i64,
    /// People met since it began; many are counted roughly.
    pub people: i64,
    /// Events in the same quarter of each of the 7 days before, as far as the issue was there.
    pub past: Vec<i64>,
}

/// The newest of each; people are counted for these alone. A person is looked up by a probe of the key, here and below: for a
/// join the planner may read all identities.
const FRESH: &str = "
    WITH fresh AS (
        (SELECT * FROM issues WHERE project_id = $1 AND state = 'new' AND state_at >= $2 AND first_seen >= $2
           AND level <> 'warning' ORDER BY state_at DESC LIMIT $3)
        UNION ALL
        (SELECT * FROM issues WHERE project_id = $1 AND state = 'regressed' AND last_seen >= $2
           AND level <> 'warning' ORDER BY state_at DESC LIMIT $3))
    SELECT i.number, i.kind, i.title, i.culprit, i.level, i.state, i.state_at, i.first_seen, i.last_seen, i.resolved_at,
           CASE WHEN met.identities > $4 THEN met.identities ELSE (
               SELECT count(DISTINCT (SELECT person_id FROM identities w WHERE w.project_id = $1 AND w.id = p.identity_id))
               FROM issue_people p WHERE p.project_id = $1 AND p.issue = i.number) END AS people
    FROM fresh i CROSS JOIN LATERAL (
        SELECT count(*) AS identities FROM (
            SELECT FROM issue_people p WHERE p.project_id = $1 AND p.issue = i.number LIMIT $5) AS counted) AS met
    ORDER BY i.number";

/// The days on which an issue was there already are compared with, also those without an event.
const BUSY: &str = "
    WITH busy AS (
        SELECT q.issue, q.quarter, q.events FROM issue_quarters q
        WHERE q.project_id = $1 AND q.quarter = ANY ($2) AND q.issue <> 0 AND q.events >= $3
        ORDER BY q.events DESC LIMIT $4)
    SELECT b.issue AS number, i.kind, i.title, b.quarter, b.events,
           CASE WHEN met.identities > $5 THEN met.identities ELSE (
               SELECT count(DISTINCT (SELECT person_id FROM identities w WHERE w.project_id = $1 AND w.id = p.identity_id))
               FROM issue_people p WHERE p.project_id = $1 AND p.issue = b.issue AND p.last_seen >= b.quarter) END AS people,
           ARRAY(SELECT COALESCE(p.events, 0) FROM generate_series(1, 7) AS day
                 LEFT JOIN issue_quarters p ON p.project_id = $1 AND p.issue = b.issue
                       AND p.quarter = b.quarter - day * interval '24 hours'
                 WHERE b.quarter - day * interval '24 hours' >= i.first_seen - interval '15 minutes') AS past
    FROM busy b JOIN issues i ON i.project_id = $1 AND i.number = b.issue
    CROSS JOIN LATERAL (
        SELECT count(*) AS identities FROM (
            SELECT FROM issue_people p
            WHERE p.project_id = $1 AND p.issue = b.issue AND p.last_seen >= b.quarter LIMIT $6) AS counted) AS met
    WHERE i.state IN ('new', 'ongoing', 'escalating', 'regressed') AND i.level <> 'warning'
    ORDER BY b.issue, b.quarter";

/// All issues together; the first quarter that is known tells since when they are.
const BUSY_TOGETHER: &str = "
    WITH begun AS (
        SELECT quarter FROM issue_quarters WHERE project_id = $1 AND issue = $5 ORDER BY quarter LIMIT 1)
    SELECT b.issue AS number, '' AS kind, '' AS title, b.quarter, b.events,
           (SELECT count(DISTINCT (SELECT person_id FROM identities w WHERE w.project_id = $1 AND w.id = met.identity_id))
            FROM (SELECT lately.identity_id FROM issue_quarters q
                  CROSS JOIN LATERAL (SELECT p.identity_id FROM issue_people p
                                      WHERE p.project_id = $1 AND p.issue = q.issue AND p.last_seen >= b.quarter
                                      LIMIT $4) AS lately
                  WHERE q.project_id = $1 AND q.quarter = b.quarter AND q.issue <> $5 LIMIT $4) AS met) AS people,
           ARRAY(SELECT COALESCE(p.events, 0) FROM generate_series(1, 7) AS day
                 LEFT JOIN issue_quarters p ON p.project_id = $1 AND p.issue = $5
                       AND p.quarter = b.quarter - day * interval '24 hours'
                 WHERE b.quarter - day * interval '24 hours' >= begun.quarter) AS past
    FROM issue_quarters b, begun
    WHERE b.project_id = $1 AND b.issue = $5 AND b.quarter = ANY ($2) AND b.events >= $3
    ORDER BY b.quarter";

/// The quarter-hours of the last 15 minutes.
fn now_and_before(now: Timestamp) -> Vec<PgTime> {
    let quarter = quarter_of(now);
    vec![PgTime(quarter.plus_micros(-QUARTER_MICROS)), PgTime(quarter)]
}

impl Store {
    /// Issues that are new or came back, and were seen in the last 24 hours; no warnings.
    ///
    /// # Errors
    /// What stands in the way. This is so for every method.
    pub async fn fresh_issues(&self, project_id: i32, now: Timestamp) -> Result<Vec<FreshIssue>, StoreError> {
        let rows = sqlx::query_as(FRESH)
            .bind(project_id)
            .bind(PgTime(now.plus_micros(-DAY_MICROS)))
            .bind(LOOKED_AT)
            .bind(PEOPLE_COUNTED)
            .bind(IDENTITIES_COUNTED);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Open issues, no warnings, with many events in the last 15 minutes.
    ///
    /// # Errors
    /// See [`Self::fresh_issues`].
    pub async fn busy_issues(&self, project_id: i32, now: Timestamp) -> Result<Vec<BusyQuarter>, StoreError> {
        let rows = sqlx::query_as(BUSY)
            .bind(project_id)
            .bind(now_and_before(now))
            .bind(EVENTS_MIN)
            .bind(LOOKED_AT)
            .bind(PEOPLE_COUNTED)
            .bind(IDENTITIES_COUNTED);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The same of all issues together.
    ///
    /// # Errors
    /// See [`Self::fresh_issues`].
    pub async fn busy_together(&self, project_id: i32, now: Timestamp) -> Result<Vec<BusyQuarter>, StoreError> {
        let rows = sqlx::query_as(BUSY_TOGETHER)
            .bind(project_id)
            .bind(now_and_before(now))
            .bind(EVENTS_MIN)
            .bind(IDENTITIES_TOGETHER)
            .bind(TOGETHER);
        Ok(rows.fetch_all(&self.pool).await?)
    }
}
