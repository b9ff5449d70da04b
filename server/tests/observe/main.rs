//! What is broken: errors, uptime, latency, delivery, jobs and alerts, on a real Postgres.

#[path = "../support/mod.rs"]
mod support;
mod world;

mod notes;
mod jobs;
mod detect;
mod usage;

mod uptime;
mod alerts;
mod latency;
mod errors_traces;
mod errors_world;
mod errors_grouping;
mod errors_store;
mod errors_detect;
mod errors_http;
