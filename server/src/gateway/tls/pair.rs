//! A certificate with its chain, and its key, from PEM files.

use std::path::{Path, PathBuf};

use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsPair;

/// Why a certificate and its key are of no use together. The text names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct BadPair {
    path: String,
    why: String,
}

impl BadPair {
    fn new(path: &Path, why: impl Into<String>) -> Self {
        Self {
            path: path.display().to_string(),
            why: why.into(),
        }
    }

    /// No thread to look after the files.
    pub(super) fn thread(error: &std::io::Error) -> Self {
        Self::new(Path::new("tls"), format!("no thread for reloading: {error}"))
    }
}

/// What the two files hold.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// Reads both files.
///
/// # Errors
/// [`BadPair`] if one cannot be read.
pub(super) fn read(pair: &TlsPair) -> Result<Pem, BadPair> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| BadPair::new(path, error.to_string()));
    Ok(Pem {
        cert: read(&pair.cert)?,
        key: read(&pair.key)?,
    })
}

/// The certificate that `pem`, read from `pair`, holds.
///
/// # Errors
/// [`BadPair`] if one of them is no PEM of its kind, the key is not the certificate's, or it is of a kind that ring does
/// not sign with.
pub(super) fn parse(pair: &TlsPair, pem: &Pem) -> Result<CertifiedKey, BadPair> {
    let chain = CertificateDer::pem_slice_iter(&pem.cert)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BadPair::new(&pair.cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(BadPair::new(&pair.cert, "no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|error| BadPair::new(&pair.key, error.to_string()))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|error| BadPair::new(&pair.key, format!("{error} (certificate {})", pair.cert.display())))
}
