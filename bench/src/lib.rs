//! Measures the real `trailmark serve` on this machine: how fast events become rows, how fast they are accepted, how much
//! memory that takes, and when they can be read. Every number stands beside a reference from the same run, because the
//! machine is shared and its speed moves: raw `COPY` for storing, an endpoint that only parses for accepting.
//!
//! [`plan`] says what is measured in which order; [`event`] → [`request`] → [`connection`] → [`load`] make the traffic;
//! [`child`], [`admin`], [`process`] and [`disk`] hold and watch what is measured; [`copy`] and [`parse_only`] are the
//! references; [`report`] prints. [`sdk`] measures the client, [`query`] the answers.

pub mod args;
pub mod plan;
pub mod event;
pub mod request;
pub mod connection;
pub mod load;
pub mod child;
pub mod admin;
pub mod process;
pub mod disk;
pub mod copy;
pub mod parse_only;
pub mod visible;
pub mod report;
pub mod sdk;
pub mod query;

/// Any error: a measurement that fails has nobody to recover it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a step of a measurement gives.
pub type Outcome<T> = Result<T, Failure>;
