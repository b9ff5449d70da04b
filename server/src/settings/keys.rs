//! The routes of a project's keys.

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
use crate::app::App;
use crate::gateway::access::Editor;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::http::{number, read_json};
use crate::query::params::{Params, storable};
use crate::query::time::At;
use crate::store::{ApiKey, KeyKind};

/// Most keys of a project that open: 1,000. Every server holds the keys of all projects in memory, at 100 bytes.
const KEYS_MAX: i64 = 1_000;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyShown {
    /// Its number.
    id: i32,
    /// `write`: may only send events. `secret`: may read and administer.
    kind: KeyKind,
    /// Its name for people.
    name: String,
    /// Its prefix and last four characters.
    hint: String,
    /// When it was made.
    created_at: At,
    /// When it was last used, to the minute.
    last_used_at: Option<At>,
    /// When it was revoked, if it was.
    revoked_at: Option<At>,
}

/// The keys, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Keys {
    /// All of them, revoked ones too.
    keys: Vec<KeyShown>,
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// `write`: may only send events. `secret`: may read and administer.
    kind: KeyKind,
    /// A name for people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct KeyMade {
    /// What is known of it.
    key: KeyShown,
    /// The key, shown only now.
    text: String,
}

impl From<ApiKey> for KeyShown {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            kind: key.kind,
            name: key.name,
            hint: key.hint,
            created_at: At(key.created_at),
            last_used_at: key.last_used_at.map(At),
            revoked_at: key.revoked_at.map(At),
        }
    }
}

/// The keys of the project.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "keys", tag = "settings",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "All of them.", body = Keys), ReadRefused),
)]
async fn list(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Keys>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let keys = app.store.list_keys(Some(access.project_id())).await;
    Ok(Json(Keys {
        keys: keys
            .map_err(QueryError::from)?
            .into_iter()
            .map(KeyShown::from)
            .collect(),
    }))
}

/// Makes a key.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "create_key", tag = "settings",
    security(("secret_key" = []), ("session" = [])),
    request_body = NewKey,
    responses((status = 201, description = "The key, shown only now.", body = KeyMade), ChangeRefused),
)]
async fn create(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<KeyMade>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewKey = read_json(&app, request).await?;
    let name = storable("name", &new.name, NAME_CHARS)?;
    let project = access.project_id();
    if app.store.project(project).await.map_err(QueryError::from)?.is_none() {
        return Err(Problem::new(Code::NotFound, format!("there is no project {project}")));
    }
    let made = app.store.create_key_among(project, (new.kind, name), KEYS_MAX).await;
    let too_many = || QueryError::parameter(".", format!("is one too many: {KEYS_MAX} keys open the project"));
    let made = made.map_err(QueryError::from)?.ok_or_else(too_many)?;
    tracing::info!(project, key = made.key.id, by = access.who(), "a key was made");
    let shown = KeyMade {
        key: made.key.into(),
        text: made.text,
    };
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Revokes a key: it opens nothing any more, on this server at once, on others within 5 seconds.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "revoke_key", tag = "settings",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i32, Path, description = "Its number.")),
    responses((status = 204, description = "It is revoked."), OneRefused),
)]
async fn revoke(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let (id, project) = (small(id)?, access.project_id());
    if !app.store.revoke_key(project, id).await.map_err(QueryError::from)? {
        return Err(Problem::new(Code::NotFound, format!("there is no key {id} that opens")));
    }
    tracing::info!(project, key = id, by = access.who(), "a key was revoked");
    if let Err(error) = app.keyring.refresh(&app.store).await {
        tracing::debug!(%error, "the keys were not read again at once");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The number at the end of a path, where numbers are small.
pub(super) fn small(id: Result<Path<String>, PathRejection>) -> Result<i32, QueryError> {
    i32::try_from(number(id)?).map_err(|_| QueryError::parameter("id", "is too large a number"))
}
