//! The routes of the reads: a secret key opens a project, a turn among the readers, and the answer as JSON.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json};
use futures_util::stream::try_unfold;
use http::request::Parts;
use http::{HeaderValue, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailmark_protocol::limits::{ID_CHARS, NAME_CHARS};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask;
use super::cohorts;
use super::delivery::Delivery;
use super::error::QueryError;
use super::events::{EventFilter, EventPage};
use super::explain::Explanation;
use super::export::Export;
use super::lists;
use super::params::{Params, storable};
use super::person::Person;
use super::reader::Reader;
use super::stats::Stats;
use crate::app::App;
use crate::gateway::auth::{authorise, presented_key};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{OneRefused, ReadRefused};
use crate::store::KeyKind;

/// Reads that run at once: half of the default pool of eight connections, so that reads never keep the writer waiting.
const READS_AT_ONCE: usize = 4;

/// How long a read waits for its turn: as long as a statement may take.
const TURN_TIMEOUT: Duration = super::snapshot::STATEMENT_TIMEOUT;

/// Most properties that a list of events is asked for: each is looked at in every row.
const PROPERTIES_MAX: usize = 10;

/// Longest name of a property that is asked for, in characters.
const PROPERTY_CHARS: usize = 512;

/// Longest value of a property that is asked for, in characters: a URL has some 8,000.
const VALUE_CHARS: usize = 4_096;

/// The routes of the reads.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(person))
        // What these two were called first.
        .route("/api/analytics/events", get(events))
        .route("/api/analytics/stats", get(stats))
        .route("/api/analytics/delivery", get(delivery))
        .route("/v1/persons/{id}", get(person))
        .route("/v1/persons/{id}/explain", get(explain))
        .route("/v1/persons/{id}/export", get(export))
        .merge(lists::router())
        .merge(cohorts::http::router())
        .merge(ask::http::router())
        .layer(Extension(Turns(Arc::new(Semaphore::new(READS_AT_ONCE)))))
}

/// The turns that readers share.
#[derive(Debug, Clone)]
struct Turns(Arc<Semaphore>);

impl Turns {
    async fn next(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.0).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(overloaded)
    }
}

/// A caller whose secret key opened a project, and whose turn it is. Take it as the first argument of a handler.
#[derive(Debug)]
pub struct Authorised {
    reader: Reader,
    turns: Turns,
    turn: OwnedSemaphorePermit,
}

impl Authorised {
    /// Reads the project of the key.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

impl FromRequestParts<Arc<App>> for Authorised {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let key = presented_key(&parts.headers, &parts.uri);
        let grant = authorise(app, key.as_deref(), KeyKind::Secret).await?;
        let turns: Turns = parts.extensions.get().cloned().ok_or_else(overloaded)?;
        Ok(Self {
            reader: Reader::new(app.store.pool().clone(), grant.project_id),
            turn: turns.next().await?,
            turns,
        })
    }
}

fn overloaded() -> Problem {
    Problem::new(Code::QueryTimeout, "too many reads at once")
}

/// Events, newest first by id, which is the time of capture.
///
/// `property.<name>=<value>`, up to ten times, keeps those whose property has this value: a text as it is, anything else as
/// JSON writes it.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "events", tag = "read",
    params(
        ("event" = Option<String>, Query, description = "Only events of this name.", min_length = 1, max_length = 200),
        ("person" = Option<String>, Query, description = "Only those of the person behind this `user_id` or `anonymous_id`.", min_length = 1, max_length = 200),
        ("session" = Option<String>, Query, description = "Only those of this session. Quick together with `person`, or with `from` and `to`.", min_length = 1, max_length = 200),
        ("from" = Option<String>, Query, format = DateTime, description = "Only those whose `timestamp` is at or after it."),
        ("to" = Option<String>, Query, format = DateTime, description = "Only those whose `timestamp` is before it."),
        ("limit" = Option<u32>, Query, description = "Rows on a page, 100 by default.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, format = Uuid, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of events.", body = EventPage), ReadRefused),
    security(("secret_key" = []))
)]
async fn events(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<EventPage>, Problem> {
    let params = Params::parse(
        &query.unwrap_or_default(),
        &[
            "event",
            "person",
            "session",
            "property.*",
            "from",
            "to",
            "limit",
            "cursor",
        ],
    )?;
    let properties = properties(&params)?;
    let filter = EventFilter {
        event: params.text("event", NAME_CHARS)?,
        person: params.text("person", ID_CHARS)?,
        session: params.text("session", ID_CHARS)?,
        properties: &properties,
        range: params.time_range()?,
    };
    Ok(Json(caller.reader.events(&filter, params.page()?).await?))
}

/// The properties that are asked for, by name.
fn properties(params: &Params) -> Result<Vec<(&str, &str)>, QueryError> {
    let asked: Vec<_> = params.beginning_with("property.").collect();
    if asked.len() > PROPERTIES_MAX {
        return Err(QueryError::parameter("property", "is asked for more than ten times"));
    }
    for (name, value) in &asked {
        storable("property", name, PROPERTY_CHARS)?;
        if !value.is_empty() {
            storable("property", value, VALUE_CHARS)?;
        }
    }
    Ok(asked)
}

async fn stats(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<Stats>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["from", "to"])?;
    Ok(Json(caller.reader.stats(params.time_range()?).await?))
}

async fn delivery(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<Delivery>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["from", "to", "limit", "cursor"])?;
    let page = params.install_page()?;
    Ok(Json(caller.reader.delivery(params.time_range()?, &page).await?))
}

/// A person: its ids, what is known about it, and a page of its events.
#[utoipa::path(
    get, path = "/api/v1/persons/{id}", operation_id = "person", tag = "persons",
    params(
        ("id" = String, Path, description = "A `user_id` or `anonymous_id`; where one text is both, the `user_id` is meant.", min_length = 1, max_length = 200),
        ("limit" = Option<u32>, Query, description = "Events on a page, 100 by default.", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, format = Uuid, description = "`timeline.next_cursor` of the page before."),
    ),
    responses((status = 200, description = "The person.", body = Person), OneRefused),
    security(("secret_key" = []))
)]
async fn person(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Person>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["limit", "cursor"])?;
    let id = person_id(id)?;
    Ok(Json(caller.reader.person(&id, params.page()?).await?))
}

async fn explain(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Explanation>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    Ok(Json(caller.reader.explain(&person_id(id)?).await?))
}

async fn export(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let Authorised { reader, turns, turn } = caller;
    let export = Export::begin(reader, &person_id(id)?).await?;
    drop(turn);
    // A turn for each page: who reads slowly keeps nobody waiting.
    let lines = try_unfold((export, turns), |(mut export, turns)| async move {
        let turn = turns.next().await.map_err(|problem| problem.detail().to_owned())?;
        let lines = export.next().await.map_err(|error| error.to_string());
        drop(turn);
        Ok::<_, String>(lines?.map(|lines| (lines, (export, turns))))
    });
    let kind = HeaderValue::from_static("application/x-ndjson");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response())
}

/// The id in a path.
///
/// # Errors
/// [`Code::InvalidParameter`].
pub(crate) fn person_id(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let Path(id) = id.map_err(|_| QueryError::parameter("id", "is not percent-encoded UTF-8"))?;
    storable("id", &id, ID_CHARS)?;
    Ok(id)
}
