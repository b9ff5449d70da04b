//! The native driver: one thread, tokio and reqwest around the [`Engine`](crate::Engine).
//!
//! [`Client`] is what an app holds. The thread owns the network; the app's calls only lock the engine for the
//! microseconds that an event takes to be written, and never wait for the network.

mod edge;
mod tls;
mod transport;
mod files;
mod shared;
mod driver;
mod builder;
mod client;
mod joined;
#[cfg(feature = "scripted")]
mod scripted;

pub use builder::{BuildError, ClientBuilder};
pub use client::Client;
pub use files::{Durability, SYNC_WITHIN};
