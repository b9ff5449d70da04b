//! What is broken: the server watches what it stores and says so.
//!
//! The writer leaves a note with every write (`store::notes`). A job takes the notes up in the background: errors become
//! [`errors`] (issues), requests become [`latency`] (endpoints). [`uptime`] asks from outside. Detectors look at all of it
//! and tell [`problem`]s; what opens and closes goes to whom [`alerts`] name.

pub mod problem;
pub mod refusals;
pub mod beat;
pub mod ingest;
pub mod stopped;
pub mod watch;
pub mod threshold;
pub mod detect;
pub mod now;
pub mod now_live;
pub mod saved;
pub mod promoted;
pub mod http;
pub mod outbound;
pub mod uptime;
pub mod alerts;
pub mod latency;
pub mod errors;

pub use problem::{Found, Kind};
