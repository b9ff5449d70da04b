//! The routes of monitors.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::StatusCode;
use serde::de::DeserializeOwned;
use trailmark_protocol::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::{ChangedMonitor, MONITORS_MAX, Monitor, MonitorHistory, Monitors, NewMonitor};
use super::history::{DAY, DAYS, HOUR, HOURS, back, bars, uptime};
use super::runner::CheckedNow;
use super::state::{Standing, State as MonitorState, Step};
use super::target::Target;
use super::{incidents, patterns, rules};
use crate::app::App;
use crate::gateway::access::{Access, Editor, PROJECT};
use crate::gateway::body;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::query::ask::question::read_text;
use crate::query::error::QueryError;
use crate::query::params::Params;
use crate::store::MonitorSettings;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_monitors, make_monitor))
        .routes(routes!(read_monitor, change_monitor, delete_monitor))
        .routes(routes!(check_monitor))
        .routes(routes!(read_history))
        .merge(incidents::router())
}

/// The monitors of a project.
#[utoipa::path(
    get, path = "/api/v1/monitors", operation_id = "monitors", tag = "monitors",
    responses((status = 200, description = "All of them.", body = Monitors), ReadRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn list_monitors(
    caller: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Monitors>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let now = app.clock.now();
    let rows = app
        .store
        .monitors(caller.project_id())
        .await
        .map_err(QueryError::Store)?;
    let from = back(now, HOUR, HOURS - 1);
    let hours = app.store.monitor_hours(caller.project_id(), None, from).await;
    let hours = hours.map_err(QueryError::Store)?;
    let monitors = rows.into_iter().map(|row| {
        let of_this = hours.partition_point(|hour| hour.monitor_id < row.id)
            ..hours.partition_point(|hour| hour.monitor_id <= row.id);
        let hours = hours.get(of_this).unwrap_or_default();
        Monitor::new(row, hours, now)
    });
    Ok(Json(Monitors {
        monitors: monitors.collect(),
    }))
}

/// Makes a monitor, which is checked at once.
#[utoipa::path(
    post, path = "/api/v1/monitors", operation_id = "make_monitor", tag = "monitors",
    request_body = NewMonitor,
    responses((status = 201, description = "The monitor.", body = Monitor), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn make_monitor(
    Editor(caller): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<Monitor>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let new: NewMonitor = read(&app, request).await?;
    rules::name(&new.name)?;
    rules::times(new.interval_s, new.timeout_ms)?;
    patterns::check(&app.store, new.http.as_ref()).await?;
    let target = rules::target(new.http, new.tcp, app.outbound.guard())?;
    let target = target.ok_or_else(|| QueryError::parameter(".", "has neither `http` nor `tcp`"))?;
    rules::whole(&target)?;
    let now = app.clock.now();
    let standing = Standing::unknown(now);
    let standing = if new.paused { standing.paused(now).0 } else { standing };
    let settings = MonitorSettings {
        name: new.name,
        target: written(&target)?,
        interval_s: new.interval_s,
        timeout_ms: new.timeout_ms,
    };
    let added = app
        .store
        .add_monitor(caller.project_id(), settings, &standing, MONITORS_MAX, now);
    let id = added.await.map_err(QueryError::Store)?;
    let id = id.ok_or_else(|| QueryError::parameter(".", "is one too many: there are 200 monitors"))?;
    Ok((StatusCode::CREATED, Json(one(&app, &caller, id).await?)))
}

/// One monitor.
#[utoipa::path(
    get, path = "/api/v1/monitors/{id}", operation_id = "monitor", tag = "monitors",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The monitor.", body = Monitor), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn read_monitor(
    caller: Access,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Monitor>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    Ok(Json(one(&app, &caller, number(id)?).await?))
}

/// Changes a monitor, pauses it, or lets it go on. If anything but its name and its interval is another, what was known of it
/// is forgotten, and its incident ends.
#[utoipa::path(
    patch, path = "/api/v1/monitors/{id}", operation_id = "change_monitor", tag = "monitors",
    params(("id" = i64, Path, description = "Its number.")),
    request_body = ChangedMonitor,
    responses((status = 200, description = "The monitor as it is now.", body = Monitor), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn change_monitor(
    Editor(caller): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Monitor>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let id = number(id)?;
    let changed: ChangedMonitor = read(&app, request).await?;
    changed.name.as_deref().map_or(Ok(()), rules::name)?;
    patterns::check(&app.store, changed.http.as_ref()).await?;
    let target = rules::target(changed.http, changed.tcp, app.outbound.guard())?;
    let held = app.store.hold_monitor(caller.project_id(), id).await;
    let held = held.map_err(QueryError::Store)?.ok_or_else(|| not_there(id))?;
    let stored = serde_json::from_value::<Target>(held.row.target.0.clone())
        .map_err(|_| Problem::new(Code::Internal, "the monitor cannot be read"))?;
    let target = match target {
        None => stored.clone(),
        Some(target) if std::mem::discriminant(&target) == std::mem::discriminant(&stored) => {
            target.with_secrets_of(&stored)
        }
        Some(Target::Http(_)) => {
            return Err(QueryError::parameter("http", "is not for this monitor: it opens a connection").into());
        }
        Some(Target::Tcp(_)) => {
            return Err(QueryError::parameter("tcp", "is not for this monitor: it makes a request").into());
        }
    };
    rules::whole(&target)?;
    let settings = MonitorSettings {
        name: changed.name.unwrap_or_else(|| held.row.name.clone()),
        target: written(&target)?,
        interval_s: changed.interval_s.unwrap_or(held.row.interval_s),
        timeout_ms: changed.timeout_ms.unwrap_or(held.row.timeout_ms),
    };
    rules::times(settings.interval_s, settings.timeout_ms)?;
    let now = app.clock.now();
    let asks_another = target != stored || settings.timeout_ms != held.row.timeout_ms;
    let stands = stands(held.row.standing(), changed.paused, asks_another, now);
    let done = match stands {
        (standing, _)
            if standing == held.row.standing() && settings.interval_s == held.row.interval_s && !asks_another =>
        {
            held.rename(&settings.name).await
        }
        stands => held.change(settings, stands, now).await,
    };
    done.map_err(QueryError::Store)?;
    Ok(Json(one(&app, &caller, id).await?))
}

/// How a monitor stands after it was changed.
fn stands(standing: Standing, paused: Option<bool>, asks_another: bool, now: Timestamp) -> (Standing, Step) {
    let was_paused = standing.state == MonitorState::Paused;
    match paused.unwrap_or(was_paused) {
        true => standing.paused(now),
        false if was_paused || asks_another => standing.changed(now),
        false => (standing, Step::Nothing),
    }
}

/// Deletes a monitor with its history and its incidents.
#[utoipa::path(
    delete, path = "/api/v1/monitors/{id}", operation_id = "delete_monitor", tag = "monitors",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It is gone."), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn delete_monitor(
    Editor(caller): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let id = number(id)?;
    let removed = app.store.remove_monitor(caller.project_id(), id).await;
    match removed.map_err(QueryError::Store)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(not_there(id)),
    }
}

/// Checks a monitor now and answers when that is done.
#[utoipa::path(
    post, path = "/api/v1/monitors/{id}/check", operation_id = "check_monitor", tag = "monitors",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The monitor after the check.", body = Monitor), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn check_monitor(
    Editor(caller): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Monitor>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let id = number(id)?;
    let (runner, project_id) = (app.uptime.clone(), caller.project_id());
    // In a task of its own, so that a client that leaves does not stop it half-way.
    let checked = tokio::spawn(async move { runner.check_now(project_id, id).await });
    let checked = checked
        .await
        .map_err(|_| Problem::new(Code::Internal, "the check broke off"))?;
    let checked = checked.map_err(QueryError::Store)?;
    let monitor = one(&app, &caller, id).await?;
    if checked == CheckedNow::NotDue {
        return Err(QueryError::parameter("id", "is of a monitor that is paused").into());
    }
    Ok(Json(monitor))
}

/// How a monitor fared: shares, 90 days, and the minutes of the last day.
#[utoipa::path(
    get, path = "/api/v1/monitors/{id}/history", operation_id = "monitor_history", tag = "monitors",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "Its history.", body = MonitorHistory), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn read_history(
    caller: Access,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<MonitorHistory>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let (project_id, id, now) = (caller.project_id(), number(id)?, app.clock.now());
    let there = app.store.monitor(project_id, id).await.map_err(QueryError::Store)?;
    there.ok_or_else(|| not_there(id))?;
    // An hour of the first share lies before the first of the days.
    let from = back(now, HOUR, DAYS * 24);
    let hours = app.store.monitor_hours(project_id, Some(id), from).await;
    let hours = hours.map_err(QueryError::Store)?;
    let minutes = app.store.monitor_minutes(project_id, id, now.plus_micros(-DAY)).await;
    let minutes = minutes.map_err(QueryError::Store)?;
    Ok(Json(MonitorHistory {
        uptime: uptime(&hours, now),
        days: bars(&hours, now, DAY, DAYS),
        minutes: minutes.into_iter().map(Into::into).collect(),
    }))
}

async fn one(app: &App, caller: &Access, id: i64) -> Result<Monitor, Problem> {
    let (project_id, now) = (caller.project_id(), app.clock.now());
    let row = app.store.monitor(project_id, id).await.map_err(QueryError::Store)?;
    let row = row.ok_or_else(|| not_there(id))?;
    let hours = app
        .store
        .monitor_hours(project_id, Some(id), back(now, HOUR, HOURS - 1));
    let hours = hours.await.map_err(QueryError::Store)?;
    Ok(Monitor::new(row, &hours, now))
}

async fn read<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Problem> {
    let body = body::read(request.into_body(), &app.budget, app.config.http.body_timeout()).await?;
    Ok(read_text(body.as_slice()).map_err(QueryError::from)?)
}

/// The number in a path.
fn number(id: Result<Path<String>, PathRejection>) -> Result<i64, QueryError> {
    let number = id.ok().and_then(|Path(id)| id.parse().ok());
    number.ok_or_else(|| QueryError::parameter("id", "is no number of a monitor"))
}

fn not_there(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no monitor {id}"))
}

/// Targets were read from JSON, so they can be written as such.
fn written(target: &Target) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(target).map_err(|_| Problem::new(Code::Internal, "the monitor cannot be written"))
}
