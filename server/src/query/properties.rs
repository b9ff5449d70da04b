//! Which properties there are, for pickers: names, types and the most frequent values, from a sample.
//!
//! The sample of events is the newest of each name, so that what is rare is in it, too; that of persons, the properties
//! of those who came last. Both are bounded, and read backwards from an index.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;

use super::error::QueryError;
use super::snapshot::Snapshot;

/// Names of events in the sample, those that came last.
const NAMES: i64 = 200;

/// Events of each name in the sample: 200 names of 20 events with 40 properties are 160,000 values, about 0.3 s.
const EVENTS_OF_EACH: i64 = 20;

/// Events in the sample where one name is asked for.
const EVENTS_OF_ONE: i64 = 1_000;

/// Values of persons in the sample.
const OF_PERSONS: i64 = 20_000;

/// Most properties that are listed, the most frequent.
const LISTED: i64 = 1_000;

/// Most values of a property that are listed, the most frequent.
const VALUES: i64 = 10;

/// Longest text that is listed as a value, in characters; arrays and objects are not.
const VALUE_CHARS: i32 = 200;

/// `pairs` are the properties of a sample of `sampled` things: what is made of them.
macro_rules! summed {
    ($sample:literal) => {
        concat!(
            "WITH ",
            $sample,
            ", counted AS (
                SELECT key, value, jsonb_typeof(value) AS type, count(*) AS count FROM pairs GROUP BY key, value),
            ranked AS (
                SELECT *, row_number() OVER (PARTITION BY key ORDER BY count DESC, value) AS place FROM counted
                WHERE type IN ('string', 'number', 'boolean') AND length(value #>> '{}') <= $2),
            listed AS (
                SELECT key AS name, sum(count)::bigint AS count, array_agg(DISTINCT type ORDER BY type) AS types
                FROM counted GROUP BY key ORDER BY 2 DESC, 1 LIMIT $3),
            told AS (
                SELECT listed.*, COALESCE((
                    SELECT json_agg(json_build_object('value', r.value, 'count', r.count) ORDER BY r.place)
                    FROM ranked r WHERE r.key = listed.name AND r.place <= $4), '[]') AS values
                FROM listed)
            SELECT (SELECT count(*) FROM sampled) AS sampled,
                   COALESCE((SELECT json_agg(told ORDER BY told.count DESC, told.name) FROM told), '[]') AS properties"
        )
    };
}

const OF_EVENTS_SQL: &str = summed!(
    "names AS (
        SELECT id FROM event_names WHERE project_id = $1 AND ($5::text IS NULL OR name = $5) ORDER BY id DESC LIMIT $6),
     sampled AS MATERIALIZED (
        SELECT e.properties, e.context FROM names CROSS JOIN LATERAL (
            SELECT properties, context FROM events
            WHERE project_id = $1 AND event_name_id = names.id ORDER BY timestamp DESC LIMIT $7) AS e),
     places AS (
        SELECT p.key, p.value FROM sampled s, jsonb_each(s.context) AS p WHERE jsonb_typeof(s.context) = 'object'),
     pairs AS MATERIALIZED (
        SELECT p.key, p.value FROM sampled s, jsonb_each(s.properties) AS p WHERE jsonb_typeof(s.properties) = 'object'
        UNION ALL
        SELECT '$context.' || p.key, p.value FROM places p WHERE jsonb_typeof(p.value) <> 'object'
        UNION ALL
        SELECT '$context.' || p.key || '.' || q.key, q.value FROM places p, jsonb_each(p.value) AS q
        WHERE jsonb_typeof(p.value) = 'object')"
);

const OF_PERSONS_SQL: &str = summed!(
    "sampled AS MATERIALIZED (
        SELECT key, value FROM person_properties WHERE project_id = $1
        ORDER BY identity_id DESC, key DESC, op DESC LIMIT $5),
     pairs AS (SELECT key, value FROM sampled)"
);

/// What has the properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Events, of one name if there is one.
    Events(Option<&'a str>),
    /// Persons.
    Persons,
}

/// A value, and how often it is in the sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Value {
    /// A text, a number, true or false.
    pub value: serde_json::Value,
    /// How often.
    pub count: i64,
}

/// A property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Property {
    /// Its name, as filters take it: also `$context.os.name`.
    pub name: String,
    /// How often it is in the sample.
    pub count: i64,
    /// The types of its values: `string`, `number`, `boolean`, `null`, `array`, `object`.
    pub types: Vec<String>,
    /// Its most frequent values, at most ten; none that are longer than 200 characters.
    pub values: Vec<Value>,
}

/// The properties in a sample.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sampled {
    /// How many events, or values of persons, the sample has.
    pub sampled: i64,
    /// The properties, the most frequent first; at most 1,000.
    pub properties: Vec<Property>,
}

/// The properties of events and of persons.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Properties {
    /// Those of events: the newest 20 of each of the 200 newest names, or the newest 1,000 of the name that was asked for.
    pub event: Option<Sampled>,
    /// Those of persons: the 20,000 values of those who came last.
    pub person: Option<Sampled>,
}

/// The properties of events or of persons.
///
/// # Errors
/// What stands in the way.
pub async fn sample(snapshot: &mut Snapshot, which: Which<'_>) -> Result<Sampled, QueryError> {
    type Row = (i64, Json<Vec<Property>>);
    let statement = match which {
        Which::Events(_) => snapshot.select::<Row>(OF_EVENTS_SQL),
        Which::Persons => snapshot.select::<Row>(OF_PERSONS_SQL),
    };
    let statement = statement.bind(VALUE_CHARS).bind(LISTED).bind(VALUES);
    let statement = match which {
        Which::Events(name) => {
            let of_each = if name.is_some() { EVENTS_OF_ONE } else { EVENTS_OF_EACH };
            statement.bind(name.map(str::to_owned)).bind(NAMES).bind(of_each)
        }
        Which::Persons => statement.bind(OF_PERSONS),
    };
    let (sampled, Json(properties)) = statement.fetch_one(snapshot.rows()).await?;
    Ok(Sampled { sampled, properties })
}
