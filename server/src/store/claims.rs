//! Events that came from no install, and come again from one. A page whose engine has not come yet sends what it has under
//! no name, for then nobody counts it; if it never hears that this went well, an install counts and sends it later, and what
//! it counts must be found stored.

use sqlx::PgConnection;

use super::error::StoreError;
use super::rows::Row;

/// So many events of a project are now this install's.
pub(super) type Claimed = (i32, String, i64);

/// Rows are locked in the order of their ids, so that two writers wait for each other instead of deadlocking. Which install
/// an event is of is not in the segments: they stay as they are.
const CLAIM: &str = "
    WITH unowned AS MATERIALIZED (
        SELECT e.project_id, e.id, claim.install_id
        FROM unnest($1::integer[], $2::uuid[], $3::text[]) AS claim (project_id, id, install_id)
        JOIN events e USING (project_id, id)
        WHERE e.id BETWEEN $4 AND $5 AND e.install_id IS NULL
        ORDER BY e.id, e.project_id FOR UPDATE OF e),
    claimed AS (
        UPDATE events e SET install_id = unowned.install_id FROM unowned
        WHERE e.project_id = unowned.project_id AND e.id = unowned.id AND e.id BETWEEN $4 AND $5
        RETURNING e.project_id, e.install_id)
    SELECT project_id, install_id, count(*) FROM claimed GROUP BY 1, 2";

/// Writes down whose the stored events are that `rows`, in the order of their ids, bring again. What somebody else has
/// claimed meanwhile is theirs.
pub(super) async fn claim(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<Vec<Claimed>, StoreError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(Vec::new());
    };
    let installs = rows.iter().map(|row| row.pending.head.install_id);
    Ok(sqlx::query_as(CLAIM)
        .bind(rows.iter().map(Row::project_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.pending.event.id).collect::<Vec<_>>())
        .bind(installs.collect::<Vec<_>>())
        .bind(first.pending.event.id)
        .bind(last.pending.event.id)
        .fetch_all(connection)
        .await?)
}
