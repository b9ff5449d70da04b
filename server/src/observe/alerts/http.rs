//! The routes of alerts.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use futures_util::future::join_all;
use http::StatusCode;
use serde::de::DeserializeOwned;
use trailmark_protocol::Uuid;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{ChangedAlert, NewAlert, Silence};
use super::channel::{ADDRESSES_MAX, Channel};
use super::deliver::attempt;
use super::shown::{self, Alert, Alerts, DELIVERY_STATES, Deliveries, MadeAlert, RotatedSecret, Tried};
use super::signature::new_secret;
use super::{ALERTS_MAX, OLD_SECRET_MICROS};
use crate::app::App;
use crate::gateway::access::{Access, Editor, PROJECT};
use crate::gateway::body;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::observe::outbound::read_url;
use crate::query::ask::question::read_text;
use crate::query::error::QueryError;
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::StoreError;
use crate::store::alerts::{AlertChange, NewAlert as NewRow, Retried, Which};

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_alerts, make_alert))
        .routes(routes!(read_alert, change_alert, delete_alert))
        .routes(routes!(test_alert))
        .routes(routes!(silence_alert))
        .routes(routes!(rotate_alert_secret))
        .routes(routes!(alert_deliveries))
        .routes(routes!(retry_delivery))
}

/// The alerts of a project.
#[utoipa::path(
    get, path = "/api/v1/alerts", operation_id = "alerts", tag = "alerts",
    responses((status = 200, description = "All of them.", body = Alerts), ReadRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn list_alerts(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Alerts>, Problem> {
    nothing_asked(query)?;
    let alerts = app.store.alerts(access.project_id()).await.map_err(QueryError::Store)?;
    let alerts = alerts.into_iter().map(Alert::from).collect();
    Ok(Json(Alerts { alerts }))
}

/// Makes an alert. The secret that signs its webhooks is in the answer, and nowhere later.
#[utoipa::path(
    post, path = "/api/v1/alerts", operation_id = "make_alert", tag = "alerts",
    request_body = NewAlert,
    responses((status = 201, description = "The alert, and its secret.", body = MadeAlert), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn make_alert(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<MadeAlert>), Problem> {
    nothing_asked(query)?;
    let new: NewAlert = read(&app, request).await?;
    new.check().map_err(QueryError::from)?;
    reachable(&app, &new.to)?;
    let secret = match &new.to {
        Channel::Webhook(_) => Some(new_secret().map_err(|error| QueryError::Store(StoreError::NoEntropy(error)))?),
        Channel::Email(_) => None,
    };
    let row = NewRow {
        name: &new.name,
        on: &new.on,
        channel: &new.to,
        secret: secret.as_deref(),
        recover: new.recover,
        remind_every_minutes: new.remind_every_minutes,
        enabled: new.enabled,
        created_by: access.who(),
    };
    let project = access.project_id();
    let added = app.store.add_alert(project, &row, ALERTS_MAX, app.clock.now()).await;
    let Some(id) = added.map_err(QueryError::Store)? else {
        return Err(QueryError::parameter(".", "is one too many: there are 100 alerts").into());
    };
    let alert = one(&app, project, id).await?;
    Ok((StatusCode::CREATED, Json(MadeAlert { alert, secret })))
}

/// An alert.
#[utoipa::path(
    get, path = "/api/v1/alerts/{id}", operation_id = "alert", tag = "alerts",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The alert.", body = Alert), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn read_alert(
    access: Access,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Alert>, Problem> {
    nothing_asked(query)?;
    Ok(Json(one(&app, access.project_id(), number(id)?).await?))
}

/// Changes what is named of an alert. What waits for recipients that it had is not sent; when it is enabled or disabled, nothing
/// that waits is.
#[utoipa::path(
    patch, path = "/api/v1/alerts/{id}", operation_id = "change_alert", tag = "alerts",
    params(("id" = i64, Path, description = "Its number.")),
    request_body = ChangedAlert,
    responses((status = 200, description = "The alert as it is now.", body = Alert), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn change_alert(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Alert>, Problem> {
    nothing_asked(query)?;
    let (project, id) = (access.project_id(), number(id)?);
    let changed: ChangedAlert = read(&app, request).await?;
    changed.check().map_err(QueryError::from)?;
    let now = one(&app, project, id).await?;
    if let Some(to) = &changed.to {
        if std::mem::discriminant(to) != std::mem::discriminant(&now.to) {
            return Err(QueryError::parameter("to", "is of another kind: make another alert").into());
        }
        reachable(&app, to)?;
    }
    let change = AlertChange {
        name: changed.name.as_deref(),
        on: changed.on.as_ref(),
        channel: changed.to.as_ref(),
        recover: changed.recover,
        remind_every_minutes: changed.remind_every_minutes,
        enabled: changed.enabled,
    };
    let found = app.store.change_alert(project, id, &change).await;
    there(found, id)?;
    Ok(Json(one(&app, project, id).await?))
}

/// Deletes an alert with its log.
#[utoipa::path(
    delete, path = "/api/v1/alerts/{id}", operation_id = "delete_alert", tag = "alerts",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It is gone."), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn delete_alert(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    nothing_asked(query)?;
    let id = number(id)?;
    there(app.store.remove_alert(access.project_id(), id).await, id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test to every recipient now, also while the alert is silenced or disabled, and answers how it went. It is not tried
/// again.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/test", operation_id = "test_alert", tag = "alerts",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "How it went.", body = Tried), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn test_alert(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Tried>, Problem> {
    nothing_asked(query)?;
    let (project, id) = (access.project_id(), number(id)?);
    let recipients = one(&app, project, id).await?.to.recipients();
    let due = app.store.begin_test(project, id, &recipients, app.clock.now()).await;
    let due = due.map_err(QueryError::Store)?;
    let ids: Vec<Uuid> = due.iter().map(|due| due.message.id).collect();
    join_all(
        due.into_iter()
            .map(|due| attempt(&app.store, &app.senders, &app.clock, due)),
    )
    .await;
    let which = Which {
        before: None,
        state: None,
        only: Some(&ids),
        limit: ADDRESSES_MAX as i64,
    };
    let found = app.store.deliveries(project, id, which).await;
    let (messages, attempts) = found.map_err(QueryError::Store)?;
    let deliveries = shown::deliveries(messages, attempts);
    Ok(Json(Tried {
        delivered: deliveries.iter().all(|delivery| delivery.state == "delivered"),
        deliveries,
    }))
}

/// Sends nothing for a while. What opened meanwhile and is still open is told when the silence is over.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/silence", operation_id = "silence_alert", tag = "alerts",
    params(("id" = i64, Path, description = "Its number.")),
    request_body = Silence,
    responses((status = 200, description = "The alert as it is now.", body = Alert), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn silence_alert(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<Alert>, Problem> {
    nothing_asked(query)?;
    let (project, id) = (access.project_id(), number(id)?);
    let silence: Silence = read(&app, request).await?;
    let until = silence.until(app.clock.now()).map_err(QueryError::from)?;
    there(app.store.silence_alert(project, id, until).await, id)?;
    Ok(Json(one(&app, project, id).await?))
}

/// Gives a webhook another secret. For 24 hours the one before signs beside it, so that a receiver can change over in peace.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/rotate-secret", operation_id = "rotate_alert_secret", tag = "alerts",
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The secret, shown once.", body = RotatedSecret), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn rotate_alert_secret(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<RotatedSecret>, Problem> {
    nothing_asked(query)?;
    let (project, id) = (access.project_id(), number(id)?);
    if matches!(one(&app, project, id).await?.to, Channel::Email(_)) {
        return Err(QueryError::parameter("id", "is of an alert by e-mail, which has no secret").into());
    }
    let secret = new_secret().map_err(|error| QueryError::Store(StoreError::NoEntropy(error)))?;
    let old_until = app.clock.now().plus_micros(OLD_SECRET_MICROS);
    let rotated = app.store.rotate_alert_secret(project, id, &secret, old_until).await;
    there(rotated, id)?;
    Ok(Json(RotatedSecret {
        secret,
        old_until: At(old_until),
    }))
}

/// The messages of an alert with every attempt to send them, newest first. They are kept for 30 days.
#[utoipa::path(
    get, path = "/api/v1/alerts/{id}/deliveries", operation_id = "alert_deliveries", tag = "alerts",
    params(
        ("id" = i64, Path, description = "Its number."),
        ("state" = Option<String>, Query, description = "Only messages of which this became: waiting, delivered, dead, withdrawn."),
        ("limit" = Option<u32>, Query, description = "At most so many: 1 to 1000, 100 if it is left out."),
        ("cursor" = Option<Uuid>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of messages.", body = Deliveries), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn alert_deliveries(
    access: Access,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Deliveries>, Problem> {
    let params = Params::parse(&query.unwrap_or_default(), &["state", "limit", "cursor", PROJECT])?;
    let (project, id, page) = (access.project_id(), number(id)?, params.page()?);
    let state = params.word("state", &DELIVERY_STATES)?;
    one(&app, project, id).await?;
    let which = Which {
        before: page.before,
        state,
        only: None,
        limit: page.limit.into(),
    };
    let found = app.store.deliveries(project, id, which).await;
    let (messages, attempts) = found.map_err(QueryError::Store)?;
    let deliveries = shown::deliveries(messages, attempts);
    let is_full = deliveries.len() as u64 == u64::from(page.limit);
    Ok(Json(Deliveries {
        next_cursor: deliveries.last().filter(|_| is_full).map(|last| last.message),
        deliveries,
    }))
}

/// Tries a message again as soon as may be: one that was given up, one that waits, or one that is to be sent once more, under
/// its old id.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/deliveries/{message}/retry", operation_id = "retry_delivery", tag = "alerts",
    params(("id" = i64, Path, description = "The alert's number."), ("message" = Uuid, Path, description = "The message's id.")),
    responses((status = 202, description = "It is due."), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn retry_delivery(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    nothing_asked(query)?;
    let Path((id, message)) = path.map_err(|_| QueryError::parameter("id", "is not percent-encoded UTF-8"))?;
    let id = number(Ok(Path(id)))?;
    let message = Uuid::try_parse(&message).map_err(|_| QueryError::parameter("message", "is no id of a message"))?;
    let retried = app
        .store
        .retry_delivery(access.project_id(), id, message, app.clock.now())
        .await;
    match retried.map_err(QueryError::Store)? {
        Retried::Due => Ok(StatusCode::ACCEPTED),
        Retried::Unknown => Err(Problem::new(
            Code::NotFound,
            format!("alert {id} has no message {message}"),
        )),
        Retried::Withdrawn => {
            Err(QueryError::parameter("message", "was withdrawn: there is nothing to tell any more").into())
        }
        Retried::Disabled => Err(QueryError::parameter("id", "is of an alert that is disabled").into()),
    }
}

fn nothing_asked(query: Option<String>) -> Result<(), QueryError> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT]).map(drop)
}

async fn read<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Problem> {
    let body = body::read(request.into_body(), &app.budget, app.config.http.body_timeout()).await?;
    Ok(read_text(body.as_slice()).map_err(QueryError::from)?)
}

/// The number in a path.
fn number(id: Result<Path<String>, PathRejection>) -> Result<i64, QueryError> {
    let number = id.ok().and_then(|Path(id)| id.parse().ok());
    number.ok_or_else(|| QueryError::parameter("id", "is no number of an alert"))
}

/// Refuses what this server could never tell: by e-mail without a mail server, and an address that may not be called. What a name
/// leads to is looked at with each call.
fn reachable(app: &App, to: &Channel) -> Result<(), QueryError> {
    match to {
        Channel::Email(_) if app.senders.mailer.is_none() => Err(QueryError::parameter(
            "to.email",
            "is not possible: this server has no `[smtp]` in its configuration",
        )),
        Channel::Email(_) => Ok(()),
        Channel::Webhook(webhook) => {
            let at = "to.webhook.url";
            let url = read_url(&webhook.url).map_err(|problem| QueryError::parameter(at, problem))?;
            let host = url.host_str().unwrap_or_default();
            let checked = app.senders.outbound.guard().check_literal(host);
            checked.map_err(|refused| QueryError::parameter(at, format!("cannot be called: {refused}")))
        }
    }
}

async fn one(app: &App, project: i32, id: i64) -> Result<Alert, Problem> {
    let found = app.store.alert(project, id).await.map_err(QueryError::Store)?;
    found.map(Alert::from).ok_or_else(|| unknown(id))
}

fn there(found: Result<bool, StoreError>, id: i64) -> Result<(), Problem> {
    match found.map_err(QueryError::Store)? {
        true => Ok(()),
        false => Err(unknown(id)),
    }
}

fn unknown(id: i64) -> Problem {
    Problem::new(Code::NotFound, format!("there is no alert {id}"))
}
