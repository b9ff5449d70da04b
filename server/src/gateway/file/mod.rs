//! The gateway's file: which requests go where, and what is asked of them on the way. `docs/gateway.md` is its manual.
//!
//! [`mod@read`] turns text into the shapes below, [`check`] finds what shapes cannot say, and [`dispatch::snapshot`](super::dispatch::snapshot) makes of it
//! what requests meet. Whoever reads the file again keeps what they had until all three have succeeded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::cache::{CacheConfig, RouteCacheConfig};
use super::cors::CorsConfig;
use super::credentials::{ApiKeyConfig, JwtConfig};
use super::dispatch::sockets::SocketConfig;
use super::hub::config::HubConfig;
use super::login::{LoginConfig, SessionConfig};
use super::quota::LimitConfig;
use super::seen::{FactsConfig, LogConfig, OtlpConfig, TraceConfig};
use super::transform::grpc::GrpcConfig;
use super::transform::headers::HeaderRulesConfig;
use super::transform::json::BodyRulesConfig;
use super::units::{Secret, Size};
use super::upstream::{Timeouts, UpstreamConfig};

pub mod environment;
pub mod read;
pub mod check;

pub use read::{BadFile, Shaped, read, shaped};

/// The version of the format that this server reads.
pub const VERSION: u32 = 1;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    /// Of the format: 1.
    pub version: u32,
    /// Whether Trailmark's own paths are served where no route of the file matches.
    #[serde(default = "yes")]
    pub own_routes: bool,
    /// Which pages may call, where a route does not say.
    #[serde(default)]
    pub cors: CorsConfig,
    /// What services are told of a caller.
    #[serde(default)]
    pub identity: IdentityConfig,
    /// Limits by name.
    #[serde(default)]
    pub limits: BTreeMap<String, LimitConfig>,
    /// Whether answers also carry `RateLimit-Limit`, `-Remaining` and `-Reset`.
    #[serde(default)]
    pub legacy_limit_headers: bool,
    /// Headers that every answer carries, unless the service has set them.
    #[serde(default = "response_headers")]
    pub response_headers: BTreeMap<String, String>,
    /// How callers prove who they are.
    #[serde(default)]
    pub auth: AuthConfig,
    /// Services behind, by name.
    #[serde(default)]
    pub upstreams: BTreeMap<String, UpstreamConfig>,
    /// The store of cached answers.
    #[serde(default)]
    pub cache: CacheConfig,
    /// Hubs of WebSockets, by name.
    #[serde(default)]
    pub hub: BTreeMap<String, HubConfig>,
    /// The access log.
    #[serde(default)]
    pub log: LogConfig,
    /// Traces.
    #[serde(default)]
    pub trace: TraceConfig,
    /// Where traces go.
    pub otlp: Option<OtlpConfig>,
    /// Whether the traffic's latencies become events of a project.
    pub facts: Option<FactsConfig>,
    /// The routes.
    #[serde(default)]
    pub routes: Vec<RouteConfig>,
}

/// `[auth]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Issuers of tokens, by name.
    pub jwt: BTreeMap<String, JwtConfig>,
    /// API keys; `{}` takes those of Trailmark's projects.
    pub api_key: Option<ApiKeyConfig>,
    /// The sessions of logins.
    pub session: SessionConfig,
    /// Logins.
    pub login: LoginConfig,
}

/// `[identity]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// The secret that `X-Gateway-Signature` is made with; without one there is no signature.
    pub secret: Option<Secret>,
}

/// `[[routes]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Its name, in metrics, logs and errors.
    pub id: String,
    /// Which host: `api.example`, or `*.example` for all below it. Without: any.
    pub host: Option<String>,
    /// A path template: `/users/{id}`, `/files/{*rest}`.
    pub path: Option<String>,
    /// Or a prefix, which ends at a segment: `/users` has `/users` and `/users/1`, not `/usersX`.
    pub prefix: Option<String>,
    /// Which methods; without: all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The target, if it is one of our own: `ingest`, `query`, `admin`, `dashboard`, `auth`.
    pub service: Option<Service>,
    /// The target, if it is a service behind.
    pub upstream: Option<String>,
    /// The path for the target: a template of the same parameters, or what stands for the prefix.
    pub rewrite: Option<String>,
    /// How callers may prove who they are: `jwt:NAME`, `api_key`, `session`; `[]` lets everybody in.
    pub auth: Option<Vec<String>>,
    /// Roles, one of which a caller needs.
    #[serde(default)]
    pub any_role: Vec<String>,
    /// Scopes, all of which a caller needs.
    #[serde(default)]
    pub all_scopes: Vec<String>,
    /// Limits, by name.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Which pages may call.
    pub cors: Option<CorsConfig>,
    /// Whether the target also gets the credentials that were checked here.
    #[serde(default)]
    pub forward_credentials: bool,
    /// The largest request body.
    pub max_body: Option<Size>,
    /// Times that differ from those of the upstream.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// The target, if it is a hub of WebSockets.
    pub hub: Option<String>,
    /// The target, if it is a method of a gRPC service that is called with JSON.
    pub grpc: Option<GrpcConfig>,
    /// Whether and how WebSockets pass to the upstream.
    pub websocket: Option<SocketConfig>,
    /// Whether and how answers are cached.
    pub cache: Option<RouteCacheConfig>,
    /// What changes in the request's headers.
    #[serde(default)]
    pub request_headers: HeaderRulesConfig,
    /// What changes in the answer's headers.
    #[serde(default)]
    pub response_headers: HeaderRulesConfig,
    /// What changes in the request's JSON body.
    pub request_body: Option<BodyRulesConfig>,
    /// What changes in the answer's JSON body.
    pub response_body: Option<BodyRulesConfig>,
    /// Whether request bodies in gzip, br or zstd are decoded here, for services that do not.
    #[serde(default)]
    pub decompress: bool,
    /// Whether answers are compressed for clients that take it.
    #[serde(default)]
    pub compress: bool,
}

/// Services of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Takes events.
    Ingest,
    /// Answers questions.
    Query,
    /// Changes what is stored.
    Admin,
    /// Pages, and the files of the web SDK.
    Dashboard,
    /// Logs users in and out.
    Auth,
}

const fn yes() -> bool {
    true
}

/// What costs nothing and closes holes in whatever stands behind: no guessing of media types, no address of the page in
/// requests to others.
fn response_headers() -> BTreeMap<String, String> {
    let pairs = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

impl GatewayFile {
    /// The other files that it names, whose change is a change too: keys, certificates, descriptors. Their paths are meant
    /// from where it is itself.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let tokens = self.auth.jwt.values().filter_map(JwtConfig::file);
        let tls = self.upstreams.values().filter_map(|upstream| upstream.tls.as_ref());
        let descriptors = self.routes.iter().filter_map(|route| route.grpc.as_ref());
        tokens
            .chain(tls.flat_map(|tls| [&tls.ca, &tls.cert, &tls.key].into_iter().flatten()))
            .chain(descriptors.map(|grpc| &grpc.descriptors))
            .map(PathBuf::as_path)
    }
}

impl RouteConfig {
    /// The upstream that answers its requests, if one does.
    #[must_use]
    pub fn upstream_name(&self) -> Option<&str> {
        let of_grpc = || self.grpc.as_ref().map(|grpc| &*grpc.upstream);
        self.upstream.as_deref().or_else(of_grpc)
    }

    /// Where it leads, for people.
    #[must_use]
    pub fn target(&self) -> String {
        let service = self
            .service
            .map(|service| format!("service {service:?}").to_lowercase());
        let upstream = self.upstream.as_ref().map(|name| format!("upstream {name}"));
        let hub = self.hub.as_ref().map(|name| format!("hub {name}"));
        let grpc = self
            .grpc
            .as_ref()
            .map(|grpc| format!("grpc {} of {}", grpc.method, grpc.upstream));
        service.or(upstream).or(hub).or(grpc).unwrap_or_default()
    }
}
