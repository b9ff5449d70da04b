//! A witness whose log can be read, and records to tell it of.

use std::path::PathBuf;
use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Duration, Instant};
use trailmark_protocol::Timestamp;

use crate::gateway::seen::writer::Target;
use crate::gateway::seen::{Arrival, LogConfig, LogWriter, Seen, SeenRoute, Spans, TraceIds, Traceparent, Witness};

/// 2026-11-20T21:13:05.123Z.
pub(super) const AT: Timestamp = Timestamp::from_millis(1_795_209_185_123);

/// An access log in a file of its own.
pub(super) struct Log {
    pub(super) witness: Arc<Witness>,
    pub(super) route: Arc<SeenRoute>,
    path: PathBuf,
    _directory: TempDir,
}

impl Log {
    pub(super) fn new(config: &str) -> Self {
        Self::with_spans(config, None)
    }

    pub(super) fn with_spans(config: &str, spans: Option<Arc<Spans>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("access.log");
        let policy = toml::from_str::<LogConfig>(config).unwrap().compile().unwrap();
        let writer = LogWriter::open(Target::File(path.clone())).unwrap();
        let witness = Witness {
            log: Some((policy, Arc::new(writer))),
            spans,
            facts: None,
        };
        Self {
            witness: Arc::new(witness),
            route: SeenRoute::towards(Some("users"), "users", "/api/users/{*rest}"),
            path,
            _directory: directory,
        }
    }

    /// A request for `/api/users/7` begins.
    pub(super) fn begin<B>(&self, request: &Request<B>) -> Seen {
        self.begin_with(request, &HeaderValue::from_static("r-1"))
    }

    pub(super) fn begin_with<B>(&self, request: &Request<B>, request_id: &HeaderValue) -> Seen {
        let arrival = Arrival {
            at: AT,
            method: request.method(),
            uri: request.uri(),
            host: request.headers().get(header::HOST),
            headers: request.headers(),
            version: request.version(),
            tls: false,
            client_ip: "203.0.113.9".parse().unwrap(),
            request_id,
            trace: Traceparent::of(request.headers(), &TraceIds::default(), 1.0),
        };
        let mut seen = Seen::begin(&self.witness, &SeenRoute::unmatched(), &arrival);
        seen.route(&self.route);
        seen
    }

    /// The text once there are `lines` lines.
    pub(super) async fn text(&self, lines: usize) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let text = std::fs::read_to_string(&self.path).unwrap();
            if text.lines().count() >= lines {
                return text;
            }
            assert!(Instant::now() < deadline, "{lines} lines are not in\n{text}");
            tokio::task::yield_now().await;
        }
    }

    /// All lines, once nothing more can come.
    pub(super) fn all(self) -> Vec<Value> {
        drop(self.witness);
        let text = std::fs::read_to_string(&self.path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A request by its parts; the version is HTTP/1.1.
pub(super) fn request(method: Method, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse::<Uri>().unwrap();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        })
        .collect::<HeaderMap>();
    request
}

/// A response with a body of `text`.
pub(super) fn answer(text: &'static str) -> Response {
    Response::new(text.into())
}
