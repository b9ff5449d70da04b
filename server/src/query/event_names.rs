//! The names of events, for pickers: how often each happened in a range, and when last.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::ask::sql::containing;
use super::error::QueryError;
use super::snapshot::Snapshot;
use super::time::At;
use crate::store::PgTime;

/// Each name is looked up for itself in `events_by_name`, which nothing but the index answers: its last entry, and the
/// entries of the range. Names are cut to a page before.
const NAMES: &str = "
    WITH page AS (
        SELECT id, name FROM event_names
        WHERE project_id = $1 AND name > $2 AND ($3::text IS NULL OR lower(name) LIKE $3)
        ORDER BY name LIMIT $4)
    SELECT page.name AS event,
           (SELECT count(*) FROM events e WHERE e.project_id = $1 AND e.event_name_id = page.id
              AND e.timestamp >= $5 AND e.timestamp < $6) AS count,
           (SELECT e.timestamp FROM events e WHERE e.project_id = $1 AND e.event_name_id = page.id
            ORDER BY e.timestamp DESC LIMIT 1) AS last_seen_at
    FROM page ORDER BY page.name";

/// Which names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamePage<'a> {
    /// Those with this text in them, whatever the case of letters.
    pub search: Option<&'a str>,
    /// Those behind this one; all, if it is empty.
    pub after: &'a str,
    /// At most so many.
    pub limit: u32,
    /// Events at or after it are counted.
    pub from: Timestamp,
    /// Events before it are counted.
    pub to: Timestamp,
}

/// A name of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct EventName {
    /// The name.
    pub event: String,
    /// How many there are in the range.
    pub count: i64,
    /// The `timestamp` of the latest of all; none if all were erased.
    pub last_seen_at: Option<At>,
}

/// A page of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventNames {
    /// The names, in their order.
    pub event_names: Vec<EventName>,
    /// From when events are counted.
    pub from: At,
    /// Until when.
    pub to: At,
    /// What to ask the next page with; none at the end.
    pub next_cursor: Option<String>,
}

/// A page of names.
///
/// # Errors
/// What stands in the way.
pub async fn list(snapshot: &mut Snapshot, page: &NamePage<'_>) -> Result<EventNames, QueryError> {
    let statement = snapshot
        .select::<EventName>(NAMES)
        .bind(page.after.to_owned())
        .bind(page.search.map(containing))
        .bind(i64::from(page.limit) + 1)
        .bind(PgTime(page.from))
        .bind(PgTime(page.to));
    let mut event_names = statement.fetch_all(snapshot.rows()).await?;
    let more = event_names.len() > page.limit as usize;
    event_names.truncate(page.limit as usize);
    let last = event_names.last().filter(|_| more);
    Ok(EventNames {
        next_cursor: last.map(|name| name.event.clone()),
        event_names,
        from: At(page.from),
        to: At(page.to),
    })
}
