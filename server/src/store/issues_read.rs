//! Issues are shown, and changed by hand.

use serde_json::Value;
use sqlx::types::Json;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::issues::lock;
use super::pg_time::PgTime;
use crate::observe::errors::State;

/// An issue as it is stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct IssueRow {
    /// Its number.
    pub number: i32,
    /// The error's type.
    pub kind: String,
    /// What its first event said.
    pub title: String,
    /// Where it was thrown.
    pub culprit: String,
    /// The worst level of its events.
    pub level: String,
    /// Whether the app had caught every one of them.
    pub handled: bool,
    /// What it is.
    pub state: String,
    /// Since when.
    pub state_at: PgTime,
    /// Its earliest event.
    pub first_seen: PgTime,
    /// Its latest event.
    pub last_seen: PgTime,
    /// The release of its earliest event.
    pub first_release: Option<String>,
    /// The release of its latest event.
    pub last_release: Option<String>,
    /// How many events.
    pub events: i64,
    /// How many persons.
    pub people: i64,
    /// When it was resolved last.
    pub resolved_at: Option<PgTime>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// In which release.
    pub resolved_in: Option<String>,
    /// What the list is sorted by, the greatest first.
    pub rank: i64,
}

/// Which issues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueFilter<'a> {
    /// Those in one of these states.
    pub states: Option<Vec<&'static str>>,
    /// Those seen in this release.
    pub release: Option<&'a str>,
    /// Those of this level.
    pub level: Option<&'static str>,
    /// Those whose type, title or place is LIKE this, in lower case.
    pub like: Option<String>,
    /// Those that happened from here on, by quarter-hours.
    pub from: Option<Timestamp>,
    /// Those that happened before.
    pub to: Option<Timestamp>,
}

/// Which part of a list of issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuePart {
    /// `last_seen`, `first_seen`, `events` or `people`.
    pub sort: &'static str,
    /// Behind the issue of this rank and number.
    pub after: Option<(i64, i32)>,
    /// At most so many.
    pub limit: i64,
}

/// Events in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Counted {
    /// When it begins.
    pub at: PgTime,
    /// How many.
    pub events: i64,
}

/// A release in which an issue was seen.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct IssueRelease {
    /// Which.
    pub release: String,
    /// Events in it.
    pub events: i64,
    /// The earliest.
    pub first_seen: PgTime,
    /// The latest.
    pub last_seen: PgTime,
}

/// An event of an issue.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SampleRow {
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub timestamp: PgTime,
    /// When the server received it.
    pub received_at: PgTime,
    /// The device.
    pub anonymous_id: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// The person.
    pub person_id: i64,
    /// The session.
    pub session_id: Option<String>,
    /// What is known about it.
    pub properties: Option<Json<Value>>,
    /// The circumstances.
    pub context: Option<Json<Value>>,
}

/// People are counted for those that are listed, by probes of the identities' key; to sort by them for all, by a join.
const LIST: &str = "
    WITH met AS MATERIALIZED (
        SELECT p.issue, count(DISTINCT w.person_id) AS people
        FROM issue_people p JOIN identities w ON w.project_id = $1 AND w.id = p.identity_id
        WHERE p.project_id = $1 AND $2 = 'people' GROUP BY p.issue),
    ranked AS (
        SELECT i.*, CASE $2
            WHEN 'first_seen' THEN (extract(epoch FROM first_seen) * 1000000)::bigint
            WHEN 'events' THEN events
            WHEN 'people' THEN COALESCE(met.people, 0)
            ELSE (extract(epoch FROM last_seen) * 1000000)::bigint END AS rank
        FROM issues i LEFT JOIN met ON met.issue = i.number
        WHERE i.project_id = $1 AND ($3::text[] IS NULL OR i.state = ANY ($3)) AND ($4::text IS NULL OR i.level = $4)
          AND ($5::text IS NULL OR EXISTS (
              SELECT FROM issue_releases r WHERE r.project_id = $1 AND r.issue = i.number AND r.release = $5))
          AND ($6::text IS NULL OR lower(i.kind || ': ' || i.title || ' ' || i.culprit) LIKE $6)
          AND ($7::timestamptz IS NULL AND $8::timestamptz IS NULL OR EXISTS (
              SELECT FROM issue_quarters q WHERE q.project_id = $1 AND q.issue = i.number
                AND q.quarter > COALESCE($7, '-infinity') - interval '15 minutes' AND q.quarter < COALESCE($8, 'infinity')))),
    page AS (
        SELECT * FROM ranked
        WHERE $9::bigint IS NULL OR rank < $9 OR (rank = $9 AND number < $10)
        ORDER BY rank DESC, number DESC LIMIT $11)
    SELECT page.*, (
                SELECT count(DISTINCT (SELECT person_id FROM identities w WHERE w.project_id = $1 AND w.id = p.identity_id))
                FROM issue_people p WHERE p.project_id = $1 AND p.issue = page.number) AS people
    FROM page ORDER BY rank DESC, number DESC";

const ONE: &str = "
    SELECT i.*, 0::bigint AS rank, (
                SELECT count(DISTINCT (SELECT person_id FROM identities w WHERE w.project_id = $1 AND w.id = p.identity_id))
                FROM issue_people p WHERE p.project_id = $1 AND p.issue = i.number) AS people
    FROM issues i WHERE i.project_id = $1 AND i.number = $2";

const HOURS: &str = "
    SELECT issue, date_trunc('hour', quarter, 'UTC') AS at, sum(events)::bigint AS events FROM issue_quarters
    WHERE project_id = $1 AND issue = ANY ($2) AND quarter >= $3 GROUP BY 1, 2 ORDER BY 1, 2";

const QUARTERS: &str = "
    SELECT quarter AS at, events FROM issue_quarters
    WHERE project_id = $1 AND issue = $2 AND quarter >= $3 ORDER BY quarter";

const DAYS: &str = "
    SELECT date_trunc('day', quarter, 'UTC') AS at, sum(events)::bigint AS events FROM issue_quarters
    WHERE project_id = $1 AND issue = $2 AND quarter >= $3 GROUP BY 1 ORDER BY 1";

/// Newest first.
const RELEASES: &str = "
    SELECT release, events, first_seen, last_seen FROM issue_releases
    WHERE project_id = $1 AND issue = $2 ORDER BY last_seen DESC, release COLLATE \"C\" DESC";

/// Erased events are not there any more, and neither are those that are too old to be kept.
const SAMPLES: &str = "
    SELECT e.id, e.timestamp, e.received_at,
           COALESCE(device.external_id, CASE whose.kind WHEN 0 THEN whose.external_id END) AS anonymous_id,
           CASE whose.kind WHEN 1 THEN whose.external_id END AS user_id, whose.person_id,
           e.session_id, e.properties, e.context
    FROM (SELECT DISTINCT unnest(newest_events || first_event) AS id FROM issues
          WHERE project_id = $1 AND number = $2) AS sample
    JOIN events e ON e.project_id = $1 AND e.id = sample.id
    JOIN identities whose ON whose.project_id = $1 AND whose.id = e.identity_id
    LEFT JOIN identities device ON device.project_id = $1 AND device.id = e.anonymous_identity_id
    ORDER BY e.id DESC";

const CHANGE: &str = "
    UPDATE issues
    SET state = $3, state_at = $4,
        resolved_at = CASE WHEN $3 = 'resolved' THEN $4 ELSE resolved_at END,
        resolved_by = CASE WHEN $3 = 'resolved' THEN $5 ELSE resolved_by END,
        resolved_in = CASE WHEN $3 = 'resolved' THEN $6 ELSE resolved_in END
    WHERE project_id = $1 AND number = $2";

impl Store {
    /// A part of a project's issues, as they are sorted.
    ///
    /// # Errors
    /// What stands in the way. This is so for every method.
    pub async fn list_issues(
        &self,
        project_id: i32,
        filter: &IssueFilter<'_>,
        part: IssuePart,
    ) -> Result<Vec<IssueRow>, StoreError> {
        let rows = sqlx::query_as(LIST)
            .bind(project_id)
            .bind(part.sort)
            .bind(filter.states.as_deref())
            .bind(filter.level)
            .bind(filter.release)
            .bind(filter.like.as_deref())
            .bind(filter.from.map(PgTime))
            .bind(filter.to.map(PgTime))
            .bind(part.after.map(|(rank, _)| rank))
            .bind(part.after.map(|(_, number)| number))
            .bind(part.limit);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// One issue.
    ///
    /// # Errors
    /// See [`Self::list_issues`].
    pub async fn issue(&self, project_id: i32, number: i32) -> Result<Option<IssueRow>, StoreError> {
        let row = sqlx::query_as(ONE).bind(project_id).bind(number);
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// Events of issues by hours, from one on; hours without any are left out.
    ///
    /// # Errors
    /// See [`Self::list_issues`].
    pub async fn issue_hours(
        &self,
        project_id: i32,
        numbers: &[i32],
        from: Timestamp,
    ) -> Result<Vec<(i32, PgTime, i64)>, StoreError> {
        let rows = sqlx::query_as(HOURS).bind(project_id).bind(numbers).bind(PgTime(from));
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Events of an issue by quarter-hours and by days (UTC), each from one on; those without any are left out.
    ///
    /// # Errors
    /// See [`Self::list_issues`].
    pub async fn issue_course(
        &self,
        project_id: i32,
        number: i32,
        [quarters_from, days_from]: [Timestamp; 2],
    ) -> Result<[Vec<Counted>; 2], StoreError> {
        let quarters = sqlx::query_as(QUARTERS)
            .bind(project_id)
            .bind(number)
            .bind(PgTime(quarters_from));
        let days = sqlx::query_as(DAYS)
            .bind(project_id)
            .bind(number)
            .bind(PgTime(days_from));
        Ok([quarters.fetch_all(&self.pool).await?, days.fetch_all(&self.pool).await?])
    }

    /// The releases in which an issue was seen, the latest first.
    ///
    /// # Errors
    /// See [`Self::list_issues`].
    pub async fn issue_releases(&self, project_id: i32, number: i32) -> Result<Vec<IssueRelease>, StoreError> {
        let rows = sqlx::query_as(RELEASES).bind(project_id).bind(number);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The newest events of an issue and its first, the newest first.
    ///
    /// # Errors
    /// See [`Self::list_issues`].
    pub async fn issue_samples(&self, project_id: i32, number: i32) -> Result<Vec<SampleRow>, StoreError> {
        let rows = sqlx::query_as(SAMPLES).bind(project_id).bind(number);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Says what an issue is. `false`: there is none.
    ///
    /// # Errors
    /// See [`Self::list_issues`].
    pub async fn change_issue(
        &self,
        project_id: i32,
        number: i32,
        state: State,
        (at, by, in_release): (Timestamp, &str, Option<&str>),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock(&mut transaction, project_id).await?;
        let changed = sqlx::query(CHANGE)
            .bind(project_id)
            .bind(number)
            .bind(state.as_str())
            .bind(PgTime(at))
            .bind(by)
            .bind(in_release)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(changed.rows_affected() > 0)
    }
}
