//! How many events of each install are stored: counted with the rows, in their transaction, so that the number is that of
//! the rows whatever comes twice, is replayed or fails, and stays when retention takes the rows away.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::claims::Claimed;
use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::rows::Row;

/// Whose events, and how many more or fewer.
type Changes<'a> = BTreeMap<(i32, &'a str), i64>;

/// What installs of one release captured and lost.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Loss {
    /// The version of the app; none if it does not say.
    pub release: Option<String>,
    /// Events ever captured.
    pub captured: i64,
    /// Events of these that are nowhere.
    pub lost: i64,
}

/// Rows come in the order of their keys, so that two writers wait for each other instead of deadlocking.
const ADD: &str = "
    INSERT INTO installs_stored AS s (project_id, install_id, stored)
    SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[])
    ON CONFLICT (project_id, install_id) DO UPDATE SET stored = s.stored + excluded.stored";

/// Reads all of the project's installs: no index has `last_seen_at`, for then every batch of every install would write into
/// it (`installs` is updated in place, see its migration). Of 20,000 installs, all heard of, it takes 17 ms, measured.
/// Sums of strangers' numbers are cut to 64 bits.
const LOSS: &str = "
    SELECT release, least(sum(captured), 9223372036854775807)::bigint AS captured,
           least(sum(greatest(0, captured - queued - dropped_total - COALESCE(erased.events, 0) - COALESCE(stored, 0))),
                 9223372036854775807)::bigint AS lost
    FROM installs LEFT JOIN installs_stored USING (project_id, install_id)
    LEFT JOIN erased_by_install erased USING (project_id, install_id)
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(value::bigint), 0)::bigint AS dropped_total FROM jsonb_each_text(dropped)) d
    WHERE project_id = $1 AND last_seen_at >= $2
    GROUP BY release ORDER BY lost DESC, captured DESC, release COLLATE \"C\"";

/// Counts rows that were just stored, and those that were just claimed.
pub(super) async fn count(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
    claimed: &[Claimed],
) -> Result<(), StoreError> {
    let mut changes = Changes::new();
    for row in rows {
        if let Some(install) = row.pending.head.install_id {
            *changes.entry((row.project_id(), install)).or_default() += 1;
        }
    }
    for (project_id, install, events) in claimed {
        *changes.entry((*project_id, install)).or_default() += events;
    }
    add(connection, &changes).await
}

/// Takes rows off that are just erased: so many of each install.
pub(super) async fn take_off(
    connection: &mut PgConnection,
    project_id: i32,
    gone: &BTreeMap<&str, i64>,
) -> Result<(), StoreError> {
    let changes = gone.iter().map(|(install, events)| ((project_id, *install), -*events));
    add(connection, &changes.collect()).await
}

async fn add(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    sqlx::query(ADD)
        .bind(changes.keys().map(|key| key.0).collect::<Vec<_>>())
        .bind(changes.keys().map(|key| key.1).collect::<Vec<_>>())
        .bind(changes.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// What the installs that were heard of since `since` captured and lost, by release, those that lost most first.
///
/// # Errors
/// What stands in the way.
pub async fn loss(store: &Store, project_id: i32, since: Timestamp) -> Result<Vec<Loss>, StoreError> {
    let releases = sqlx::query_as(LOSS).bind(project_id).bind(PgTime(since));
    Ok(releases.fetch_all(&store.pool).await?)
}
