//! `$erase` events: a person asks to be erased. They come with a write key, which is public, and name ids, of which a
//! user_id can be guessed: whoever could erase with one event could erase anybody. So a request is kept, and an operator
//! with a secret key decides.

use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid, names};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::rows::Row;

/// A request that waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRequest {
    /// The `$erase` event.
    pub event_id: Uuid,
    /// When the server received it.
    pub requested_at: Timestamp,
    /// The device that it came from.
    pub anonymous_id: Option<String>,
    /// The user that it claims to come from.
    pub user_id: Option<String>,
    /// Whether the device had identified as this user (or its person) before: then the claim has something behind it.
    pub same_person: bool,
    /// How many ids the persons of the two have.
    pub identities: i64,
}

const KEEP: &str = "
    INSERT INTO erasure_requests (project_id, event_id, requested_at, device_identity_id, user_identity_id)
    SELECT * FROM unnest($1::integer[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[])
    ON CONFLICT (project_id, event_id) DO NOTHING";

/// Keeps the requests among `rows`.
pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let rows: Vec<&Row<'_>> = rows
        .iter()
        .filter(|row| row.pending.event.name == names::ERASE)
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(KEEP)
        .bind(rows.iter().map(|row| row.project_id()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.pending.event.id).collect::<Vec<_>>())
        .bind(
            rows.iter()
                .map(|row| PgTime(row.pending.head.received_at))
                .collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|row| row.device).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.user).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// A device has at most one person, a user too; both are gone once they were erased.
const PENDING: &str = "
    SELECT r.event_id, r.requested_at, device.external_id, whose.external_id,
           COALESCE(device.person_id = whose.person_id, false),
           (SELECT count(*) FROM identities i WHERE i.project_id = r.project_id
              AND i.person_id IN (device.person_id, whose.person_id))
    FROM erasure_requests r
    LEFT JOIN identities device ON device.project_id = r.project_id AND device.id = r.device_identity_id
    LEFT JOIN identities whose ON whose.project_id = r.project_id AND whose.id = r.user_identity_id
    WHERE r.project_id = $1 AND r.dismissed_at IS NULL AND r.erasure_id IS NULL
    ORDER BY r.requested_at, r.event_id LIMIT $2";

type PendingRow = (Uuid, PgTime, Option<String>, Option<String>, bool, i64);

impl Store {
    /// Requests that wait, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn erasure_requests(&self, project_id: i32, limit: i64) -> Result<Vec<ErasureRequest>, StoreError> {
        let rows: Vec<PendingRow> = sqlx::query_as(PENDING)
            .bind(project_id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let request = |(event_id, at, anonymous_id, user_id, same_person, identities): PendingRow| ErasureRequest {
            event_id,
            requested_at: at.0,
            anonymous_id,
            user_id,
            same_person,
            identities,
        };
        Ok(rows.into_iter().map(request).collect())
    }

    /// Decides against a request. False if there is none that waits.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn dismiss_erasure(&self, project_id: i32, event_id: Uuid) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE erasure_requests SET dismissed_at = now()
             WHERE project_id = $1 AND event_id = $2 AND dismissed_at IS NULL AND erasure_id IS NULL",
        )
        .bind(project_id)
        .bind(event_id)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
