//! What projects use by day: counted again when a day has changed, from the rows, so that it is right whatever came late.

use serde::Serialize;
use sqlx::FromRow;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// Days counted in one run: 40. The first run of a month of imported events takes one or two.
const DAYS_AT_ONCE: i64 = 40;

/// Days whose `event_hours` have another sum than when they were counted, newest first; those before are for the next run.
const CHANGED: &str = "
    WITH sums AS (
        SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(events)::bigint AS counted FROM event_hours
        WHERE project_id = $1 AND hour >= $2::timestamptz - interval '400 days' AND hour <= $2 GROUP BY 1)
    SELECT s.day::text, s.counted FROM sums s LEFT JOIN usage_days u ON u.project_id = $1 AND u.day = s.day
    WHERE u.counted IS DISTINCT FROM s.counted ORDER BY s.day DESC LIMIT $3";

/// Days whose sessions are to be looked at: the day has changed, or some were open half an hour ago.
const UNCLOSED: &str = "
    SELECT u.day::text, u.counted FROM usage_days u
    WHERE u.project_id = $1 AND (u.counted_sessions IS DISTINCT FROM u.counted OR u.sessions_open > 0)
    ORDER BY u.day DESC LIMIT $2";

const COUNT: &str = "
    INSERT INTO usage_days AS u (project_id, day, events, persons, counted)
    SELECT $1, $2::date, count(*), count(DISTINCT i.person_id), $3
    FROM events e JOIN identities i ON i.project_id = e.project_id AND i.id = e.identity_id
    WHERE e.project_id = $1 AND e.event_name_id = ANY (ARRAY(SELECT id FROM event_names WHERE project_id = $1))
      AND e.timestamp >= $2::date AT TIME ZONE 'UTC' AND e.timestamp < ($2::date + 1) AT TIME ZONE 'UTC'
    ON CONFLICT (project_id, day) DO UPDATE SET
        events = excluded.events, persons = excluded.persons, counted = excluded.counted";

/// A session lasts a day at most, so what began on a day is among the events of that day, the one before, which tells what
/// had begun already, and the next.
const CLOSE: &str = "
    WITH sessions AS (
        SELECT min(timestamp) AS began, max(timestamp) AS ended FROM events
        WHERE project_id = $1 AND session_id IS NOT NULL
          AND timestamp >= ($2::date - 1) AT TIME ZONE 'UTC' AND timestamp < ($2::date + 2) AT TIME ZONE 'UTC'
        GROUP BY session_id
        HAVING min(timestamp) >= $2::date AT TIME ZONE 'UTC' AND min(timestamp) < ($2::date + 1) AT TIME ZONE 'UTC'),
    judged AS (SELECT ended - began AS took, ended > $4::timestamptz - interval '30 minutes' AS is_open FROM sessions)
    UPDATE usage_days SET counted_sessions = $3,
        sessions = (SELECT count(*) FROM judged),
        sessions_open = (SELECT count(*) FROM judged WHERE is_open),
        session_seconds = (SELECT COALESCE(sum(extract(epoch FROM took)), 0)::bigint FROM judged WHERE NOT is_open)
    WHERE project_id = $1 AND day = $2::date";

const DAYS: &str = "
    SELECT day::text, events, persons, sessions, sessions_open, session_seconds FROM usage_days
    WHERE project_id = $1 AND day >= ($2 AT TIME ZONE 'UTC')::date AND day < ($3 AT TIME ZONE 'UTC')::date + 1 ORDER BY day";

/// What a project used on a day.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize, ToSchema)]
pub struct UsageDay {
    /// The day, in UTC.
    #[schema(format = Date)]
    pub day: String,
    /// Events that happened on it.
    pub events: i64,
    /// Persons with events.
    pub persons: i64,
    /// Sessions that began on it; `null` until they were counted.
    pub sessions: Option<i64>,
    /// Of these, those that were not over when they were counted.
    pub sessions_open: Option<i64>,
    /// How long those that are over took together, in seconds.
    pub session_seconds: Option<i64>,
}

impl Store {
    /// Counts the days of a project that have changed; returns how many.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn count_usage(&self, project_id: i32, now: Timestamp) -> Result<u64, StoreError> {
        let changed = sqlx::query_as(CHANGED)
            .bind(project_id)
            .bind(PgTime(now))
            .bind(DAYS_AT_ONCE);
        self.each_day(COUNT, changed.fetch_all(&self.pool).await?, project_id, None)
            .await
    }

    /// Closes the sessions of days that have changed, or had open ones; returns how many days.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn close_sessions(&self, project_id: i32, now: Timestamp) -> Result<u64, StoreError> {
        let unclosed = sqlx::query_as(UNCLOSED).bind(project_id).bind(DAYS_AT_ONCE);
        self.each_day(CLOSE, unclosed.fetch_all(&self.pool).await?, project_id, Some(now))
            .await
    }

    async fn each_day(
        &self,
        statement: &'static str,
        days: Vec<(String, i64)>,
        project_id: i32,
        now: Option<Timestamp>,
    ) -> Result<u64, StoreError> {
        for (day, counted) in &days {
            let mut one = sqlx::query(statement).bind(project_id).bind(day).bind(counted);
            if let Some(now) = now {
                one = one.bind(PgTime(now));
            }
            one.execute(&self.pool).await?;
        }
        Ok(days.len() as u64)
    }

    /// What a project used, oldest day first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn usage(&self, project_id: i32, from: Timestamp, to: Timestamp) -> Result<Vec<UsageDay>, StoreError> {
        let read = sqlx::query_as(DAYS)
            .bind(project_id)
            .bind(PgTime(from))
            .bind(PgTime(to));
        Ok(read.fetch_all(&self.pool).await?)
    }
}
