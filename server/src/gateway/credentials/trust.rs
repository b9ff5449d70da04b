//! Which certificates are believed when keys are fetched.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

/// TLS that believes the authorities in the PEM file `ca`, or else those that this machine believes.
///
/// # Errors
/// The file cannot be read, or there is not one authority.
pub fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let roots = match ca {
        Some(file) => of_file(file)?,
        None => of_machine()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn of_file(file: &Path) -> Result<RootCertStore, String> {
    let why = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<_, _>>)
        .map_err(|error| why(&error))?;
    store(certificates).ok_or_else(|| why(&"there is no certificate of an authority"))
}

fn of_machine() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let none = "this machine trusts no authority: install ca-certificates, set SSL_CERT_FILE, or name a file";
    store(found.certs).ok_or_else(|| none.to_owned())
}

/// The usable ones: a machine has old ones that webpki does not read, and they vouch for nothing here.
fn store(certificates: Vec<CertificateDer<'static>>) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    (!store.is_empty()).then_some(store)
}
