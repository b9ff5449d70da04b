//! The routes of users.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use trailmark_protocol::Uuid;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::done;
use super::invitations::InvitationListed;
use crate::app::App;
use crate::gateway::installation::{Manager, Owner};
use crate::gateway::login::{RESET_FOR, new_link};
use crate::gateway::problem::Problem;
use crate::gateway::refusals::{InstallationChangeRefused, InstallationRefused};
use crate::query::QueryError;
use crate::query::http::read_json;
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::{ListedUser, Role, User, UserChange};

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(change, remove))
        .routes(routes!(reset))
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = User)]
struct UserShown {
    /// The user's id.
    id: Uuid,
    /// What the user logs in with.
    email: String,
    /// What the user may do.
    role: Role,
    /// When it was made.
    created_at: At,
    /// When it was shut out; `null` while it may log in.
    disabled_at: Option<At>,
}

/// Somebody who may log in, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ListedUser)]
struct Listed {
    /// The user.
    #[serde(flatten)]
    user: UserShown,
    /// About when the user was last here, in sessions of the last 30 days.
    last_seen_at: Option<At>,
}

/// Who may log in, and who is invited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Users {
    /// All users, oldest first.
    users: Vec<Listed>,
    /// The invitations that still work, oldest first.
    invitations: Vec<InvitationListed>,
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedUser {
    /// Another role.
    role: Option<Role>,
    /// Shut out, which ends the sessions, or let in again.
    disabled: Option<bool>,
}

/// A link that was made.
#[derive(Serialize, ToSchema)]
struct ResetLink {
    /// What the link says: `/welcome#` and this. It is shown only now.
    token: String,
    /// When it stops working.
    expires_at: At,
}

impl From<User> for UserShown {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            role: user.role,
            created_at: At(user.created_at),
            disabled_at: user.disabled_at.map(At),
        }
    }
}

impl From<ListedUser> for Listed {
    fn from(listed: ListedUser) -> Self {
        Self {
            user: listed.user.into(),
            last_seen_at: listed.last_seen_at.map(At),
        }
    }
}

/// Who may log in, and who is invited to. Takes the role admin.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "users", tag = "settings",
    security(("session" = [])),
    responses((status = 200, description = "All of them.", body = Users), InstallationRefused),
)]
async fn list(_: Manager, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Users>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let users = app.store.users_seen().await.map_err(QueryError::from)?;
    let invitations = app.store.invitations(app.clock.now()).await.map_err(QueryError::from)?;
    Ok(Json(Users {
        users: users.into_iter().map(Listed::from).collect(),
        invitations: invitations.into_iter().map(InvitationListed::from).collect(),
    }))
}

/// Gives a user another role, shuts one out, or lets one in again. Takes the role owner.
///
/// Of the owners who can log in, the last stays one.
#[utoipa::path(patch, path = "/api/v1/users/{id}", operation_id = "change_user", tag = "settings",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The user's id.")),
    request_body = ChangedUser,
    responses((status = 200, description = "The user as it is now.", body = UserShown), InstallationChangeRefused),
)]
async fn change(
    Owner(by): Owner,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<UserShown>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = user_id(id)?;
    let changed: ChangedUser = read_json(&app, request).await?;
    let change = UserChange {
        role: changed.role,
        disabled: changed.disabled,
    };
    let user = app.store.change_user(by, id, change, app.clock.now()).await;
    let user = done(user.map_err(QueryError::from)?, &format!("user {id}"))?;
    app.login.sessions().forget_known();
    Ok(Json(user.into()))
}

/// Removes a user, its sessions and the links that it made, for good. Takes the role owner.
///
/// Of the owners who can log in, the last stays.
#[utoipa::path(delete, path = "/api/v1/users/{id}", operation_id = "delete_user", tag = "settings",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The user's id.")),
    responses((status = 204, description = "It is gone."), InstallationChangeRefused),
)]
async fn remove(
    Owner(by): Owner,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = user_id(id)?;
    let removed = app.store.remove_user(by, id).await.map_err(QueryError::from)?;
    done(removed, &format!("user {id}"))?;
    app.login.sessions().forget_known();
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link with which a user chooses another password. Takes the role owner.
///
/// It works once, for a day, and ends the one before. The password of now goes on until it is used.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset", operation_id = "reset_password", tag = "settings",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The user's id.")),
    responses((status = 201, description = "The link's token, shown only now.", body = ResetLink), InstallationChangeRefused),
)]
async fn reset(
    Owner(by): Owner,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, Json<ResetLink>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = user_id(id)?;
    let link = new_link(RESET_FOR, app.clock.now()).map_err(QueryError::from)?;
    let made = app.store.invite_reset(Some(by), id, link.kept).await;
    done(made.map_err(QueryError::from)?, &format!("user {id} who may log in"))?;
    let shown = ResetLink {
        token: link.token,
        expires_at: At(link.kept.expires_at),
    };
    Ok((StatusCode::CREATED, Json(shown)))
}

fn user_id(id: Result<Path<String>, PathRejection>) -> Result<Uuid, QueryError> {
    let id = id.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok());
    id.ok_or_else(|| QueryError::parameter("id", "is no UUID"))
}
