//! `[upstreams.NAME]` of the gateway's file.

use std::path::{Path, PathBuf};

use http::{HeaderName, Method, StatusCode};
use serde::Deserialize;

use crate::gateway::units::Span;

/// A service that routes lead to, and the instances of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// The instances.
    pub endpoints: Vec<EndpointConfig>,
    /// How a request finds its instance: `"round_robin"`, `"p2c"` (of two at random the one with fewer requests in flight;
    /// the default), `"hash:ip"`, `"hash:user"` or `"hash:header:NAME"` (the same instance for the same caller).
    #[serde(default)]
    pub balance: Balance,
    /// `"http1"` (the default), or `"h2"`: with prior knowledge in clear, over TLS by ALPN. gRPC needs `"h2"`.
    #[serde(default)]
    pub protocol: Protocol,
    /// Whether the upstream sees the client's `Host` instead of its own.
    #[serde(default)]
    pub preserve_host: bool,
    /// How names become addresses.
    #[serde(default)]
    pub dns: DnsConfig,
    /// Requests of the gateway's own that find out who is well. Without it nobody is asked.
    #[serde(default)]
    pub health: Option<HealthConfig>,
    /// Instances that fail several times in a row are left out for a while.
    #[serde(default)]
    pub outlier: OutlierConfig,
    /// Instances of which a large share fails are given time to recover.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// How long things may take; a route may say otherwise.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// When a request is sent again.
    #[serde(default)]
    pub retry: RetryConfig,
    /// Connections kept open between requests (HTTP/1.1).
    #[serde(default)]
    pub pool: PoolConfig,
    /// For `https` endpoints, where the public certificate authorities will not do.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
}

/// One instance, or a name behind which there are several.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// `http://host:port` or `https://host:port`, with no path: that is the route's `rewrite`.
    pub url: String,
    /// Its share of the requests, 1 to 1,000, relative to the others; 1 by default. Each address behind a name has it.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// How a request finds its instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Balance {
    /// In turn, by weight.
    RoundRobin,
    /// Of two at random, drawn by weight, the one with fewer requests in flight.
    #[default]
    TwoChoices,
    /// The same instance for the same key.
    Hash(HashBy),
}

/// What is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashBy {
    /// The client's address.
    Ip,
    /// The user; anonymous requests are spread.
    User,
    /// The value of a request header; requests without it are spread.
    Header(HeaderName),
}

/// What is spoken with the instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2, one connection to each address.
    H2,
}

/// How names become addresses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsConfig {
    /// How often names are asked for again; 10 s by default.
    pub refresh: Span,
}

/// Requests of the gateway's own: `GET path`, well if the answer is 2xx or 3xx.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// What is asked for.
    pub path: String,
    /// How often; 5 s by default.
    #[serde(default = "five_seconds")]
    pub interval: Span,
    /// How long the answer may take; 1 s by default.
    #[serde(default = "one_second")]
    pub timeout: Span,
    /// Good answers in a row that bring an instance back; 2 by default.
    #[serde(default = "two")]
    pub rise: u32,
    /// Bad answers in a row that take it out; 3 by default.
    #[serde(default = "three")]
    pub fall: u32,
}

fn five_seconds() -> Span {
    Span::seconds(5)
}

fn one_second() -> Span {
    Span::seconds(1)
}

fn two() -> u32 {
    2
}

fn three() -> u32 {
    3
}

/// Ejection: a failure is a 5xx, a refused or broken connection, or no answer in time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutlierConfig {
    /// Failures in a row that eject; 5 by default, 0 for never.
    pub consecutive: u32,
    /// How long the first time; the n-th time n times as long, ten times at most. 30 s by default.
    pub base_eject: Span,
    /// The largest share of the instances that is ejected at once, in percent; 50 by default.
    pub max_eject_percent: u32,
}

/// The circuit breaker of each address.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Failures within `window` that open it; 20 by default, 0 for never.
    pub failures: u32,
    /// See `failures`; 10 s by default.
    pub window: Span,
    /// The least share of all answers, from the first of those failures to the last, that they must make: 0 to 1, 0.5 by
    /// default. Twenty failures among a hundred thousand answers are no outage.
    pub share: f64,
    /// How long it stays open before one request tries; 10 s by default.
    pub open: Span,
}

/// How long things may take.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// To a connection, TLS included; 2 s by default.
    pub connect: Option<Span>,
    /// From the request's having been sent to the head of the answer; 5 s by default.
    pub response_headers: Option<Span>,
    /// Without a byte of either body, while one is awaited; 30 s by default. Streams of events that may be silent need more.
    pub idle_body: Option<Span>,
    /// For everything, attempts and bodies included; without bound by default, as streams need.
    pub total: Option<Span>,
}

/// When a request is sent again: if it never left, or if its method is among `methods` and its body is empty or has at most
/// 64 KiB; never once the answer has begun to be passed on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// How often it is sent at most, the first time included; 2 by default, 1 for no retries.
    pub attempts: u32,
    /// Retries as a share of recent requests, 0 to 1; 0.2 by default.
    pub budget: f64,
    /// Retries each second on top of that; 3 by default.
    pub min_per_second: u32,
    /// What is tried again: `"connect"`, `"reset"` (the connection broke before an answer), `"timeout"` (no answer in time),
    /// or a status from 500 to 599. By default `["connect", "reset", "502", "503", "504"]`.
    pub on: Vec<RetryOn>,
    /// Methods that may be carried out twice; by default `["GET", "HEAD", "PUT", "DELETE"]`.
    pub methods: Vec<MethodName>,
}

/// A reason to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// No connection.
    Connect,
    /// The connection broke before an answer.
    Reset,
    /// No answer in time.
    Timeout,
    /// This status.
    Status(StatusCode),
}

/// A method, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodName(pub Method);

/// Connections kept open between requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// To each address; 64 by default.
    pub max_idle: usize,
    /// How long unused; 60 s by default. Shorter than the upstream's own keep-alive, so that it is not the upstream that
    /// closes.
    pub idle: Span,
}

/// TLS towards the instances.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file of the certificate authorities to trust, instead of those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// The name that the certificate must have; by default the host of the endpoint's url.
    pub server_name: Option<String>,
    /// A PEM file with the gateway's own certificate, for upstreams that ask for one.
    pub cert: Option<PathBuf>,
    /// A PEM file with its key.
    pub key: Option<PathBuf>,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            refresh: Span::seconds(10),
        }
    }
}

impl Default for OutlierConfig {
    fn default() -> Self {
        Self {
            consecutive: 5,
            base_eject: Span::seconds(30),
            max_eject_percent: 50,
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 20,
            window: Span::seconds(10),
            share: 0.5,
            open: Span::seconds(10),
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        let status = RetryOn::Status;
        Self {
            attempts: 2,
            budget: 0.2,
            min_per_second: 3,
            on: vec![
                RetryOn::Connect,
                RetryOn::Reset,
                status(StatusCode::BAD_GATEWAY),
                status(StatusCode::SERVICE_UNAVAILABLE),
                status(StatusCode::GATEWAY_TIMEOUT),
            ],
            methods: [Method::GET, Method::HEAD, Method::PUT, Method::DELETE]
                .map(MethodName)
                .into(),
        }
    }
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_idle: 64,
            idle: Span::seconds(60),
        }
    }
}

impl UpstreamConfig {
    /// The same, with its files meant from `directory`.
    #[must_use]
    pub fn in_directory(&self, directory: &Path) -> Self {
        let mut config = self.clone();
        if let Some(tls) = &mut config.tls {
            for file in [&mut tls.ca, &mut tls.cert, &mut tls.key].into_iter().flatten() {
                *file = directory.join(&file);
            }
        }
        config
    }
}
