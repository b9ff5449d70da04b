//! The routes of cohorts.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::{StatusCode, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ids::Form;
use super::rules::{self, Known};
use super::{COHORTS_MAX, ChangedCohort, KeptCohort, KeptCohorts, NewCohort, Uploaded};
use crate::app::App;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::query::ask::question::Definition;
use crate::query::ask::regex;
use crate::query::error::QueryError;
use crate::query::http::{Authorised, read_body, read_json};
use crate::query::params::Params;
use crate::store::{CohortRow, HeldCohorts};

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_cohorts, make_cohort))
        .routes(routes!(read_cohort, change_cohort, delete_cohort))
        .routes(routes!(upload_members))
}

/// The cohorts that are kept.
#[utoipa::path(
    get, path = "/api/v1/cohorts", operation_id = "cohorts", tag = "query",
    responses((status = 200, description = "All of them.", body = KeptCohorts), ReadRefused),
    security(("secret_key" = []))
)]
async fn list_cohorts(
    caller: Authorised,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<KeptCohorts>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let mut held = hold(&app, &caller).await?;
    let cohorts = all(&mut held).await?;
    Ok(Json(KeptCohorts {
        cohorts: cohorts.into_iter().map(KeptCohort::from).collect(),
    }))
}

/// Makes a cohort: with a definition, or a list to which ids are then uploaded.
#[utoipa::path(
    post, path = "/api/v1/cohorts", operation_id = "make_cohort", tag = "query",
    request_body = NewCohort,
    responses((status = 201, description = "The cohort.", body = KeptCohort), ChangeRefused),
    security(("secret_key" = []))
)]
async fn make_cohort(
    caller: Authorised,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<KeptCohort>), Problem> {
    caller.may_change()?;
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewCohort = read_json(&app, request).await?;
    rules::name(&new.name).map_err(QueryError::from)?;
    check_regexes(&caller, new.definition.as_ref()).await?;
    let mut held = hold(&app, &caller).await?;
    let known = known(&all(&mut held).await?);
    if known.len() >= COHORTS_MAX {
        return Err(QueryError::parameter(".", "is one too many: there are 500 cohorts").into());
    }
    if let Some(definition) = &new.definition {
        rules::definition(definition, None, &known).map_err(QueryError::from)?;
    }
    let id = held.add(&new.name, written(new.definition)).await;
    let id = id.map_err(QueryError::Store)?;
    Ok((StatusCode::CREATED, Json(kept(held, id).await?)))
}

/// A cohort that is kept.
#[utoipa::path(
    get, path = "/api/v1/cohorts/{id}", operation_id = "cohort", tag = "query",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The cohort.", body = KeptCohort), OneRefused),
    security(("secret_key" = []))
)]
async fn read_cohort(
    caller: Authorised,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<KeptCohort>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let mut held = hold(&app, &caller).await?;
    Ok(Json(one(&all(&mut held).await?, id)?.clone().into()))
}

/// Gives a cohort another name, another definition, or both.
#[utoipa::path(
    patch, path = "/api/v1/cohorts/{id}", operation_id = "change_cohort", tag = "query",
    params(("id" = i64, Path, description = "Its number.")),
    request_body = ChangedCohort,
    responses((status = 200, description = "The cohort as it is now.", body = KeptCohort), ChangeRefused),
    security(("secret_key" = []))
)]
async fn change_cohort(
    caller: Authorised,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<KeptCohort>, Problem> {
    caller.may_change()?;
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let changed: ChangedCohort = read_json(&app, request).await?;
    changed
        .name
        .as_deref()
        .map_or(Ok(()), rules::name)
        .map_err(QueryError::from)?;
    check_regexes(&caller, changed.definition.as_ref()).await?;
    let mut held = hold(&app, &caller).await?;
    let cohorts = all(&mut held).await?;
    let is_list = one(&cohorts, id)?.definition.is_none();
    if let Some(definition) = &changed.definition {
        if is_list {
            return Err(QueryError::parameter("definition", "is not for this cohort: it is a list").into());
        }
        rules::definition(definition, Some(id), &known(&cohorts)).map_err(QueryError::from)?;
    }
    let done = held
        .change(id, changed.name.as_deref(), written(changed.definition))
        .await;
    done.map_err(QueryError::Store)?;
    Ok(Json(kept(held, id).await?))
}

/// Deletes a cohort that no other is made of.
#[utoipa::path(
    delete, path = "/api/v1/cohorts/{id}", operation_id = "delete_cohort", tag = "query",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It is gone."), ChangeRefused),
    security(("secret_key" = []))
)]
async fn delete_cohort(
    caller: Authorised,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    caller.may_change()?;
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let mut held = hold(&app, &caller).await?;
    let cohorts = all(&mut held).await?;
    one(&cohorts, id)?;
    if let Some(user) = rules::made_of(id, &known(&cohorts)).first() {
        let detail = format!("cohort {user} is made of cohort {id}");
        return Err(Problem::new(Code::InUse, detail));
    }
    held.remove(id).await.map_err(QueryError::Store)?;
    held.commit().await.map_err(QueryError::Store)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts persons on the list of a cohort, by their `user_id`s or `anonymous_id`s: a JSON array of texts, or `text/csv` with
/// the id in the first column; at most 50,000 at once.
#[utoipa::path(
    post, path = "/api/v1/cohorts/{id}/members", operation_id = "upload_members", tag = "query",
    params(("id" = i64, Path, description = "Its number.")),
    request_body(content((Vec<String> = "application/json"), (String = "text/csv"))),
    responses((status = 200, description = "How many of the ids are known.", body = Uploaded), ChangeRefused),
    security(("secret_key" = []))
)]
async fn upload_members(
    caller: Authorised,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Uploaded>, Problem> {
    caller.may_change()?;
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let form = Form::of(content_type.map(|value| value.to_str().unwrap_or("?")))?;
    let ids = form.read(read_body(&app, request).await?.as_slice())?;
    let mut held = hold(&app, &caller).await?;
    if one(&all(&mut held).await?, id)?.definition.is_some() {
        return Err(QueryError::parameter("id", "is of a cohort with a definition; only a list takes ids").into());
    }
    let listed = held.list(id, &ids).await.map_err(QueryError::Store)?;
    held.commit().await.map_err(QueryError::Store)?;
    Ok(Json(Uploaded {
        matched: listed.matched,
        added: listed.added,
        unknown: listed.unknown,
        unknown_ids: listed.unknown_ids,
    }))
}

/// The number in a path.
fn number(id: Result<Path<String>, PathRejection>) -> Result<i64, QueryError> {
    let number = id.ok().and_then(|Path(id)| id.parse().ok());
    number.ok_or_else(|| QueryError::parameter("id", "is no number of a cohort"))
}

async fn hold(app: &App, caller: &Authorised) -> Result<HeldCohorts, QueryError> {
    let held = app.store.hold_cohorts(caller.reader().project_id()).await;
    held.map_err(QueryError::Store)
}

async fn all(held: &mut HeldCohorts) -> Result<Vec<CohortRow>, QueryError> {
    held.all().await.map_err(QueryError::Store)
}

fn one(cohorts: &[CohortRow], id: i64) -> Result<&CohortRow, Problem> {
    let found = cohorts.iter().find(|cohort| cohort.id == id);
    found.ok_or_else(|| Problem::new(Code::NotFound, format!("there is no cohort {id}")))
}

/// Commits, and tells what the cohort is now.
async fn kept(mut held: HeldCohorts, id: i64) -> Result<KeptCohort, Problem> {
    let cohorts = all(&mut held).await?;
    held.commit().await.map_err(QueryError::Store)?;
    Ok(one(&cohorts, id)?.clone().into())
}

/// Definitions were checked when they were stored, so all can be read.
fn known(cohorts: &[CohortRow]) -> Known {
    let definition = |row: &CohortRow| {
        let json = row.definition.as_ref()?;
        serde_json::from_value(json.0.clone()).ok()
    };
    cohorts.iter().map(|row| (row.id, definition(row))).collect()
}

/// Definitions were read from JSON, so they can be written as such.
fn written(definition: Option<Definition>) -> Option<serde_json::Value> {
    definition.and_then(|definition| serde_json::to_value(definition).ok())
}

async fn check_regexes(caller: &Authorised, definition: Option<&Definition>) -> Result<(), QueryError> {
    let Some(definition) = definition else { return Ok(()) };
    let reader = caller.reader();
    reader
        .answer(async |snapshot| regex::check(snapshot, definition, "definition.").await)
        .await
}
