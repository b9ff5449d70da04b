//! TLS towards the instances: whom to trust, and as whom to come.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;

use super::config::{TlsConfig, UpstreamConfig};

/// The two ways to greet an instance, and what they were made of.
pub(super) struct Tls {
    /// Offers HTTP/1.1.
    pub(super) http1: TlsConnector,
    /// Offers HTTP/2.
    pub(super) h2: TlsConnector,
    name: Option<String>,
    files: Files,
}

/// The bytes of the files, to see at a reload whether they have changed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Files {
    ca: Option<Vec<u8>>,
    cert: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Tls {
    /// What the configuration asks for; nothing where no endpoint is `https`.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, with its key in front.
    pub(super) fn load(config: &UpstreamConfig) -> Result<Option<Self>, String> {
        let needed = config
            .endpoints
            .iter()
            .any(|endpoint| endpoint.url.starts_with("https:"));
        match &config.tls {
            Some(tls) => Self::new(tls).map(Some),
            None if needed => Self::new(&TlsConfig::default()).map(Some),
            None => Ok(None),
        }
    }

    fn new(config: &TlsConfig) -> Result<Self, String> {
        let files = Files::read(config)?;
        let client = files.client()?;
        let offering = |protocol: &[u8]| {
            let mut client = client.clone();
            client.alpn_protocols = vec![protocol.to_vec()];
            TlsConnector::from(Arc::new(client))
        };
        if let Some(name) = &config.server_name {
            server_name(name).map_err(|problem| format!("tls.server_name: {problem}"))?;
        }
        Ok(Self {
            http1: offering(b"http/1.1"),
            h2: offering(b"h2"),
            name: config.server_name.clone(),
            files,
        })
    }

    /// The name that the certificate of `host` must have.
    ///
    /// # Errors
    /// That it is none.
    pub(super) fn name_of(&self, host: &str) -> Result<ServerName<'static>, String> {
        server_name(self.name.as_deref().unwrap_or(host))
    }

    /// Whether it was made of the same files as `other`.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_owned()).map_err(|_| format!("\"{name}\" is no name for a certificate"))
}

impl Files {
    fn read(config: &TlsConfig) -> Result<Self, String> {
        let read = |key: &str, path: Option<&Path>| {
            let bytes = path.map(fs::read).transpose();
            bytes.map_err(|error| format!("tls.{key}: {error}"))
        };
        let files = Self {
            ca: read("ca", config.ca.as_deref())?,
            cert: config
                .key
                .as_ref()
                .map_or(Ok(None), |_| read("cert", config.cert.as_deref()))?,
            key: read("key", config.key.as_deref())?,
        };
        match (config.cert.is_some(), config.key.is_some()) {
            (true, false) => Err("tls.key: missing, where there is a tls.cert".to_owned()),
            (false, true) => Err("tls.cert: missing, where there is a tls.key".to_owned()),
            _ => Ok(files),
        }
    }

    fn client(&self) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("tls: {error}"))?
            .with_root_certificates(self.roots()?);
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates("cert", cert)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("tls.key: {error}"))?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| format!("tls.cert: {error}"))
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let Some(ca) = &self.ca else {
            return Ok(RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()));
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates("ca", ca)? {
            roots.add(certificate).map_err(|error| format!("tls.ca: {error}"))?;
        }
        Ok(roots)
    }
}

fn certificates(key: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(format!("tls.{key}: no certificate in it")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("tls.{key}: {error}")),
    }
}
