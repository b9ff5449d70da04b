//! `POST /api/v1/query` and `POST /api/v1/query/persons`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answered;
use super::explained::Explained;
use super::persons::{PersonPage, WhoIs};
use super::question::Question;
use super::table::Table;
use crate::app::App;
use crate::gateway::body::{self, Metered};
use crate::gateway::problem::Problem;
use crate::gateway::refusals::QuestionRefused;
use crate::query::error::QueryError;
use crate::query::http::{Authorised, Caller};
use crate::query::params::Params;

/// The routes of questions.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(query))
        .routes(routes!(explain_query))
        .routes(routes!(persons))
}

/// Answers a question.
///
/// Reading is strict: an unknown field is refused, and what is wrong is named by its JSON path.
#[utoipa::path(post, path = "/api/v1/query", operation_id = "query", tag = "query", security(("secret_key" = [])),
    request_body(content = Question, examples(
        ("trends" = (summary = "Who buys, and what it brings", value = json!({"kind": "trends", "interval": "week",
            "series": [{"event": "checkout", "math": "unique_persons"},
                {"event": "checkout", "math": "sum", "math_property": "total"}],
            "breakdown": [{"property": "$pathname", "limit": 5}]}))),
        ("funnel" = (summary = "From a page to an order", value = json!({"kind": "funnel",
            "steps": [{"event": "$pageview"}, {"event": "checkout"}], "window": {"value": 7, "unit": "day"}}))),
        ("retention" = (summary = "Who comes back", value = json!({"kind": "retention", "period": "week"}))),
        ("paths" = (summary = "What follows a page", value = json!({"kind": "paths", "start": "/pricing"}))),
        ("lifecycle" = (summary = "Who is new, who has gone", value = json!({"kind": "lifecycle", "interval": "week"}))),
        ("stickiness" = (summary = "How often", value = json!({"kind": "stickiness", "series": [{"event": "checkout"}]}))),
        ("sessions" = (summary = "How long", value = json!({"kind": "sessions", "timezone": "Europe/Berlin"}))),
        ("cohort" = (summary = "Who bought twice, and has no plan", value = json!({"kind": "cohort",
            "definition": {"and": [{"performed": {"event": "checkout", "times": {"at_least": 2}}},
                {"person": {"type": "person", "property": "plan", "op": "is_not_set"}}]}}))),
    )),
    responses(
        (status = 200, description = "The answer, in the form that `Accept` names first.", content(
            (Answered = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"))),
        QuestionRefused,
    ),
)]
async fn query(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let (caller, format, body) = take(&app, request).await?;
    let question = Question::read(body.as_slice()).map_err(QueryError::from)?;
    let (answered, how) = caller.reader().ask_and_tell(&question, app.clock.now()).await?;
    app.columns.used(caller.reader().project_id(), how.properties);
    Ok(format.respond(&answered, || Table::of(&answered)))
}

/// Answers a question, and says how: from segments or from rows and why, what was read, and what took how long.
#[utoipa::path(post, path = "/api/v1/query/explain", operation_id = "explain_query", tag = "query", security(("secret_key" = [])),
    request_body(content = Question, examples(
        ("funnel" = (summary = "What a funnel costs", value = json!({"kind": "funnel",
            "steps": [{"event": "$pageview"}, {"event": "checkout"}], "window": {"value": 7, "unit": "day"}}))),
    )),
    responses((status = 200, description = "How it was answered.", body = Explained), QuestionRefused),
)]
async fn explain_query(State(app): State<Arc<App>>, request: Request) -> Result<Json<Explained>, Problem> {
    let (caller, _, body) = take(&app, request).await?;
    let question = Question::read(body.as_slice()).map_err(QueryError::from)?;
    let (answered, how) = caller.reader().ask_and_tell(&question, app.clock.now()).await?;
    Ok(Json(Explained::of(&answered, how)))
}

/// Who is in one number of an answer.
///
/// `at` is a place in the answer to `query`: the step of a funnel that was dropped at, say.
#[utoipa::path(post, path = "/api/v1/query/persons", operation_id = "query_persons", tag = "query", security(("secret_key" = [])),
    request_body(content = WhoIs, examples(
        ("dropped" = (summary = "Who did not order", value = json!({"at": {"step": 1, "outcome": "dropped"}, "limit": 10,
            "query": {"kind": "funnel", "steps": [{"event": "$pageview"}, {"event": "checkout"}]}}))),
        ("line" = (summary = "Who is in a line of a trend", value = json!({"at": {"series": "A"},
            "query": {"kind": "trends", "series": [{"event": "checkout"}]}}))),
        ("edge" = (summary = "Who went this way", value = json!({"at": {"from": "/", "to": "/pricing"},
            "query": {"kind": "paths"}}))),
        ("cohort" = (summary = "Who is in a cohort", value = json!({"at": {},
            "query": {"kind": "cohort", "definition": {"or": [{"not_performed": {"event": "checkout"}}]}}}))),
    )),
    responses(
        (status = 200, description = "The answer, in the form that `Accept` names first.", content(
            (PersonPage = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"))),
        QuestionRefused,
    ),
)]
async fn persons(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let (caller, format, body) = take(&app, request).await?;
    let who = WhoIs::read(body.as_slice()).map_err(QueryError::from)?;
    let page = caller.reader().persons_in(&who, app.clock.now()).await?;
    Ok(format.respond(&page, || Table::of_persons(&page)))
}

/// The caller is known before the body is read: a stranger costs no memory. Its turn begins after that: who sends slowly
/// keeps nobody waiting.
async fn take(app: &Arc<App>, request: Request<Body>) -> Result<(Authorised, Format, Metered), Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    Params::parse(parts.uri.query().unwrap_or_default(), &[])?;
    let body = body::read(body, &app.budget, app.config.http.body_timeout()).await?;
    Ok((caller.turn().await?, Format::of(&parts.headers), body))
}

/// In what form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    NdJson,
}

impl Format {
    /// The first that `Accept` names; JSON if it names none of these.
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .unwrap_or_default();
        let named = |part: &str| match part.split(';').next().unwrap_or_default().trim() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" => Some(Self::NdJson),
            "application/json" => Some(Self::Json),
            _ => None,
        };
        accept.split(',').find_map(named).unwrap_or(Self::Json)
    }

    fn respond(self, answer: &impl serde::Serialize, table: impl FnOnce() -> Table) -> Response {
        let (kind, text) = match self {
            Self::Json => return Json(answer).into_response(),
            Self::Csv => ("text/csv; charset=utf-8", table().to_csv()),
            Self::NdJson => ("application/x-ndjson", table().to_ndjson()),
        };
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_is_taken() {
        let format = |accept: &'static str| {
            Format::of(&HeaderMap::from_iter([(
                header::ACCEPT,
                HeaderValue::from_static(accept),
            )]))
        };
        assert_eq!(format("text/csv"), Format::Csv);
        assert_eq!(format("text/html, application/x-ndjson;q=0.9"), Format::NdJson);
        assert_eq!(format("*/*"), Format::Json);
        assert_eq!(Format::of(&HeaderMap::new()), Format::Json);
    }
}
