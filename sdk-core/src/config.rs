//! What a client can be told, and the defaults with their arithmetic.

use std::time::Duration;

use trailmark_protocol::Reason;
use trailmark_protocol::headers::{SECRET_KEY_PREFIX, WRITE_KEY_PREFIX};
use trailmark_protocol::limits::{BATCH_EVENTS, BODY_BYTES};

use crate::Properties;
use crate::identity::check_anonymous_id;
#[cfg(feature = "log")]
use crate::log::SEGMENT_BYTES;
use crate::queue::WINDOW_EVENTS;
use crate::session::{SESSION_IDLE, SESSION_MAX};

/// Events that make a batch worth sending at once: 20, as Segment and PostHog on phones. About 10 KiB.
pub const FLUSH_AT: usize = 20;

/// How long an event waits for company: 10 s. A phone's radio stays up about that long after a request anyway.
pub const FLUSH_INTERVAL: Duration = Duration::from_secs(10);

/// Most events in one request: 500, of about 500 bytes each 250 KiB.
pub const MAX_BATCH_EVENTS: usize = 500;

/// Most bytes of events in one request, before compression: 512 KiB, half of what a server takes even uncompressed.
pub const MAX_BATCH_BYTES: usize = BODY_BYTES / 2;

/// Most events waiting: 100,000, a week of one every six seconds. On a storage they take no memory beyond the
/// [window](crate::queue::WINDOW_EVENTS).
pub const MAX_QUEUE_EVENTS: usize = 100_000;

/// Most bytes of waiting events' JSON: 64 MiB, [`MAX_QUEUE_EVENTS`] of about 650 bytes.
pub const MAX_QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// How long an event waits at most: 30 days on the queue's own clock (see [`age`](crate::age)). A holiday offline is
/// shorter, and what is older says little about today.
pub const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Ceiling of the first wait after a failure; it doubles with each further one.
pub const BACKOFF_BASE: Duration = Duration::from_secs(1);

/// Highest ceiling: 5 min, reached after nine failures (2⁹ s = 512 s). A wait is at least a tenth of its ceiling, so a
/// long outage costs at most 120 requests an hour (one per 30 s), and 22 on average (one per 165 s).
pub const BACKOFF_CAP: Duration = Duration::from_secs(5 * 60);

/// The longest wait that a server can ask for with `Retry-After` or `next_send_after_ms`: 1 h. A wrong date in a header
/// must not silence a client for ever.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(60 * 60);

/// How often a client whose key is refused asks again: every 15 min, 96 small requests a day.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// The name and version that this crate sends by default.
pub const SDK_NAME: &str = concat!("trailmark-rust/", env!("CARGO_PKG_VERSION"));

/// Settings of one [`Engine`](crate::Engine). Start from [`Config::new`].
///
/// ```
/// # use std::time::Duration;
/// # use trailmark_core::Config;
/// let mut config = Config::new("tm_pk_0193")?;
/// config.flush_at = 50;
/// config.flush_interval = Duration::from_secs(30);
/// # Ok::<(), trailmark_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    pub(crate) write_key: String,
    /// Name and version of the SDK, as `trailmark-dart/0.1.0`.
    pub sdk_name: String,
    /// The install at its first start; made if there is none. What the storage remembers wins.
    pub install_id: Option<String>,
    /// The device's id at the first start; made if there is none. What the storage remembers wins.
    pub anonymous_id: Option<String>,
    /// The circumstances, written into every event.
    pub context: Properties,
    /// See [`FLUSH_AT`].
    pub flush_at: usize,
    /// See [`FLUSH_INTERVAL`].
    pub flush_interval: Duration,
    /// See [`MAX_BATCH_EVENTS`]; never more than [`BATCH_EVENTS`].
    pub max_batch_events: usize,
    /// See [`MAX_BATCH_BYTES`]; never more than [`BODY_BYTES`].
    pub max_batch_bytes: usize,
    /// See [`MAX_QUEUE_EVENTS`].
    pub max_queue_events: usize,
    /// See [`MAX_QUEUE_BYTES`].
    pub max_queue_bytes: usize,
    /// See [`MAX_AGE`].
    pub max_age: Duration,
    /// See [`SESSION_IDLE`].
    pub session_idle: Duration,
    /// See [`SESSION_MAX`].
    pub session_max: Duration,
    /// See [`BACKOFF_BASE`].
    pub backoff_base: Duration,
    /// See [`BACKOFF_CAP`].
    pub backoff_cap: Duration,
    /// See [`PROBE_INTERVAL`].
    pub probe_interval: Duration,
    /// Bytes of a segment of the log; other than 1 MiB only in a simulation, which has no time to fill one.
    #[cfg(feature = "log")]
    #[doc(hidden)]
    pub segment_bytes: u64,
    /// See [`WINDOW_EVENTS`]; other only in a simulation.
    #[doc(hidden)]
    pub window_events: usize,
}

impl Config {
    /// The defaults, with this write key.
    ///
    /// ```
    /// # use trailmark_core::{Config, ConfigError};
    /// assert!(Config::new("tm_pk_0193").is_ok());
    /// assert_eq!(Config::new("tm_sk_0193").err(), Some(ConfigError::SecretKey));
    /// ```
    ///
    /// # Errors
    /// The key is a secret key, or no key at all.
    pub fn new(write_key: &str) -> Result<Self, ConfigError> {
        check_key(write_key)?;
        Ok(Self {
            write_key: write_key.to_owned(),
            sdk_name: SDK_NAME.to_owned(),
            install_id: None,
            anonymous_id: None,
            context: Properties::new(),
            flush_at: FLUSH_AT,
            flush_interval: FLUSH_INTERVAL,
            max_batch_events: MAX_BATCH_EVENTS,
            max_batch_bytes: MAX_BATCH_BYTES,
            max_queue_events: MAX_QUEUE_EVENTS,
            max_queue_bytes: MAX_QUEUE_BYTES,
            max_age: MAX_AGE,
            session_idle: SESSION_IDLE,
            session_max: SESSION_MAX,
            backoff_base: BACKOFF_BASE,
            backoff_cap: BACKOFF_CAP,
            probe_interval: PROBE_INTERVAL,
            #[cfg(feature = "log")]
            segment_bytes: SEGMENT_BYTES,
            window_events: WINDOW_EVENTS,
        })
    }

    /// Whether the wire's rules allow what is in it.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !fits_header(&self.sdk_name) {
            return Err(ConfigError::SdkName);
        }
        let anonymous_id = self.anonymous_id.as_deref();
        anonymous_id
            .map_or(Ok(()), check_anonymous_id)
            .map_err(ConfigError::AnonymousId)?;
        self.context.check().map_err(ConfigError::Context)
    }

    /// The same settings with nonsense made sensible: no zero sizes, no batch that every server refuses.
    pub(crate) fn sane(mut self) -> Self {
        self.flush_at = self.flush_at.max(1);
        self.max_batch_events = self.max_batch_events.clamp(1, BATCH_EVENTS);
        self.max_batch_bytes = self.max_batch_bytes.clamp(1, BODY_BYTES);
        self.max_queue_events = self.max_queue_events.max(1);
        self.window_events = self.window_events.max(self.max_batch_events);
        self.backoff_cap = self.backoff_cap.max(self.backoff_base);
        self
    }
}

/// The key stays out of logs.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("sdk_name", &self.sdk_name)
            .field("install_id", &self.install_id)
            .field("flush_at", &self.flush_at)
            .field("flush_interval", &self.flush_interval)
            .field("max_queue_events", &self.max_queue_events)
            .field("max_queue_bytes", &self.max_queue_bytes)
            .finish_non_exhaustive()
    }
}

fn check_key(key: &str) -> Result<(), ConfigError> {
    if key.starts_with(SECRET_KEY_PREFIX) {
        return Err(ConfigError::SecretKey);
    }
    match key.strip_prefix(WRITE_KEY_PREFIX) {
        Some(rest) if fits_header(rest) => Ok(()),
        _ => Err(ConfigError::NotAWriteKey),
    }
}

/// Printable ASCII, and some of it.
fn fits_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A secret key, which must never be in an app.
    SecretKey,
    /// Not a key that starts with `tm_pk_`.
    NotAWriteKey,
    /// The SDK's name does not fit a header: it is empty, or has more than printable ASCII.
    SdkName,
    /// The given anonymous_id cannot stand for a device.
    AnonymousId(Reason),
    /// The given context is beyond a limit.
    Context(Reason),
}

impl ConfigError {
    /// What is wrong, for people.
    ///
    /// ```
    /// # use trailmark_core::ConfigError;
    /// assert_eq!(ConfigError::NotAWriteKey.text(), "not a write key: one starts with tm_pk_ and has no blanks");
    /// ```
    #[must_use]
    pub fn text(self) -> String {
        let (text, reason) = match self {
            Self::SecretKey => (
                "this is a secret key (tm_sk_…): whoever has the app can read it; use a write key (tm_pk_…)",
                None,
            ),
            Self::NotAWriteKey => ("not a write key: one starts with tm_pk_ and has no blanks", None),
            Self::SdkName => (
                "the SDK's name is printable ASCII without blanks, as trailmark-dart/0.1.0",
                None,
            ),
            Self::AnonymousId(reason) => ("the anonymous_id is refused: ", Some(reason)),
            Self::Context(reason) => ("the context is refused: ", Some(reason)),
        };
        text.to_owned() + reason.map_or("", Reason::as_str)
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_write_key_is_refused_at_once() {
        let error = |key| Config::new(key).err();
        assert_eq!(error("tm_pk_0193"), None);
        assert_eq!(error("tm_sk_0193"), Some(ConfigError::SecretKey));
        for key in ["", "0193", "tm_pk_", "tm_pk_a b", "tm_pk_a\n", "tm_pk_ä"] {
            assert_eq!(error(key), Some(ConfigError::NotAWriteKey), "{key:?}");
        }
    }

    #[test]
    fn the_key_is_not_in_the_debug_output() {
        assert!(!format!("{:?}", Config::new("tm_pk_0193").unwrap()).contains("0193"));
    }

    #[test]
    fn what_the_wire_refuses_is_refused_before_the_start() {
        let checked = |change: fn(&mut Config)| {
            let mut config = Config::new("tm_pk_0193").unwrap();
            change(&mut config);
            config.check().err()
        };
        assert_eq!(checked(|_| {}), None);
        assert_eq!(
            checked(|config| config.sdk_name = "a\r\nb".into()),
            Some(ConfigError::SdkName)
        );
        assert_eq!(
            checked(|config| config.anonymous_id = Some("null".into())),
            Some(ConfigError::AnonymousId(Reason::JunkAnonymousId))
        );
        assert_eq!(
            checked(|config| (0..600).for_each(|n| config.context.insert(&format!("k{n}"), n))),
            Some(ConfigError::Context(Reason::TooManyProperties))
        );
    }
}
