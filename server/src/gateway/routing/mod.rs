//! From a request's host, path and method to the one route that says what becomes of it.

pub mod host;
pub mod path;
pub mod rewrite;
pub mod table;

pub use rewrite::Rewrite;
pub use table::{Found, Overlap, Place, Table};
