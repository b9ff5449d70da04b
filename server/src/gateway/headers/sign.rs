//! A seal on what the gateway says, for services that others can reach too: HMAC-SHA256 with a secret that both know.
//!
//! Signed are the lines below, each ended by a newline, empty where the header is absent:
//! `v1`, method, path, then the values of `X-Gateway-Timestamp`, `X-Request-Id`, `X-User-Id`, `X-User-Role`,
//! `X-Auth-Scopes`, `X-Api-Key-Id`. A service computes the same, compares in constant time, and refuses timestamps that
//! are older than it tolerates.

use http::{HeaderMap, HeaderName, Method};
use ring::hmac;

use super::assert::{X_API_KEY_ID, X_AUTH_SCOPES, X_GATEWAY_TIMESTAMP, X_USER_ID, X_USER_ROLE};
use crate::gateway::digits::push_hex;
use crate::gateway::request_id::X_REQUEST_ID;
use crate::gateway::units::Secret;

/// What is signed of the headers, in this order.
const SIGNED: [HeaderName; 6] = [
    X_GATEWAY_TIMESTAMP,
    X_REQUEST_ID,
    X_USER_ID,
    X_USER_ROLE,
    X_AUTH_SCOPES,
    X_API_KEY_ID,
];

/// Shortest secret that is taken: 32 bytes, the length of the signature.
pub const SHORTEST_SECRET: usize = 32;

/// Signs for one secret.
#[derive(Debug, Clone)]
pub struct Signer(hmac::Key);

impl Signer {
    /// A signer with this secret.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes()))
    }

    /// The signature of a request with these headers, as `v1=` and 64 hexadecimal digits.
    #[must_use]
    pub fn signature(&self, method: &Method, path: &str, headers: &HeaderMap) -> String {
        let mut signing = hmac::Context::with_key(&self.0);
        let mut line = |bytes: &[u8]| {
            signing.update(bytes);
            signing.update(b"\n");
        };
        line(b"v1");
        line(method.as_str().as_bytes());
        line(path.as_bytes());
        for name in &SIGNED {
            line(headers.get(name).map_or(b"", |value| value.as_bytes()));
        }
        let mut text = String::with_capacity(3 + 64);
        text.push_str("v1=");
        push_hex(&mut text, signing.sign().as_ref());
        text
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn signed(headers: &[(&'static str, &'static str)], path: &str) -> String {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let signer = Signer::new(&Secret::new("0123456789abcdef0123456789abcdef"));
        signer.signature(&Method::GET, path, &pairs.collect())
    }

    #[test]
    fn the_signature_is_what_openssl_makes_of_the_same_lines() {
        // printf 'v1\nGET\n/users/1\nT\nr\nu\nadmin\n\n\n' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let headers = [
            ("x-gateway-timestamp", "T"),
            ("x-request-id", "r"),
            ("x-user-id", "u"),
            ("x-user-role", "admin"),
        ];
        assert_eq!(
            signed(&headers, "/users/1"),
            "v1=86414f2e3c58a5cdd23426187578a431d503a30b80ba85d4a0bbc9979ef80836"
        );
    }

    #[test]
    fn whatever_is_changed_changes_the_signature() {
        let own = [("x-user-id", "u"), ("x-user-role", "viewer")];
        let signature = signed(&own, "/a");
        assert_ne!(signature, signed(&own, "/b"));
        assert_ne!(signature, signed(&[("x-user-id", "u"), ("x-user-role", "owner")], "/a"));
        assert_ne!(
            signature,
            signed(&[("x-user-role", "u"), ("x-user-id", "viewer")], "/a"),
            "values cannot change places"
        );
    }
}
