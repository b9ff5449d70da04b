//! Building a client: what can be wrong is said here, at once, and never later.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::driver::{Driver, Syncing};
use super::edge::{OsEntropy, now};
use super::files::{Durability, Files, OpenError, SYNC_WITHIN, Unsynced, Unusable};
use super::joined;
use super::shared::{OnError, Shared};
use super::transport::{Network, Transport, base_url};
use crate::config::{Config, ConfigError};
use crate::hooks::{BeforeSend, Draft};
use crate::notice::Notice;
use crate::{Engine, Properties};

/// Settings of a [`Client`]. Everything has a default; see [`config`](crate::config) for their arithmetic.
///
/// ```
/// use trailmark_core::{Client, Context};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let directory = directory.path();
/// let client = Client::builder("https://analytics.example.com", "tm_pk_0193")
///     .directory(directory)
///     .context(Context::default())
///     .on_error(|notice| eprintln!("analytics: {notice}"))
///     .build()?;
/// # drop(client);
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug)]
#[must_use = "call build()"]
pub struct ClientBuilder {
    config: Result<Config, ConfigError>,
    network: Network,
    directory: Option<PathBuf>,
    durability: Durability,
    join: bool,
    hooks: Hooks,
}

/// What the app wants to be asked and told.
#[derive(Default)]
struct Hooks {
    before_send: Vec<BeforeSend>,
    on_error: Option<OnError>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hooks({} before_send)", self.before_send.len())
    }
}

impl ClientBuilder {
    pub(super) fn new(url: &str, write_key: &str) -> Self {
        Self {
            config: Config::new(write_key),
            network: Network {
                url: url.to_owned(),
                ..Network::default()
            },
            directory: None,
            durability: Durability::default(),
            join: false,
            hooks: Hooks::default(),
        }
    }

    /// A key that is refused is told by [`build`](Self::build).
    fn config(mut self, set: impl FnOnce(&mut Config)) -> Self {
        if let Ok(config) = &mut self.config {
            set(config);
        }
        self
    }

    /// Where the client remembers everything over restarts: its events, the identity, the session, the consent. One
    /// directory for each client; it is made if it is not there. Without one, all of it ends with the process.
    ///
    /// A directory that cannot be written is no error: the client works in memory and says so in
    /// [`Stats::storage`](crate::Stats::storage).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # use trailmark_core::StorageHealth;
    /// # let directory = tempfile::tempdir().unwrap();
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").directory(directory.path()).build()?;
    /// assert_eq!(client.stats().storage, StorageHealth::Saved);
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// What a captured event in the [`directory`](Self::directory) survives besides the death of the process.
    ///
    /// ```
    /// # use trailmark_core::{Client, Durability};
    /// # let directory = tempfile::tempdir().unwrap();
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").directory(directory.path()).durability(Durability::EveryEvent).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Whether [`build`](Self::build) gives the client that this process already has on the
    /// [`directory`](Self::directory), if it sends to the same server with the same key; all other settings are then
    /// those of that client. For platforms on which an app begins anew, or in several isolates, within one process.
    ///
    /// ```
    /// # use trailmark_core::Client;
    /// # let directory = tempfile::tempdir().unwrap();
    /// let build = || Client::builder("https://analytics.example.com", "tm_pk_0193").directory(directory.path()).join(true).build();
    /// let (first, second) = (build()?, build()?);
    /// assert_eq!(first.install_id(), second.install_id());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn join(mut self, join: bool) -> Self {
        self.join = join;
        self
    }

    /// Adds a hook that may change an event before it is captured, or drop it with `None`. Hooks run in their order, on
    /// the thread that captures, outside of the client's locks. One that panics is passed over and counted.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// let builder = Client::builder("https://analytics.example.com", "tm_pk_…").before_send(|mut draft| {
    ///     if draft.name.starts_with("debug_") {
    ///         return None;
    ///     }
    ///     draft.properties.insert("build", "nightly");
    ///     Some(draft)
    /// });
    /// # let _ = builder;
    /// ```
    pub fn before_send(mut self, hook: impl Fn(Draft) -> Option<Draft> + Send + Sync + 'static) -> Self {
        self.hooks.before_send.push(Arc::new(hook));
        self
    }

    /// Is told what somebody should know: an event was dropped, the storage fails, the key is refused. It runs outside
    /// of the client's locks, on the thread that met it, which may be the app's or the client's.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").on_error(|notice| eprintln!("{notice}")).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn on_error(mut self, on_error: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.hooks.on_error = Some(Box::new(on_error));
        self
    }

    /// The device's id at the first start; made if there is none. What the directory remembers wins.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").anonymous_id("device-9").build()?;
    /// assert_eq!(client.anonymous_id(), "device-9");
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn anonymous_id(self, anonymous_id: impl Into<String>) -> Self {
        self.config(|config| config.anonymous_id = Some(anonymous_id.into()))
    }

    /// The install's id at the first start; made if there is none. What the directory remembers wins.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").install_id("install-9").build()?;
    /// assert_eq!(client.install_id(), "install-9");
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn install_id(self, install_id: impl Into<String>) -> Self {
        self.config(|config| config.install_id = Some(install_id.into()))
    }

    /// The circumstances, written into every event: a [`Context`](crate::Context), or properties of your own.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// let context = Properties::new().with("locale", "de-DE");
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").context(context).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn context(self, context: impl Into<Properties>) -> Self {
        self.config(|config| config.context = context.into())
    }

    /// Name and version of an SDK built on this one, as `trailmark-dart/0.1.0`.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").sdk_name("trailmark-dart/0.1.0").build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn sdk_name(self, sdk_name: impl Into<String>) -> Self {
        self.config(|config| config.sdk_name = sdk_name.into())
    }

    /// Events that make a batch worth sending at once; see [`FLUSH_AT`](crate::config::FLUSH_AT).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").flush_at(50).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn flush_at(self, events: usize) -> Self {
        self.config(|config| config.flush_at = events)
    }

    /// How long an event waits for company; see [`FLUSH_INTERVAL`](crate::config::FLUSH_INTERVAL).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # use std::time::Duration;
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").flush_interval(Duration::from_secs(30)).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn flush_interval(self, interval: Duration) -> Self {
        self.config(|config| config.flush_interval = interval)
    }

    /// Most events in one request; see [`MAX_BATCH_EVENTS`](crate::config::MAX_BATCH_EVENTS).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").max_batch_events(100).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn max_batch_events(self, events: usize) -> Self {
        self.config(|config| config.max_batch_events = events)
    }

    /// A pause that ends a session, and the longest session; see [`SESSION_IDLE`](crate::session::SESSION_IDLE) and
    /// [`SESSION_MAX`](crate::session::SESSION_MAX).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # use std::time::Duration;
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").session(Duration::from_secs(600), Duration::from_secs(3600)).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn session(self, idle: Duration, max: Duration) -> Self {
        self.config(|config| (config.session_idle, config.session_max) = (idle, max))
    }

    /// How long an event waits at most; see [`MAX_AGE`](crate::config::MAX_AGE).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # use std::time::Duration;
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").max_age(Duration::from_secs(86_400)).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn max_age(self, age: Duration) -> Self {
        self.config(|config| config.max_age = age)
    }

    /// Most events waiting; see [`MAX_QUEUE_EVENTS`](crate::config::MAX_QUEUE_EVENTS). At the bound the oldest goes.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").max_queue_events(1_000).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn max_queue_events(self, events: usize) -> Self {
        self.config(|config| config.max_queue_events = events)
    }

    /// Most bytes of waiting events; see [`MAX_QUEUE_BYTES`](crate::config::MAX_QUEUE_BYTES).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").max_queue_bytes(1024 * 1024).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn max_queue_bytes(self, bytes: usize) -> Self {
        self.config(|config| config.max_queue_bytes = bytes)
    }

    /// The first wait after a failure and the longest; see [`BACKOFF_BASE`](crate::config::BACKOFF_BASE) and
    /// [`BACKOFF_CAP`](crate::config::BACKOFF_CAP).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # use std::time::Duration;
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").backoff(Duration::from_secs(2), Duration::from_secs(600)).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn backoff(self, base: Duration, cap: Duration) -> Self {
        self.config(|config| (config.backoff_base, config.backoff_cap) = (base, cap))
    }

    /// How long an attempt may take as a whole; 30 s by default.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # use std::time::Duration;
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").request_timeout(Duration::from_secs(10)).build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.network.request_timeout = Some(timeout);
        self
    }

    /// Certificates to trust besides Mozilla's roots, as PEM. Roots that the system or the user has installed are not
    /// looked at.
    ///
    /// ```
    /// # use trailmark_core::{BuildError, Client};
    /// let builder = Client::builder("https://analytics.example.com", "tm_pk_0193");
    /// let refused = builder.extra_root_pem("not a certificate").build();
    /// assert!(matches!(refused, Err(BuildError::RootPem(_))));
    /// ```
    pub fn extra_root_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.network.root_pems.push(pem.into());
        self
    }

    /// A proxy for all requests, as `http://proxy:3128`. Proxies in environment variables are not looked at.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").proxy("http://proxy.example.com:3128").build()?;
    /// # drop(client);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.network.proxy = Some(url.into());
        self
    }

    /// Starts the client and its thread. The network is not touched.
    ///
    /// ```
    /// # use trailmark_core::{BuildError, Client};
    /// assert!(Client::builder("https://analytics.example.com", "tm_pk_0193").build().is_ok());
    /// let secret = Client::builder("https://analytics.example.com", "tm_sk_0193").build();
    /// assert!(secret.is_err_and(|error| error.to_string().contains("whoever has the app can read it")));
    /// ```
    ///
    /// # Errors
    /// The key, the address or another setting is wrong, another client has the directory, or the system refuses a
    /// thread.
    pub fn build(self) -> Result<Client, BuildError> {
        match (&self.directory, &self.config) {
            (Some(directory), Ok(config)) if self.join => {
                let whose = format!("{} {}", base_url(&self.network.url)?, config.write_key);
                joined::or_open(&directory.clone(), whose, || self.open())
            }
            _ => self.open(),
        }
    }

    fn open(self) -> Result<Client, BuildError> {
        let transport = Transport::new(&self.network)?;
        let config = self.config.map_err(BuildError::Config)?;
        let unsynced = Arc::new(Unsynced::default());
        let entropy = OsEntropy::default();
        let engine = match &self.directory {
            None => Engine::new(config, entropy, now()),
            Some(dir) => match Files::open(dir, self.durability, Arc::clone(&unsynced)) {
                Ok(files) => Engine::open(config, entropy, files, now()),
                Err(OpenError::InUse) => return Err(BuildError::DirectoryInUse(dir.clone())),
                Err(OpenError::Io(error)) => Engine::open(config, entropy, Unusable(error.into()), now()),
            },
        };
        let engine = engine.map_err(BuildError::Config)?;
        let shared = Arc::new(Shared::new(engine, Arc::new(now), self.hooks.on_error));
        let within = match self.durability {
            Durability::Within(within) => within,
            // Nothing is left to be synced then.
            _ => SYNC_WITHIN,
        };
        let driver = Driver::start(Arc::clone(&shared), transport, Syncing { unsynced, within })?;
        Ok(Client::new(shared, Some(driver), self.hooks.before_send))
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
    /// Another client has the directory, in this process or another one. Each client needs its own.
    DirectoryInUse(PathBuf),
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
            Self::DirectoryInUse(dir) => write!(
                f,
                "another client uses the directory {}: give each client, and each process, its own",
                dir.display()
            ),
            Self::Thread(why) => write!(f, "no thread to send from: {why}"),
        }
    }
}

impl std::error::Error for BuildError {}
