//! Dead letters: accepted events that the database refused, kept whole.

use bytes::Bytes;
use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::group::{Dead, Group};
use super::pg_time::PgTime;
use super::write::Written;

/// An accepted event that the database refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its project; 0 if the payload cannot be read.
    pub project_id: i32,
    /// The event; if the payload cannot be read, the first 16 bytes of its SHA-256.
    pub event_id: Uuid,
    /// The database's error code, if it was the database that refused.
    pub sqlstate: Option<String>,
    /// A stable word.
    pub reason: String,
    /// The error for people.
    pub detail: String,
    /// A journal payload that holds this event alone, or the unreadable payload.
    pub payload: Vec<u8>,
    /// When the server received it.
    pub received_at: Option<Timestamp>,
    /// When it was last refused.
    pub failed_at: Timestamp,
    /// When a replay stored it.
    pub replayed_at: Option<Timestamp>,
}

/// What became of a replay.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Now stored.
    pub stored: u64,
    /// Were stored already.
    pub duplicates: u64,
    /// Refused again; still dead letters.
    pub refused: u64,
}

type Row = (
    i32,
    Uuid,
    Option<String>,
    String,
    String,
    Vec<u8>,
    Option<PgTime>,
    PgTime,
    Option<PgTime>,
);

impl From<Row> for DeadLetter {
    fn from(
        (project_id, event_id, sqlstate, reason, detail, payload, received_at, failed_at, replayed_at): Row,
    ) -> Self {
        Self {
            project_id,
            event_id,
            sqlstate,
            reason,
            detail,
            payload,
            received_at: received_at.map(|at| at.0),
            failed_at: failed_at.0,
            replayed_at: replayed_at.map(|at| at.0),
        }
    }
}

impl Store {
    /// Dead letters that no replay has stored, of one project or of all, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn list_dead_letters(&self, project_id: Option<i32>, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT project_id, event_id, sqlstate, reason, detail, payload, received_at, failed_at, replayed_at
             FROM dead_letters WHERE ($1::integer IS NULL OR project_id = $1) AND replayed_at IS NULL
             ORDER BY failed_at, project_id, event_id LIMIT $2",
        )
        .bind(project_id)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(DeadLetter::from).collect())
    }

    /// Tries to store dead letters again: of one project or of all, one event or all that wait. Each is a write of its own.
    ///
    /// # Errors
    /// What stands in the way; what was replayed before stays replayed.
    pub async fn replay_dead_letters(
        &self,
        project_id: Option<i32>,
        event_id: Option<Uuid>,
    ) -> Result<Replayed, StoreError> {
        let waiting: Vec<(i32, Uuid, Vec<u8>)> = sqlx::query_as(
            "SELECT project_id, event_id, payload FROM dead_letters
             WHERE ($1::integer IS NULL OR project_id = $1) AND ($2::uuid IS NULL OR event_id = $2)
               AND replayed_at IS NULL ORDER BY failed_at, project_id, event_id",
        )
        .bind(project_id)
        .bind(event_id)
        .fetch_all(&self.pool)
        .await?;
        let mut replayed = Replayed::default();
        for (project_id, event_id, payload) in waiting {
            replayed.add(self.replay(project_id, event_id, payload.into()).await?);
        }
        Ok(replayed)
    }

    async fn replay(&self, project_id: i32, event_id: Uuid, payload: Bytes) -> Result<Written, StoreError> {
        let payloads = [payload];
        let written = self.store(Group::read(&payloads), None).await?;
        if written.erased > 0 {
            sqlx::query("DELETE FROM dead_letters WHERE project_id = $1 AND event_id = $2")
                .bind(project_id)
                .bind(event_id)
                .execute(&self.pool)
                .await?;
        } else if written.dead == 0 {
            sqlx::query("UPDATE dead_letters SET replayed_at = now() WHERE project_id = $1 AND event_id = $2")
                .bind(project_id)
                .bind(event_id)
                .execute(&self.pool)
                .await?;
        }
        Ok(written)
    }
}

impl Replayed {
    fn add(&mut self, written: Written) {
        self.stored += written.stored;
        self.duplicates += written.duplicates;
        self.refused += written.dead;
    }
}

/// Keeps dead letters. One that is there already says from now on why it was refused last.
pub(super) async fn keep(connection: &mut PgConnection, dead: &[Dead]) -> Result<(), StoreError> {
    for letter in dead {
        sqlx::query(
            "INSERT INTO dead_letters (project_id, event_id, sqlstate, reason, detail, payload, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (project_id, event_id) DO UPDATE
             SET sqlstate = excluded.sqlstate, reason = excluded.reason, detail = excluded.detail,
                 payload = excluded.payload, received_at = excluded.received_at, failed_at = now(), replayed_at = NULL",
        )
        .bind(letter.project_id)
        .bind(letter.event_id)
        .bind(&letter.sqlstate)
        .bind(letter.reason)
        .bind(&letter.detail)
        .bind(letter.payload.as_ref())
        .bind(letter.received_at.map(PgTime))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
