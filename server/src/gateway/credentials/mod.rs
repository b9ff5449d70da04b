//! What a caller shows: tokens (RFC 7519) and API keys; and the tokens that the gateway's own login hands out.
//!
//! A token's way: [`signed`] (size, header) → a [`key`] of the [`key_set`], which [`jwks`] keeps fresh → the signature, by
//! `jsonwebtoken` over ring ([`crypto`]) → its [`claims`], by the [`config`] and the time → a
//! [`Caller`](super::caller::Caller), who is `known` from then on. What is wrong with one is a [`reason`].

pub mod config;
pub mod weak_secret;
pub mod reason;
pub mod algorithm;
pub mod crypto;
pub mod spki;
pub mod key;
pub mod key_set;
pub mod signed;
pub mod strict_json;
pub mod claims;
pub mod place;
pub mod fetch;
pub mod jwks;
mod known;
pub mod tokens;
pub mod minter;
pub mod api_key_config;
pub mod api_key;

pub use api_key::ApiKeys;
pub use api_key_config::ApiKeyConfig;
pub use config::JwtConfig;
pub use minter::Minter;
pub use tokens::Tokens;

#[cfg(test)]
mod tests;
