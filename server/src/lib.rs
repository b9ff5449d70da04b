//! Trailmark's server.

pub mod config;
pub mod clock;
pub mod event;
pub mod journal;
pub mod postgres;
pub mod writer;
pub mod store;
