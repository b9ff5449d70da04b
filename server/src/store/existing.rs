//! Which events are stored already.

use std::collections::{BTreeMap, HashMap};

use sqlx::PgConnection;
use trailmark_protocol::Uuid;

use super::error::{ErrorClass, StoreError};
use super::rows::Row;

/// What was left out.
#[derive(Debug, Default)]
pub(super) struct LeftOut<'a> {
    /// So many.
    pub(super) count: u64,
    /// Those of them that are of an install, where what is stored is of none.
    pub(super) claims: Vec<Row<'a>>,
}

/// Leaves out the rows that are in the table. `refusal` is why they are looked for.
///
/// # Errors
/// Finding none means that what the key refused is gone again (a server that stored the same events rolled back):
/// then the refusal itself comes back, as transient.
pub(super) async fn leave_out<'a>(
    connection: &mut PgConnection,
    rows: &mut Vec<Row<'a>>,
    refusal: StoreError,
) -> Result<LeftOut<'a>, StoreError> {
    let existing = find(connection, rows).await?;
    let mut left_out = LeftOut::default();
    for row in rows.extract_if(.., |row| existing.contains_key(&row.pending.key())) {
        left_out.count += 1;
        if row.pending.head.install_id.is_some() && existing[&row.pending.key()] {
            left_out.claims.push(row);
        }
    }
    match (left_out.count, refusal) {
        (0, StoreError::Sql { source, .. }) => Err(StoreError::Sql {
            class: ErrorClass::Transient,
            source,
        }),
        _ => Ok(left_out),
    }
}

/// The rows that are in the table, and whether they are of no install.
async fn find(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<HashMap<(Uuid, i32), bool>, StoreError> {
    let mut wanted = BTreeMap::<i32, Vec<Uuid>>::new();
    for row in rows {
        wanted.entry(row.project_id()).or_default().push(row.pending.event.id);
    }
    let mut existing = HashMap::new();
    for (project_id, ids) in wanted {
        existing.extend(
            find_ids(connection, project_id, &ids)
                .await?
                .into_iter()
                .map(|(id, unowned)| ((id, project_id), unowned)),
        );
    }
    Ok(existing)
}

/// `ids` are sorted: the first and the last say which partitions are looked at.
async fn find_ids(
    connection: &mut PgConnection,
    project_id: i32,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, bool)>, StoreError> {
    let found = sqlx::query_as(
        "SELECT id, install_id IS NULL FROM events WHERE project_id = $1 AND id = ANY($2) AND id BETWEEN $3 AND $4",
    )
    .bind(project_id)
    .bind(ids)
    .bind(ids.first())
    .bind(ids.last())
    .fetch_all(connection)
    .await?;
    Ok(found)
}
