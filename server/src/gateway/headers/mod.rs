//! What a service may believe of a request's headers: those that only the gateway writes are taken from what the client
//! sent, in every spelling, before the gateway writes its own.

pub mod strip;
pub mod assert;
pub mod sign;

pub use assert::Assertion;
pub use sign::Signer;
