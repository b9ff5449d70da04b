//! A key that checks signatures, and the algorithms that it may be used with.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use super::algorithm::Algorithm;
use super::crypto;
use super::spki::{self, PublicKey, without_zeros};

/// A key, pinned to its algorithms: what a token says about its algorithm never chooses how a key is used.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name, if it has one; one without fits any token.
    pub(super) kid: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

/// ring takes RSA keys of 2048 bits and more (NIST SP 800-131A forbids shorter ones).
const LEAST_RSA_BYTES: usize = 2048 / 8;

/// An uncompressed point is a four and two coordinates of 32 or 48 bytes.
const P256_POINT_BYTES: usize = 1 + 2 * 32;
const P384_POINT_BYTES: usize = 1 + 2 * 48;
const ED25519_BYTES: usize = 32;

impl Key {
    fn new(kind: &[Algorithm], decoding: DecodingKey) -> Self {
        crypto::install();
        let algorithms = kind.to_vec();
        Self {
            kid: None,
            algorithms,
            decoding,
        }
    }

    /// The key that both signs and checks.
    #[must_use]
    pub fn of_secret(secret: &[u8]) -> Self {
        Self::new(&[Algorithm::Hs256], DecodingKey::from_secret(secret))
    }

    fn of_public(key: PublicKey<'_>) -> Result<Self, String> {
        match key {
            PublicKey::Rsa { n, e } if n.len() >= LEAST_RSA_BYTES => {
                let kind = [Algorithm::Rs256, Algorithm::Ps256];
                Ok(Self::new(&kind, DecodingKey::from_rsa_raw_components(n, e)))
            }
            PublicKey::Rsa { .. } => Err("an RSA key must have 2048 bits".to_owned()),
            PublicKey::P256(point) if point.len() == P256_POINT_BYTES => {
                Ok(Self::new(&[Algorithm::Es256], DecodingKey::from_ec_der(point)))
            }
            PublicKey::P384(point) if point.len() == P384_POINT_BYTES => {
                Ok(Self::new(&[Algorithm::Es384], DecodingKey::from_ec_der(point)))
            }
            PublicKey::Ed25519(point) if point.len() == ED25519_BYTES => {
                Ok(Self::new(&[Algorithm::EdDsa], DecodingKey::from_ed_der(point)))
            }
            _ => Err("a key has the wrong length".to_owned()),
        }
    }

    /// A published key (RFC 7517). Its `alg` decides how it may be used, or else its type.
    ///
    /// # Errors
    /// Why it cannot check signatures: it is for something else, of another kind, or a secret, which nobody publishes.
    pub fn of_jwk(jwk: &Jwk) -> Result<Self, String> {
        let is_for_signatures = jwk
            .common
            .public_key_use
            .as_ref()
            .is_none_or(|for_what| *for_what == PublicKeyUse::Signature);
        let operations = jwk.common.key_operations.as_ref();
        if !is_for_signatures || operations.is_some_and(|list| !list.contains(&KeyOperations::Verify)) {
            return Err("a key is not for signatures".to_owned());
        }
        let decoding = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
        let key = Self {
            kid: jwk.common.key_id.clone(),
            ..Self::of_public(numbers(&jwk.algorithm, &decoding)?)?
        };
        key.pinned(jwk)
    }

    fn pinned(self, jwk: &Jwk) -> Result<Self, String> {
        let Some(named) = jwk.common.key_algorithm else {
            return Ok(self);
        };
        let named = jsonwebtoken::Algorithm::try_from(named).ok().and_then(Algorithm::of);
        let pinned = named.filter(|named| self.algorithms.contains(named));
        let pinned = pinned.ok_or_else(|| "a key is for an algorithm that is not its own".to_owned())?;
        Ok(Self {
            algorithms: vec![pinned],
            ..self
        })
    }

    /// The key without the algorithms that are not `allowed`; `None` if that leaves none.
    pub(super) fn within(mut self, allowed: &[Algorithm]) -> Option<Self> {
        self.algorithms.retain(|algorithm| allowed.contains(algorithm));
        (!self.algorithms.is_empty()).then_some(self)
    }
}

/// The numbers in a JWK, by its type and curve; a text that is shorter than its curve says is found by its length.
fn numbers<'a>(parameters: &AlgorithmParameters, decoding: &'a DecodingKey) -> Result<PublicKey<'a>, String> {
    use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
    match (parameters, decoding.kind()) {
        (AlgorithmParameters::RSA(_), RsaModulusExponent { n, e }) => {
            let (n, e) = (without_zeros(n), without_zeros(e));
            Ok(PublicKey::Rsa { n, e })
        }
        (AlgorithmParameters::EllipticCurve(ec), SecretOrDer(point)) => match ec.curve {
            EllipticCurve::P256 => Ok(PublicKey::P256(point)),
            EllipticCurve::P384 => Ok(PublicKey::P384(point)),
            _ => Err("a key is on a curve that is not taken".to_owned()),
        },
        (AlgorithmParameters::OctetKeyPair(pair), SecretOrDer(point)) if pair.curve == EllipticCurve::Ed25519 => {
            Ok(PublicKey::Ed25519(point))
        }
        _ => Err("a key is of a kind that is not taken".to_owned()),
    }
}

/// The keys in `pem` that may be used with an `allowed` algorithm.
///
/// # Errors
/// There is none, or one that is no public key.
pub fn public_keys(pem: &str, allowed: &[Algorithm]) -> Result<Vec<Key>, String> {
    let ders: Vec<_> = SubjectPublicKeyInfoDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let keys: Vec<_> = ders
        .iter()
        .map(|der| public_key(der, allowed))
        .collect::<Result<_, _>>()?;
    let none = "there is no PEM block `PUBLIC KEY`; see: openssl pkey -in key.pem -pubout";
    (!keys.is_empty()).then_some(keys).ok_or_else(|| none.to_owned())
}

fn public_key(der: &[u8], allowed: &[Algorithm]) -> Result<Key, String> {
    let key = spki::read(der).ok_or("a key is neither RSA, P-256, P-384 nor Ed25519")?;
    let key = Key::of_public(key)?.within(allowed);
    key.ok_or_else(|| "a key is for none of the algorithms".to_owned())
}
