//! From an id as an app knows it to the person behind it.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::QueryError;
use super::snapshot::Snapshot;
use super::time::At;

/// Most identities that an answer lists. A shared login may have thousands of devices; the count is given in full.
pub const IDENTITIES_LISTED: i64 = 1_000;

/// The words for `identities.kind`.
pub(super) const KIND_OF: [&str; 2] = ["anonymous", "user"];

/// The user wins where a user_id and an anonymous_id are the same text: it is the id that the app chose.
const PERSON_OF: &str = "
    SELECT person_id FROM identities
    WHERE project_id = $1 AND kind = ANY ('{0,1}') AND external_id = $2
    ORDER BY kind DESC LIMIT 1";

const IDENTITY_IDS: &str = "SELECT id FROM identities WHERE project_id = $1 AND person_id = $2";

const IDENTITIES: &str = "
    SELECT CASE kind WHEN 1 THEN 'user' ELSE 'anonymous' END AS kind, external_id AS id, first_seen_at FROM identities
    WHERE project_id = $1 AND person_id = $2
    ORDER BY identities.kind DESC, identities.id LIMIT $3";

/// A person, and all identities that resolve to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The person.
    pub person_id: i64,
    /// Its identities, as the events refer to them.
    pub identity_ids: Vec<i64>,
}

/// One id of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct Identity {
    /// `user` or `anonymous`.
    pub kind: String,
    /// The id as sent.
    pub id: String,
    /// When the server received the event that brought it.
    pub first_seen_at: At,
}

/// Who is meant by a user_id or anonymous_id; the user_id wins.
///
/// # Errors
/// What stands in the way.
pub async fn resolve(snapshot: &mut Snapshot, external_id: &str) -> Result<Option<Resolved>, QueryError> {
    let person = snapshot
        .select::<(i64,)>(PERSON_OF)
        .bind(external_id)
        .fetch_optional(snapshot.rows())
        .await?;
    let Some((person_id,)) = person else { return Ok(None) };
    let ids = snapshot
        .select::<(i64,)>(IDENTITY_IDS)
        .bind(person_id)
        .fetch_all(snapshot.rows())
        .await?;
    Ok(Some(Resolved {
        person_id,
        identity_ids: ids.into_iter().map(|(id,)| id).collect(),
    }))
}

/// The identities of a person, users first, then in the order in which they came; at most `limit`.
///
/// # Errors
/// What stands in the way.
pub async fn list(snapshot: &mut Snapshot, person_id: i64, limit: i64) -> Result<Vec<Identity>, QueryError> {
    let statement = snapshot.select(IDENTITIES).bind(person_id).bind(limit);
    Ok(statement.fetch_all(snapshot.rows()).await?)
}
