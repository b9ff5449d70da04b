//! Links that show a dashboard or a question, read-only, to whoever has them: their routes, and what they show.
//!
//! A link's token stands behind the `#` of an address, so it is in no log and no referrer; the page sends it as a bearer token.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use moka::future::Cache;
use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::annotations::Annotation;
use super::boards::TileView;
use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused, SharedRefused};
use crate::observe::saved::understood;
use crate::query::QueryError;
use crate::query::ask::Answered;
use crate::query::http::{number, read_json};
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::StoreError;
use crate::store::shares::{ShareRow, Shared};

/// Most links of a project: 1,000, as many as saved questions.
pub const SHARES_MAX: i64 = 1_000;

/// A link lasts ten years at the most.
const DAYS_MAX: i64 = 3_650;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// How far back a shared dashboard shows notes: 400 days, as far as its questions usually go.
const NOTES_MICROS: i64 = 400 * DAY_MICROS;

/// Most notes that are shown with a dashboard.
const NOTES_MAX: i64 = 200;

/// What links showed in the last minute. A link can be anywhere: a thousand who follow it ask the database once.
#[derive(Debug, Clone)]
pub struct Shown(Cache<(i32, i64), Bytes>);

/// How long an answer is shown again.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// Most bytes that are kept: 32 MiB, some hundred dashboards.
const SHOWN_BYTES: u64 = 32 * 1024 * 1024;

impl Default for Shown {
    fn default() -> Self {
        let cache = Cache::builder().time_to_live(SHOWN_FOR).max_capacity(SHOWN_BYTES);
        let weigh = |_: &(i32, i64), bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self(cache.weigher(weigh).build())
    }
}

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(delete))
        .routes(routes!(shared))
}

/// A link that shows a dashboard or a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Share {
    /// Its number.
    id: i64,
    /// The number of the dashboard that it shows.
    dashboard: Option<i64>,
    /// Or of the saved question.
    saved_query: Option<i64>,
    /// When it was made.
    created_at: At,
    /// Who made it: an e-mail address, or the number of a key.
    created_by: String,
    /// When it stops working; `null` for never.
    expires_at: Option<At>,
}

/// Links, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Shares {
    /// All of them, those that have expired too.
    shares: Vec<Share>,
}

/// A link that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct MadeShare {
    /// The link.
    #[serde(flatten)]
    share: Share,
    /// What opens it, shown this once: the page `/shared#` and this.
    token: String,
}

/// A link to be made: for either a dashboard or a question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShare {
    /// The number of a dashboard.
    dashboard: Option<i64>,
    /// The number of a saved question.
    saved_query: Option<i64>,
    /// For how many days it works; for ever, if it is not said.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<i64>,
}

/// What a link shows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct SharedBoard {
    /// The name of the dashboard, or of the question.
    name: String,
    /// The name of the project.
    project: String,
    /// The answers, in the dashboard's order.
    tiles: Vec<SharedTile>,
    /// Notes on the time line, newest first.
    annotations: Vec<Annotation>,
    /// When the questions were asked.
    at: At,
}

/// A question that a link shows, and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct SharedTile {
    /// The question's name.
    name: String,
    /// How it is shown.
    view: TileView,
    /// Whether it takes the whole width.
    wide: bool,
    /// The answer, with the question; `null` if it could not be given.
    answer: Option<Answered>,
    /// Why not, for people.
    refused: Option<String>,
}

impl From<ShareRow> for Share {
    fn from(row: ShareRow) -> Self {
        Self {
            id: row.id,
            dashboard: row.dashboard,
            saved_query: row.saved_query,
            created_at: At(row.created_at.0),
            created_by: row.created_by,
            expires_at: row.expires_at.map(|at| At(at.0)),
        }
    }
}

/// The links that show something of the project to others.
#[utoipa::path(get, path = "/api/v1/shares", operation_id = "shares", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "All of them.", body = Shares), ReadRefused),
)]
async fn list(access: Access, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Shares>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let rows = app.store.shares(access.project_id()).await.map_err(QueryError::Store)?;
    Ok(Json(Shares {
        shares: rows.into_iter().map(Share::from).collect(),
    }))
}

/// Makes a link that shows a dashboard or a question to whoever has it.
#[utoipa::path(post, path = "/api/v1/shares", operation_id = "make_share", tag = "query",
    security(("secret_key" = []), ("session" = [])), request_body = NewShare,
    responses((status = 201, description = "The link, and its token.", body = MadeShare), ChangeRefused),
)]
async fn make(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<MadeShare>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewShare = read_json(&app, request).await?;
    let shown = match (new.dashboard, new.saved_query) {
        (Some(id), None) => Shared::Dashboard(id),
        (None, Some(id)) => Shared::SavedQuery(id),
        _ => return Err(QueryError::parameter(".", "takes either `dashboard` or `saved_query`").into()),
    };
    let now = app.clock.now();
    let until = new.expires_in_days.map(|days| after(now, days)).transpose()?;
    let made = app
        .store
        .make_share(access.project_id(), shown, access.who(), (now, until), SHARES_MAX)
        .await
        .map_err(refused)?;
    let (row, token) =
        made.ok_or_else(|| QueryError::parameter(".", format!("is one too many: there are {SHARES_MAX} links")))?;
    let share = row.into();
    Ok((StatusCode::CREATED, Json(MadeShare { share, token })))
}

/// Ends a link.
#[utoipa::path(delete, path = "/api/v1/shares/{id}", operation_id = "delete_share", tag = "query",
    security(("secret_key" = []), ("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It opens nothing any more."), OneRefused),
)]
async fn delete(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let deleted = app.store.delete_share(access.project_id(), id).await;
    match deleted.map_err(QueryError::Store)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(Code::NotFound, format!("there is no link {id}"))),
    }
}

/// What a link shows, to whoever has its token. An answer is shown again for a minute.
#[utoipa::path(get, path = "/api/v1/shared", operation_id = "shared", tag = "query",
    security(("share_token" = [])),
    responses((status = 200, description = "Names, questions and answers.", body = SharedBoard), SharedRefused),
)]
async fn shared(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let now = app.clock.now();
    let share = match bearer(&headers) {
        Some(token) => app.store.share_of(token, now).await.map_err(QueryError::Store)?,
        None => {
            return Err(Problem::new(
                Code::MissingCredentials,
                "send the link's token as a bearer token",
            ));
        }
    };
    let share = share.ok_or_else(|| Problem::new(Code::InvalidToken, "the link has ended, or never was"))?;
    let shown = app
        .shared
        .0
        .try_get_with((share.project_id, share.id), show(&app, &share, now));
    let bytes = shown.await.map_err(|problem: Arc<Problem>| (*problem).clone())?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, bytes).into_response())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// Asks all of a link's questions, one after another: who follows links never takes more than one turn of a project.
async fn show(app: &App, share: &ShareRow, now: Timestamp) -> Result<Bytes, Problem> {
    let project_id = share.project_id;
    let project = app.store.project(project_id).await.map_err(QueryError::Store)?;
    let (name, places) = places(app, share).await?;
    let saved = app.store.saved_queries(project_id, share.saved_query).await;
    let saved = saved.map_err(QueryError::Store)?;
    let reader = app.reader(project_id);
    let mut tiles = Vec::with_capacity(places.len());
    for (id, view, wide) in places {
        let Some(row) = saved.iter().find(|row| row.id == id) else {
            continue;
        };
        let _turn = app.turns.next(project_id).await?;
        let asked = match understood(&row.question.0) {
            Ok(question) => reader.ask(&question, now).await,
            Err(error) => Err(error),
        };
        let (answer, refused) = match asked {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(Problem::from(error).detail().to_owned())),
        };
        tiles.push(SharedTile {
            name: row.name.clone(),
            view,
            wide,
            answer,
            refused,
        });
    }
    let notes = (Some(now.plus_micros(-NOTES_MICROS)), None);
    let notes = app.store.annotations(project_id, notes, NOTES_MAX).await;
    let board = SharedBoard {
        name: name
            .or_else(|| saved.first().map(|row| row.name.clone()))
            .unwrap_or_default(),
        project: project.map(|project| project.name).unwrap_or_default(),
        tiles,
        annotations: notes
            .map_err(QueryError::Store)?
            .into_iter()
            .map(Annotation::from)
            .collect(),
        at: At(now),
    };
    let written = serde_json::to_vec(&board).map_err(|_| Problem::new(Code::Internal, "an answer that is no JSON"))?;
    Ok(written.into())
}

/// The name of the dashboard, and which questions a link shows, and how.
async fn places(app: &App, share: &ShareRow) -> Result<(Option<String>, Vec<(i64, TileView, bool)>), Problem> {
    let Some(dashboard) = share.dashboard else {
        let alone = share.saved_query.map(|id| (id, TileView::Chart, true));
        return Ok((None, alone.into_iter().collect()));
    };
    let read = app.store.dashboards(share.project_id, Some(dashboard)).await;
    let (dashboards, tiles) = read.map_err(QueryError::Store)?;
    let places = tiles
        .into_iter()
        .map(|tile| (tile.saved_query, TileView::parse(&tile.view), tile.wide));
    Ok((dashboards.into_iter().next().map(|row| row.name), places.collect()))
}

fn after(now: Timestamp, days: i64) -> Result<Timestamp, QueryError> {
    if (1..=DAYS_MAX).contains(&days) {
        return Ok(now.plus_micros(days * DAY_MICROS));
    }
    Err(QueryError::parameter(
        "expires_in_days",
        format!("is no whole number from 1 to {DAYS_MAX}"),
    ))
}

fn refused(error: StoreError) -> QueryError {
    if error.is_missing_reference() {
        return QueryError::parameter(".", "names a dashboard or a saved query that is not there");
    }
    QueryError::Store(error)
}
