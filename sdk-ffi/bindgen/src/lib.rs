//! Generates the bindings of `trailmark-ffi` from the metadata in a built, unstripped library.
//!
//! [`languages`] are uniffi's own back ends. [`dart`] is ours, because no public one fits uniffi 0.32. Nothing that comes
//! out is edited.

pub mod languages;
pub mod dart;
