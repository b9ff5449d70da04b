//! The harness: a real server, a real Postgres, real HTTP.
//!
//! A test makes a [`Server`] (its own, or the one that tests share), opens a [`Project`] in it through the command line,
//! and speaks to it through [`http`]. Conditions are waited for with [`wait::until`], never slept for. [`home::Home`]
//! leaves neither a process nor a file behind, even when the test process is killed.

pub(crate) mod wait;
pub(crate) mod home;
pub(crate) mod processes;
pub(crate) mod http;
pub(crate) mod server;
pub(crate) mod project;
pub(crate) mod rows;
pub(crate) mod events;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod outside_postgres;

pub(crate) use http::{Connection, Request, Response};
pub(crate) use project::Project;
pub(crate) use server::{Server, Setup};
pub(crate) use wait::{PATIENCE, until};
