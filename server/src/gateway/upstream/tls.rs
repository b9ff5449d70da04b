//! TLS towards the instances: whom to trust, and as whom to come.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;

use super::config::{TlsConfig, UpstreamConfig};
use crate::gateway::trust;

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
        let mut urls = config.endpoints.iter().map(|endpoint| &endpoint.url);
        let is_used = urls.any(|url| url.starts_with("https:"));
        match &config.tls {
            Some(tls) => Self::new(tls, is_used).map(Some),
            None if is_used => Self::new(&TlsConfig::default(), true).map(Some),
            None => Ok(None),
        }
    }

    fn new(config: &TlsConfig, is_used: bool) -> Result<Self, String> {
        let files = Files::read(config)?;
        let client = files.client(is_used)?;
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

    /// Whether the files that `config` names hold what it was made of.
    pub(super) fn is_of(&self, config: Option<&TlsConfig>) -> bool {
        let files = config.map_or_else(|| Ok(Files::default()), Files::read);
        files.is_ok_and(|files| files == self.files)
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

    fn client(&self, is_used: bool) -> Result<ClientConfig, String> {
        let builder = trust::client(self.roots(is_used)?).map_err(|error| format!("tls: {error}"))?;
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = trust::certificates(cert).map_err(|error| format!("tls.cert: {error}"))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("tls.key: {error}"))?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| format!("tls.cert: {error}"))
    }

    /// Whom to believe; this machine's own are only looked for if they are used.
    fn roots(&self, is_used: bool) -> Result<RootCertStore, String> {
        match (&self.ca, is_used) {
            (None, false) => Ok(RootCertStore::empty()),
            (ca, _) => trust::authorities(ca.as_deref()).map_err(|error| format!("tls.ca: {error}")),
        }
    }
}
