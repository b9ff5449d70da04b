//! Accepted events that came too late, for somebody whom they name was erased after they were captured: dropped, and
//! counted for their install, so that nobody takes them for lost.

use sqlx::PgConnection;

use super::error::StoreError;
use super::group::Late;

/// Counts each event once, however often it comes. Ordered, so that two writers wait for each other instead of deadlocking.
const COUNT: &str = "
    WITH fresh AS (
        INSERT INTO erased_events (project_id, event_id)
        SELECT project_id, event_id FROM unnest($1::integer[], $2::uuid[]) AS late (project_id, event_id) ORDER BY 1, 2
        ON CONFLICT (project_id, event_id) DO NOTHING
        RETURNING project_id, event_id),
    counted AS (
        SELECT project_id, install_id, count(*) AS events
        FROM fresh JOIN unnest($1::integer[], $2::uuid[], $3::text[]) AS late (project_id, event_id, install_id)
                   USING (project_id, event_id)
        WHERE install_id IS NOT NULL GROUP BY 1, 2),
    kept AS (
        INSERT INTO erased_by_install AS e (project_id, install_id, events)
        SELECT project_id, install_id, events FROM counted ORDER BY project_id, install_id COLLATE \"C\"
        ON CONFLICT (project_id, install_id) DO UPDATE SET events = e.events + excluded.events)
    SELECT count(*) FROM fresh";

/// Counts events that are dropped. Returns how many were not before.
pub(super) async fn count(connection: &mut PgConnection, late: &[Late]) -> Result<u64, StoreError> {
    if late.is_empty() {
        return Ok(0);
    }
    let fresh: i64 = sqlx::query_scalar(COUNT)
        .bind(late.iter().map(|late| late.project_id).collect::<Vec<_>>())
        .bind(late.iter().map(|late| late.event_id).collect::<Vec<_>>())
        .bind(late.iter().map(|late| late.install_id.as_deref()).collect::<Vec<_>>())
        .fetch_one(connection)
        .await?;
    Ok(fresh.cast_unsigned())
}
