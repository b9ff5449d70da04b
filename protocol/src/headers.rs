//! Headers that travel beside a batch. What changes between attempts is here, never in the body: envelopes are frozen.

/// `Authorization: Bearer tm_pk_…`.
pub const AUTHORIZATION: &str = "authorization";
/// Name and version of the SDK, as `trailmark-dart/0.1.0`.
pub const SDK: &str = "trailmark-sdk";
/// A UUID that stays the same on every attempt of one request.
pub const REQUEST_ID: &str = "trailmark-request-id";
/// The attempt's number, from 1.
pub const ATTEMPT: &str = "trailmark-attempt";
/// The client's clock when this attempt was sent, RFC 3339.
pub const SENT_AT: &str = "trailmark-sent-at";

/// What a public key, which may only send events, starts with.
pub const WRITE_KEY_PREFIX: &str = "tm_pk_";
/// What a secret key, which may read and administer, starts with.
pub const SECRET_KEY_PREFIX: &str = "tm_sk_";
