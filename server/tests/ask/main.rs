//! Questions on a real Postgres.

#[path = "../support/mod.rs"]
mod support;
#[path = "../query/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the reads")]
mod world;

mod trends;
