//! What is broken: the server watches what it stores and says so.
//!
//! The writer leaves a note with every write (`store::notes`). A job takes the notes up in the background: errors become
//! [`errors`] (issues), requests become [`latency`] (endpoints). [`uptime`] asks from outside. Detectors look at all of it
//! and tell [`problem`]s; what opens and closes goes to whom [`alerts`] name.

pub mod problem;
pub mod errors;

pub use problem::{Found, Kind};
