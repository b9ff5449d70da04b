//! The routes of invitations, for those who make them. Who accepts one asks `gateway::login`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::done;
use crate::app::App;
use crate::gateway::installation::Owner;
use crate::gateway::login::{INVITED_FOR, new_link};
use crate::gateway::problem::Problem;
use crate::gateway::refusals::InstallationChangeRefused;
use crate::query::QueryError;
use crate::query::http::{number, read_json};
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::{Invitation, Role, normal_email};

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(invite)).routes(routes!(withdraw))
}

/// An invitation that still works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct InvitationListed {
    /// Its number.
    id: i64,
    /// What the user will be.
    role: Role,
    /// Whom it is for; `null`: whoever has it.
    email: Option<String>,
    /// When it was made.
    created_at: At,
    /// The owner who made it; `null`: it was made on the server itself.
    created_by: Option<String>,
    /// When it stops working.
    expires_at: At,
}

impl From<Invitation> for InvitationListed {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            role: invitation.role,
            email: invitation.email,
            created_at: At(invitation.created_at),
            created_by: invitation.created_by,
            expires_at: At(invitation.expires_at),
        }
    }
}

/// Who is to be invited.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    /// What the user will be.
    role: Role,
    /// The address that the user will have; left out, whoever accepts says it.
    #[schema(max_length = 254)]
    email: Option<String>,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
struct InvitationMade {
    /// Its number.
    id: i64,
    /// What the user will be.
    role: Role,
    /// Whom it is for.
    email: Option<String>,
    /// When it stops working.
    expires_at: At,
    /// What the link says: `/welcome#` and this. It is shown only now.
    token: String,
}

/// Invites somebody to be a user. Takes the role owner.
///
/// The link works once, for a week. It ends when its maker is an owner no more.
#[utoipa::path(post, path = "/api/v1/invitations", operation_id = "invite", tag = "settings",
    security(("session" = [])),
    request_body = NewInvitation,
    responses((status = 201, description = "The invitation, with its token.", body = InvitationMade), InstallationChangeRefused),
)]
async fn invite(
    Owner(by): Owner,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<InvitationMade>), Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let new: NewInvitation = read_json(&app, request).await?;
    let email = match new.email {
        Some(email) => Some(free(&app, &email).await?),
        None => None,
    };
    let link = new_link(INVITED_FOR, app.clock.now()).map_err(QueryError::from)?;
    let made = app
        .store
        .invite(Some(by), (new.role, email.as_deref()), link.kept)
        .await;
    let made = done(made.map_err(QueryError::from)?, "invitation")?;
    let shown = InvitationMade {
        id: made.id,
        role: made.role,
        email: made.email,
        expires_at: At(made.expires_at),
        token: link.token,
    };
    Ok((StatusCode::CREATED, Json(shown)))
}

/// The address as it is kept, if nobody has it.
async fn free(app: &App, email: &str) -> Result<String, QueryError> {
    let email = normal_email(email).ok_or_else(|| QueryError::parameter("email", "is no e-mail address"))?;
    match app.store.user_with_password(&email).await? {
        Some(_) => Err(QueryError::parameter("email", "is a user's already")),
        None => Ok(email),
    }
}

/// Takes an invitation back. Takes the role owner.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", operation_id = "withdraw_invitation", tag = "settings",
    security(("session" = [])),
    params(("id" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It works no more."), InstallationChangeRefused),
)]
async fn withdraw(
    Owner(by): Owner,
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let id = number(id)?;
    let withdrawn = app.store.withdraw_invitation(by, id).await.map_err(QueryError::from)?;
    done(withdrawn, &format!("invitation {id}"))?;
    Ok(StatusCode::NO_CONTENT)
}
