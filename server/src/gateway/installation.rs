//! Who may look at the installation, and who may change it: a user who is logged in. A key opens its project and nothing
//! beside it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use trailmark_protocol::Uuid;

use super::access::{needs, role_of};
use super::auth::{authorise, presented_key};
use super::login::sessions::missing;
use super::problem::{Code, Problem};
use crate::app::App;
use crate::store::{KeyKind, Role};

/// A user who is logged in and has a role here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    role: Role,
    /// `None` for one whom another service knows.
    id: Option<Uuid>,
}

impl Member {
    async fn of(app: &App, parts: &Parts) -> Result<Self, Problem> {
        if presented_key(&parts.headers, &parts.uri).is_some() {
            let detail = "this takes the session of a user; a key opens its own project";
            return Err(Problem::new(Code::NotPermitted, detail));
        }
        let sessions = app.login.sessions();
        let checked = sessions.check(&parts.headers, &parts.method, app.clock.now()).await;
        let caller = checked.ok_or_else(missing)??;
        Ok(Self {
            role: role_of(&caller)?,
            id: caller.user.as_deref().and_then(|id| Uuid::try_parse(id).ok()),
        })
    }
}

impl FromRequestParts<Arc<App>> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Self::of(app, parts).await
    }
}

/// An admin or an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager;

impl FromRequestParts<Arc<App>> for Manager {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        needs(Member::of(app, parts).await?.role, Role::Admin)?;
        Ok(Self)
    }
}

/// An owner, by id. What is known of a session may be seconds old: the store looks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(pub Uuid);

impl FromRequestParts<Arc<App>> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let member = Member::of(app, parts).await?;
        needs(member.role, Role::Owner)?;
        app.login.needs_local()?;
        let unknown = || Problem::new(Code::NotPermitted, "this takes a user of this installation");
        member.id.map(Self).ok_or_else(unknown)
    }
}

/// A user, who may see all projects, or a secret key, which may see its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// The only project; `None`: all of them.
    pub only: Option<i32>,
}

impl FromRequestParts<Arc<App>> for Sight {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if let Some(key) = presented_key(&parts.headers, &parts.uri) {
            let grant = authorise(app, Some(&key), KeyKind::Secret).await?;
            return Ok(Self {
                only: Some(grant.project_id),
            });
        }
        Member::of(app, parts).await?;
        Ok(Self { only: None })
    }
}
