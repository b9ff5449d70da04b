//! An issuer's keys, and which of them a token is checked with.

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::key::Key;
use super::reason::Reason;
use super::signed::Signed;

/// Keys of one issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Key>);

/// An issuer publishes two or three keys, the largest about ten; each of these may cost a check of a token without `kid`.
const MAX_KEYS: usize = 32;

/// A JWK Set (RFC 7517 §5); each key is looked at alone, as one of a new kind must not spoil the others.
#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl KeySet {
    /// These keys.
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// The keys of the JWK Set `json` that check one of the `allowed` algorithms; others are passed over (RFC 7517 §5).
    ///
    /// # Errors
    /// It is no JWK Set, or has no such key: then the former set is better than this one.
    pub fn parse(json: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        let published: Published = serde_json::from_slice(json).map_err(|error| format!("no JWK Set: {error}"))?;
        let usable = |key: Value| {
            let jwk: Jwk = serde_json::from_value(key).ok()?;
            Key::of_jwk(&jwk).ok()?.within(allowed)
        };
        let keys: Vec<_> = published.keys.into_iter().filter_map(usable).take(MAX_KEYS).collect();
        let none = "it has no key for signatures of the algorithms taken";
        (!keys.is_empty()).then_some(Self(keys)).ok_or_else(|| none.to_owned())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key has this name: then it is the one, and no other has to be looked for.
    #[must_use]
    pub fn names(&self, kid: Option<&str>) -> bool {
        kid.is_some() && self.0.iter().any(|key| key.kid.as_deref() == kid)
    }

    /// Checks the signature of `token`.
    ///
    /// # Errors
    /// [`Reason::UnknownKey`]; [`Reason::Algorithm`] if the key is for another; [`Reason::BadSignature`].
    pub fn check(&self, token: &Signed<'_>) -> Result<(), Reason> {
        let named = || self.0.iter().filter(|key| key.is_named(token.kid()));
        let mut fitting = named()
            .filter(|key| key.algorithms.contains(&token.algorithm()))
            .peekable();
        if fitting.peek().is_none() {
            return Err(named().next().map_or(Reason::UnknownKey, |_| Reason::Algorithm));
        }
        if fitting.any(|key| token.is_signed_by(key)) {
            Ok(())
        } else {
            Err(Reason::BadSignature)
        }
    }
}

impl Key {
    /// Whether a token that names `kid`, or none, may mean this key.
    fn is_named(&self, kid: Option<&str>) -> bool {
        match (self.kid.as_deref(), kid) {
            (Some(own), Some(kid)) => own == kid,
            _ => true,
        }
    }
}
