//! The real binary, a real Postgres, real HTTP, real kills: what issue 2 calls "Bad input and faults", and in
//! [`gateway`] what known gateways do.
//!
//! One test program, so that the tests share servers and run side by side.

mod support;

mod web_sdk;
mod bad_requests;
mod bad_events;
mod keys;
mod logins;
mod encodings;
mod slow_clients;
mod crashes;
mod outages;
mod persons;
mod disk_bound;
mod shutdown;
mod dead_letters;
mod two_servers;
mod jobs;
mod segments;
mod broken;
mod demo;
mod device_kills;
mod journey;
mod delivery;
mod live;
mod questions;
mod exports;
mod gateway;
