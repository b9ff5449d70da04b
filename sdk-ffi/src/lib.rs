//! The Trailmark client for other languages: `trailmark-core` behind uniffi.
//!
//! There is no logic here. Every function hands its arguments to the function of the same name in
//! [`trailmark_core::Client`], whose documentation is the one that counts; every record mirrors one of the core's. What
//! can be decided is decided there, so that all platforms decide alike.
//!
//! - Properties are texts of JSON objects. One that is none costs its event, counted as `invalid_event`; nothing throws.
//! - Times are milliseconds.
//! - No call blocks but those that say so. A panic ends at the border, and is counted: see [`client::Stats::panics`]. While
//!   a client opens, and in the wait of `flush` and `ready`, uniffi makes it an internal error of the language.
//!
//! The packages of each language, in the folders beside this one, put a public API of that language's taste around it.

mod border;
pub mod config;
pub mod exception;
pub mod capture;
pub mod report;
pub mod client;
#[cfg(feature = "callbacks")]
pub mod callbacks;
#[cfg(feature = "dart")]
#[expect(
    unsafe_code,
    reason = "three functions that Dart finds by name and a call of the one it hands over"
)]
mod dart;
#[cfg(feature = "vectors")]
pub mod vectors;

uniffi::setup_scaffolding!("trailmark");
