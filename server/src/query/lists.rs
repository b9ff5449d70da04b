//! The routes of lists: persons and their timelines, sessions, properties, names of events.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use trailmark_protocol::Timestamp;
use trailmark_protocol::limits::{FUTURE_MS, ID_CHARS, NAME_CHARS};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::QueryError;
use super::event_names::{self, EventNames, NamePage};
use super::http::{Authorised, person_id};
use super::parameters::{LimitQuery, PersonPath, RangeQuery};
use super::params::{Params, storable};
use super::persons::{self, ListedPersons, PersonsPage};
use super::properties::{self, Properties, Which};
use super::sessions::{self, SessionPage, Wanted};
use super::timeline::{self, Timeline, TimelinePage};
use crate::app::App;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::{OneRefused, ReadRefused};

/// A day in microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// How far back sessions are listed where `from` does not say: 30 days.
const SESSIONS_FROM: i64 = 30 * DAY;

/// How far back events are counted by name where `from` does not say: 7 days. At a million events a week the index is read
/// in some 0.1 s.
const COUNTED_FROM: i64 = 7 * DAY;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_persons))
        .routes(routes!(list_timeline))
        .routes(routes!(list_sessions))
        .routes(routes!(list_properties))
        .routes(routes!(list_event_names))
}

/// `from` and `to`; without `to` until now and what clocks that are ahead say, without `from` so far back from there.
fn stretch(params: &Params, now: Timestamp, back: i64) -> Result<(Timestamp, Timestamp), QueryError> {
    let range = params.time_range()?;
    let to = range.to.unwrap_or(now.plus_micros(FUTURE_MS * 1_000));
    let from = range.from.unwrap_or(range.to.unwrap_or(now).plus_micros(-back));
    Ok((from, to))
}

/// Persons, those that came last first, or those that a search finds.
///
/// A search looks for the text, whatever the case of letters, in ids and in the person's `email` and `name`. A page of it
/// looks at 100,000 persons at most: while there is a `next_cursor`, there may be more, also behind an empty page.
#[utoipa::path(
    get, path = "/api/v1/persons", operation_id = "persons", tag = "persons",
    params(
        ("search" = Option<String>, Query, description = "Part of an id, an `email` or a `name`.", min_length = 1, max_length = 200),
        LimitQuery,
        ("cursor" = Option<i64>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of persons.", body = ListedPersons), ReadRefused),
    security(("secret_key" = []))
)]
async fn list_persons(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<ListedPersons>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["search", "limit", "cursor"])?;
    let page = PersonsPage {
        search: params.text("search", ID_CHARS)?,
        below: params.cursor(|text| text.parse().ok())?,
        limit: params.limit()?,
    };
    let answer = caller
        .reader()
        .answer(async |snapshot| persons::list(snapshot, page).await);
    Ok(Json(answer.await?))
}

/// What a person did, and in between how it became who it is; newest first.
#[utoipa::path(
    get, path = "/api/v1/persons/{id}/timeline", operation_id = "timeline", tag = "persons",
    params(
        PersonPath,
        RangeQuery,
        LimitQuery,
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of the timeline.", body = Timeline), OneRefused),
    security(("secret_key" = []))
)]
async fn list_timeline(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Timeline>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["from", "to", "limit", "cursor"])?;
    let id = person_id(id)?;
    let page = TimelinePage {
        range: params.time_range()?,
        before: params.cursor(timeline::Place::parse)?,
        limit: params.limit()?,
    };
    Ok(Json(caller.reader().timeline(&id, page).await?))
}

/// Sessions, those that began last first.
#[utoipa::path(
    get, path = "/api/v1/sessions", operation_id = "sessions", tag = "read",
    params(
        ("person" = Option<String>, Query, description = "Only those of the person behind this `user_id` or `anonymous_id`; only its own events count.", min_length = 1, max_length = 200),
        ("from" = Option<String>, Query, format = DateTime, description = "Only those that began at or after it; 30 days before `to` by default."),
        ("to" = Option<String>, Query, format = DateTime, description = "Only those that began before it; now by default."),
        LimitQuery,
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of sessions.", body = SessionPage), ReadRefused),
    security(("secret_key" = []))
)]
async fn list_sessions(
    caller: Authorised,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<SessionPage>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["person", "from", "to", "limit", "cursor"])?;
    let (from, to) = stretch(&params, app.clock.now(), SESSIONS_FROM)?;
    let wanted = Wanted {
        person: params.text("person", ID_CHARS)?,
        from,
        to,
        after: params.cursor(sessions::Place::parse)?,
        limit: params.limit()?,
    };
    let answer = caller
        .reader()
        .answer(async |snapshot| sessions::list(snapshot, &wanted).await);
    Ok(Json(answer.await?))
}

/// The properties of events and persons, for pickers: names, types and the most frequent values of a recent sample.
#[utoipa::path(
    get, path = "/api/v1/properties", operation_id = "properties", tag = "read",
    params(
        ("type" = Option<String>, Query, description = "`event` or `person`; both by default.", pattern = "^(event|person)$"),
        ("event" = Option<String>, Query, description = "Of events, only those of this name.", min_length = 1, max_length = 200),
    ),
    responses((status = 200, description = "The properties.", body = Properties), ReadRefused),
    security(("secret_key" = []))
)]
async fn list_properties(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<Properties>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["type", "event"])?;
    let of = params.word("type", &["event", "person"])?;
    let event = params.text("event", NAME_CHARS)?;
    let answer = caller.reader().answer(async |snapshot| {
        Ok(Properties {
            event: match of {
                Some("person") => None,
                _ => Some(properties::sample(snapshot, Which::Events(event)).await?),
            },
            person: match of {
                Some("event") => None,
                _ => Some(properties::sample(snapshot, Which::Persons).await?),
            },
        })
    });
    Ok(Json(answer.await?))
}

/// The names of events, in their order: how often each happened in a range, and when last.
#[utoipa::path(
    get, path = "/api/v1/event-names", operation_id = "event_names", tag = "read",
    params(
        ("search" = Option<String>, Query, description = "Part of the name.", min_length = 1, max_length = 200),
        ("from" = Option<String>, Query, format = DateTime, description = "Events at or after it are counted; 7 days before `to` by default."),
        ("to" = Option<String>, Query, format = DateTime, description = "Events before it are counted; now by default."),
        LimitQuery,
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.", min_length = 1, max_length = 200),
    ),
    responses((status = 200, description = "A page of names.", body = EventNames), ReadRefused),
    security(("secret_key" = []))
)]
async fn list_event_names(
    caller: Authorised,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<EventNames>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["search", "from", "to", "limit", "cursor"])?;
    let (from, to) = stretch(&params, app.clock.now(), COUNTED_FROM)?;
    let after = params.cursor(|text| storable("cursor", text, NAME_CHARS).ok().map(str::to_owned))?;
    let page = NamePage {
        search: params.text("search", NAME_CHARS)?,
        after: after.as_deref().unwrap_or_default(),
        limit: params.limit()?,
        from,
        to,
    };
    let answer = caller
        .reader()
        .answer(async |snapshot| event_names::list(snapshot, &page).await);
    Ok(Json(answer.await?))
}
