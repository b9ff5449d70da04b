//! The last hour, minute by minute, as the first screen shows it.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// Events of each minute, and those of them that are errors: from `$2` on, one row for each of `$3` minutes.
const EVENTS: &str = "
    SELECT COALESCE(sum(m.events), 0)::bigint,
           COALESCE(sum(m.events) FILTER (WHERE n.name = '$exception'), 0)::bigint
    FROM generate_series(0, $3::integer - 1) AS step
    LEFT JOIN event_minutes m ON m.project_id = $1 AND m.minute = $2::timestamptz + step * interval '1 minute'
    LEFT JOIN event_names n ON n.project_id = $1 AND n.id = m.event_name_id
    GROUP BY step ORDER BY step";

impl Store {
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
