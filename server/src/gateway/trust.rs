//! Which certificate authorities are believed by what asks others over TLS: those of this machine, as by everything else
//! that runs on it, unless a file is named.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// The authorities in the PEM text `ca`, or else those that this machine believes.
///
/// # Errors
/// There is not one.
pub fn authorities(ca: Option<&[u8]>) -> Result<RootCertStore, String> {
    match ca {
        Some(pem) => {
            store(certificates(pem)?).ok_or_else(|| "there is no certificate of an authority in it".to_owned())
        }
        None => store(rustls_native_certs::load_native_certs().certs).ok_or_else(|| {
            "this machine trusts no authority: install ca-certificates, set SSL_CERT_FILE, or name a file".to_owned()
        }),
    }
}

/// The certificates in a PEM text.
///
/// # Errors
/// There is none, or something else.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(error.to_string()),
    }
}

/// A client's TLS, 1.2 or 1.3, that believes these authorities.
///
/// # Errors
/// None, as long as ring can do TLS.
pub fn client(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    Ok(builder
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots))
}

/// The usable ones: a machine has old ones that webpki does not read, and they vouch for nothing here.
fn store(certificates: Vec<CertificateDer<'static>>) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    (!store.is_empty()).then_some(store)
}
