//! Events, newest first, page by page.

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::types::Json;
use trailmark_protocol::Uuid;
use utoipa::ToSchema;

use super::error::QueryError;
use super::identity::resolve;
use super::names;
use super::params::{Page, TimeRange};
use super::snapshot::Snapshot;
use super::time::At;
use super::windows::{self, Window};
use crate::store::PgTime;

/// One window of a page: ids from `$2`, below `$3`. It is cut before the names and ids are looked up, so those joins see
/// `limit` rows at the most.
const WINDOW: &str = "
    WITH page AS (
        SELECT * FROM events
        WHERE project_id = $1 AND id >= $2 AND id < $3
          AND timestamp >= COALESCE($4, '-infinity') AND timestamp < COALESCE($5, 'infinity')
          AND ($6::integer[] IS NULL OR event_name_id = ANY ($6))
          AND ($7::bigint[] IS NULL OR identity_id = ANY ($7))
        ORDER BY id DESC LIMIT $8)
    SELECT page.id, n.name AS event,
           COALESCE(device.external_id, CASE whose.kind WHEN 0 THEN whose.external_id END) AS anonymous_id,
           CASE whose.kind WHEN 1 THEN whose.external_id END AS user_id, whose.person_id,
           session_id, install_id, seq, timestamp, received_at, client_timestamp, properties, context
    FROM page
    JOIN event_names n ON n.project_id = $1 AND n.id = page.event_name_id
    JOIN identities whose ON whose.project_id = $1 AND whose.id = page.identity_id
    LEFT JOIN identities device ON device.project_id = $1 AND device.id = page.anonymous_identity_id
    ORDER BY page.id DESC";

const NAME: &str = "SELECT id FROM event_names WHERE project_id = $1 AND name = $2";

/// Which events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct EventFilter<'a> {
    /// Those of this name.
    pub event: Option<&'a str>,
    /// Those of the person behind this user_id or anonymous_id.
    pub person: Option<&'a str>,
    /// Those whose `timestamp` lies in it.
    pub range: TimeRange,
}

/// One event as it is stored.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
#[schema(as = StoredEvent)]
pub struct EventRow {
    /// UUIDv7 made at capture.
    pub id: Uuid,
    /// What happened.
    pub event: String,
    /// The device, as sent.
    pub anonymous_id: Option<String>,
    /// The user, as sent.
    pub user_id: Option<String>,
    /// The person that this event belongs to now.
    pub person_id: i64,
    /// The session.
    pub session_id: Option<String>,
    /// The install that sent it.
    pub install_id: Option<String>,
    /// Its number within the install.
    pub seq: Option<i64>,
    /// When it happened, corrected for the client's clock.
    pub timestamp: At,
    /// When the server received it.
    pub received_at: At,
    /// When it happened by the client's clock.
    pub client_timestamp: At,
    /// What is known about it.
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Json<Box<RawValue>>>,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    pub context: Option<Json<Box<RawValue>>>,
}

/// A page of events, newest first by id, which is the time of capture.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventRow>,
    /// What to ask the next page with: the id of the last event here. `None` at the end.
    pub next_cursor: Option<Uuid>,
}

/// The page of events that a filter lets through.
///
/// # Errors
/// What stands in the way.
pub async fn list(snapshot: &mut Snapshot, filter: &EventFilter<'_>, page: Page) -> Result<EventPage, QueryError> {
    let named = named(snapshot, filter).await?;
    if let Some(person) = filter.person {
        let Some(person) = resolve(snapshot, person).await? else {
            return Ok(EventPage::default());
        };
        return of_person(snapshot, person.identity_ids, named, filter.range, page).await;
    }
    let names = match named {
        None => names::for_range(snapshot, filter.range).await?,
        named => named,
    };
    let windows = windows::by_week(snapshot, page.before).await?;
    let which = Which {
        names,
        identities: None,
        range: filter.range,
    };
    collect(snapshot, &which, &windows, page.limit).await
}

/// The page of events of these identities, of one of these names (any, if `None`). A person's events are found in all
/// weeks at once through `events_by_identity`, so there is one window.
///
/// # Errors
/// What stands in the way.
pub async fn of_person(
    snapshot: &mut Snapshot,
    identities: Vec<i64>,
    names: Option<Vec<i32>>,
    range: TimeRange,
    page: Page,
) -> Result<EventPage, QueryError> {
    let which = Which {
        names,
        identities: Some(identities),
        range,
    };
    collect(snapshot, &which, &[Window::all(page.before)], page.limit).await
}

/// A filter in the numbers that rows hold.
struct Which {
    names: Option<Vec<i32>>,
    identities: Option<Vec<i64>>,
    range: TimeRange,
}

/// Fills a page from `windows`, newest first. One row more than asked for shows whether there is a next page.
async fn collect(
    snapshot: &mut Snapshot,
    which: &Which,
    windows: &[Window],
    limit: u32,
) -> Result<EventPage, QueryError> {
    let wanted = limit as usize + 1;
    let mut events = Vec::new();
    for window in windows {
        if events.len() >= wanted {
            break;
        }
        events.extend(rows(snapshot, which, *window, wanted - events.len()).await?);
    }
    Ok(cut(events, limit as usize))
}

async fn rows(
    snapshot: &mut Snapshot,
    which: &Which,
    window: Window,
    wanted: usize,
) -> Result<Vec<EventRow>, QueryError> {
    let statement = snapshot
        .select::<EventRow>(WINDOW)
        .bind(window.from)
        .bind(window.below)
        .bind(which.range.from.map(PgTime))
        .bind(which.range.to.map(PgTime))
        .bind(which.names.as_deref())
        .bind(which.identities.as_deref())
        .bind(i64::try_from(wanted).unwrap_or(i64::MAX));
    Ok(statement.fetch_all(snapshot.rows()).await?)
}

fn cut(mut events: Vec<EventRow>, limit: usize) -> EventPage {
    let more = events.len() > limit;
    events.truncate(limit);
    let next_cursor = events.last().filter(|_| more).map(|event| event.id);
    EventPage { events, next_cursor }
}

/// The number of the name that is asked for; empty if it was never seen.
async fn named(snapshot: &mut Snapshot, filter: &EventFilter<'_>) -> Result<Option<Vec<i32>>, QueryError> {
    let Some(event) = filter.event else {
        return Ok(None);
    };
    let ids = snapshot
        .select::<(i32,)>(NAME)
        .bind(event)
        .fetch_all(snapshot.rows())
        .await?;
    Ok(Some(ids.into_iter().map(|(id,)| id).collect()))
}
