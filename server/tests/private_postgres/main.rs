//! The private Postgres on this machine's real one: what survives, what is adopted, and that nothing is left behind.

mod support;
mod start;
mod owners;
mod faults;
