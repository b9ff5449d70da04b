//! TLS: rustls with ring and Mozilla's roots, the same on every platform.
//!
//! The system's own verifier would need a JVM context on Android and panics without one (reqwest#2966), so the roots are
//! compiled in. The price: certificate authorities that a user or a company installed are not known; an app that needs
//! one passes it to [`ClientBuilder::extra_root_pem`](super::ClientBuilder::extra_root_pem).

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};

use super::BuildError;

/// The certificates in a PEM text.
pub(super) fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(BuildError::RootPem("no certificate in it".to_owned())),
        Err(error) => Err(BuildError::RootPem(error.to_string())),
    }
}

/// A configuration that trusts Mozilla's roots and `extra`.
pub(super) fn trusting(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, BuildError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for certificate in extra {
        roots
            .add(certificate)
            .map_err(|error| BuildError::RootPem(error.to_string()))?;
    }
    with_roots(roots)
}

/// A configuration that trusts nobody: for `http` addresses, where TLS is never used (redirects are not followed), so
/// that starting up costs no root store.
pub(super) fn unused() -> Result<ClientConfig, BuildError> {
    with_roots(RootCertStore::empty())
}

fn with_roots(roots: RootCertStore) -> Result<ClientConfig, BuildError> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError::Transport(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Ring, without what only a client certificate needs: loading private keys and signing with them.
fn provider() -> CryptoProvider {
    CryptoProvider {
        key_provider: &NoKeys,
        ..rustls::crypto::ring::default_provider()
    }
}

/// This client has no certificate of its own.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("this client has no certificate".to_owned()))
    }
}
