//! Person properties: a register per identity and key. `set` keeps the last writer by (timestamp, event id), `set_once`
//! the first, so every arrival order and repetition ends in the same values.

use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid};

use super::error::StoreError;
use super::pg_time::PgTime;
use super::rows::Row;

/// One event's values for the registers of one identity.
struct Values<'a> {
    project_id: i32,
    identity_id: i64,
    at: Timestamp,
    event_id: Uuid,
    json: &'a str,
}

/// Writes the registers that `rows` set. Ordered by key, so that two writers wait for each other instead of deadlocking.
pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    write(
        connection,
        SET,
        rows.iter().filter_map(|row| values(row, row.pending.event.set)),
    )
    .await?;
    write(
        connection,
        SET_ONCE,
        rows.iter().filter_map(|row| values(row, row.pending.event.set_once)),
    )
    .await
}

fn values<'a>(row: &Row<'a>, json: Option<&'a str>) -> Option<Values<'a>> {
    Some(Values {
        project_id: row.project_id(),
        identity_id: row.identity(),
        at: row.pending.event.timestamp,
        event_id: row.pending.event.id,
        json: json?,
    })
}

const SET: &str = "
    INSERT INTO person_properties AS p (project_id, identity_id, key, op, at, event_id, value)
    SELECT DISTINCT ON (project_id, identity_id, key COLLATE \"C\")
           project_id, identity_id, key, 'set', at, event_id, value
    FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[])
         AS event (project_id, identity_id, at, event_id, json)
    CROSS JOIN LATERAL jsonb_each(json::jsonb) AS property (key, value)
    ORDER BY project_id, identity_id, key COLLATE \"C\", at DESC, event_id DESC
    ON CONFLICT (project_id, identity_id, key, op) DO UPDATE
    SET at = excluded.at, event_id = excluded.event_id, value = excluded.value
    WHERE (excluded.at, excluded.event_id) > (p.at, p.event_id)";

const SET_ONCE: &str = "
    INSERT INTO person_properties AS p (project_id, identity_id, key, op, at, event_id, value)
    SELECT DISTINCT ON (project_id, identity_id, key COLLATE \"C\")
           project_id, identity_id, key, 'set_once', at, event_id, value
    FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[])
         AS event (project_id, identity_id, at, event_id, json)
    CROSS JOIN LATERAL jsonb_each(json::jsonb) AS property (key, value)
    ORDER BY project_id, identity_id, key COLLATE \"C\", at, event_id
    ON CONFLICT (project_id, identity_id, key, op) DO UPDATE
    SET at = excluded.at, event_id = excluded.event_id, value = excluded.value
    WHERE (excluded.at, excluded.event_id) < (p.at, p.event_id)";

async fn write<'a>(
    connection: &mut PgConnection,
    statement: &'static str,
    values: impl Iterator<Item = Values<'a>>,
) -> Result<(), StoreError> {
    let values: Vec<Values<'_>> = values.collect();
    if values.is_empty() {
        return Ok(());
    }
    sqlx::query(statement)
        .bind(values.iter().map(|value| value.project_id).collect::<Vec<_>>())
        .bind(values.iter().map(|value| value.identity_id).collect::<Vec<_>>())
        .bind(values.iter().map(|value| PgTime(value.at)).collect::<Vec<_>>())
        .bind(values.iter().map(|value| value.event_id).collect::<Vec<_>>())
        .bind(values.iter().map(|value| value.json).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
