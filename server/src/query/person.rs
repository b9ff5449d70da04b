//! A person: who it is, what is known about it, what it did, as a device and as a user.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::types::Json;
use utoipa::ToSchema;

use super::error::QueryError;
use super::events::{self, EventPage};
use super::identity::{self, IDENTITIES_LISTED, Identity};
use super::params::Page;
use super::snapshot::Snapshot;
use super::time::At;

/// Most properties that an answer holds, in the order of their keys. Far above what a person has on purpose (an event
/// sets at most 512), and a bound for one that a loop has filled.
pub const PROPERTIES_LISTED: i64 = 2_000;

/// The registers of all identities of a person, combined: `set` beats `set_once`; of several `set` the greatest
/// (at, event_id) wins, of several `set_once` the least.
const PROPERTIES: &str = "
    SELECT DISTINCT ON (key) key, value FROM person_properties
    WHERE project_id = $1 AND identity_id = ANY ($2)
    ORDER BY key, (op = 'set') DESC,
             CASE op WHEN 'set' THEN at END DESC, CASE op WHEN 'set' THEN event_id END DESC, at, event_id
    LIMIT $3";

const SEEN: &str = "
    SELECT count(*) AS events, min(timestamp) AS first_seen_at, max(timestamp) AS last_seen_at FROM events
    WHERE project_id = $1 AND identity_id = ANY ($2)";

/// What is known about a person, by key.
pub type Properties = BTreeMap<String, Json<Box<RawValue>>>;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    /// Its number. It changes when persons are joined, so keep one of its ids instead.
    pub person_id: i64,
    /// How many ids resolve to it.
    pub identity_count: usize,
    /// Its ids, users first; at most [`identity::IDENTITIES_LISTED`].
    pub identities: Vec<Identity>,
    /// What is known about it; at most [`PROPERTIES_LISTED`].
    #[schema(value_type = Object)]
    pub properties: Properties,
    /// How many events it has, when the first and the last happened.
    #[serde(flatten)]
    pub seen: Seen,
    /// Its events, newest first.
    pub timeline: EventPage,
}

/// How often and when a person was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct Seen {
    /// `timestamp` of its earliest event; none if it is known by an alias only.
    pub first_seen_at: Option<At>,
    /// `timestamp` of its latest event.
    pub last_seen_at: Option<At>,
    /// How many events it has.
    pub events: i64,
}

/// The person behind a user_id or anonymous_id.
///
/// # Errors
/// [`QueryError::UnknownPerson`], else what stands in the way.
pub async fn find(snapshot: &mut Snapshot, external_id: &str, page: Page) -> Result<Person, QueryError> {
    let resolved = identity::resolve(snapshot, external_id)
        .await?
        .ok_or(QueryError::UnknownPerson)?;
    let ids = resolved.identity_ids;
    Ok(Person {
        person_id: resolved.person_id,
        identity_count: ids.len(),
        identities: identity::list(snapshot, resolved.person_id, IDENTITIES_LISTED).await?,
        properties: properties(snapshot, &ids, PROPERTIES_LISTED).await?,
        seen: seen(snapshot, &ids).await?,
        timeline: events::of_person(snapshot, ids, page).await?,
    })
}

/// How often and when these identities were seen.
pub(super) async fn seen(snapshot: &mut Snapshot, ids: &[i64]) -> Result<Seen, QueryError> {
    Ok(snapshot.select(SEEN).bind(ids).fetch_one(snapshot.rows()).await?)
}

/// What is known about the person with these identities; at most `limit` properties.
pub(super) async fn properties(snapshot: &mut Snapshot, ids: &[i64], limit: i64) -> Result<Properties, QueryError> {
    let statement = snapshot
        .select::<(String, Json<Box<RawValue>>)>(PROPERTIES)
        .bind(ids)
        .bind(limit);
    Ok(statement.fetch_all(snapshot.rows()).await?.into_iter().collect())
}
