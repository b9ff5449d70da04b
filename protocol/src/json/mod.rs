//! The small JSON of the wire: write objects, scan a value under limits, read the fields of an object.
//!
//! It exists because serde_json costs the web build about 26 KB brotli and this costs about 2. Everything here is held
//! against serde_json by property tests: what we write it reads as the same value, and what we call JSON so does it.

mod write;
mod magnitude;
mod scan;
mod read;
mod repair;
mod shorten;

pub use read::{Fields, as_i64, as_string, as_u64, elements, fields, pick};
pub use repair::repair;
pub use scan::{Fault, Shape, scan};
pub use shorten::shorten;
pub use write::{Array, Object, write_digits, write_f64, write_i64, write_str, write_u64};
