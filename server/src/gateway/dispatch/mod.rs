//! What becomes of a request that a route of the gateway's file takes.
//!
//! [`snapshot`] is the file as requests meet it, `build` makes it. A request's way: [`visit`] (limits, who calls, what
//! they may, what changes) → [`forward`] (cache, service, upstream, hub) → [`visit`] again (what changes on the way back,
//! the refusal's body, the log).

pub mod ground;
pub mod route;
pub mod sockets;
pub mod telling;
mod post;
mod place;
mod build;
mod contents;
pub mod snapshot;
pub mod services;
pub mod admit;
mod asking;
pub mod forward;
pub mod visit;
pub mod gateway;
#[cfg(test)]
mod tests;

pub use gateway::{Gateway, Reloaded, check};
pub use ground::Ground;
pub use route::{Route, Target};
pub use services::Services;
pub use snapshot::Snapshot;
pub use visit::{Entry, Visit};
