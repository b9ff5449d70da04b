//! Trailmark's server: one process that takes events, keeps them safe, writes them to Postgres and answers questions.
//!
//! # The life of an event
//! 1. A client posts a batch. [`gateway`] accepts the connection, gives the request an id, finds the client's address,
//!    checks its rate and its key, and reads the body under a deadline, a size limit and a budget. A request refused here
//!    gets a problem body with a stable code: 400 what it is not JSON or no batch, 401 or 403 what the key does not open,
//!    408 and 413 what is too slow or too large, 429 over its own quota, 503 what should come again later.
//! 2. [`ingest`] undoes the compression, splits the batch, and judges each event alone: one that cannot be kept gets a
//!    verdict with its reason. The others become [`event::AcceptedEvent`]s, their time corrected, their id a UUIDv7.
//! 3. [`journal`] appends them as one record and resolves when the disk has it. Then, and only then, the answer is **202**
//!    with the receipt.
//! 4. [`writer`] reads the journal in order, and [`store`] puts a group of records into Postgres in one transaction: rows,
//!    links, aliases, person properties, the counters of [installs](install), and how far the journal is stored. The
//!    acknowledgement goes back to the journal, which forgets whole segments.
//!    Who is whom, [`identity`] says.
//! 5. [`query`] answers from the same rows, for a secret key, [`live`] tells it what is accepted at this moment,
//!    and [`admin`] changes what only such a key may change. [`settings`] are for the users who run the installation.
//!
//! Data flows in this order; only the receipt and the acknowledgement go back. [`app`] starts and stops the parts.

pub mod config;
pub mod clock;
pub mod digest;
pub mod bus;
pub mod app;
pub mod gateway;
pub mod ingest;
pub mod event;
pub mod install;
pub mod journal;
pub mod identity;
pub mod writer;
pub mod store;
pub mod query;
pub mod live;
pub mod admin;
pub mod dashboard;
pub mod settings;
pub mod database;
pub mod postgres;
pub mod observe;
pub mod jobs;
pub mod telemetry;
#[cfg(feature = "planted-bugs")]
#[doc(hidden)]
pub mod planted;

pub use app::{Server, StartError};
pub use config::Config;
pub use database::Database;
pub use store::Store;
