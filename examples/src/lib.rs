//! What the example programs share: a seeded generator of web server logs, and the services of a shop.
//!
//! 1. [`random`]: numbers that are the same everywhere for the same seed.
//! 2. [`site`]: the pages of an imaginary site, its visitors' browsers and where they come from.
//! 3. [`visits`]: who comes when and what they open.
//! 4. [`log`]: the visits as lines in combined format.
//! 5. [`shop`]: the services behind the gateway's example.

/// The README's Rust snippet compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The client guide's snippet compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client.md")]
pub struct ClientGuide;

pub mod random;
pub mod site;
pub mod visits;
pub mod log;
pub mod shop;
