//! The installation, for the users who run it: who may log in, projects and their keys, the servers, the gateway as its file has
//! it, and who was refused before it was known whose events they are.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::gateway::problem::{Code, Problem};
use crate::query::QueryError;
use crate::store::Owned;

pub mod users;
pub mod invitations;
pub mod projects;
pub mod keys;
pub mod server;
pub mod gateway;
pub mod strangers;

/// Longest name of a project or a key, in characters.
const NAME_CHARS: usize = 200;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    users::router()
        .merge(invitations::router())
        .merge(projects::router())
        .merge(keys::router())
        .merge(server::router())
        .merge(gateway::router())
        .merge(strangers::router())
}

/// What became of something that only an owner may do, as an answer or a refusal. `what` is what may be missing: "user 7".
fn done<T>(owned: Owned<T>, what: &str) -> Result<T, Problem> {
    match owned {
        Owned::Done(done) => Ok(done),
        Owned::NotOwner => Err(Problem::new(
            Code::NotPermitted,
            "this takes the role owner, and you no longer have it",
        )),
        Owned::LastOwner => Err(Problem::new(Code::LastOwner, "nobody else who can log in is an owner")),
        Owned::Missing => Err(Problem::new(Code::NotFound, format!("there is no {what}"))),
        Owned::TooMany => Err(QueryError::parameter(".", format!("is one {what} too many")).into()),
    }
}
