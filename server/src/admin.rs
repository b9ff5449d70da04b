//! What a secret key may change: erase a person, take an alias back. Each is done in a task of its own, so that a client
//! that leaves does not stop it half-way.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde::Serialize;
use tokio::task::JoinHandle;
use trailmark_protocol::Uuid;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::http::person_id;
use crate::query::parameters::PersonPath;
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::{Erasure, ErasureRequest, Store, StoreError, Withdrawn};

/// How long an erasure may take before it is answered as it stands then: 10 s, the time of a read. That is about a
/// million events.
const ANSWER_AFTER: Duration = Duration::from_secs(10);

/// Most requests and erasures that a list holds.
pub const LISTED: i64 = 1_000;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(erase))
        .routes(routes!(erasures))
        .routes(routes!(withdraw))
}

/// An erasure as answers tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub struct Erased {
    /// Its number within the project's.
    pub erasure: i64,
    /// What the person's ids did before this time is refused.
    pub erased_at: At,
    /// Whether the last of its rows is gone.
    pub done: bool,
    /// Events removed so far.
    pub events: i64,
    /// Identities removed.
    pub identities: i64,
    /// Links removed.
    pub links: i64,
    /// Aliases removed.
    pub aliases: i64,
    /// Properties removed so far.
    pub properties: i64,
    /// Dead letters removed so far.
    pub dead_letters: i64,
}

impl From<Erasure> for Erased {
    fn from(erasure: Erasure) -> Self {
        Self {
            erasure: erasure.id,
            erased_at: At(erasure.erased_at),
            done: erasure.done_at.is_some(),
            events: erasure.events,
            identities: erasure.identities,
            links: erasure.links,
            aliases: erasure.aliases,
            properties: erasure.properties,
            dead_letters: erasure.dead_letters,
        }
    }
}

/// A request to be erased, as answers tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ErasureRequest)]
pub struct Request {
    /// The `$erase` event.
    pub event_id: Uuid,
    /// When the server received it.
    pub requested_at: At,
    /// The device that it came from.
    pub anonymous_id: Option<String>,
    /// The user that it claims to come from.
    pub user_id: Option<String>,
    /// Whether the device and the user are one person: then the claim has something behind it.
    pub same_person: bool,
    /// How many ids the persons of the two have.
    pub identities: i64,
}

impl From<ErasureRequest> for Request {
    fn from(request: ErasureRequest) -> Self {
        Self {
            event_id: request.event_id,
            requested_at: At(request.requested_at),
            anonymous_id: request.anonymous_id,
            user_id: request.user_id,
            same_person: request.same_person,
            identities: request.identities,
        }
    }
}

/// Who wants to be erased, and who was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Erasures {
    /// Requests that wait, oldest first; at most [`LISTED`].
    pub requests: Vec<Request>,
    /// Erasures, newest first; at most [`LISTED`].
    pub erasures: Vec<Erased>,
}

impl Erasures {
    /// Those of a project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn read(store: &Store, project_id: i32) -> Result<Self, StoreError> {
        let requests = store.erasure_requests(project_id, LISTED).await?;
        let erasures = store.list_erasures(project_id, LISTED).await?;
        Ok(Self {
            requests: requests.into_iter().map(Request::from).collect(),
            erasures: erasures.into_iter().map(Erased::from).collect(),
        })
    }
}

/// An alias that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AliasWithdrawn {
    /// The `$alias`.
    pub event_id: Uuid,
    /// The two users.
    pub users: [String; 2],
    /// When it was taken back first.
    pub withdrawn_at: At,
    /// Whether the two are one person still, by other aliases.
    pub still_one: bool,
}

impl AliasWithdrawn {
    /// What became of the alias of this event.
    #[must_use]
    pub fn of(event_id: Uuid, withdrawn: Withdrawn) -> Self {
        Self {
            event_id,
            users: withdrawn.users,
            withdrawn_at: At(withdrawn.withdrawn_at),
            still_one: withdrawn.still_one,
        }
    }
}

/// The project of the secret key. No parameter means anything here.
fn failed(error: StoreError) -> Problem {
    QueryError::Store(error).into()
}

/// Waits for a task; one that panicked has said so in the log.
async fn joined<T>(task: JoinHandle<Result<T, StoreError>>) -> Result<T, Problem> {
    let done = task
        .await
        .map_err(|_| Problem::new(Code::Internal, "the server made a mistake"))?;
    done.map_err(failed)
}

/// Erases a person, for good.
///
/// Its events, ids and properties are removed; late events of these ids are refused.
#[utoipa::path(delete, path = "/v1/persons/{id}", operation_id = "erase_person", tag = "persons", security(("secret_key" = [])),
    params(PersonPath),
    responses(
        (status = 200, description = "Erased.", body = Erased),
        (status = 202, description = "Erased as far as it says; the rest follows.", body = Erased), OneRefused),
)]
async fn erase(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, Json<Erased>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let project_id = access.project_id();
    let id = person_id(id)?;
    let (store, at) = (app.store.clone(), app.clock.now());
    let begun = tokio::spawn(async move { store.begin_erasure(project_id, &id, at).await });
    let erasure = joined(begun).await?.ok_or(QueryError::UnknownPerson)?;
    let store = app.store.clone();
    let finishing = tokio::spawn(async move { store.finish_erasure(project_id, erasure).await });
    match tokio::time::timeout(ANSWER_AFTER, joined(finishing)).await {
        Ok(done) => Ok((StatusCode::OK, Json(done?.into()))),
        Err(_) => {
            let so_far = app.store.erasure(project_id, erasure).await.map_err(failed)?;
            Ok((StatusCode::ACCEPTED, Json(so_far.into())))
        }
    }
}

/// Who wants to be erased, and who was.
#[utoipa::path(get, path = "/v1/erasures", operation_id = "erasures", tag = "persons", security(("secret_key" = [])),
    responses((status = 200, description = "Requests and erasures.", body = Erasures), ReadRefused),
)]
async fn erasures(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Erasures>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    Ok(Json(
        Erasures::read(&app.store, access.project_id()).await.map_err(failed)?,
    ))
}

/// Takes an alias back: its two users are one person no more.
#[utoipa::path(delete, path = "/v1/aliases/{event_id}", operation_id = "withdraw_alias", tag = "persons", security(("secret_key" = [])),
    params(("event_id" = Uuid, Path, description = "The `$alias` event.")),
    responses((status = 200, description = "Taken back.", body = AliasWithdrawn), OneRefused),
)]
async fn withdraw(
    Editor(access): Editor,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<AliasWithdrawn>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let project_id = access.project_id();
    let event_id = id.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok());
    let event_id = event_id.ok_or_else(|| QueryError::parameter("event_id", "is no UUID"))?;
    let (store, at) = (app.store.clone(), app.clock.now());
    let withdrawn = tokio::spawn(async move { store.withdraw_alias(project_id, event_id, at).await });
    let withdrawn = joined(withdrawn).await?;
    let withdrawn = withdrawn.ok_or_else(|| Problem::new(Code::NotFound, "there is no alias of this event"))?;
    Ok(Json(AliasWithdrawn::of(event_id, withdrawn)))
}
