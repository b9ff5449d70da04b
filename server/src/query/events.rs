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

/// The events of a table `page` of rows, with their names and ids, as [`EventRow`] has them.
macro_rules! events_of_page {
    () => {
        "SELECT page.id, n.name AS event,
           COALESCE(device.external_id, CASE whose.kind WHEN 0 THEN whose.external_id END) AS anonymous_id,
           CASE whose.kind WHEN 1 THEN whose.external_id END AS user_id, whose.person_id,
           session_id, install_id, seq, timestamp, received_at, client_timestamp, properties, context
    FROM page
    JOIN event_names n ON n.project_id = $1 AND n.id = page.event_name_id
    JOIN identities whose ON whose.project_id = $1 AND whose.id = page.identity_id
    LEFT JOIN identities device ON device.project_id = $1 AND device.id = page.anonymous_identity_id"
    };
}

pub(super) use events_of_page;

/// One window of a page: ids from `$2`, below `$3`. It is cut before the names and ids are looked up, so those joins see
/// `limit` rows at the most.
const WINDOW: &str = concat!(
    "
    WITH page AS (
        SELECT * FROM events
        WHERE project_id = $1 AND id >= $2 AND id < $3
          AND timestamp >= COALESCE($4, '-infinity') AND timestamp < COALESCE($5, 'infinity')
          AND ($6::integer[] IS NULL OR event_name_id = ANY ($6))
          AND ($7::bigint[] IS NULL OR identity_id = ANY ($7))
          AND ($9::text IS NULL OR session_id = $9)
          AND ($10::text[] IS NULL OR NOT EXISTS (
              SELECT 1 FROM unnest($10::text[], $11::text[]) AS wanted (name, value)
              WHERE (properties ->> wanted.name) IS DISTINCT FROM wanted.value))
        ORDER BY id DESC LIMIT $8)
    ",
    events_of_page!(),
    "
    ORDER BY page.id DESC"
);

/// From so many events on a person is heavy: reading 1,000 takes about 3 ms, asking each of 13 weeks takes 10.
const HEAVY: i64 = 1_000;

const COUNTED: &str = "
    SELECT count(*) FROM (
        SELECT FROM events WHERE project_id = $1 AND identity_id = ANY ($2) LIMIT $3) counted";

const NAME: &str = "SELECT id FROM event_names WHERE project_id = $1 AND name = $2";

/// Which events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct EventFilter<'a> {
    /// Those of this name.
    pub event: Option<&'a str>,
    /// Those of the person behind this user_id or anonymous_id.
    pub person: Option<&'a str>,
    /// Those of this session.
    pub session: Option<&'a str>,
    /// Those whose properties have these values: a text as it is, anything else as JSON writes it.
    pub properties: &'a [(&'a str, &'a str)],
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

impl EventRow {
    /// Bytes of its properties and context, which are what an event may have much of.
    #[must_use]
    pub fn json_bytes(&self) -> usize {
        let bytes = |json: &Option<Json<Box<RawValue>>>| json.as_ref().map_or(0, |Json(text)| text.get().len());
        bytes(&self.properties) + bytes(&self.context)
    }
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
        let which = Which {
            names: named,
            identities: Some(person.identity_ids),
            filter: *filter,
        };
        return collect(snapshot, &which, &[Window::all(page.before)], page.limit).await;
    }
    let names = match named {
        None => names::for_range(snapshot, filter.range).await?,
        named => named,
    };
    let windows = windows::by_week(snapshot, page.before).await?;
    let which = Which {
        names,
        identities: None,
        filter: *filter,
    };
    collect(snapshot, &which, &windows, page.limit).await
}

/// The page of events of these identities. The few events of most persons are found
/// in all weeks at once through `events_by_identity`; those of a heavy one week by week, because all that match would be
/// read and sorted for one page.
///
/// # Errors
/// What stands in the way.
pub async fn of_person(snapshot: &mut Snapshot, identities: Vec<i64>, page: Page) -> Result<EventPage, QueryError> {
    let which = Which {
        names: None,
        identities: Some(identities),
        filter: EventFilter::default(),
    };
    let windows = if is_heavy(snapshot, which.identities.as_deref()).await? {
        windows::by_week(snapshot, page.before).await?
    } else {
        vec![Window::all(page.before)]
    };
    collect(snapshot, &which, &windows, page.limit).await
}

async fn is_heavy(snapshot: &mut Snapshot, identities: Option<&[i64]>) -> Result<bool, QueryError> {
    let statement = snapshot.select::<(i64,)>(COUNTED).bind(identities).bind(HEAVY);
    let (counted,) = statement.fetch_one(snapshot.rows()).await?;
    Ok(counted >= HEAVY)
}

/// A filter in the numbers that rows hold.
struct Which<'a> {
    names: Option<Vec<i32>>,
    identities: Option<Vec<i64>>,
    filter: EventFilter<'a>,
}

/// Fills a page from `windows`, newest first. One row more than asked for shows whether there is a next page.
async fn collect(
    snapshot: &mut Snapshot,
    which: &Which<'_>,
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
    which: &Which<'_>,
    window: Window,
    wanted: usize,
) -> Result<Vec<EventRow>, QueryError> {
    let filter = which.filter;
    let (names, values): (Vec<&str>, Vec<&str>) = filter.properties.iter().copied().unzip();
    let some =
        |texts: Vec<&'_ str>| (!texts.is_empty()).then(|| texts.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let statement = snapshot
        .select::<EventRow>(WINDOW)
        .bind(window.from)
        .bind(window.below)
        .bind(filter.range.from.map(PgTime))
        .bind(filter.range.to.map(PgTime))
        .bind(which.names.as_deref())
        .bind(which.identities.as_deref())
        .bind(i64::try_from(wanted).unwrap_or(i64::MAX))
        .bind(filter.session.map(str::to_owned))
        .bind(some(names))
        .bind(some(values));
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
