//! `GET /api/auth/invitation`, `POST /api/auth/accept`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::http::{Session, answer, client_address, needs_json, session, session_cookie};
use super::invitations::Chosen;
use crate::app::App;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{AcceptRefused, InvitationRefused};
use crate::query::http::read_json;
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::{OpenInvitation, Role};

/// The routes.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(invitation)).routes(routes!(accept))
}

/// What a link is for.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationShown {
    /// What whoever accepts will be; of a reset, what the user is.
    role: Role,
    /// The address that the new user will have; `null`: whoever accepts says it.
    email: Option<String>,
    /// Whose password is reset, if one is.
    user: Option<String>,
    /// When the link stops working.
    expires_at: At,
    /// Whether it makes the first owner: nobody can log in yet.
    first: bool,
}

impl From<OpenInvitation> for InvitationShown {
    fn from(open: OpenInvitation) -> Self {
        Self {
            role: open.role,
            email: open.email,
            user: open.user,
            expires_at: At(open.expires_at),
            first: open.is_first,
        }
    }
}

/// What somebody who has a link chooses. Not for logs, hence no `Debug`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Acceptance)]
struct Accept {
    /// The link's token, `tm_in_…`.
    invitation: String,
    /// The address to log in with; may be left out where the invitation names it.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The password: at least 15 characters.
    #[schema(format = Password, min_length = 15, max_length = 1024)]
    password: String,
}

/// What a link is for.
///
/// Asking does not use it up. One that is unknown, used, withdrawn or expired is refused in the same words.
#[utoipa::path(get, path = "/api/auth/invitation", operation_id = "invitation", tag = "auth",
    security(("invitation" = [])),
    responses((status = 200, description = "What it is for.", body = InvitationShown), InvitationRefused),
)]
async fn invitation(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let missing = || Problem::new(Code::MissingCredentials, "send `Authorization: Bearer tm_in_…`");
    let token = bearer(request.headers()).ok_or_else(missing)?;
    let now = app.clock.now();
    let open = app.login.invitation(token, client_address(&app, &request), now).await?;
    Ok(answer(None, Json(InvitationShown::from(open))))
}

/// Accepts an invitation, or sets another password, and logs in.
///
/// Answers as a login does. The link is used up; of two who accept at once, one is refused.
#[utoipa::path(post, path = "/api/auth/accept", operation_id = "accept_invitation", tag = "auth",
    request_body = Accept,
    responses((status = 200, description = "The session.", body = Session, headers(("Set-Cookie" = String))), AcceptRefused),
)]
async fn accept(State(app): State<Arc<App>>, RawQuery(query): RawQuery, request: Request) -> Result<Response, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let (now, address) = (app.clock.now(), client_address(&app, &request));
    needs_json(request.headers())?;
    let sent: Accept = read_json(&app, request).await?;
    let chosen = Chosen {
        token: &sent.invitation,
        email: sent.email.as_deref(),
        password: &sent.password,
    };
    let logged_in = app.login.accept(&chosen, address, now).await?;
    let opened = logged_in.session;
    let cookie = session_cookie(&app.login, &opened.token, opened.expires_at, now);
    let shown = session(&app, logged_in.user, opened.csrf, now).await?;
    Ok(answer(Some(cookie), shown))
}

/// The token, from the header alone: what is in a URL is logged.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
