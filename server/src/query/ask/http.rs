//! `POST /api/v1/query` and `POST /api/v1/query/persons`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, header};
use utoipa_axum::router::OpenApiRouter;

use super::persons::WhoIs;
use super::question::Question;
use super::table::Table;
use crate::app::App;
use crate::gateway::body::{self, Metered};
use crate::gateway::problem::Problem;
use crate::query::error::QueryError;
use crate::query::http::{Authorised, Caller};

/// The routes of questions.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .route("/api/v1/query", post(query))
        .route("/api/v1/query/persons", post(persons))
}

async fn query(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let (caller, format, body) = take(&app, request).await?;
    let question = Question::read(body.as_slice()).map_err(QueryError::from)?;
    let answered = caller.reader().ask(&question, app.clock.now()).await?;
    Ok(format.respond(&answered, || Table::of(&answered)))
}

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
            Self::Json => return axum::Json(answer).into_response(),
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
