//! Whether a request may pass: limits before anybody is known, then who calls, what they may, and the limits that are
//! theirs.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method, header};
use trailmark_protocol::Timestamp;

use super::route::{Route, Target, Way};
use crate::app::App;
use crate::gateway::caller::Caller;
use crate::gateway::file::Service;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::quota::{Counted, Fields, Policy};

/// How a request stands with the limits of its route, as far as they were asked.
#[derive(Debug, Default)]
pub struct Standings<'r>(pub Option<Fields<'r>>);

impl<'r> Standings<'r> {
    /// Counts a request with those limits that need not know who calls.
    ///
    /// # Errors
    /// [`Code::RateLimited`].
    pub fn of_strangers(&mut self, route: &'r Route, client: IpAddr) -> Result<(), Problem> {
        for policy in &route.limits {
            let standing = match policy.counted() {
                Counted::Ip => policy.check_address(client),
                Counted::Route => policy.check_route(&route.seen.id),
                Counted::User | Counted::ApiKey => continue,
            };
            self.take(policy, standing)?;
        }
        Ok(())
    }

    /// Counts a request with the limits of its caller.
    ///
    /// # Errors
    /// [`Code::RateLimited`].
    pub fn of_caller(&mut self, route: &'r Route, caller: &Caller) -> Result<(), Problem> {
        for policy in &route.limits {
            if let Some(standing) = policy.check_caller(caller) {
                self.take(policy, standing)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, policy: &'r Policy, standing: crate::gateway::quota::Standing) -> Result<(), Problem> {
        self.0 = Some(Fields::tighter(self.0, &policy.named, standing));
        standing.wait.map_or(Ok(()), |wait| Err(policy.refusal(wait)))
    }
}

/// Who calls; `None` where the route does not ask.
///
/// What a client sends on purpose decides, a token or a key: the first way of the route that takes one of them says who
/// calls. A session's cookie counts only where there is neither, as browsers send it with everything: a stale cookie does
/// not spoil a good token, and a request with a bad token is not let in as somebody else, whose cookie happened to be there.
///
/// # Errors
/// [`Code::MissingCredentials`], and what the first way found wrong with what is there.
pub async fn authenticate(
    app: &App,
    route: &Route,
    headers: &HeaderMap,
    method: &Method,
    now: Timestamp,
) -> Result<Option<Arc<Caller>>, Problem> {
    if route.ways.is_empty() {
        return Ok(None);
    }
    let mut refused = None;
    for way in route.ways.iter().filter(|way| !way.is_ambient()) {
        match present(app, way, headers, method, now).await {
            Some(Ok(caller)) => return Ok(Some(caller)),
            Some(Err(problem)) => refused = refused.or(Some(problem)),
            None => {}
        }
    }
    match (refused, route.ways.iter().find(|way| way.is_ambient())) {
        (Some(problem), _) => Err(problem),
        (None, Some(way)) => {
            let presented = present(app, way, headers, method, now).await;
            presented.unwrap_or_else(|| Err(missing(&route.ways))).map(Some)
        }
        (None, None) => Err(missing(&route.ways)),
    }
}

async fn present(
    app: &App,
    way: &Way,
    headers: &HeaderMap,
    method: &Method,
    now: Timestamp,
) -> Option<Result<Arc<Caller>, Problem>> {
    let caller = match way {
        Way::Token(tokens) => return Some(tokens.verify(bearer(headers)?, now).await),
        Way::Key(keys) => Box::pin(keys.check(headers, &app.keyring, &app.store, now)).await,
        Way::Session => Box::pin(app.login.sessions().check(headers, method, now)).await,
    };
    caller.map(|caller| caller.map(Arc::new))
}

/// A bearer token that is none of our keys.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.starts_with("tm_")).then_some(token)
}

fn missing(ways: &[Way]) -> Problem {
    let mut texts: Vec<_> = ways
        .iter()
        .map(|way| match way {
            Way::Token(_) => "a bearer token",
            Way::Key(_) => "an API key",
            Way::Session => "a session",
        })
        .collect();
    texts.dedup();
    Problem::new(
        Code::MissingCredentials,
        format!("the route takes {}", texts.join(" or ")),
    )
}

/// Whether `caller` may use the route.
///
/// # Errors
/// [`Code::NotPermitted`], which names what is missing.
pub fn permit(route: &Route, caller: &Caller) -> Result<(), Problem> {
    if is_public_key(caller) && !takes_public_keys(route) {
        let detail = "a write key is public; it opens this route only if the route asks for the scope \"events:write\"";
        return Err(Problem::new(Code::NotPermitted, detail));
    }
    if !caller.has_any_role(&route.any_role) {
        let detail = format!("one of these roles is needed: {}", route.any_role.join(", "));
        return Err(Problem::new(Code::NotPermitted, detail));
    }
    match caller.lacks_scope(&route.all_scopes) {
        Some(scope) => Err(Problem::new(
            Code::NotPermitted,
            format!("the scope \"{scope}\" is needed"),
        )),
        None => Ok(()),
    }
}

/// The scope of a project's write key.
const EVENTS_WRITE: &str = "events:write";

/// Whether the caller has shown nothing but a write key, which everybody can read in the team's own pages.
fn is_public_key(caller: &Caller) -> bool {
    let is_projects = caller.key.as_ref().is_some_and(|key| key.starts_with("project/"));
    is_projects && caller.scopes == [EVENTS_WRITE]
}

fn takes_public_keys(route: &Route) -> bool {
    let is_ingest = matches!(route.target, Target::Service(Service::Ingest));
    is_ingest || route.all_scopes.iter().any(|scope| scope == EVENTS_WRITE)
}
