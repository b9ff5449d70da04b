//! The routes of the reads: a secret key opens a project, a turn among the readers, and the answer as JSON.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, RawQuery, Request};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use http::request::Parts;
use http::{HeaderValue, header};
use serde::de::DeserializeOwned;
use trailmark_protocol::limits::{ID_CHARS, NAME_CHARS};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask;
use super::ask::question::read_text;
use super::cohorts;
use super::delivery::Delivery;
use super::error::QueryError;
use super::events::{EventFilter, EventPage};
use super::events_export;
use super::explain::Explanation;
use super::export::Export;
use super::lists;
use super::parameters::{EventQuery, InstallQuery, PageQuery, PersonPath, RangeQuery};
use super::params::{Params, storable};
use super::person::Person;
use super::reader::Reader;
use super::stats::Stats;
use super::turns::{Turn, Turns};
use crate::app::App;
use crate::gateway::access::Access;
use crate::gateway::body::{self, Metered};
use crate::gateway::problem::Problem;
use crate::gateway::refusals::{OneRefused, ReadRefused};
use crate::store::Role;

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
        .routes(routes!(stats))
        .routes(routes!(delivery))
        .routes(routes!(person))
        .routes(routes!(events_as_first_called))
        .routes(routes!(person_as_first_called))
        .routes(routes!(explain))
        .routes(routes!(export))
        .merge(events_export::http::router())
        .merge(lists::router())
        .merge(cohorts::http::router())
        .merge(ask::http::router())
        .merge(crate::observe::latency::http::router())
}

/// A caller whose secret key, or session, opened a project.
#[derive(Debug)]
pub struct Caller {
    reader: Reader,
    access: Access,
    turns: Turns,
}

impl Caller {
    /// The project that is opened.
    #[must_use]
    pub fn project_id(&self) -> i32 {
        self.access.project_id()
    }

    /// Waits for its turn.
    ///
    /// # Errors
    /// `too_many_reads`, `query_timeout`.
    pub async fn turn(self) -> Result<Authorised, Problem> {
        Ok(Authorised {
            turn: self.turns.next(self.access.project_id()).await?,
            caller: self,
        })
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let access = Access::from_request_parts(parts, app).await?;
        Ok(Self {
            reader: app.reader(access.project_id()),
            access,
            turns: app.turns.clone(),
        })
    }
}

/// A caller whose turn it is. Take it as the first argument of a handler.
#[derive(Debug)]
pub struct Authorised {
    caller: Caller,
    turn: Turn,
}

impl Authorised {
    /// Reads the project.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.caller.reader
    }

    /// Ends its turn; where the next ones are to be had.
    pub fn into_turns(self) -> Turns {
        self.caller.turns
    }

    /// Refuses who may only look.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn may_change(&self) -> Result<(), Problem> {
        self.caller.access.needs(Role::Admin)
    }
}

impl FromRequestParts<Arc<App>> for Authorised {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, app).await?.turn().await
    }
}

/// A request's whole body, on the budget of all bodies.
///
/// # Errors
/// `body_too_large`, `body_timeout`, `invalid_body`, `overloaded`.
pub async fn read_body(app: &App, request: Request) -> Result<Metered, Problem> {
    body::read(request.into_body(), &app.budget, app.config.http.body_timeout()).await
}

/// A request's body as JSON, read strictly.
///
/// # Errors
/// Those of [`read_body`]; `invalid_parameter` names what is wrong by its path.
pub async fn read_json<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Problem> {
    let body = read_body(app, request).await?;
    Ok(read_text(body.as_slice()).map_err(QueryError::from)?)
}

/// The number at the end of a path.
///
/// # Errors
/// `invalid_parameter`.
pub fn number(id: Result<Path<String>, PathRejection>) -> Result<i64, QueryError> {
    let number = id.ok().and_then(|Path(id)| id.parse().ok());
    number.ok_or_else(|| QueryError::parameter("id", "is no whole number"))
}

/// Events, newest first by id, which is the time of capture.
///
/// `property.<name>=<value>`, up to ten times, keeps those whose property has this value: a text as it is, anything else as
/// JSON writes it.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "events", tag = "read",
    params(
        EventQuery,
        ("session" = Option<String>, Query, description = "Only those of this session. Quick together with `person`, or with `from` and `to`.", min_length = 1, max_length = 200),
        RangeQuery,
        PageQuery,
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
    Ok(Json(caller.reader().events(&filter, params.page()?).await?))
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

/// How many events, of whom, of what, when.
#[utoipa::path(get, path = "/api/analytics/stats", operation_id = "analytics_stats", tag = "read", security(("secret_key" = [])),
    params(RangeQuery),
    responses((status = 200, description = "What there is.", body = Stats), ReadRefused),
)]
async fn stats(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<Stats>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["from", "to"])?;
    Ok(Json(caller.reader().stats(params.time_range()?).await?))
}

/// What installs captured, what of it is stored, and what was lost where.
#[utoipa::path(get, path = "/api/analytics/delivery", operation_id = "analytics_delivery", tag = "read", security(("secret_key" = [])),
    params(RangeQuery, InstallQuery),
    responses((status = 200, description = "What became of what was captured.", body = Delivery), ReadRefused),
)]
async fn delivery(caller: Authorised, RawQuery(query): RawQuery) -> Result<Json<Delivery>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["from", "to", "limit", "cursor"])?;
    let page = params.install_page()?;
    Ok(Json(caller.reader().delivery(params.time_range()?, &page).await?))
}

/// A person: its ids, what is known about it, and a page of its events.
#[utoipa::path(
    get, path = "/api/v1/persons/{id}", operation_id = "person", tag = "persons",
    params(PersonPath, PageQuery),
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
    Ok(Json(caller.reader().person(&id, params.page()?).await?))
}

/// `GET /api/v1/events` under its first name.
#[utoipa::path(get, path = "/api/analytics/events", operation_id = "events_as_first_called", tag = "read", security(("secret_key" = [])),
    params(EventQuery, RangeQuery, PageQuery),
    responses((status = 200, description = "A page of events.", body = EventPage), ReadRefused),
)]
async fn events_as_first_called(caller: Authorised, query: RawQuery) -> Result<Json<EventPage>, Problem> {
    events(caller, query).await
}

/// `GET /api/v1/persons/{id}` under its first name.
#[utoipa::path(get, path = "/v1/persons/{id}", operation_id = "person_as_first_called", tag = "persons", security(("secret_key" = [])),
    params(PersonPath, PageQuery),
    responses((status = 200, description = "The person.", body = Person), OneRefused),
)]
async fn person_as_first_called(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    query: RawQuery,
) -> Result<Json<Person>, Problem> {
    person(caller, id, query).await
}

/// Why these ids are one person, and how it came to be so.
#[utoipa::path(get, path = "/v1/persons/{id}/explain", operation_id = "explain_person", tag = "persons", security(("secret_key" = [])),
    params(PersonPath),
    responses((status = 200, description = "Why these ids are one person.", body = Explanation), OneRefused),
)]
async fn explain(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Explanation>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    Ok(Json(caller.reader().explain(&person_id(id)?).await?))
}

/// All there is about a person, line by line.
#[utoipa::path(get, path = "/v1/persons/{id}/export", operation_id = "export_person", tag = "persons", security(("secret_key" = [])),
    params(PersonPath),
    responses(
        (status = 200, description = "The person, then its events, one JSON object per line.",
            body = String, content_type = "application/x-ndjson"), OneRefused),
)]
async fn export(
    caller: Authorised,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let Authorised { caller, turn } = caller;
    let Caller { reader, access, turns } = caller;
    let project_id = access.project_id();
    let export = Export::begin(reader, &person_id(id)?).await?;
    drop(turn);
    // A turn for each page: who reads slowly keeps nobody waiting.
    let lines = try_unfold((export, turns), move |(mut export, turns)| async move {
        let turn = turns
            .next(project_id)
            .await
            .map_err(|problem| problem.detail().to_owned())?;
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
/// `invalid_parameter`.
pub(crate) fn person_id(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let Path(id) = id.map_err(|_| QueryError::parameter("id", "is not percent-encoded UTF-8"))?;
    storable("id", &id, ID_CHARS)?;
    Ok(id)
}
