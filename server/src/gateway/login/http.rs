//! `POST /api/auth/login`, `/logout`, `/refresh`, `GET /api/auth/me`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sessions::{cookie_seconds, missing, unavailable};
use super::{Login, UserShown, cookie, password};
use crate::app::App;
use crate::gateway::body;
use crate::gateway::client_ip::client_ip;
use crate::gateway::edge::Peer;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{LoginRefused, LogoutRefused, SessionRefused};
use crate::store::Role;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(log_out))
        .routes(routes!(refresh))
        .routes(routes!(me))
        .merge(super::accept::router())
}

/// Longest e-mail address that is looked at: 254 bytes (RFC 5321 §4.5.3.1.3).
const EMAIL_BYTES: usize = 254;

/// Who wants to log in. Not for logs, hence no `Debug`.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    /// The e-mail address, in any case.
    #[schema(max_length = 254)]
    email: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// A session that has begun or goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = LoggedIn)]
pub(super) struct Session {
    /// A JSON Web Token for `Authorization: Bearer`; left out where the gateway makes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
    /// For how many seconds the token is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_in: Option<u64>,
    /// The same in words: `15m`.
    #[serde(rename = "expiresIn", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_in_words: Option<String>,
    /// Who is logged in.
    user: UserShown,
    /// What the page sends as `X-Csrf-Token` with requests that change something. It stays the same until the session ends.
    csrf_token: String,
    /// The projects, oldest first, so that a first screen needs no other question. None for users of another service who have
    /// no role here.
    projects: Vec<ProjectNamed>,
}

/// A project's number and name.
#[derive(Serialize, ToSchema)]
struct ProjectNamed {
    /// Its number.
    id: i32,
    /// Its name for people.
    name: String,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The user.
    user: UserShown,
    /// What the page sends as `X-Csrf-Token` with requests that change something.
    csrf_token: String,
    /// The projects, oldest first.
    projects: Vec<ProjectNamed>,
}

/// Logs in.
///
/// Answers with a session in the cookie `__Host-sid`, and with a token where the gateway makes them. What is wrong, the
/// address or the password, is not said.
#[utoipa::path(post, path = "/api/auth/login", operation_id = "log_in", tag = "auth",
    request_body = Credentials,
    responses((status = 200, description = "The session.", body = Session, headers(("Set-Cookie" = String))), LoginRefused),
)]
async fn log_in(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let now = app.clock.now();
    let address = client_address(&app, &request);
    let Credentials { email, password } = credentials(&app, request).await?;
    let logged_in = app.login.log_in(email.trim(), &password, address, now).await?;
    let opened = logged_in.session;
    let cookie = session_cookie(&app.login, &opened.token, opened.expires_at, now);
    let shown = session(&app, logged_in.user, opened.csrf, now).await?;
    Ok(answer(Some(cookie), shown))
}

/// Ends the session and removes its cookie.
///
/// The token that came with it stays good until it expires. Without a session there is nothing to do, which is no error.
#[utoipa::path(post, path = "/api/auth/logout", operation_id = "log_out", tag = "auth",
    security(("session" = [])),
    params(("X-Csrf-Token" = Option<String>, Header, description = "The session's `csrf_token`.")),
    responses((status = 204, description = "There is no session any more.", headers(("Set-Cookie" = String))), LogoutRefused),
)]
async fn log_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let sessions = app.login.sessions();
    sessions.end(&headers, app.clock.now()).await?;
    let cleared = cookie::clear(&sessions.config().cookie);
    Ok(answer(Some(cleared), StatusCode::NO_CONTENT))
}

/// Goes on with the session under a new cookie, and with a new token where the gateway makes them.
///
/// The cookie before passes for five more seconds, for a page in two tabs; presented later than that, it ends the session
/// for whoever has it.
#[utoipa::path(post, path = "/api/auth/refresh", operation_id = "refresh_session", tag = "auth",
    security(("session" = [])),
    params(("X-Csrf-Token" = Option<String>, Header, description = "The session's `csrf_token`.")),
    responses((status = 200, description = "The session.", body = Session, headers(("Set-Cookie" = String))), SessionRefused),
)]
async fn refresh(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let now = app.clock.now();
    let refreshed = app.login.sessions().refresh(&headers, now).await?;
    let expires_at = refreshed.row.opening.expires_at;
    let cookie = refreshed
        .token
        .map(|token| session_cookie(&app.login, &token, expires_at, now));
    let user = UserShown::from(&refreshed.row);
    let shown = session(&app, user, refreshed.row.csrf, now).await?;
    Ok(answer(cookie, shown))
}

/// Who is logged in, and what a page that was loaded anew needs to go on.
#[utoipa::path(get, path = "/api/auth/me", operation_id = "me", tag = "auth",
    security(("session" = [])),
    responses((status = 200, description = "Who.", body = Me), SessionRefused),
)]
async fn me(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let asked = app.login.sessions().session(&headers, &Method::GET, app.clock.now());
    let row = asked.await.ok_or_else(missing)??;
    let user = UserShown::from(&*row);
    let me = Me {
        projects: projects(&app, &user).await?,
        user,
        csrf_token: row.csrf.clone(),
    };
    Ok(answer(None, Json(me)))
}

/// The client's address, where the connection is known.
pub(super) fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let peer: Peer = *request.extensions().get()?;
    Some(client_ip(peer.ip, request.headers(), &app.config.http.trusted_proxies))
}

/// What was sent.
async fn credentials(app: &App, request: Request) -> Result<Credentials, Problem> {
    let invalid = |detail| Problem::new(Code::InvalidBody, detail);
    needs_json(request.headers())?;
    let read = body::read(request.into_body(), &app.budget, app.config.http.body_timeout()).await?;
    let credentials: Credentials =
        serde_json::from_slice(read.as_slice()).map_err(|_| invalid("send {\"email\": \"…\", \"password\": \"…\"}"))?;
    let email = credentials.email.trim();
    if email.is_empty() || email.len() > EMAIL_BYTES || email.contains(char::is_control) {
        return Err(invalid("`email` is no e-mail address"));
    }
    if credentials.password.is_empty() || credentials.password.len() > password::BYTES_MAX {
        return Err(invalid("`password` is no password"));
    }
    Ok(credentials)
}

/// A body has to say that it is JSON: that a form of another site cannot, and a script of another site may only after a
/// preflight. Or it could log people in as somebody whom they are not.
pub(super) fn needs_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = || Problem::new(Code::InvalidBody, "send `Content-Type: application/json`");
    is_json(headers).then_some(()).ok_or_else(refused)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

pub(super) fn session_cookie(login: &Login, token: &str, expires_at: Timestamp, now: Timestamp) -> HeaderValue {
    cookie::set(
        &login.sessions().config().cookie,
        token,
        cookie_seconds(expires_at, now),
    )
}

pub(super) async fn session(
    app: &App,
    user: UserShown,
    csrf_token: String,
    now: Timestamp,
) -> Result<Json<Session>, Problem> {
    let (token, expires) = app.login.token(&user, now).unzip();
    Ok(Json(Session {
        token,
        expires_in: expires.map(|expires| expires.as_secs()),
        expires_in_words: expires.map(in_words),
        projects: projects(app, &user).await?,
        user,
        csrf_token,
    }))
}

/// The projects of who has a role here. Customers of a service behind may log in through the gateway, too: they see none.
async fn projects(app: &App, user: &UserShown) -> Result<Vec<ProjectNamed>, Problem> {
    if user.role.as_deref().and_then(Role::parse).is_none() {
        return Ok(Vec::new());
    }
    let projects = app.login.projects().await.map_err(|error| unavailable(&error))?;
    let named = projects.iter().map(|project| ProjectNamed {
        id: project.id,
        name: project.name.clone(),
    });
    Ok(named.collect())
}

/// `15m`, `24h`, `90s`.
fn in_words(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// An answer that nobody keeps.
pub(super) fn answer(cookie: Option<HeaderValue>, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        for (seconds, words) in [(900, "15m"), (86_400, "24h"), (90, "90s"), (1, "1s")] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn only_json_is_json() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(is_json(&headers), json, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
