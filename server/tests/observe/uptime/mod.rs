//! Monitors, against real sites on loopback.

mod site;
mod watch;
mod house;

mod outbound;
mod answers;
mod tls;
mod incidents;
mod claims;
mod history;
mod routes;
