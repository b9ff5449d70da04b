//! Tokens and keys from their bytes to a caller. `fixtures/make.py` tells how the fixtures were made.

use std::path::PathBuf;
use std::sync::Arc;

use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use trailmark_protocol::Timestamp;

use super::Tokens;
use super::reason::Reason;
use crate::gateway::caller::Caller;

mod configuration;
mod vectors;
mod forgery;
mod rotation;
mod minting;
mod api_keys;

/// The fixtures' tokens, one of each algorithm.
const TOKENS: [(&str, &str); 5] = [
    ("RS256", include_str!("fixtures/RS256.jwt")),
    ("PS256", include_str!("fixtures/PS256.jwt")),
    ("ES256", include_str!("fixtures/ES256.jwt")),
    ("ES384", include_str!("fixtures/ES384.jwt")),
    ("EdDSA", include_str!("fixtures/EdDSA.jwt")),
];

const KEYS_JSON: &str = include_str!("fixtures/keys.json");

/// A time at which the fixtures' tokens are good.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_100_000);

const SECRET: &str = "f3Zr0q9XnLk2VbT7yWc5HdJ8mPs1QaEu";

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/gateway/credentials/tests/fixtures"
    ))
}

fn tokens(config: &str) -> Tokens {
    Tokens::new(toml::from_str(config).unwrap(), &fixtures()).unwrap()
}

/// Takes the fixtures' tokens of all `algorithms`.
fn published(algorithms: &str) -> Tokens {
    tokens(&format!(
        "issuer = \"https://id.example\"\naudience = [\"api\"]\njwks_file = \"keys.json\"\nalgorithms = {algorithms}"
    ))
}

fn all() -> Tokens {
    published(r#"["RS256", "PS256", "ES256", "ES384", "EdDSA"]"#)
}

/// Takes tokens signed with [`SECRET`].
fn secret() -> Tokens {
    tokens(&format!("secret = \"{SECRET}\"\nalgorithms = [\"HS256\"]"))
}

fn token(algorithm: &str) -> &'static str {
    TOKENS.iter().find(|(name, _)| *name == algorithm).unwrap().1.trim()
}

async fn judged(tokens: &Tokens, token: &str) -> Result<Arc<Caller>, Reason> {
    tokens.judge(token, NOW).await
}

async fn refused(tokens: &Tokens, token: &str) -> Reason {
    judged(tokens, token).await.unwrap_err()
}

/// base64url without padding, as tokens have it (RFC 7515 §2).
fn b64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let group = |bytes: &[u8]| {
        let bits = bytes.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
        [18, 12, 6, 0]
            .into_iter()
            .take(bytes.len() + 1)
            .map(|shift| digit(bits >> shift))
            .collect::<String>()
    };
    text.as_bytes().chunks(3).map(group).collect()
}

/// A token with these texts as header and claims, signed with `secret` whatever the header says.
fn signed(header: &str, claims: &str, secret: &[u8]) -> String {
    super::crypto::install();
    let message = format!("{}.{}", b64(header), b64(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

/// A good token of [`secret`] but for its header.
fn with_header(header: &Value) -> String {
    signed(
        &header.to_string(),
        &json!({"sub": "u_7", "exp": 1_800_003_600}).to_string(),
        SECRET.as_bytes(),
    )
}
