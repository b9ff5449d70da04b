//! Erasing a person. First, in one transaction that keeps the project's writers out: the identities and how they are
//! connected go, and tombstones come. From then on nobody finds the person, and nothing of it is stored again. Then its
//! events, properties and dead letters go, in steps that hold up nobody; after a crash any server takes up where it was.

use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::tombstones::ERASURES_LOCK;
use crate::identity::erasure::{IdKind, id_hash};

/// An erasure, and how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Its number within the project's.
    pub id: i64,
    /// What its ids did before this time is refused.
    pub erased_at: Timestamp,
    /// When the last of its events was gone.
    pub done_at: Option<Timestamp>,
    /// Events removed so far.
    pub events: i64,
    /// Identities removed.
    pub identities: i64,
    /// Links removed.
    pub links: i64,
    /// Aliases removed.
    pub aliases: i64,
    /// Properties removed so far.
    pub properties: i64,
    /// Dead letters removed so far.
    pub dead_letters: i64,
}

/// Who is to be erased.
#[derive(Debug, Clone, Copy)]
enum Who<'a> {
    /// The person behind a user_id or anonymous_id; the user_id wins.
    Id(&'a str),
    /// The person of an identity.
    Identity(i64),
}

type Row = (i64, PgTime, Option<PgTime>, i64, i64, i64, i64, i64, i64);

impl From<Row> for Erasure {
    fn from((id, erased_at, done_at, events, identities, links, aliases, properties, dead_letters): Row) -> Self {
        Self {
            id,
            erased_at: erased_at.0,
            done_at: done_at.map(|at| at.0),
            events,
            identities,
            links,
            aliases,
            properties,
            dead_letters,
        }
    }
}

impl Store {
    /// Begins to erase the person behind a user_id or anonymous_id: it is gone from all answers when this returns, and its
    /// rows go with [`finish_erasure`](Self::finish_erasure). If nobody has this id, but somebody who had it is still being
    /// erased, that is the erasure returned. `None`: there is nobody.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn begin_erasure(&self, project_id: i32, id: &str, at: Timestamp) -> Result<Option<i64>, StoreError> {
        self.begin(project_id, Who::Id(id), at).await
    }

    /// Erases the persons of a pending request's device and user, as far as they are there.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn run_erasure_request(
        &self,
        project_id: i32,
        event_id: Uuid,
        at: Timestamp,
    ) -> Result<Vec<Erasure>, StoreError> {
        let wanted: Option<(Option<i64>, Option<i64>)> = sqlx::query_as(
            "SELECT device_identity_id, user_identity_id FROM erasure_requests
             WHERE project_id = $1 AND event_id = $2 AND dismissed_at IS NULL AND erasure_id IS NULL",
        )
        .bind(project_id)
        .bind(event_id)
        .fetch_optional(&self.pool)
        .await?;
        let mut done = Vec::new();
        for identity in wanted.into_iter().flat_map(|(device, user)| [device, user]).flatten() {
            if let Some(erasure) = self.begin(project_id, Who::Identity(identity), at).await? {
                done.push(self.finish_erasure(project_id, erasure).await?);
            }
        }
        Ok(done)
    }

    async fn begin(&self, project_id: i32, who: Who<'_>, at: Timestamp) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(ERASURES_LOCK)
            .bind(project_id)
            .execute(&mut *transaction)
            .await?;
        let Some(person_id) = person(&mut transaction, project_id, who).await? else {
            return unfinished(&mut transaction, project_id, who).await;
        };
        let erasure = bury(&mut transaction, project_id, person_id, at).await?;
        transaction.commit().await?;
        self.learn_erasures(&[project_id]).await?;
        Ok(Some(erasure))
    }

    /// The erasures of a project, newest first, at most `limit`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn list_erasures(&self, project_id: i32, limit: i64) -> Result<Vec<Erasure>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, erased_at, done_at, events, identities, links, aliases, properties, dead_letters
             FROM erasures WHERE project_id = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(project_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Erasure::from).collect())
    }

    /// One erasure as it stands now.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn erasure(&self, project_id: i32, id: i64) -> Result<Erasure, StoreError> {
        let row: Row = sqlx::query_as(
            "SELECT id, erased_at, done_at, events, identities, links, aliases, properties, dead_letters
             FROM erasures WHERE project_id = $1 AND id = $2",
        )
        .bind(project_id)
        .bind(id)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.into())
    }
}

async fn person(connection: &mut PgConnection, project_id: i32, who: Who<'_>) -> Result<Option<i64>, StoreError> {
    let person = match who {
        Who::Id(id) => sqlx::query_scalar(
            "SELECT person_id FROM identities WHERE project_id = $1 AND kind = ANY ('{0,1}') AND external_id = $2
             ORDER BY kind DESC LIMIT 1",
        )
        .bind(project_id)
        .bind(id),
        Who::Identity(id) => sqlx::query_scalar("SELECT person_id FROM identities WHERE project_id = $1 AND id = $2")
            .bind(project_id)
            .bind(id),
    };
    Ok(person.fetch_optional(connection).await?)
}

async fn unfinished(connection: &mut PgConnection, project_id: i32, who: Who<'_>) -> Result<Option<i64>, StoreError> {
    let Who::Id(id) = who else { return Ok(None) };
    let hashes = [IdKind::User, IdKind::Device].map(|kind| id_hash(project_id, kind, id).to_vec());
    let erasure = sqlx::query_scalar(
        "SELECT e.id FROM tombstones t JOIN erasures e ON e.project_id = t.project_id AND e.id = t.erasure_id
         WHERE t.project_id = $1 AND t.id_hash = ANY($2) AND e.done_at IS NULL ORDER BY e.id DESC LIMIT 1",
    );
    Ok(erasure
        .bind(project_id)
        .bind(&hashes[..])
        .fetch_optional(connection)
        .await?)
}

const BURY: &str = "
    WITH gone AS (
        DELETE FROM identities WHERE project_id = $1 AND person_id = $2 RETURNING id, kind, external_id),
    buried AS (
        INSERT INTO tombstones (project_id, erasure_id, identity_id, id_hash)
        SELECT $1, $3, id, substring(sha256(int4send($1) || int2send(kind) || convert_to(external_id, 'UTF8')) FROM 1 FOR 16)
        FROM gone)
    SELECT id FROM gone";

const LINKS: &str = "
    DELETE FROM links WHERE project_id = $1 AND (anonymous_identity_id = ANY($2) OR user_identity_id = ANY($2))";

const ALIASES: &str = "
    DELETE FROM aliases WHERE project_id = $1 AND (user_identity_a = ANY($2) OR user_identity_b = ANY($2))";

const CHANGES: &str = "
    DELETE FROM person_changes WHERE project_id = $1 AND (from_person_id = ANY($2) OR to_person_id = ANY($2))";

const MEMBERS: &str = "DELETE FROM cohort_members WHERE project_id = $1 AND identity_id = ANY($2)";

const MET: &str = "DELETE FROM issue_people WHERE project_id = $1 AND identity_id = ANY($2)";

/// A request is done when neither its device nor its user is there any more.
const REQUESTS: &str = "
    UPDATE erasure_requests r SET erasure_id = $3
    WHERE project_id = $1 AND dismissed_at IS NULL AND erasure_id IS NULL
      AND (device_identity_id = ANY($2) OR user_identity_id = ANY($2))
      AND NOT EXISTS (SELECT FROM identities i WHERE i.project_id = $1
                        AND i.id IN (r.device_identity_id, r.user_identity_id))";

/// Removes a person's identities and how they are connected. An erased user owns its devices and no device is shared by
/// persons, so what others are stays as it is.
async fn bury(
    connection: &mut PgConnection,
    project_id: i32,
    person_id: i64,
    at: Timestamp,
) -> Result<i64, StoreError> {
    let erasure: i64 = sqlx::query_scalar("INSERT INTO erasures (project_id, erased_at) VALUES ($1, $2) RETURNING id")
        .bind(project_id)
        .bind(PgTime(at))
        .fetch_one(&mut *connection)
        .await?;
    let identities: Vec<i64> = sqlx::query_scalar(BURY)
        .bind(project_id)
        .bind(person_id)
        .bind(erasure)
        .fetch_all(&mut *connection)
        .await?;
    let mut removed = [0u64; 5];
    for (statement, removed) in [LINKS, ALIASES, CHANGES, MEMBERS, MET].into_iter().zip(&mut removed) {
        let done = sqlx::query(statement).bind(project_id).bind(&identities);
        *removed = done.execute(&mut *connection).await?.rows_affected();
    }
    sqlx::query(REQUESTS)
        .bind(project_id)
        .bind(&identities)
        .bind(erasure)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE erasures SET identities = $3, links = $4, aliases = $5 WHERE project_id = $1 AND id = $2")
        .bind(project_id)
        .bind(erasure)
        .bind(identities.len() as i64)
        .bind(removed[0].cast_signed())
        .bind(removed[1].cast_signed())
        .execute(connection)
        .await?;
    Ok(erasure)
}
