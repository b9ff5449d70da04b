//! The store and the writer on a real Postgres.

#[path = "../support/mod.rs"]
mod support;
mod history;
mod model;
mod property;
mod admin;
mod exactly_once;
mod poison;
mod partitions;
mod identity;
mod erasures;
mod registers;
mod installs;
mod stored;
mod writer;
mod sealed;
mod segments;
mod segments_forgetting;
mod segments_history;
mod segments_verify;
mod promoted;
mod speed;
