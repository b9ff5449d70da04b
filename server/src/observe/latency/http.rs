//! The routes of endpoints.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use trailmark_protocol::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::cover::cover;
use super::endpoint::Source;
use super::list::{Cursor, EndpointPage, Endpoints, Sort, page};
use super::series::{EndpointPoint, EndpointSeries, Step};
use super::tally::Span;
use crate::app::App;
use crate::gateway::access::{Access, PROJECT};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{OneRefused, ReadRefused};
use crate::query::error::QueryError;
use crate::query::parameters::{LimitQuery, RangeQuery};
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::endpoints_read;

/// The time that is told of where nothing is said: the last 24 hours, in microseconds.
const DEFAULT_RANGE: i64 = Span::Day.micros();

/// Longest path and host that are asked for, in characters: no endpoint's is longer.
const TEXT_CHARS: usize = 1_000;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(endpoints))
        .routes(routes!(endpoint_series))
}

/// Endpoints: how many requests, how many failed, how long they took, and what is usual.
///
/// By default of the last 24 hours, the most requests first.
#[utoipa::path(
    get, path = "/api/v1/endpoints", operation_id = "endpoints", tag = "read",
    params(
        RangeQuery,
        LimitQuery,
        ("source" = Option<String>, Query, description = "Only those that this side tells of: `gateway`, `server` or `client`.", pattern = "^(gateway|server|client)$"),
        ("sort" = Option<String>, Query, description = "What comes first: `volume`, the most requests; `p95`; `error_rate`; `slowest`, the longest single request.", pattern = "^(volume|p95|error_rate|slowest)$"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, asked with the same parameters.", pattern = "^[0-9]{1,20}:[0-9]{1,10}$"),
        ("project" = Option<i32>, Query, description = "Which project, for a session."),
    ),
    responses((status = 200, description = "A page of endpoints.", body = Endpoints), ReadRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn endpoints(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Endpoints>, Problem> {
    let known = ["from", "to", "source", "sort", "limit", "cursor", PROJECT];
    let params = Params::parse(&query.unwrap_or_default(), &known)?;
    let now = app.clock.now();
    let (from, to) = range(&params, now)?;
    let source = source(&params)?;
    let sort = params.word("sort", &Sort::WORDS)?.and_then(Sort::parse);
    let wanted = EndpointPage {
        sort: sort.unwrap_or(Sort::Volume),
        limit: params.limit()?,
        after: params.cursor(Cursor::parse)?,
    };
    let _turn = app.turns.next(access.project_id()).await?;
    let cover = cover(from, to, now);
    let reader = app.reader(access.project_id());
    let totals = reader
        .answer(async |snapshot| {
            let project_id = snapshot.project_id();
            Ok(endpoints_read::totals(snapshot.rows(), project_id, &cover.pieces, 1, source).await?)
        })
        .await?;
    Ok(Json(page(totals, &cover, &wanted)))
}

/// An endpoint over time: by the minute for up to three hours, by five minutes for a day, by the hour for a month, by the
/// day for more.
///
/// By default of the last 24 hours. Sides and hosts that are not chosen are added up.
#[utoipa::path(
    get, path = "/api/v1/endpoints/series", operation_id = "endpoint_series", tag = "read",
    params(
        ("method" = Option<String>, Query, description = "Its method; left out for `(other)` and `(unreadable)`.", max_length = 20),
        ("path" = String, Query, description = "Its path, as the list of endpoints has it.", min_length = 1, max_length = 1000),
        ("source" = Option<String>, Query, description = "Only as this side tells of it.", pattern = "^(gateway|server|client)$"),
        ("host" = Option<String>, Query, description = "Only at this host.", min_length = 1, max_length = 1000),
        RangeQuery,
        ("project" = Option<i32>, Query, description = "Which project, for a session."),
    ),
    responses((status = 200, description = "The endpoint over time.", body = EndpointSeries), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn endpoint_series(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<EndpointSeries>, Problem> {
    let known = ["method", "path", "source", "host", "from", "to", PROJECT];
    let params = Params::parse(&query.unwrap_or_default(), &known)?;
    let now = app.clock.now();
    let (from, to) = range(&params, now)?;
    let path = params.text("path", TEXT_CHARS)?;
    let path = path.ok_or_else(|| QueryError::parameter("path", "is missing"))?;
    let name = (params.text("method", TEXT_CHARS)?.unwrap_or_default(), path);
    let place = (source(&params)?, params.text("host", TEXT_CHARS)?);
    let step = Step::of(from, to, now);
    let (from, to) = step.widen(from, to);
    let _turn = app.turns.next(access.project_id()).await?;
    let reader = app.reader(access.project_id());
    let points = reader
        .answer(async |snapshot| {
            let project_id = snapshot.project_id();
            let matching = endpoints_read::matching(snapshot.rows(), project_id, name, place).await?;
            let ids: Vec<i32> = matching.iter().map(|endpoint| endpoint.0).collect();
            let piece = (step.span(), from, to);
            let points = endpoints_read::over_time(snapshot.rows(), project_id, &ids, piece, step.micros()).await?;
            Ok((!ids.is_empty()).then_some(points))
        })
        .await?;
    let points = points.ok_or_else(|| Problem::new(Code::NotFound, "there is no such endpoint"))?;
    Ok(Json(EndpointSeries {
        from: At(from),
        to: At(to),
        step,
        points: points.into_iter().map(EndpointPoint::from).collect(),
    }))
}

fn source(params: &Params) -> Result<Option<Source>, QueryError> {
    Ok(params.word("source", &Source::WORDS)?.and_then(Source::parse))
}

/// The time that is asked for.
fn range(params: &Params, now: Timestamp) -> Result<(Timestamp, Timestamp), QueryError> {
    let range = params.time_range()?;
    let to = range.to.unwrap_or(now);
    let from = range.from.unwrap_or(to.plus_micros(-DEFAULT_RANGE));
    if from > to {
        return Err(QueryError::parameter("from", "is in the future"));
    }
    Ok((from, to))
}
