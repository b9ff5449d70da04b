//! Logging in, on a real Postgres and through the real routes; only the clock stands still until it is moved.

#[path = "../support/mod.rs"]
mod support;
mod house;

mod flow;
mod rotation;
mod csrf;
mod lockout;
mod users;
mod delegated;
mod invitations;
mod roles;
mod managing;
mod projects;
mod strangers;
mod servers;
mod unavailable;
mod manual;
mod boards;
