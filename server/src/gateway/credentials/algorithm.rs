//! The algorithms that a token may be signed with.

use serde::Deserialize;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1). `none` is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256: who checks can also sign.
    #[serde(rename = "HS256")]
    Hs256,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Ours, as the library calls them.
const PAIRS: [(Algorithm, jsonwebtoken::Algorithm); 6] = [
    (Algorithm::Hs256, jsonwebtoken::Algorithm::HS256),
    (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
    (Algorithm::Ps256, jsonwebtoken::Algorithm::PS256),
    (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
    (Algorithm::Es384, jsonwebtoken::Algorithm::ES384),
    (Algorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
];

impl Algorithm {
    /// Ours for the library's `theirs`, if we have it.
    #[must_use]
    pub fn of(theirs: jsonwebtoken::Algorithm) -> Option<Self> {
        PAIRS.iter().find(|(_, known)| *known == theirs).map(|(ours, _)| *ours)
    }
}
