//! The configuration: [`DEFAULTS`] is the manual, everything else overrides it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat};
use ipnet::IpNet;
use serde::Deserialize;

use crate::gateway::units::Secret;

/// The default configuration file, with every key and what it means.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// The prefix of configuration in the environment: `TRAILMARK__HTTP__LISTEN`.
const ENV_PREFIX: &str = "TRAILMARK";

/// Everything that can be configured. `config.default.toml` says what each key means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What must survive a restart.
    pub data_dir: PathBuf,
    /// The front door.
    pub http: Http,
    /// Its lock.
    pub tls: Tls,
    /// What is routed beside Trailmark's own.
    pub gateway: Gateway,
    /// How often a client may call.
    pub rate_limit: RateLimit,
    /// The durable buffer.
    pub journal: Journal,
    /// Postgres.
    pub database: Database,
    /// What answers may keep in memory.
    pub query: Query,
    /// What is done in the background.
    pub jobs: Jobs,
    /// What is forgotten when.
    pub retention: Retention,
    /// What may be called on somebody's behalf.
    pub outbound: Outbound,
    /// The mail server for alerts.
    pub smtp: Smtp,
    /// What is logged, and how.
    pub log: Log,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Http {
    pub listen: SocketAddr,
    pub public_url: String,
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_protocol: bool,
    pub cors_origins: Vec<String>,
    pub header_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    pub write_timeout_ms: u64,
    pub max_header_bytes: usize,
    pub max_headers: usize,
    pub max_connections: usize,
    pub max_inflight_bytes: usize,
    pub drain_wait_ms: u64,
    pub drain_timeout_ms: u64,
}

impl Http {
    /// How long a client may take to send a body.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    /// How long what is in flight may take after a stop signal.
    #[must_use]
    pub fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }
}

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub also: Vec<TlsPair>,
    pub hsts: String,
    pub acme: Acme,
}

/// One of `tls.also`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct TlsPair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// `[tls.acme]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Acme {
    pub domains: Vec<String>,
    pub contact: Vec<String>,
    pub cache_dir: PathBuf,
    pub directory_url: String,
    pub ca: PathBuf,
}

/// `[gateway]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Gateway {
    pub file: PathBuf,
    pub admin_listen: String,
    pub bus_url: String,
}

/// `[rate_limit]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct RateLimit {
    pub per_ip_per_second: u32,
    pub per_ip_burst: u32,
    pub per_key_per_second: u32,
    pub per_key_burst: u32,
}

/// `[journal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Journal {
    pub max_bytes: u64,
    pub segment_bytes: u64,
}

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Database {
    pub url: String,
    pub pg_bin: PathBuf,
    pub pool_size: u32,
}

/// `[query]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Query {
    pub segment_cache_bytes: u64,
}

/// `[jobs]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Jobs {
    pub run: bool,
}

/// `[retention]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Retention {
    pub events_days: u32,
}

impl Retention {
    /// How long events are kept; `None`: for ever.
    #[must_use]
    pub fn events(self) -> Option<Duration> {
        let day = Duration::from_secs(24 * 60 * 60);
        (self.events_days > 0).then(|| day * self.events_days)
    }
}

/// `[outbound]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Outbound {
    pub allow: Vec<IpNet>,
}

/// `[smtp]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub ca: PathBuf,
    pub user: String,
    pub password: Secret,
    pub from: String,
}

/// How the connection to the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// It begins in clear, and becomes TLS before anything is said.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every key, once")]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration was refused. The text names the key and where it came from.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct BadConfig(#[from] config::ConfigError);

impl Config {
    /// Reads defaults < `file` < `env` < `flags`; `flags` are dotted keys with their text, as `("http.listen", "…")`.
    ///
    /// # Errors
    /// [`BadConfig`] if the file cannot be read, a key is unknown or a value does not fit.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self, BadConfig> {
        let mut builder = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        builder = builder.add_source(environment(env));
        for (key, value) in flags {
            builder = builder.set_override(key, value)?;
        }
        Ok(builder.build()?.try_deserialize()?)
    }
}

fn environment(vars: impl IntoIterator<Item = (String, String)>) -> Environment {
    Environment::with_prefix(ENV_PREFIX)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("http.trusted_proxies")
        .with_list_parse_key("http.cors_origins")
        .with_list_parse_key("outbound.allow")
        .with_list_parse_key("tls.acme.domains")
        .with_list_parse_key("tls.acme.contact")
        .source(Some(vars.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(env: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Config, BadConfig> {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Config::load(None, env, flags.iter().map(|(key, value)| (*key, (*value).to_owned())))
    }

    #[test]
    fn the_default_file_is_complete() {
        let config = load(&[], &[]).unwrap();
        assert_eq!(config.http.listen.port(), 7700);
        assert_eq!(config.log.format, LogFormat::Text);
    }

    #[test]
    fn environment_beats_file_and_flags_beat_both() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("trailmark.toml");
        std::fs::write(&file, "data_dir = \"file\"\n[database]\npool_size = 1\nurl = \"x\"\n").unwrap();
        let env = [
            ("TRAILMARK__DATABASE__POOL_SIZE", "2"),
            ("TRAILMARK__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,::1/128"),
            ("TRAILMARK__OUTBOUND__ALLOW", "10.1.0.0/16"),
        ];
        let env = env.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config = Config::load(Some(&file), env, [("data_dir", "flag".to_owned())]).unwrap();
        assert_eq!(
            (
                config.data_dir.to_str().unwrap(),
                config.database.pool_size,
                &*config.database.url
            ),
            ("flag", 2, "x")
        );
        assert_eq!(config.http.trusted_proxies.len(), 2);
        assert_eq!(config.outbound.allow, ["10.1.0.0/16".parse().unwrap()]);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = load(&[("TRAILMARK__HTTP__LISTNE", "x")], &[]).unwrap_err().to_string();
        assert!(error.contains("listne"), "{error}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        assert!(load(&[("TRAILMARK__HTTP__LISTEN", "here")], &[]).is_err());
        assert!(load(&[], &[("database.pool_size", "many")]).is_err());
    }
}
