//! Persons, those that came last first, and the search for one.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::types::Json;
use utoipa::ToSchema;

use super::ask::sql::containing;
use super::error::QueryError;
use super::identity::resolve;
use super::snapshot::Snapshot;
use super::time::At;

/// Persons that a step of a search looks at.
const STEP: i64 = 10_000;

/// Most persons that a page of a search looks at: 100,000. Each is some probes of 3 µs, so that is about a second.
const WALKED_MAX: i64 = 10 * STEP;

/// Persons of numbers below `$2`, the greatest first, and which of them a search finds: by an id, or by what was set as
/// their email or name under any of them.
const WALK: &str = "
    WITH walk AS MATERIALIZED (
        SELECT DISTINCT person_id FROM identities WHERE project_id = $1 AND person_id < $2
        ORDER BY person_id DESC LIMIT $3),
    found AS (
        SELECT w.person_id FROM walk w WHERE $4::text IS NULL OR EXISTS (
            SELECT 1 FROM identities i WHERE i.project_id = $1 AND i.person_id = w.person_id
              AND (lower(i.external_id) LIKE $4 OR EXISTS (
                  SELECT 1 FROM person_properties p WHERE p.project_id = $1 AND p.identity_id = i.id
                    AND p.key = ANY ('{email,name,$email,$name}') AND lower(p.value #>> '{}') LIKE $4))))
    SELECT ARRAY(SELECT person_id FROM found ORDER BY person_id DESC) AS found,
           (SELECT min(person_id) FROM walk) AS last, (SELECT count(*) FROM walk) AS walked";

/// The last event of an identity is the first entry of `events_by_identity`, backwards.
const ROWS: &str = "
    SELECT i.person_id, count(*) AS identity_count,
           (array_agg(CASE i.kind WHEN 1 THEN 'user' ELSE 'anonymous' END ORDER BY i.kind DESC, i.id))[1] AS kind,
           (array_agg(i.external_id ORDER BY i.kind DESC, i.id))[1] AS id,
           min(i.first_seen_at) AS first_seen_at, max(latest.timestamp) AS last_seen_at
    FROM identities i LEFT JOIN LATERAL (
        SELECT e.timestamp FROM events e WHERE e.project_id = $1 AND e.identity_id = i.id
        ORDER BY e.timestamp DESC LIMIT 1) AS latest ON true
    WHERE i.project_id = $1 AND i.person_id = ANY ($2) GROUP BY i.person_id";

/// As `person::PROPERTIES` combines them.
const PROPERTIES: &str = "
    SELECT person_id, jsonb_object_agg(key, value) FROM (
        SELECT DISTINCT ON (i.person_id, p.key) i.person_id, p.key, p.value
        FROM identities i JOIN person_properties p ON p.project_id = $1 AND p.identity_id = i.id
        WHERE i.project_id = $1 AND i.person_id = ANY ($2)
        ORDER BY i.person_id, p.key, (p.op = 'set') DESC, CASE p.op WHEN 'set' THEN p.at END DESC,
                 CASE p.op WHEN 'set' THEN p.event_id END DESC, p.at, p.event_id) AS registers
    GROUP BY person_id";

const FACES: &str = "
    SELECT DISTINCT ON (person_id) person_id, CASE kind WHEN 1 THEN 'user' ELSE 'anonymous' END AS kind,
           external_id AS id
    FROM identities WHERE project_id = $1 AND person_id = ANY ($2)
    ORDER BY person_id, identities.kind DESC, identities.id";

/// Who a person is, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct Face {
    /// Its number.
    pub person_id: i64,
    /// `user` or `anonymous`.
    pub kind: String,
    /// Its first user_id, or else its first anonymous_id.
    pub id: String,
}

/// A person in a list.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ListedPerson {
    /// Who it is.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub face: Face,
    /// How many ids resolve to it.
    pub identity_count: i64,
    /// When the server received the first of its ids.
    pub first_seen_at: At,
    /// The `timestamp` of its latest event; none if it is known by an alias only.
    pub last_seen_at: Option<At>,
    /// What is known about it.
    #[sqlx(skip)]
    #[schema(value_type = Object)]
    pub properties: Option<Json<Box<RawValue>>>,
}

/// A page of persons.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedPersons {
    /// The persons. In a search the one with exactly this id comes first.
    pub persons: Vec<ListedPerson>,
    /// What to go on with; none at the end. A search that looked at 100,000 persons stops there, also if it found few.
    pub next_cursor: Option<i64>,
}

/// Which persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonsPage<'a> {
    /// Those with this text in an id, an email or a name, whatever the case of letters.
    pub search: Option<&'a str>,
    /// Those whose numbers are less.
    pub below: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// A step of a walk.
#[derive(Debug, sqlx::FromRow)]
struct Step {
    found: Vec<i64>,
    last: Option<i64>,
    walked: i64,
}

/// A page of persons.
///
/// # Errors
/// What stands in the way.
pub async fn list(snapshot: &mut Snapshot, page: PersonsPage<'_>) -> Result<ListedPersons, QueryError> {
    let (ids, next_cursor) = chosen(snapshot, page).await?;
    Ok(ListedPersons {
        persons: rows(snapshot, &ids).await?,
        next_cursor,
    })
}

/// The numbers of the persons on a page, and where the next one begins.
async fn chosen(snapshot: &mut Snapshot, page: PersonsPage<'_>) -> Result<(Vec<i64>, Option<i64>), QueryError> {
    let exact = match page.search {
        Some(text) => resolve(snapshot, text).await?.map(|person| person.person_id),
        None => None,
    };
    let limit = page.limit as usize;
    let step = page.search.map_or(i64::from(page.limit) + 1, |_| STEP);
    let mut found: Vec<i64> = exact.filter(|_| page.below.is_none()).into_iter().collect();
    let (mut below, mut walked, mut ended) = (page.below.unwrap_or(i64::MAX), 0, false);
    while found.len() <= limit && walked < WALKED_MAX && !ended {
        let next = walk(snapshot, page.search, below, step).await?;
        found.extend(next.found.into_iter().filter(|id| Some(*id) != exact));
        walked += next.walked;
        ended = next.walked < step;
        below = next.last.unwrap_or(below);
    }
    let cut = found.len() > limit;
    found.truncate(limit);
    // The exact one stands before all others, so behind it is the beginning.
    let behind = |id: i64| if Some(id) == exact { i64::MAX } else { id };
    let next = match found.last() {
        Some(last) if cut => Some(behind(*last)),
        _ => (!ended).then_some(below),
    };
    Ok((found, next))
}

async fn walk(snapshot: &mut Snapshot, search: Option<&str>, below: i64, step: i64) -> Result<Step, QueryError> {
    let statement = snapshot
        .select::<Step>(WALK)
        .bind(below)
        .bind(step)
        .bind(search.map(containing));
    Ok(statement.fetch_one(snapshot.rows()).await?)
}

/// The persons of these numbers, in their order.
async fn rows(snapshot: &mut Snapshot, ids: &[i64]) -> Result<Vec<ListedPerson>, QueryError> {
    let persons = snapshot.select::<ListedPerson>(ROWS).bind(ids.to_vec());
    let persons = persons.fetch_all(snapshot.rows()).await?;
    let known = snapshot
        .select::<(i64, Json<Box<RawValue>>)>(PROPERTIES)
        .bind(ids.to_vec());
    let mut known: BTreeMap<i64, _> = known.fetch_all(snapshot.rows()).await?.into_iter().collect();
    let mut persons: BTreeMap<i64, ListedPerson> = persons
        .into_iter()
        .map(|person| (person.face.person_id, person))
        .collect();
    let with_properties = |id: &i64| {
        let person = persons.remove(id)?;
        let properties = known.remove(id).or_else(nothing);
        Some(ListedPerson { properties, ..person })
    };
    Ok(ids.iter().filter_map(with_properties).collect())
}

/// `{}`.
fn nothing() -> Option<Json<Box<RawValue>>> {
    RawValue::from_string("{}".to_owned()).ok().map(Json)
}

/// Who the persons of these numbers are.
///
/// # Errors
/// What stands in the way.
pub async fn faces(snapshot: &mut Snapshot, ids: &[i64]) -> Result<BTreeMap<i64, Face>, QueryError> {
    let faces = snapshot.select::<Face>(FACES).bind(ids.to_vec());
    let faces = faces.fetch_all(snapshot.rows()).await?;
    Ok(faces.into_iter().map(|face| (face.person_id, face)).collect())
}
