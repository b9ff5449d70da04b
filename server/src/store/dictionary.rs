//! Names and ids as integers.

/// Caches names and ids.
#[derive(Debug, Default)]
pub struct Dictionary {}
