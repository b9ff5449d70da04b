//! What the writer notes for those who look at events in the background, and how the notes are taken up: each once, in one
//! transaction with all that follows from it.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use trailmark_protocol::{Uuid, names};

use super::connect::Store;
use super::error::{ErrorClass, StoreError};
use super::event_counts::{self, Count};
use super::pg_time::PgTime;
use super::rows::Row;
use super::{endpoints, issues};

/// Most notes taken up in one transaction: 50. Each is of one write, which is at most some 5,000 events.
const NOTES_AT_ONCE: i64 = 50;

/// Most events that are handed on at once: 2,000, at 4 KB each some 8 MB.
const EVENTS_AT_ONCE: usize = 2_000;

/// How often taking up a note may fail before it is left alone (`notes_waiting` in the schema).
pub const ATTEMPTS: i16 = 5;

const MINUTE_MICROS: i64 = 60_000_000;

/// An event that is looked at in the background, as it was stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Observed {
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub timestamp: PgTime,
    /// When the server received it.
    pub received_at: PgTime,
    /// Whose it is.
    pub identity_id: i64,
    /// What is known about it.
    pub properties: Option<Json<Value>>,
    /// The circumstances.
    pub context: Option<Json<Value>>,
}

/// A note for each project, of flat lists: an array of arrays has to be rectangular, and these are not.
const LEAVE: &str = "
    INSERT INTO notes (project_id, names, minutes, counts, exceptions, requests)
    SELECT project, array_agg(name), array_agg(minute), array_agg(n),
           ARRAY(SELECT e.id FROM unnest($5::integer[], $6::uuid[]) AS e (project, id) WHERE e.project = counted.project),
           ARRAY(SELECT r.id FROM unnest($7::integer[], $8::uuid[]) AS r (project, id) WHERE r.project = counted.project)
    FROM unnest($1::integer[], $2::integer[], $3::bigint[], $4::integer[]) AS counted (project, name, minute, n)
    GROUP BY project";

/// Locked, so that each is taken up by one; what another server has locked is passed over.
const TAKE: &str = "
    SELECT project_id, id, names, minutes, counts, exceptions, requests FROM notes
    WHERE attempts < 5 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED";

const DONE: &str = "
    DELETE FROM notes USING unnest($1::integer[], $2::bigint[]) AS done (project_id, id)
    WHERE notes.project_id = done.project_id AND notes.id = done.id";

/// In the order of their ids, which is about that of their time.
const OBSERVED: &str = "
    SELECT id, timestamp, received_at, identity_id, properties, context FROM events
    WHERE project_id = $1 AND id = ANY ($2) ORDER BY id";

const FAILED: &str = "UPDATE notes SET attempts = attempts + 1, error = $3 WHERE project_id = $1 AND id = $2";

#[derive(Debug, sqlx::FromRow)]
struct Note {
    project_id: i32,
    id: i64,
    names: Vec<i32>,
    minutes: Vec<i64>,
    counts: Vec<i32>,
    exceptions: Vec<Uuid>,
    requests: Vec<Uuid>,
}

impl Note {
    fn counted(&self) -> Vec<Count> {
        let each = self.names.iter().zip(&self.minutes).zip(&self.counts);
        let count = |((name, minute), events): ((&i32, &i64), &i32)| Count {
            name: *name,
            minute: *minute,
            events: i64::from(*events),
        };
        each.map(count).collect()
    }
}

/// Leaves a note about rows that were just stored.
pub(super) async fn leave(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut counted = BTreeMap::<(i32, i32, i64), i32>::new();
    let (mut exceptions, mut requests) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for row in rows {
        let event = &row.pending.event;
        let minute = event.timestamp.micros().div_euclid(MINUTE_MICROS);
        *counted.entry((row.project_id(), row.name_id(), minute)).or_default() += 1;
        let noted = match event.name {
            names::EXCEPTION => &mut exceptions,
            names::REQUEST => &mut requests,
            _ => continue,
        };
        noted.0.push(row.project_id());
        noted.1.push(event.id);
    }
    sqlx::query(LEAVE)
        .bind(counted.keys().map(|key| key.0).collect::<Vec<_>>())
        .bind(counted.keys().map(|key| key.1).collect::<Vec<_>>())
        .bind(counted.keys().map(|key| key.2).collect::<Vec<_>>())
        .bind(counted.values().copied().collect::<Vec<_>>())
        .bind(exceptions.0)
        .bind(exceptions.1)
        .bind(requests.0)
        .bind(requests.1)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Takes up notes that wait, oldest first; returns how many. Several servers may do so at once. A note that cannot be
    /// taken up is tried alone, [`ATTEMPTS`] times, and holds up no other.
    ///
    /// # Errors
    /// What stands in the way of all of them.
    pub async fn take_up_notes(&self) -> Result<u64, StoreError> {
        match self.take_up(NOTES_AT_ONCE).await {
            Err(error) if is_of_a_note(&error) => self.take_up_one_by_one().await,
            taken => taken,
        }
    }

    async fn take_up(&self, limit: i64) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let notes: Vec<Note> = sqlx::query_as(TAKE).bind(limit).fetch_all(&mut *transaction).await?;
        if let Err(error) = take_up(&mut transaction, &notes).await {
            // Dropped, it would hold its locks until the pool gets round to it, and what comes next would pass all notes over.
            transaction.rollback().await?;
            return Err(error);
        }
        transaction.commit().await?;
        Ok(notes.len() as u64)
    }

    async fn take_up_one_by_one(&self) -> Result<u64, StoreError> {
        let mut taken = 0;
        for _ in 0..NOTES_AT_ONCE {
            let mut transaction = self.pool.begin().await?;
            let notes: Vec<Note> = sqlx::query_as(TAKE).bind(1_i64).fetch_all(&mut *transaction).await?;
            let Some(note) = notes.first() else { break };
            sqlx::query("SAVEPOINT note").execute(&mut *transaction).await?;
            match take_up(&mut transaction, &notes).await {
                Ok(()) => taken += 1,
                Err(error) if is_of_a_note(&error) => {
                    sqlx::query("ROLLBACK TO note").execute(&mut *transaction).await?;
                    tracing::warn!(project = note.project_id, note = note.id, %error, "a note cannot be taken up");
                    let failed = sqlx::query(FAILED).bind(note.project_id).bind(note.id);
                    failed.bind(error.to_string()).execute(&mut *transaction).await?;
                }
                Err(error) => return Err(error),
            }
            transaction.commit().await?;
        }
        Ok(taken)
    }

    /// How many notes wait, and how many were given up.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn notes_left(&self) -> Result<(i64, i64), StoreError> {
        let counted = "SELECT count(*) FILTER (WHERE attempts < 5), count(*) FILTER (WHERE attempts >= 5) FROM notes";
        Ok(sqlx::query_as(counted).fetch_one(&self.pool).await?)
    }
}

/// Whether a note is to blame, and not the database.
fn is_of_a_note(error: &StoreError) -> bool {
    matches!(error.class(), ErrorClass::Data | ErrorClass::Bug)
}

/// Takes up locked notes, project by project: in one order everywhere, so that two servers cannot wait for each other.
async fn take_up(connection: &mut PgConnection, notes: &[Note]) -> Result<(), StoreError> {
    let mut by_project = BTreeMap::<i32, Vec<&Note>>::new();
    for note in notes {
        by_project.entry(note.project_id).or_default().push(note);
    }
    for (project_id, notes) in by_project {
        event_counts::add(
            connection,
            project_id,
            notes.iter().flat_map(|note| note.counted()).collect(),
        )
        .await?;
        let exceptions: Vec<Uuid> = notes.iter().flat_map(|note| &note.exceptions).copied().collect();
        for some in exceptions.chunks(EVENTS_AT_ONCE) {
            let events = observed(connection, project_id, some).await?;
            issues::fold(connection, project_id, &events).await?;
        }
        let requests: Vec<Uuid> = notes.iter().flat_map(|note| &note.requests).copied().collect();
        for some in requests.chunks(EVENTS_AT_ONCE) {
            let events = observed(connection, project_id, some).await?;
            endpoints::fold(connection, project_id, &events).await?;
        }
    }
    let (projects, ids): (Vec<i32>, Vec<i64>) = notes.iter().map(|note| (note.project_id, note.id)).unzip();
    sqlx::query(DONE).bind(projects).bind(ids).execute(connection).await?;
    Ok(())
}

/// Events as they are stored now: those that were erased in the meantime are not there.
async fn observed(connection: &mut PgConnection, project_id: i32, ids: &[Uuid]) -> Result<Vec<Observed>, StoreError> {
    let read = sqlx::query_as(OBSERVED).bind(project_id).bind(ids);
    Ok(read.fetch_all(connection).await?)
}
