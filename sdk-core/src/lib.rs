//! The Trailmark client: one engine without I/O, and the driver that runs it natively.
//!
//! ```no_run
//! use std::time::Duration;
//! use trailmark_core::{Client, Properties};
//!
//! # fn main() -> Result<(), trailmark_core::BuildError> {
//! let client = Client::builder("https://analytics.example.com", "tm_pk_…").build()?;
//! client.track("checkout", Properties::new().with("total", 12.5).with("currency", "EUR"));
//! client.identify("u_7", Properties::new().with("plan", "pro"));
//!
//! let report = client.shutdown(Duration::from_secs(5));
//! println!("{} delivered, {} still pending", report.delivered, report.pending);
//! # Ok(())
//! # }
//! ```
//!
//! The calls return at once and never fail: the truth is in [`Client::stats`] and in the report of a flush. At all times
//! `captured = delivered + dropped + queued`, and every drop is counted under its [`Reason`].
//!
//! The modules follow an event's way through the device:
//!
//! 1. [`properties`], [`config`], [`context`], [`entropy`]: what goes in; [`hooks`] may change it.
//! 2. [`identity`], [`session`], [`registered`]: who it happened to, and when else; [`capture`] freezes the event's JSON,
//!    once, and `adopted` takes over one that was made elsewhere.
//! 3. [`log`] saves it on a [`storage`] before the call returns, [`queue`] keeps it in order, for as long as [`age`] says.
//! 4. [`batch`] cuts what is sent together, [`request`] is what a driver carries.
//! 5. [`verdict`] reads the answer, [`retry`] decides what it means, [`stats`], [`flush`] and [`notice`] tell it.
//! 6. [`engine`] is the state machine made of these: `poll(now)` and `done(id, outcome, now)`.
//! 7. [`native`] (a feature) drives it with one thread, tokio, reqwest and files.
//!
//! Nothing outside [`native`] reads a clock, starts a thread or opens a socket, so the same engine runs in a browser and
//! in a simulation.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod properties;
pub mod config;
pub mod context;
pub mod entropy;
pub mod hooks;
pub mod identity;
pub mod session;
pub mod registered;
pub mod capture;
mod adopted;
pub mod exception;
pub mod http_request;
pub mod age;
pub mod storage;
mod state;
mod ranges;
mod saved;
#[cfg(feature = "log")]
pub mod log;
#[cfg(not(feature = "log"))]
#[path = "log/none.rs"]
mod log;
pub mod rows;
pub mod queue;
pub mod batch;
pub mod request;
pub mod verdict;
pub mod retry_after;
pub mod retry;
mod wait;
pub mod stats;
pub mod flush;
pub mod notice;
pub mod engine;
#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "planted-bugs")]
#[doc(hidden)]
pub mod planted;

pub use trailmark_protocol::{Reason, Timestamp, Uuid};

pub use capture::Capture;
pub use config::{Config, ConfigError};
pub use context::Context;
pub use engine::{Engine, Step};
pub use entropy::Entropy;
pub use flush::FlushReport;
pub use hooks::{BeforeSend, Draft};
#[cfg(feature = "native")]
pub use native::{BuildError, Client, ClientBuilder, Durability};
pub use notice::Notice;
pub use properties::{Properties, PropertiesError, PropertyValue};
pub use request::{Answer, Outcome, Request};
pub use session::Session;
pub use stats::{Stats, StorageHealth};
pub use storage::{Storage, StorageError};
