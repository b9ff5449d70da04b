//! The conformance vectors' interpreter: steps in, outcomes out, both as JSON.
//!
//! The files and their format are in `sdk-core/tests/vectors`, with a README. A [`Device`] is an
//! [`Engine`](trailmark_core::Engine) with a clock, a randomness, a storage and a server that do what a file says.
//! A binding's test makes one, calls its own public functions on [`Device::engine`] where a step is a call of the app,
//! and leaves all other steps to [`Device::step`]; the core's own test leaves every step to it.
//!
//! ```
//! let mut device = trailmark_vectors::Device::new(r#"{"config":{"flush_at":1}}"#)?;
//! device.step(r#"{"do":"track","with":{"name":"checkout","properties":{"total":12.5}}}"#)?;
//! let outcome = device.step(r#"{"do":"poll"}"#)?.unwrap_or_default();
//! assert!(outcome.contains(r#""method":"POST","path":"/v1/batch""#));
//! # Ok::<(), String>(())
//! ```

pub mod text;
pub mod script;
mod settings;
mod arguments;
mod outcome;
mod device;

pub use device::{Clock, Device, Home, START};
