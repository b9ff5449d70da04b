//! The routes of notes on the time line.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::http::{number, read_json};
use crate::query::parameters::RangeQuery;
use crate::query::params::{Params, storable};
use crate::query::time::At;
use crate::store::annotations::AnnotationRow;

/// Most notes of a project: 10,000, five a working day for eight years.
pub const ANNOTATIONS_MAX: i64 = 10_000;

/// Most notes of one answer: no chart shows more.
const LISTED: i64 = 1_000;

/// Longest text, in characters.
const TEXT_CHARS: usize = 500;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(change, delete))
}

/// A note on the time line: a release, a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Annotation {
    /// Its number.
    pub id: i64,
    /// When that was.
    pub at: At,
    /// What it was.
    pub text: String,
    /// Who wrote it: an e-mail address, or the number of a key.
    pub created_by: String,
}

/// Notes, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Annotations {
    /// At most 1,000.
    annotations: Vec<Annotation>,
}

/// A note to be written.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAnnotation {
    /// When that was; now, if it is not said.
    #[schema(value_type = Option<At>)]
    at: Option<String>,
    /// What it was.
    #[schema(min_length = 1, max_length = 500)]
    text: String,
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedAnnotation {
    /// Another time.
    #[schema(value_type = Option<At>)]
    at: Option<String>,
    /// Another text.
    #[schema(min_length = 1, max_length = 500)]
    text: Option<String>,
}

impl From<AnnotationRow> for Annotation {
    fn from(row: AnnotationRow) -> Self {
        Self {
            id: row.id,
            at: At(row.at.0),
            text: row.text,
            created_by: row.created_by,
        }
    }
}

/// Notes on the time line.
#[utoipa::path(get, path = "/api/v1/annotations", operation_id = "annotations", tag = "query",
    security(("secret_key" = []), ("session" = [])), params(RangeQuery),
    responses((status = 200, description = "Those of the range.", body = Annotations), ReadRefused),
)]
async fn list(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Annotations>, Problem> {
    let range = Params::parse(&query.unwrap_or_default(), &["from", "to"])?.time_range()?;
    let rows = app
        .store
        .annotations(access.project_id(), (range.from, range.to), LISTED)
        .await
        .map_err(QueryError::Store)?;
    let annotations = rows.into_iter().map(Annotation::from).collect();
    Ok(Json(Annotations { annotations }))
}

/// Notes something on the time line.
#[utoipa::path(post, path = "/api/v1/annotations", operation_id = "annotate", tag = "query",
    security(("secret_key" = []), ("session" = [])), request_body = NewAnnotation,
    responses((status = 201, description = "The note.", body = Annotation), ChangeRefused),
)]
async fn make(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<Annotation>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewAnnotation = read_json(&app, request).await?;
    let text = storable("text", &new.text, TEXT_CHARS)?;
    let at = new.at.as_deref().map(moment).transpose()?;
    let at = at.unwrap_or_else(|| app.clock.now());
    let made = app
        .store
        .annotate(access.project_id(), (at, text), access.who(), ANNOTATIONS_MAX)
        .await
        .map_err(QueryError::Store)?;
    let made = made.ok_or_else(|| {
        QueryError::parameter(".", format!("is one too many: there are {ANNOTATIONS_MAX} annotations"))
    })?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Changes a note.
#[utoipa::path(patch, path = "/api/v1/annotations/{id}", operation_id = "change_annotation", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")), request_body = ChangedAnnotation,
    responses((status = 200, description = "The note as it is now.", body = Annotation), ChangeRefused),
)]
async fn change(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Annotation>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let changed: ChangedAnnotation = read_json(&app, request).await?;
    let text = changed.text.as_deref().map(|text| storable("text", text, TEXT_CHARS));
    let at = changed.at.as_deref().map(moment).transpose()?;
    let row = app
        .store
        .change_annotation(access.project_id(), id, (at, text.transpose()?))
        .await
        .map_err(QueryError::Store)?;
    Ok(Json(row.ok_or_else(|| missing(id))?.into()))
}

/// Deletes a note.
#[utoipa::path(delete, path = "/api/v1/annotations/{id}", operation_id = "delete_annotation", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It is gone."), OneRefused),
)]
async fn delete(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let deleted = app.store.delete_annotation(access.project_id(), id).await;
    match deleted.map_err(QueryError::Store)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing(id)),
    }
}

fn missing(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no annotation {id}"))
}

fn moment(text: &str) -> Result<Timestamp, QueryError> {
    let refused = || QueryError::parameter("at", "is no RFC 3339 time such as 2026-11-20T21:13:05Z");
    Timestamp::parse(text).ok_or_else(refused)
}
