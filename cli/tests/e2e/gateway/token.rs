//! Tokens, made by hand: good ones as another issuer makes them, and forged ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};
use trailmark_server::clock::{Clock, SystemClock};

/// What the gateways of these tests and their issuer share.
pub(crate) const SECRET: &str = "kPz4Qv81-gateway-tests-share-this-J7wd";

/// An hour from now, in seconds since 1970.
pub(crate) fn in_an_hour() -> i64 {
    SystemClock.now().millis() / 1000 + 3600
}

/// A token as the article's login makes it: `userId` and `role`.
pub(crate) fn of(user: &str, role: &str) -> String {
    signed(&json!({ "userId": user, "role": role, "exp": in_an_hour() }))
}

/// A token with these claims and a good signature.
pub(crate) fn signed(claims: &Value) -> String {
    made(&json!({ "alg": "HS256", "typ": "JWT" }), claims, SECRET)
}

/// A token with any head and any secret.
pub(crate) fn made(head: &Value, claims: &Value, secret: &str) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signing = format!("{}.{}", encoded(head), encoded(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signing.as_bytes()));
    format!("{signing}.{signature}")
}
