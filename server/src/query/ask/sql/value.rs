//! Properties as statements read them: `jsonb`, SQL's NULL where there is none.

use super::Making;
use crate::query::ask::question::Of;
use crate::query::error::QueryError;
use crate::store::place::Place;

/// An expression of type `jsonb`, and the join that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The expression, over the events `e` and their identities `i`.
    pub expression: String,
    /// `LEFT JOIN …`, or nothing.
    pub join: String,
}

impl Value {
    /// One that needs no join.
    #[must_use]
    pub fn plain(expression: String) -> Self {
        Self {
            expression,
            join: String::new(),
        }
    }

    /// A property of an event, of its person or of its session. A cohort has none: see [`super::condition`].
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn of(making: &mut Making, whose: Of, property: &str) -> Result<Self, QueryError> {
        match whose {
            Of::Event | Of::Cohort => event(making, property),
            Of::Person => person(making, property),
            Of::Session => session(making, property),
        }
    }
}

fn event(making: &mut Making, property: &str) -> Result<Value, QueryError> {
    let expression = match Place::of(property) {
        Place::Context(path) => format!("(e.context #> {})", making.bind(path)?),
        Place::Property(name) => format!("(e.properties -> {})", making.bind(name)?),
    };
    Ok(Value::plain(expression))
}

/// The registers of all identities of each person, combined as `query::person` does it.
fn person(making: &mut Making, property: &str) -> Result<Value, QueryError> {
    let key = making.bind(property.to_owned())?;
    let table = making.with(&format!(
        "SELECT DISTINCT ON (who.person_id) who.person_id, p.value
         FROM person_properties p JOIN identities who ON who.project_id = $1 AND who.id = p.identity_id
         WHERE p.project_id = $1 AND p.key = {key}
         ORDER BY who.person_id, (p.op = 'set') DESC,
                  CASE p.op WHEN 'set' THEN p.at END DESC, CASE p.op WHEN 'set' THEN p.event_id END DESC, p.at, p.event_id"
    ));
    Ok(Value {
        expression: format!("{table}.value"),
        join: format!(" LEFT JOIN {table} ON {table}.person_id = i.person_id"),
    })
}

/// What is known of whole sessions, whenever their events happened.
fn session(making: &mut Making, property: &str) -> Result<Value, QueryError> {
    let expression = match property {
        "$session_duration" => "to_jsonb(extract(epoch FROM max(s.timestamp) - min(s.timestamp)))",
        "$event_count" => "to_jsonb(count(*))",
        "$entry_url" => {
            "(array_agg(s.properties -> '$current_url' ORDER BY s.timestamp, s.seq, s.id) FILTER (WHERE s.properties ? '$current_url'))[1]"
        }
        "$exit_url" => {
            "(array_agg(s.properties -> '$current_url' ORDER BY s.timestamp DESC, s.seq DESC, s.id DESC) FILTER (WHERE s.properties ? '$current_url'))[1]"
        }
        _ => "NULL::jsonb",
    };
    let table = making.with(&format!(
        "SELECT s.session_id, {expression} AS value FROM events s
         WHERE s.project_id = $1 AND s.session_id IS NOT NULL GROUP BY s.session_id"
    ));
    Ok(Value {
        expression: format!("{table}.value"),
        join: format!(" LEFT JOIN {table} ON {table}.session_id = e.session_id"),
    })
}
