//! The routes of saved questions.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::ask::Answered;
use crate::query::ask::question::Question;
use crate::query::http::{Caller, number, read_json};
use crate::query::params::{Params, storable};
use crate::query::time::At;
use crate::store::saved_queries::{SavedQueryChange, SavedQueryRow};

/// Most saved questions of a project: 1,000, some dashboards of each of fifty people.
pub const SAVED_MAX: i64 = 1_000;

/// Longest name, in characters.
const NAME_CHARS: usize = 200;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, save))
        .routes(routes!(read, change, delete))
        .routes(routes!(answer))
}

/// A question that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct SavedQuery {
    /// Its number.
    id: i64,
    /// Its name for people.
    name: String,
    /// The question, every default in it.
    #[schema(value_type = Question)]
    query: serde_json::Value,
    /// Of a funnel: whether it is a problem when fewer people get through than the week before.
    watched: bool,
    /// When it was saved.
    created_at: At,
    /// Who saved it: an e-mail address, or the number of a key.
    created_by: String,
    /// When it was last changed.
    changed_at: At,
}

/// The saved questions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct SavedQueries {
    /// All of them.
    saved_queries: Vec<SavedQuery>,
}

/// A question to be kept.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSavedQuery {
    /// A name for people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The question.
    #[schema(value_type = Question)]
    query: serde_json::Value,
    /// Whether to watch it; only funnels can be.
    #[serde(default)]
    watched: bool,
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedSavedQuery {
    /// Another name.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Another question.
    #[schema(value_type = Option<Question>)]
    query: Option<serde_json::Value>,
    /// Whether to watch it.
    watched: Option<bool>,
}

impl From<SavedQueryRow> for SavedQuery {
    fn from(row: SavedQueryRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            query: row.question.0,
            watched: row.watched,
            created_at: At(row.created_at.0),
            created_by: row.created_by,
            changed_at: At(row.changed_at.0),
        }
    }
}

/// The questions that are kept.
#[utoipa::path(get, path = "/api/v1/saved_queries", operation_id = "saved_queries", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "All of them.", body = SavedQueries), ReadRefused),
)]
async fn list(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<SavedQueries>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let rows = app
        .store
        .saved_queries(access.project_id(), None)
        .await
        .map_err(QueryError::Store)?;
    Ok(Json(SavedQueries {
        saved_queries: rows.into_iter().map(SavedQuery::from).collect(),
    }))
}

/// Keeps a question.
#[utoipa::path(post, path = "/api/v1/saved_queries", operation_id = "save_query", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    request_body(content = NewSavedQuery, examples(("funnel" = (summary = "A funnel that is watched", value = json!({
        "name": "Checkout", "watched": true,
        "query": {"kind": "funnel", "steps": [{"event": "cart"}, {"event": "checkout"}]}}))))),
    responses((status = 201, description = "The question as it is kept.", body = SavedQuery), ChangeRefused),
)]
async fn save(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<SavedQuery>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewSavedQuery = read_json(&app, request).await?;
    let name = storable("name", &new.name, NAME_CHARS)?;
    let question = understood(&new.query)?;
    watchable(&question, new.watched)?;
    let (project, who, now) = (access.project_id(), access.who(), app.clock.now());
    let saved = app
        .store
        .save_query(project, (name, written(&question), new.watched), who, now, SAVED_MAX)
        .await;
    let saved = saved.map_err(QueryError::Store)?;
    let saved = saved
        .ok_or_else(|| QueryError::parameter(".", format!("is one too many: there are {SAVED_MAX} saved queries")))?;
    Ok((StatusCode::CREATED, Json(saved.into())))
}

/// A question that is kept.
#[utoipa::path(get, path = "/api/v1/saved_queries/{id}", operation_id = "saved_query", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The question.", body = SavedQuery), OneRefused),
)]
async fn read(
    access: Access,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<SavedQuery>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    Ok(Json(one(&app, access.project_id(), number(id)?).await?.into()))
}

/// Changes a name, a question, or whether it is watched.
#[utoipa::path(patch, path = "/api/v1/saved_queries/{id}", operation_id = "change_saved_query", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    request_body = ChangedSavedQuery,
    responses((status = 200, description = "The question as it is now.", body = SavedQuery), ChangeRefused),
)]
async fn change(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<SavedQuery>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let (id, project) = (number(id)?, access.project_id());
    let changed: ChangedSavedQuery = read_json(&app, request).await?;
    let before = one(&app, project, id).await?;
    let question = understood(changed.query.as_ref().unwrap_or(&before.question.0))?;
    watchable(&question, changed.watched.unwrap_or(before.watched))?;
    let change = SavedQueryChange {
        name: changed
            .name
            .as_deref()
            .map(|name| storable("name", name, NAME_CHARS))
            .transpose()?,
        question: changed.query.is_some().then(|| written(&question)),
        watched: changed.watched,
    };
    let row = app.store.change_saved_query(project, id, change, app.clock.now()).await;
    Ok(Json(row.map_err(QueryError::Store)?.ok_or_else(|| missing(id))?.into()))
}

/// Deletes a saved question.
#[utoipa::path(delete, path = "/api/v1/saved_queries/{id}", operation_id = "delete_saved_query", tag = "query",
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
    match app
        .store
        .delete_saved_query(access.project_id(), id)
        .await
        .map_err(QueryError::Store)?
    {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing(id)),
    }
}

/// Asks a saved question.
#[utoipa::path(get, path = "/api/v1/saved_queries/{id}/answer", operation_id = "saved_query_answer", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The answer.", body = Answered), OneRefused),
)]
async fn answer(
    caller: Caller,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Answered>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let saved = one(&app, caller.project_id(), number(id)?).await?;
    let question = understood(&saved.question.0)?;
    Ok(Json(
        caller.turn().await?.reader().ask(&question, app.clock.now()).await?,
    ))
}

async fn one(app: &App, project_id: i32, id: i64) -> Result<SavedQueryRow, Problem> {
    let rows = app
        .store
        .saved_queries(project_id, Some(id))
        .await
        .map_err(QueryError::Store)?;
    rows.into_iter().next().ok_or_else(|| missing(id))
}

fn missing(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no saved query {id}"))
}

/// The question, or what is wrong with it, as a path from the body.
pub(crate) fn understood(query: &serde_json::Value) -> Result<Question, QueryError> {
    Question::read(query.to_string().as_bytes()).map_err(|mut invalid| {
        invalid.path = format!("query.{}", invalid.path.trim_start_matches('.'));
        invalid.into()
    })
}

fn watchable(question: &Question, watched: bool) -> Result<(), QueryError> {
    match (watched, question) {
        (true, Question::Funnel(_)) | (false, _) => Ok(()),
        (true, _) => Err(QueryError::parameter(
            "watched",
            "is for funnels; other numbers are watched by an alert with a threshold",
        )),
    }
}

/// Questions were read from JSON, so they can be written as such.
fn written(question: &Question) -> serde_json::Value {
    serde_json::to_value(question).unwrap_or_default()
}
