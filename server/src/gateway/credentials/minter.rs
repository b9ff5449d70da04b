//! The tokens that the gateway's own login hands out.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use trailmark_protocol::Timestamp;
use uuid::Uuid;

use super::crypto;
use crate::gateway::login::Mint;
use crate::gateway::units::Secret;

/// Makes tokens, signed with HS256. A `[auth.jwt.NAME]` with the same issuer, audience and secret takes them.
#[derive(Debug, Clone)]
pub struct Minter {
    issuer: String,
    audience: Vec<String>,
    key: EncodingKey,
    expires: Duration,
}

/// What a minted token says. `userId` and `role` are for services that read the tokens of older gateways.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Minted<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    aud: &'a [String],
    sub: &'a str,
    user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// The first role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a String>,
    roles: &'a [String],
    iat: i64,
    exp: i64,
    jti: String,
}

impl Minter {
    /// Makes tokens of `issuer` for `audience`, good for `expires`. Whether `secret` is strong enough, say
    /// [`weak_secret::problem`](super::weak_secret::problem).
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: Vec<String>, secret: &Secret, expires: Duration) -> Self {
        crypto::install();
        let (issuer, key) = (issuer.into(), EncodingKey::from_secret(secret.reveal().as_bytes()));
        Self {
            issuer,
            audience,
            key,
            expires,
        }
    }

    /// For how long a token is good.
    #[must_use]
    pub fn expires(&self) -> Duration {
        self.expires
    }

    /// A token for `user`, good from `now` on. Times are whole seconds, rounded down.
    #[must_use]
    pub fn mint(&self, user: &str, email: Option<&str>, roles: &[String], now: Timestamp) -> String {
        let iat = now.millis().div_euclid(1000);
        let claims = Minted {
            iss: &self.issuer,
            aud: &self.audience,
            sub: user,
            user_id: user,
            email,
            role: roles.first(),
            roles,
            iat,
            exp: iat.saturating_add_unsigned(self.expires.as_secs()),
            jti: Uuid::new_v4().to_string(),
        };
        let minted = encode(&Header::new(Algorithm::HS256), &claims, &self.key);
        minted.expect("texts and whole numbers always become JSON, and HMAC signs any message with any key")
    }
}

impl Mint for Minter {
    fn mint(&self, user: &str, email: &str, roles: &[String], now: Timestamp) -> String {
        Self::mint(self, user, Some(email), roles, now)
    }
}
