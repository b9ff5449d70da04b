//! The routes of dashboards.

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
use crate::query::http::{number, read_json};
use crate::query::params::{Params, storable};
use crate::query::time::At;
use crate::store::StoreError;
use crate::store::dashboards::{DashboardRow, TileRow};

/// Most dashboards of a project: 100, two of each of fifty people.
pub const DASHBOARDS_MAX: i64 = 100;

/// Most tiles of a dashboard: 24. Each is a question, and two are answered at a time.
pub const TILES_MAX: usize = 24;

/// Longest name, in characters.
const NAME_CHARS: usize = 200;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(read, change, delete))
}

/// How a tile shows its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TileView {
    /// As a picture.
    #[default]
    Chart,
    /// As rows.
    Table,
}

impl TileView {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Chart => "chart",
            Self::Table => "table",
        }
    }

    /// What a row says.
    pub(super) fn parse(word: &str) -> Self {
        if word == Self::Table.as_str() {
            Self::Table
        } else {
            Self::Chart
        }
    }
}

/// One saved question on a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tile {
    /// The number of the saved question.
    saved_query: i64,
    /// How it shows the answer.
    #[serde(default)]
    view: TileView,
    /// Whether it takes the whole width.
    #[serde(default)]
    wide: bool,
}

/// Saved questions that are looked at together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct Dashboard {
    /// Its number.
    id: i64,
    /// Its name for people.
    name: String,
    /// What it shows, in order.
    tiles: Vec<Tile>,
    /// When it was made.
    created_at: At,
    /// Who made it: an e-mail address, or the number of a key.
    created_by: String,
    /// When it was last changed.
    changed_at: At,
}

/// The dashboards, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct Dashboards {
    /// All of them.
    dashboards: Vec<Dashboard>,
}

/// A dashboard to be made.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDashboard {
    /// A name for people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it shows; at most 24.
    #[serde(default)]
    #[schema(max_items = 24)]
    tiles: Vec<Tile>,
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedDashboard {
    /// Another name.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// All of its tiles, as they are to be.
    #[schema(max_items = 24)]
    tiles: Option<Vec<Tile>>,
}

impl From<TileRow> for Tile {
    fn from(row: TileRow) -> Self {
        Self {
            saved_query: row.saved_query,
            view: TileView::parse(&row.view),
            wide: row.wide,
        }
    }
}

/// The dashboards.
#[utoipa::path(get, path = "/api/v1/dashboards", operation_id = "dashboards", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "All of them.", body = Dashboards), ReadRefused),
)]
async fn list(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Dashboards>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let dashboards = stored(&app, access.project_id(), None).await?;
    Ok(Json(Dashboards { dashboards }))
}

/// Makes a dashboard.
#[utoipa::path(post, path = "/api/v1/dashboards", operation_id = "make_dashboard", tag = "query",
    security(("secret_key" = []), ("session" = [])), request_body = NewDashboard,
    responses((status = 201, description = "The dashboard.", body = Dashboard), ChangeRefused),
)]
async fn make(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<Dashboard>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewDashboard = read_json(&app, request).await?;
    let name = storable("name", &new.name, NAME_CHARS)?;
    let tiles = rows(&new.tiles)?;
    let (project, now) = (access.project_id(), app.clock.now());
    let made = app
        .store
        .make_dashboard(project, (name, &tiles), access.who(), now, DASHBOARDS_MAX)
        .await;
    let made = made.map_err(refused)?;
    let id = made
        .ok_or_else(|| QueryError::parameter(".", format!("is one too many: there are {DASHBOARDS_MAX} dashboards")))?;
    Ok((StatusCode::CREATED, Json(one(&app, project, id).await?)))
}

/// A dashboard.
#[utoipa::path(get, path = "/api/v1/dashboards/{id}", operation_id = "one_dashboard", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The dashboard.", body = Dashboard), OneRefused),
)]
async fn read(
    access: Access,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Dashboard>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    Ok(Json(one(&app, access.project_id(), number(id)?).await?))
}

/// Changes a dashboard's name or tiles.
#[utoipa::path(patch, path = "/api/v1/dashboards/{id}", operation_id = "change_dashboard", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")), request_body = ChangedDashboard,
    responses((status = 200, description = "The dashboard as it is now.", body = Dashboard), ChangeRefused),
)]
async fn change(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Dashboard>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let (id, project) = (number(id)?, access.project_id());
    let changed: ChangedDashboard = read_json(&app, request).await?;
    let name = changed.name.as_deref().map(|name| storable("name", name, NAME_CHARS));
    let (name, tiles) = (name.transpose()?, changed.tiles.as_deref().map(rows).transpose()?);
    let change = app
        .store
        .change_dashboard(project, id, (name, tiles.as_deref()), app.clock.now());
    if !change.await.map_err(refused)? {
        return Err(missing(id));
    }
    Ok(Json(one(&app, project, id).await?))
}

/// Deletes a dashboard, and the links that show it. The questions stay.
#[utoipa::path(delete, path = "/api/v1/dashboards/{id}", operation_id = "delete_dashboard", tag = "query",
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
    let deleted = app.store.delete_dashboard(access.project_id(), id).await;
    match deleted.map_err(QueryError::Store)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing(id)),
    }
}

async fn stored(app: &App, project_id: i32, id: Option<i64>) -> Result<Vec<Dashboard>, Problem> {
    let read = app.store.dashboards(project_id, id).await;
    let (dashboards, tiles) = read.map_err(QueryError::Store)?;
    let of = |row: DashboardRow| Dashboard {
        tiles: tiles
            .iter()
            .filter(|tile| tile.dashboard == row.id)
            .cloned()
            .map(Tile::from)
            .collect(),
        id: row.id,
        name: row.name,
        created_at: At(row.created_at.0),
        created_by: row.created_by,
        changed_at: At(row.changed_at.0),
    };
    Ok(dashboards.into_iter().map(of).collect())
}

async fn one(app: &App, project_id: i32, id: i64) -> Result<Dashboard, Problem> {
    let found = stored(app, project_id, Some(id)).await?;
    found.into_iter().next().ok_or_else(|| missing(id))
}

fn missing(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no dashboard {id}"))
}

/// Tiles as they are kept. The dashboard's number is that of the statement.
fn rows(tiles: &[Tile]) -> Result<Vec<TileRow>, QueryError> {
    if tiles.len() > TILES_MAX {
        return Err(QueryError::parameter("tiles", format!("are more than {TILES_MAX}")));
    }
    let row = |tile: &Tile| TileRow {
        dashboard: 0,
        saved_query: tile.saved_query,
        view: tile.view.as_str().to_owned(),
        wide: tile.wide,
    };
    Ok(tiles.iter().map(row).collect())
}

fn refused(error: StoreError) -> QueryError {
    if error.is_missing_reference() {
        return QueryError::parameter("tiles", "name a saved query that is not there");
    }
    QueryError::Store(error)
}
