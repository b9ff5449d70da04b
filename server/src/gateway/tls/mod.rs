//! TLS of the listener: rustls with ring, TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN.
//!
//! Certificates come from [files](pair), which may change at any time ([`reload`]), or from an ACME authority (feature
//! `acme`). Which of several a client gets, [`choice`] says.

use std::io;
use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config;
use choice::Certificates;
use pair::BadPair;
use reload::Reloads;

#[cfg(feature = "acme")]
pub mod acme;
pub mod choice;
pub mod pair;
pub mod reload;
pub mod validity;

/// What is spoken inside, best first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why there is no TLS although it was asked for. The text names the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Two of its keys do not go together.
    #[error("{0}")]
    Config(&'static str),
    /// A certificate or its key.
    #[error(transparent)]
    Pair(#[from] BadPair),
    /// rustls cannot be set up.
    #[error("tls: {0}")]
    Rustls(#[from] rustls::Error),
    /// The authority's root, or the account's directory.
    #[error("tls.acme: {0}")]
    Acme(String),
}

/// TLS for connections, and whatever keeps its certificates fresh for as long as this lives.
pub struct Tls {
    acceptor: TlsAcceptor,
    hsts: Option<HeaderValue>,
    source: Source,
}

enum Source {
    Files(Reloads),
    #[cfg(feature = "acme")]
    Acme(acme::Orders),
}

impl Tls {
    /// TLS as configured, or none. Certificates that ACME is to get are kept below `data_dir`.
    ///
    /// # Errors
    /// [`TlsError`]; a pair that is bad at the start is an error, one that becomes so later is not.
    pub fn open(config: &config::Tls, data_dir: &Path) -> Result<Option<Self>, TlsError> {
        let hsts = hsts(&config.hsts)?;
        let Some((resolver, source)) = source(config, data_dir)? else {
            return Ok(None);
        };
        let acceptor = TlsAcceptor::from(Arc::new(server_config(resolver, &source)?));
        Ok(Some(Self { acceptor, hsts, source }))
    }

    /// The handshake. `None` if it was all that the client wanted, as an ACME authority does.
    ///
    /// # Errors
    /// Those of the stream, and `InvalidData` for what is no TLS or ends in an alert.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let stream = self.acceptor.accept(stream).await?;
        match &self.source {
            Source::Files(_) => Ok(Some(stream)),
            #[cfg(feature = "acme")]
            Source::Acme(_) => acme::unless_challenge(stream).await,
        }
    }

    /// The value of `Strict-Transport-Security` (RFC 6797 §6.1).
    #[must_use]
    pub fn hsts(&self) -> Option<&HeaderValue> {
        self.hsts.as_ref()
    }

    /// Shows in the metrics when the certificates end; from now on that is kept up to date.
    pub fn publish(&self) {
        match &self.source {
            Source::Files(reloads) => reloads.publish(),
            #[cfg(feature = "acme")]
            Source::Acme(orders) => orders.publish(),
        }
    }
}

fn hsts(text: &str) -> Result<Option<HeaderValue>, TlsError> {
    let value = HeaderValue::from_str(text).map_err(|_| TlsError::Config("tls.hsts: no value for a header"))?;
    match text {
        "" => Ok(None),
        _ if text.to_ascii_lowercase().contains("max-age=") => Ok(Some(value)),
        _ => Err(TlsError::Config(
            "tls.hsts: says no max-age, such as \"max-age=31536000\"",
        )),
    }
}

type Resolver = Arc<dyn ResolvesServerCert>;

fn source(config: &config::Tls, data_dir: &Path) -> Result<Option<(Resolver, Source)>, TlsError> {
    let has = |path: &Path| !path.as_os_str().is_empty();
    match (has(&config.cert), has(&config.key), config.acme.domains.is_empty()) {
        (false, false, true) if config.also.is_empty() => Ok(None),
        (false, false, true) => Err(TlsError::Config("tls.also: needs `cert` and `key` for all other names")),
        (true, true, true) => files(config).map(Some),
        (false, false, false) => orders(config, data_dir).map(Some),
        (_, _, false) => Err(TlsError::Config("tls.acme.domains: not together with `tls.cert`")),
        _ => Err(TlsError::Config("tls.cert and tls.key: one of them is missing")),
    }
}

fn files(config: &config::Tls) -> Result<(Resolver, Source), TlsError> {
    let first = config::TlsPair {
        cert: config.cert.clone(),
        key: config.key.clone(),
    };
    let certificates = Arc::new(Certificates::default());
    let pairs = std::iter::once(first).chain(config.also.iter().cloned());
    let reloads = Reloads::begin(pairs, &certificates)?;
    Ok((certificates, Source::Files(reloads)))
}

#[cfg(feature = "acme")]
fn orders(config: &config::Tls, data_dir: &Path) -> Result<(Resolver, Source), TlsError> {
    let orders = acme::Orders::begin(&config.acme, data_dir)?;
    Ok((orders.resolver(), Source::Acme(orders)))
}

#[cfg(not(feature = "acme"))]
fn orders(_: &config::Tls, _: &Path) -> Result<(Resolver, Source), TlsError> {
    Err(TlsError::Config(
        "tls.acme.domains: this build is without the feature `acme`",
    ))
}

fn server_config(resolver: Resolver, source: &Source) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    // Clients come back without a second exchange of keys, and the server keeps nothing for them.
    config.ticketer = ring::Ticketer::new()?;
    match source {
        Source::Files(_) => {}
        #[cfg(feature = "acme")]
        Source::Acme(_) => config.alpn_protocols.push(acme::PROTOCOL.to_vec()),
    }
    Ok(config)
}

#[cfg(test)]
pub(super) mod tests;
