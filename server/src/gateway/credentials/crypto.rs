//! What `jsonwebtoken` needs to sign and to check, over ring: the one crypto provider of this program.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::error::Unspecified;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// Its `key_utils` make JWKs of private keys, which nobody here does.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes ring what `jsonwebtoken` uses. Whoever makes a key calls it.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // It fails if there is a provider already: this one, as nobody else calls it.
        let _ = RING.install_default();
    });
}

/// Signs; with HMAC only, as the public keys that we check by are other people's.
struct Hs256(hmac::Key);

/// Checks with one key.
struct Check {
    algorithm: Algorithm,
    key: DecodingKey,
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if *algorithm != Algorithm::HS256 || key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    let (algorithm, key) = (*algorithm, key.clone());
    Ok(Box::new(Check { algorithm, key }))
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        is_good(self.algorithm, self.key.kind(), message, signature).map_err(|Unspecified| signature::Error::new())
    }
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn is_good(algorithm: Algorithm, key: &DecodingKeyKind, message: &[u8], signature: &[u8]) -> Result<(), Unspecified> {
    use DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
    match (algorithm, key) {
        (Algorithm::HS256, SecretOrDer(secret)) => {
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), message, signature)
        }
        (Algorithm::RS256, RsaModulusExponent { n, e }) => rsa(&RSA_PKCS1_2048_8192_SHA256, n, e, message, signature),
        (Algorithm::PS256, RsaModulusExponent { n, e }) => rsa(&RSA_PSS_2048_8192_SHA256, n, e, message, signature),
        (Algorithm::ES256, SecretOrDer(point)) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
        }
        (Algorithm::ES384, SecretOrDer(point)) => {
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
        }
        (Algorithm::EdDSA, SecretOrDer(point)) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
        _ => Err(Unspecified),
    }
}

fn rsa(how: &RsaParameters, n: &[u8], e: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Unspecified> {
    RsaPublicKeyComponents { n, e }.verify(how, message, signature)
}
