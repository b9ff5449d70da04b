//! Trailmark's server.

pub mod clock;
pub mod journal;
pub mod postgres;
