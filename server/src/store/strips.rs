//! The last hour, minute by minute, as the first screen shows it.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::endpoints_read;
use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::latency::{Source, Span};

/// Events of each minute, and those of them that are errors: from `$2` on, one row for each of `$3` minutes.
const EVENTS: &str = "
    SELECT COALESCE(sum(m.events), 0)::bigint,
           COALESCE(sum(m.events) FILTER (WHERE n.name = '$exception'), 0)::bigint
    FROM generate_series(0, $3::integer - 1) AS step
    LEFT JOIN event_minutes m ON m.project_id = $1 AND m.minute = $2::timestamptz + step * interval '1 minute'
    LEFT JOIN event_names n ON n.project_id = $1 AND n.id = m.event_name_id
    GROUP BY step ORDER BY step";

/// Checks of monitors in each minute, and those of them that went well.
const CHECKS: &str = "
    SELECT COALESCE(sum(c.checks), 0)::bigint, COALESCE(sum(c.checks - c.failures), 0)::bigint
    FROM generate_series(0, $3::integer - 1) AS step
    LEFT JOIN monitors m ON m.project_id = $1
    LEFT JOIN monitor_checks c ON c.project_id = $1 AND c.monitor_id = m.id
        AND c.minute = $2::timestamptz + step * interval '1 minute'
    GROUP BY step ORDER BY step";

const MINUTE_MICROS: i64 = 60_000_000;

impl Store {
    /// Checks of monitors, and those that went well, in each of `minutes` minutes from `from` on.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check_strip(
        &self,
        project_id: i32,
        from: Timestamp,
        minutes: i32,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let read = sqlx::query_as(CHECKS).bind(project_id).bind(PgTime(from)).bind(minutes);
        Ok(read.fetch_all(&self.pool).await?)
    }

    /// What 95 % of the requests of each minute stayed below, in microseconds; `None` of one without. Where several tell of
    /// requests, those who stand nearest to the fault count: the same request may be told by all of them.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn p95_strip(
        &self,
        project_id: i32,
        from: Timestamp,
        minutes: i32,
    ) -> Result<Vec<Option<u64>>, StoreError> {
        let to = from.plus_micros(i64::from(minutes) * MINUTE_MICROS);
        let mut connection = self.pool.acquire().await?;
        let told = endpoints_read::strip(&mut connection, project_id, (Span::Minute, from, to), MINUTE_MICROS).await?;
        let nearest = Source::ALL
            .into_iter()
            .find(|source| told.iter().any(|(told, ..)| told == source));
        let mut strip = vec![None; usize::try_from(minutes).unwrap_or_default()];
        for (source, at, tally) in &told {
            let place = usize::try_from((at.micros() - from.micros()) / MINUTE_MICROS).unwrap_or(usize::MAX);
            if let (true, Some(minute)) = (Some(*source) == nearest, strip.get_mut(place)) {
                *minute = tally.percentile(0.95);
            }
        }
        Ok(strip)
    }

    /// Events and errors of each of `minutes` minutes from `from` on, which is a whole minute.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn event_strip(
        &self,
        project_id: i32,
        from: Timestamp,
        minutes: i32,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let read = sqlx::query_as(EVENTS).bind(project_id).bind(PgTime(from)).bind(minutes);
        Ok(read.fetch_all(&self.pool).await?)
    }
}
