//! The routes of projects.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::NAME_CHARS;
use super::keys::small;
use crate::app::App;
use crate::gateway::installation::{Manager, Sight};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{InstallationChangeRefused, ProjectsRefused};
use crate::query::QueryError;
use crate::query::http::read_json;
use crate::query::params::{Params, storable};
use crate::query::time::At;
use crate::store::{NewKey, Project};

/// Most projects: 1,000. Every login tells of all of them, 60 KB then.
const PROJECTS_MAX: i64 = 1_000;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(rename))
}

/// One product whose events are kept apart from all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Project)]
struct ProjectShown {
    /// Its number.
    id: i32,
    /// Its name for people.
    name: String,
    /// When it was made.
    created_at: At,
}

/// The projects, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Projects {
    /// All of them; for a secret key, its own.
    projects: Vec<ProjectShown>,
}

/// A project to be made or renamed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProjectName {
    /// A name for people; it need not be the only one.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A project that was made, and the key with which its first events are sent.
#[derive(Serialize, ToSchema)]
struct NewProject {
    /// The project.
    project: ProjectShown,
    /// Its write key.
    write_key: FirstKey,
}

/// The write key of a new project.
#[derive(Serialize, ToSchema)]
struct FirstKey {
    /// Its number.
    id: i32,
    /// Its prefix and last four characters.
    hint: String,
    /// The key, shown only now.
    text: String,
}

impl From<Project> for ProjectShown {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            created_at: At(project.created_at),
        }
    }
}

impl From<NewKey> for FirstKey {
    fn from(new: NewKey) -> Self {
        Self {
            id: new.key.id,
            hint: new.key.hint,
            text: new.text,
        }
    }
}

/// The projects: all of them for a session, its own for a secret key.
#[utoipa::path(get, path = "/api/v1/projects", operation_id = "projects", tag = "settings",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "The projects.", body = Projects), ProjectsRefused),
)]
async fn list(sight: Sight, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Projects>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let mut projects = app.store.list_projects().await.map_err(QueryError::from)?;
    projects.retain(|project| sight.only.is_none_or(|only| only == project.id));
    Ok(Json(Projects {
        projects: projects.into_iter().map(ProjectShown::from).collect(),
    }))
}

/// Makes a project with a write key. Takes the role admin.
#[utoipa::path(post, path = "/api/v1/projects", operation_id = "create_project", tag = "settings",
    security(("session" = [])),
    request_body = ProjectName,
    responses((status = 201, description = "The project, and its key, shown only now.", body = NewProject), InstallationChangeRefused),
)]
async fn create(
    _: Manager,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<NewProject>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: ProjectName = read_json(&app, request).await?;
    let name = storable("name", &new.name, NAME_CHARS)?;
    let made = app.store.create_project_with_key(name, PROJECTS_MAX).await;
    let too_many = || QueryError::parameter(".", format!("is one too many: there are {PROJECTS_MAX} projects"));
    let (project, key) = made.map_err(QueryError::from)?.ok_or_else(too_many)?;
    let made = NewProject {
        project: project.into(),
        write_key: key.into(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Gives a project another name. Takes the role admin.
#[utoipa::path(patch, path = "/api/v1/projects/{id}", operation_id = "rename_project", tag = "settings",
    security(("session" = [])),
    params(("id" = i32, Path, description = "Its number.")),
    request_body = ProjectName,
    responses((status = 200, description = "The project as it is now.", body = ProjectShown), InstallationChangeRefused),
)]
async fn rename(
    _: Manager,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<ProjectShown>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = small(id)?;
    let new: ProjectName = read_json(&app, request).await?;
    let name = storable("name", &new.name, NAME_CHARS)?;
    let renamed = app.store.rename_project(id, name).await.map_err(QueryError::from)?;
    let missing = || Problem::new(Code::NotFound, format!("there is no project {id}"));
    Ok(Json(renamed.ok_or_else(missing)?.into()))
}
