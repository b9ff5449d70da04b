//! The settings, and what can be wrong with them.

use std::time::Duration;

use crate::capture::with;
use trailmark_core::session::{SESSION_IDLE, SESSION_MAX};
use trailmark_core::{BuildError, Client, ClientBuilder, Properties};

/// What an event in the directory survives besides the death of the process. See [`trailmark_core::Durability`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Durability {
    /// Nothing else: the system writes it when it likes.
    Process,
    /// The loss of power, once it is so many milliseconds old.
    Within {
        /// Milliseconds.
        ms: u64,
    },
    /// The loss of power, at once. Each event costs milliseconds.
    EveryEvent,
}

impl From<Durability> for trailmark_core::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Process => Self::Process,
            Durability::Within { ms } => Self::Within(Duration::from_millis(ms)),
            Durability::EveryEvent => Self::EveryEvent,
        }
    }
}

/// The settings of a client. What is not said is as in [`trailmark_core::config`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct Config {
    /// The server: `https://analytics.example.com`; a path in front is fine.
    pub url: String,
    /// A write key: `tm_pk_…`.
    pub write_key: String,
    /// Where events and identity survive restarts; nothing does without one. See [`ClientBuilder::directory`].
    #[uniffi(default)]
    pub directory: Option<String>,
    /// See [`ClientBuilder::durability`].
    #[uniffi(default)]
    pub durability: Option<Durability>,
    /// Whether a client that this process has on the directory may be joined. See [`ClientBuilder::join`].
    #[uniffi(default)]
    pub join: bool,
    /// See [`ClientBuilder::sdk_name`].
    #[uniffi(default)]
    pub sdk_name: Option<String>,
    /// A JSON object. See [`ClientBuilder::context`].
    #[uniffi(default)]
    pub context: Option<String>,
    /// See [`ClientBuilder::anonymous_id`].
    #[uniffi(default)]
    pub anonymous_id: Option<String>,
    /// See [`ClientBuilder::install_id`].
    #[uniffi(default)]
    pub install_id: Option<String>,
    /// Events that make a batch worth sending at once.
    #[uniffi(default)]
    pub flush_at: Option<u32>,
    /// How long an event waits for company.
    #[uniffi(default)]
    pub flush_interval_ms: Option<u64>,
    /// Most events in one request.
    #[uniffi(default)]
    pub max_batch_events: Option<u32>,
    /// Most events waiting.
    #[uniffi(default)]
    pub max_queue_events: Option<u32>,
    /// Most bytes of waiting events.
    #[uniffi(default)]
    pub max_queue_bytes: Option<u64>,
    /// How long an event waits at most.
    #[uniffi(default)]
    pub max_age_ms: Option<u64>,
    /// The pause that ends a session.
    #[uniffi(default)]
    pub session_idle_ms: Option<u64>,
    /// The longest session.
    #[uniffi(default)]
    pub session_max_ms: Option<u64>,
    /// The first wait after a failure, and the longest.
    #[uniffi(default)]
    pub backoff: Option<Backoff>,
    /// How long an attempt may take as a whole.
    #[uniffi(default)]
    pub request_timeout_ms: Option<u64>,
    /// Certificates to trust besides Mozilla's roots, as PEM. Those of the system are not looked at.
    #[uniffi(default)]
    pub extra_root_pem: Option<String>,
    /// See [`ClientBuilder::proxy`].
    #[uniffi(default)]
    pub proxy: Option<String>,
}

/// The first wait after a failure, and the longest.
#[derive(Debug, Clone, Copy, uniffi::Record)]
pub struct Backoff {
    /// Milliseconds.
    pub base_ms: u64,
    /// Milliseconds.
    pub cap_ms: u64,
}

impl From<Config> for ClientBuilder {
    fn from(config: Config) -> Self {
        let ms = Duration::from_millis;
        let session_idle = config.session_idle_ms.map_or(SESSION_IDLE, ms);
        let session_max = config.session_max_ms.map_or(SESSION_MAX, ms);
        let mut to = Client::builder(&config.url, &config.write_key)
            .join(config.join)
            .session(session_idle, session_max);
        to = with(to, config.directory, Self::directory);
        to = with(to, config.durability.map(Into::into), Self::durability);
        to = with(to, config.sdk_name, Self::sdk_name);
        to = with(to, config.context, |to, json| to.context(Properties::accept(&json)));
        to = with(to, config.anonymous_id, Self::anonymous_id);
        to = with(to, config.install_id, Self::install_id);
        to = with(to, config.flush_at.map(size), Self::flush_at);
        to = with(to, config.flush_interval_ms.map(ms), Self::flush_interval);
        to = with(to, config.max_batch_events.map(size), Self::max_batch_events);
        to = with(to, config.max_queue_events.map(size), Self::max_queue_events);
        to = with(to, config.max_queue_bytes.map(size), Self::max_queue_bytes);
        to = with(to, config.max_age_ms.map(ms), Self::max_age);
        to = with(to, config.backoff, |to, wait| {
            to.backoff(ms(wait.base_ms), ms(wait.cap_ms))
        });
        to = with(to, config.request_timeout_ms.map(ms), Self::request_timeout);
        to = with(to, config.extra_root_pem, Self::extra_root_pem);
        with(to, config.proxy, Self::proxy)
    }
}

/// A bound that the device cannot count to is none.
fn size(bound: impl TryInto<usize>) -> usize {
    bound.try_into().unwrap_or(usize::MAX)
}

/// Why there is no client. See [`trailmark_core::BuildError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ConfigError {
    /// The server's address.
    #[error("{detail}")]
    Url {
        /// For people.
        detail: String,
    },
    /// The key or another setting.
    #[error("{detail}")]
    Setting {
        /// For people.
        detail: String,
    },
    /// The certificates to trust, the proxy, or TLS.
    #[error("{detail}")]
    Transport {
        /// For people.
        detail: String,
    },
    /// Another client has the directory.
    #[error("{detail}")]
    DirectoryInUse {
        /// For people.
        detail: String,
    },
    /// The system refused a thread.
    #[error("{detail}")]
    Thread {
        /// For people.
        detail: String,
    },
}

impl From<BuildError> for ConfigError {
    fn from(error: BuildError) -> Self {
        let detail = error.to_string();
        match error {
            BuildError::Url(_) => Self::Url { detail },
            BuildError::RootPem(_) | BuildError::Transport(_) => Self::Transport { detail },
            BuildError::DirectoryInUse(_) => Self::DirectoryInUse { detail },
            BuildError::Thread(_) => Self::Thread { detail },
            _ => Self::Setting { detail },
        }
    }
}
