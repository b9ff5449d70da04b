//! Building a client: what can be wrong is said here, at once, and never later.

use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::driver::Driver;
use super::edge::{OsEntropy, now};
use super::shared::Shared;
use super::transport::{Network, Transport};
use crate::config::{Config, ConfigError};
use crate::{Engine, Properties};

/// Settings of a [`Client`]. Everything has a default; see [`config`](crate::config) for their arithmetic.
#[derive(Debug)]
#[must_use = "call build()"]
pub struct ClientBuilder {
    config: Result<Config, ConfigError>,
    network: Network,
}

impl ClientBuilder {
    pub(super) fn new(url: &str, write_key: &str) -> Self {
        Self {
            config: Config::new(write_key),
            network: Network {
                url: url.to_owned(),
                ..Network::default()
            },
        }
    }

    /// A key that is refused is told by [`build`](Self::build).
    fn config(mut self, set: impl FnOnce(&mut Config)) -> Self {
        if let Ok(config) = &mut self.config {
            set(config);
        }
        self
    }

    /// The device's id; made at the start if there is none.
    pub fn anonymous_id(self, anonymous_id: impl Into<String>) -> Self {
        self.config(|config| config.anonymous_id = Some(anonymous_id.into()))
    }

    /// The install's id; made at the start if there is none.
    pub fn install_id(self, install_id: impl Into<String>) -> Self {
        self.config(|config| config.install_id = Some(install_id.into()))
    }

    /// The circumstances, written into every event: app, os, locale, timezone.
    pub fn context(self, context: Properties) -> Self {
        self.config(|config| config.context = context)
    }

    /// Name and version of an SDK built on this one, as `trailmark-dart/0.1.0`.
    pub fn sdk_name(self, sdk_name: impl Into<String>) -> Self {
        self.config(|config| config.sdk_name = sdk_name.into())
    }

    /// Events that make a batch worth sending at once; see [`FLUSH_AT`](crate::config::FLUSH_AT).
    pub fn flush_at(self, events: usize) -> Self {
        self.config(|config| config.flush_at = events)
    }

    /// How long an event waits for company; see [`FLUSH_INTERVAL`](crate::config::FLUSH_INTERVAL).
    pub fn flush_interval(self, interval: Duration) -> Self {
        self.config(|config| config.flush_interval = interval)
    }

    /// Most events in one request; see [`MAX_BATCH_EVENTS`](crate::config::MAX_BATCH_EVENTS).
    pub fn max_batch_events(self, events: usize) -> Self {
        self.config(|config| config.max_batch_events = events)
    }

    /// Most events waiting; see [`MAX_QUEUE_EVENTS`](crate::config::MAX_QUEUE_EVENTS). At the bound the oldest goes.
    pub fn max_queue_events(self, events: usize) -> Self {
        self.config(|config| config.max_queue_events = events)
    }

    /// Most bytes of waiting events; see [`MAX_QUEUE_BYTES`](crate::config::MAX_QUEUE_BYTES).
    pub fn max_queue_bytes(self, bytes: usize) -> Self {
        self.config(|config| config.max_queue_bytes = bytes)
    }

    /// The first wait after a failure and the longest; see [`BACKOFF_BASE`](crate::config::BACKOFF_BASE) and
    /// [`BACKOFF_CAP`](crate::config::BACKOFF_CAP).
    pub fn backoff(self, base: Duration, cap: Duration) -> Self {
        self.config(|config| (config.backoff_base, config.backoff_cap) = (base, cap))
    }

    /// How long an attempt may take as a whole; 30 s by default.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.network.request_timeout = Some(timeout);
        self
    }

    /// Certificates to trust besides Mozilla's roots, as PEM. Roots that the system or the user has installed are not
    /// looked at.
    pub fn extra_root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.network.root_pems.push(pem.into());
        self
    }

    /// A proxy for all requests, as `http://proxy:3128`. Proxies in environment variables are not looked at.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.network.proxy = Some(url.into());
        self
    }

    /// Starts the client and its thread. The network is not touched.
    ///
    /// # Errors
    /// The key, the address or another setting is wrong, or the system refuses a thread.
    pub fn build(self) -> Result<Client, BuildError> {
        let transport = Transport::new(&self.network)?;
        let config = self.config.map_err(BuildError::Config)?;
        let engine = Engine::new(config, OsEntropy::default(), now()).map_err(BuildError::Config)?;
        let shared = Arc::new(Shared::new(engine));
        let driver = Driver::start(Arc::clone(&shared), transport)?;
        Ok(Client::new(shared, driver))
    }
}

/// Why a client could not be built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The server's address.
    Url(String),
    /// The key or another setting.
    Config(ConfigError),
    /// The certificates to trust.
    RootPem(String),
    /// The proxy's address, or TLS.
    Transport(String),
    /// The system refused a thread.
    Thread(String),
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(why) => write!(f, "the server's address is wrong: {why}"),
            Self::Config(error) => error.fmt(f),
            Self::RootPem(why) => write!(f, "the extra root certificates cannot be read: {why}"),
            Self::Transport(why) => write!(f, "the HTTP client cannot be built: {why}"),
            Self::Thread(why) => write!(f, "no thread to send from: {why}"),
        }
    }
}

impl std::error::Error for BuildError {}
