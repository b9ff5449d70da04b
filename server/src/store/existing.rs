//! Which events are stored already.

use std::collections::{BTreeMap, HashSet};

use sqlx::PgConnection;
use trailmark_protocol::Uuid;

use super::error::{ErrorClass, StoreError};
use super::rows::Row;

/// Leaves out the rows that are in the table and returns how many there were. `refusal` is why they are looked for.
///
/// # Errors
/// Finding none means that what the key refused is gone again (a server that stored the same events rolled back):
/// then the refusal itself comes back, as transient.
pub(super) async fn leave_out(
    connection: &mut PgConnection,
    rows: &mut Vec<Row<'_>>,
    refusal: StoreError,
) -> Result<u64, StoreError> {
    let before = rows.len();
    let existing = find(connection, rows).await?;
    rows.retain(|row| !existing.contains(&row.pending.key()));
    match (before - rows.len(), refusal) {
        (0, StoreError::Sql { source, .. }) => Err(StoreError::Sql {
            class: ErrorClass::Transient,
            source,
        }),
        (left_out, _) => Ok(left_out as u64),
    }
}

async fn find(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<HashSet<(Uuid, i32)>, StoreError> {
    let mut wanted = BTreeMap::<i32, Vec<Uuid>>::new();
    for row in rows {
        wanted.entry(row.project_id()).or_default().push(row.pending.event.id);
    }
    let mut existing = HashSet::new();
    for (project_id, ids) in wanted {
        existing.extend(
            find_ids(connection, project_id, &ids)
                .await?
                .into_iter()
                .map(|id| (id, project_id)),
        );
    }
    Ok(existing)
}

/// `ids` are sorted: the first and the last say which partitions are looked at.
async fn find_ids(connection: &mut PgConnection, project_id: i32, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let found =
        sqlx::query_scalar("SELECT id FROM events WHERE project_id = $1 AND id = ANY($2) AND id BETWEEN $3 AND $4")
            .bind(project_id)
            .bind(ids)
            .bind(ids.first())
            .bind(ids.last())
            .fetch_all(connection)
            .await?;
    Ok(found)
}
