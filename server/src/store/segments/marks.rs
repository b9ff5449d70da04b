//! Late marks: what the writer notes of events that come when their time is closed already.

use std::collections::HashMap;

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::rows::Row;

/// What is late, of each project that has segments: what happened before.
#[derive(Debug, Default)]
pub(in crate::store) struct Closed(HashMap<i32, Timestamp>);

impl FromIterator<(i32, Timestamp)> for Closed {
    fn from_iter<I: IntoIterator<Item = (i32, Timestamp)>>(closed: I) -> Self {
        Self(closed.into_iter().collect())
    }
}

impl Closed {
    fn is_late(&self, row: &Row<'_>) -> bool {
        let closed_before = self.0.get(&row.project_id());
        closed_before.is_some_and(|before| row.pending.event.timestamp < *before)
    }
}

/// A row is new here, so a mark that is there already outlived its row, which somebody removed by hand.
const MARK: &str = "
    INSERT INTO late_events (project_id, event_name_id, timestamp, event_id, identity_id, seq)
    SELECT * FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::bigint[])
    ON CONFLICT (project_id, event_name_id, timestamp, event_id)
    DO UPDATE SET identity_id = excluded.identity_id, seq = excluded.seq";

/// Marks the late ones of rows that were just stored.
pub(in crate::store) async fn mark(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
    closed: &Closed,
) -> Result<(), StoreError> {
    let late: Vec<&Row<'_>> = rows.iter().filter(|row| closed.is_late(row)).collect();
    if late.is_empty() {
        return Ok(());
    }
    sqlx::query(MARK)
        .bind(late.iter().map(|row| row.project_id()).collect::<Vec<_>>())
        .bind(late.iter().map(|row| row.name_id()).collect::<Vec<_>>())
        .bind(
            late.iter()
                .map(|row| PgTime(row.pending.event.timestamp))
                .collect::<Vec<_>>(),
        )
        .bind(late.iter().map(|row| row.pending.event.id).collect::<Vec<_>>())
        .bind(late.iter().map(|row| row.identity()).collect::<Vec<_>>())
        .bind(late.iter().map(|row| row.pending.event.seq).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
