//! Reads on a real Postgres: pages, filters, persons, statistics, delivery, and that no project sees another.

#[path = "../support/mod.rs"]
mod support;
mod world;

mod paging;
mod filters;
mod persons;
mod admin;
mod properties;
mod stats;
mod delivery;
mod isolation;
mod hostile;
mod unavailable;
mod http;
mod live;
mod turns;
mod lists;
mod timeline;
mod cohorts;
mod events_export;
mod documented;
