//! Who may look at a project, and who may change it: a secret key, which administers its own project, or a user who is
//! logged in, whose role decides and who says which project is meant.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;

use super::auth::{authorise, presented_key};
use super::caller::Caller;
use super::problem::{Code, Problem};
use super::query_string;
use crate::app::App;
use crate::store::{KeyKind, Role};

/// Which project a logged-in user means. What cannot set headers, as an `EventSource`, says `?project=`.
pub const TRAILMARK_PROJECT: HeaderName = HeaderName::from_static("trailmark-project");

/// The same in a query string.
pub const PROJECT: &str = "project";

/// A caller who may look at a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    project_id: i32,
    role: Role,
    who: String,
}

impl Access {
    /// The project.
    #[must_use]
    pub const fn project_id(&self) -> i32 {
        self.project_id
    }

    /// Who it is, for a record of what was changed: an e-mail address, or `key 7`.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Refuses who has neither the role nor one above it.
    ///
    /// # Errors
    /// [`Code::NotPermitted`].
    pub fn needs(&self, role: Role) -> Result<(), Problem> {
        needs(self.role, role)
    }

    /// What the request's key or session opens. A key goes before a session: it was sent on purpose.
    ///
    /// # Errors
    /// What the key or the session is refused for.
    pub async fn of(app: &App, parts: &Parts) -> Result<Self, Problem> {
        let key = presented_key(&parts.headers, &parts.uri);
        let session = app.login.sessions();
        if key.is_none()
            && let Some(caller) = session.check(&parts.headers, &parts.method, app.clock.now()).await
        {
            let caller = caller?;
            let role = role_of(&caller)?;
            return Ok(Self {
                project_id: project(parts)?,
                role,
                who: caller.email.or(caller.user).unwrap_or_default(),
            });
        }
        let grant = authorise(app, key.as_deref(), KeyKind::Secret).await?;
        // A key opens its own project: to answer for it where another was meant would be an answer to another question.
        if let Some(said) = said(parts)?
            && said != grant.project_id
        {
            let detail = format!("`project` is {said}, and the key is of {}", grant.project_id);
            return Err(Problem::new(Code::InvalidParameter, detail));
        }
        Ok(Self {
            project_id: grant.project_id,
            role: Role::Admin,
            who: format!("key {}", grant.key_id),
        })
    }
}

/// The role that somebody who is logged in has here.
pub(super) fn role_of(caller: &Caller) -> Result<Role, Problem> {
    let role = caller.roles.iter().find_map(|role| Role::parse(role));
    role.ok_or_else(|| Problem::new(Code::NotPermitted, "you have no role here"))
}

/// Refuses who has neither the role nor one above it.
pub(super) fn needs(has: Role, needed: Role) -> Result<(), Problem> {
    if has.covers(needed) {
        return Ok(());
    }
    let detail = format!("this takes the role {}, and yours is {}", needed.as_str(), has.as_str());
    Err(Problem::new(Code::NotPermitted, detail))
}

fn project(parts: &Parts) -> Result<i32, Problem> {
    let missing = "`project` is missing: send `Trailmark-Project` or `?project=`, a number";
    said(parts)?.ok_or_else(|| Problem::new(Code::InvalidParameter, missing))
}

/// Which project is meant, if that is said.
fn said(parts: &Parts) -> Result<Option<i32>, Problem> {
    let text = match parts.headers.get(TRAILMARK_PROJECT) {
        Some(value) => Some(value.to_str().unwrap_or_default().to_owned()),
        None => query_string::get(&parts.uri, PROJECT),
    };
    let number = |text: String| text.parse().ok().filter(|number| *number > 0);
    let refused = || Problem::new(Code::InvalidParameter, "`project` is no number of a project");
    text.map(|text| number(text).ok_or_else(refused)).transpose()
}

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Self::of(app, parts).await
    }
}

/// A caller who may change a project: an admin or an owner, or a secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor(pub Access);

impl FromRequestParts<Arc<App>> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let access = Access::of(app, parts).await?;
        access.needs(Role::Admin)?;
        Ok(Self(access))
    }
}
