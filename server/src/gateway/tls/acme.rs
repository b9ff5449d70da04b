//! Certificates from an ACME authority (RFC 8555), by TLS-ALPN-01 (RFC 8737): the authority connects to this listener, so
//! no other port and no other protocol is needed. rustls-acme orders, keeps and renews them.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::caches::DirCache;
use rustls_acme::{AcmeConfig, AcmeState, ResolvesServerCertAcme};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::server::TlsStream;

use super::TlsError;
use super::validity::not_after;
use crate::config::Acme;

/// What the authority asks for in its handshake (RFC 8737 §3).
pub const PROTOCOL: &[u8] = b"acme-tls/1";

/// Orders certificates for as long as it lives.
pub struct Orders {
    resolver: Arc<ResolvesServerCertAcme>,
    directory: PathBuf,
    ordering: AbortHandle,
}

impl Orders {
    /// Begins to order what `config` asks for, unless it lies below `data_dir` already. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`TlsError::Acme`] if its directory cannot be made or its authority's root cannot be read.
    pub fn begin(config: &Acme, data_dir: &Path) -> Result<Self, TlsError> {
        let directory = data_dir.join(&config.cache_dir);
        make_private(&directory).map_err(|error| failed(&directory, &error))?;
        let state = acme_config(config)?
            .contact(&config.contact)
            .directory(&config.directory_url)
            .cache(DirCache::new(directory.clone()))
            .state();
        Ok(Self {
            resolver: state.resolver(),
            ordering: tokio::spawn(order(state, directory.clone())).abort_handle(),
            directory,
        })
    }

    /// Who answers the authority, and everybody else once there is a certificate.
    #[must_use]
    pub fn resolver(&self) -> Arc<ResolvesServerCertAcme> {
        Arc::clone(&self.resolver)
    }

    /// Shows in the metrics when the certificate ends.
    pub(super) fn publish(&self) {
        publish(&self.directory);
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.ordering.abort();
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> TlsError {
    TlsError::Acme(format!("{}: {error}", path.display()))
}

/// Keys lie there.
fn make_private(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn acme_config(config: &Acme) -> Result<AcmeConfig<std::convert::Infallible>, TlsError> {
    if config.ca.as_os_str().is_empty() {
        return Ok(AcmeConfig::new(&config.domains));
    }
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(&config.ca).map_err(|error| failed(&config.ca, &error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(&config.ca, &error))?;
        roots.add(certificate)?;
    }
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(AcmeConfig::new_with_client_config(&config.domains, Arc::new(client)))
}

/// rustls-acme decides what to do and when; this only tells.
async fn order(mut state: AcmeState<io::Error>, directory: PathBuf) {
    while let Some(event) = state.next().await {
        match event {
            Ok(event) => tracing::info!(?event, "acme"),
            Err(error) => tracing::error!(%error, "acme"),
        }
        publish(&directory);
    }
}

/// Shows when the certificate in the cache ends. Of several, left by other settings, the last to end is the one in use.
fn publish(directory: &Path) {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let certificates = files.filter(|file| file.file_name().to_string_lossy().starts_with("cached_cert_"));
    let ends = certificates.filter_map(|file| not_after(&CertificateDer::from_pem_file(file.path()).ok()?));
    if let Some(end) = ends.max() {
        metrics::gauge!("gateway_tls_cert_not_after_seconds", "cert" => "acme").set(end as f64);
    }
}

/// The stream, unless its client is an authority, which wants no more than the handshake.
pub(super) async fn unless_challenge(mut stream: TlsStream<TcpStream>) -> io::Result<Option<TlsStream<TcpStream>>> {
    if stream.get_ref().1.alpn_protocol() != Some(PROTOCOL) {
        return Ok(Some(stream));
    }
    stream.shutdown().await?;
    Ok(None)
}
