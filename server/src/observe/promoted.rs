//! The routes of promoted properties: those that questions filter and break down by fast.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::params::{Params, storable};
use crate::query::time::At;
use crate::store::{Promoted, Store, StoreError};

/// Most promoted properties of a project: 64. A column takes 4 bytes of memory for each event while a segment is made.
pub const PROMOTED_MAX: i64 = 64;

/// Longest name, in characters: as long as an event's may be.
const NAME_CHARS: usize = 200;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(promote, demote))
}

/// A property of events with a column of its own.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PromotedProperty {
    /// Its name, or `$context.` and a path into the circumstances.
    pub property: String,
    /// Since when.
    pub promoted_at: At,
    /// Who promoted it: an e-mail address, the number of a key, or `use` if questions asked for it often.
    pub promoted_by: String,
    /// Questions of the last 30 days that used it.
    pub uses: i64,
}

/// The promoted properties, by name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PromotedProperties {
    /// All of them.
    pub promoted: Vec<PromotedProperty>,
}

impl From<Promoted> for PromotedProperty {
    fn from(row: Promoted) -> Self {
        Self {
            property: row.property,
            promoted_at: At(row.promoted_at.0),
            promoted_by: row.promoted_by,
            uses: row.uses,
        }
    }
}

impl PromotedProperties {
    /// Those of a project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn read(store: &Store, project_id: i32, now: Timestamp) -> Result<Self, StoreError> {
        let rows = store.promoted(project_id, now).await?;
        Ok(Self {
            promoted: rows.into_iter().map(PromotedProperty::from).collect(),
        })
    }
}

/// The promoted properties.
#[utoipa::path(get, path = "/api/v1/promoted", operation_id = "promoted", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "All of them.", body = PromotedProperties), ReadRefused),
)]
async fn list(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<PromotedProperties>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let promoted = PromotedProperties::read(&app.store, access.project_id(), app.clock.now()).await;
    Ok(Json(promoted.map_err(QueryError::Store)?))
}

/// Promotes a property. Its column is made in the background.
#[utoipa::path(put, path = "/api/v1/promoted/{property}", operation_id = "promote", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("property" = String, Path, description = "Its name, or `$context.` and a path.")),
    responses((status = 204, description = "It is promoted."), OneRefused),
)]
async fn promote(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    property: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let property = named(property)?;
    let (project, who, now) = (access.project_id(), access.who(), app.clock.now());
    let promoted = app.store.promote(project, &property, who, now, PROMOTED_MAX).await;
    match promoted.map_err(QueryError::Store)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => {
            let why = format!("is one too many: {PROMOTED_MAX} properties are promoted");
            Err(QueryError::parameter("property", why).into())
        }
    }
}

/// Takes a property's column away.
#[utoipa::path(delete, path = "/api/v1/promoted/{property}", operation_id = "demote", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("property" = String, Path, description = "Its name, or `$context.` and a path.")),
    responses((status = 204, description = "It is promoted no more."), OneRefused),
)]
async fn demote(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    property: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let property = named(property)?;
    let demoted = app.store.demote(access.project_id(), &property).await;
    match demoted.map_err(QueryError::Store)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(Code::NotFound, format!("{property:?} is not promoted"))),
    }
}

fn named(property: Result<Path<String>, PathRejection>) -> Result<String, QueryError> {
    let Path(property) = property.map_err(|_| QueryError::parameter("property", "is no text in UTF-8"))?;
    Ok(property_name(&property)?.to_owned())
}

/// The name of a property, if it can be one.
///
/// # Errors
/// [`QueryError::Parameter`].
pub fn property_name(text: &str) -> Result<&str, QueryError> {
    storable("property", text, NAME_CHARS)
}
