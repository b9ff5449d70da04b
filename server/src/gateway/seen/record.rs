//! A request, from its first header to the end of its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};
use hyper::body::Body as _;
use tokio::time::Instant;
use trailmark_protocol::Timestamp;

use super::body::{Counted, Watched};
use super::metrics::Finished;
use super::trace::Traceparent;
use super::{SeenRoute, Witness, line};
use crate::gateway::cache::CacheStatus;
use crate::gateway::caller::Caller;
use crate::gateway::problem::Code;
use crate::gateway::upstream::Asked;

/// What stands for the status of a request whose client left before there was one; nginx's word for it.
pub const CLIENT_LEFT: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::REQUEST_TIMEOUT,
};

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its last byte was handed over.
    Complete,
    /// The client left.
    Aborted,
    /// It failed midway: the upstream broke off.
    Broken,
}

impl Outcome {
    /// The word in logs and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Broken => "broken",
        }
    }
}

/// What is known of a request when it begins.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// Its method.
    pub method: &'a Method,
    /// Its target, normalised.
    pub uri: &'a Uri,
    /// Its host, normalised.
    pub host: Option<&'a HeaderValue>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its HTTP version.
    pub version: Version,
    /// Whether it came through TLS.
    pub tls: bool,
    /// Who sent it.
    pub client_ip: IpAddr,
    /// Its id.
    pub request_id: &'a HeaderValue,
    /// Its trace.
    pub trace: Traceparent,
}

/// What is known of a request in the end. The texts share their bytes with the request's own.
#[derive(Debug)]
pub struct Record {
    pub(super) at: Timestamp,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) host: Option<HeaderValue>,
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) version: Version,
    pub(super) tls: bool,
    pub(super) client_ip: IpAddr,
    pub(super) request_id: HeaderValue,
    pub(super) trace: Traceparent,
    pub(super) route: Arc<SeenRoute>,
    pub(super) user: Option<Box<str>>,
    pub(super) key: Option<Box<str>>,
    pub(super) asked: Option<Asked>,
    pub(super) upstream_took: Option<Duration>,
    pub(super) cache: Option<CacheStatus>,
    pub(super) refused: Option<Code>,
    pub(super) status: Option<StatusCode>,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    outcome: Outcome,
    took: Duration,
    answered: Option<Duration>,
    is_stream: bool,
}

impl Record {
    /// The status; [`CLIENT_LEFT`] where there was none.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or(CLIENT_LEFT)
    }

    /// How the answer ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// From the request's head to the end of its answer.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// From the request's head to its answer's head, which a slow client does not prolong; to its end if there was none.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.answered.unwrap_or(self.took)
    }

    /// What counts as its duration: of a socket or a stream of events, which last as long as their clients stay, the time
    /// to the head.
    fn duration(&self) -> Duration {
        if self.is_stream { self.latency() } else { self.took }
    }

    /// The request's id.
    #[must_use]
    pub fn request_id(&self) -> &[u8] {
        self.request_id.as_bytes()
    }

    /// Whether it failed: through us or an upstream, not through its client.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.status().is_server_error() || self.outcome == Outcome::Broken
    }
}

/// Sees one request through, and tells of it when its answer has ended. Dropped before that, the client has left.
#[derive(Debug)]
pub struct Seen(Option<Box<Watch>>);

#[derive(Debug)]
struct Watch {
    witness: Arc<Witness>,
    started: Instant,
    is_inflight: bool,
    counted_in: Option<Arc<AtomicU64>>,
    record: Record,
}

impl Seen {
    /// A request begins; `unmatched` is its route until it has one.
    #[must_use]
    pub fn begin(witness: &Arc<Witness>, unmatched: &Arc<SeenRoute>, arrival: &Arrival<'_>) -> Self {
        let record = Record {
            at: arrival.at,
            method: arrival.method.clone(),
            uri: arrival.uri.clone(),
            host: arrival.host.cloned(),
            user_agent: arrival.headers.get(header::USER_AGENT).cloned(),
            headers: logged_headers(witness, arrival.headers),
            version: arrival.version,
            tls: arrival.tls,
            client_ip: arrival.client_ip,
            request_id: arrival.request_id.clone(),
            trace: arrival.trace,
            route: Arc::clone(unmatched),
            user: None,
            key: None,
            asked: None,
            upstream_took: None,
            cache: None,
            refused: None,
            status: None,
            bytes_in: 0,
            bytes_out: 0,
            outcome: Outcome::Aborted,
            took: Duration::ZERO,
            answered: None,
            is_stream: false,
        };
        Self(Some(Box::new(Watch {
            witness: Arc::clone(witness),
            started: Instant::now(),
            is_inflight: false,
            counted_in: None,
            record,
        })))
    }

    fn note(&mut self, note: impl FnOnce(&mut Record)) {
        if let Some(watch) = &mut self.0 {
            note(&mut watch.record);
        }
    }

    /// The request has met its route.
    pub fn route(&mut self, route: &Arc<SeenRoute>) {
        let Some(watch) = &mut self.0 else { return };
        if std::mem::replace(&mut watch.is_inflight, true) {
            watch.record.route.metrics.left();
        }
        route.metrics.began();
        watch.record.route = Arc::clone(route);
    }

    /// The caller is known.
    pub fn caller(&mut self, caller: &Caller) {
        self.note(|record| {
            record.user = caller.user.as_deref().map(Box::from);
            record.key = caller.key.as_deref().map(Box::from);
        });
    }

    /// The upstream of the request's route was asked for the answer.
    pub fn asked(&mut self, asked: Asked) {
        self.note(|record| record.asked = Some(asked));
    }

    /// The head of the upstream's answer is there, `took` after the request was sent to it.
    pub fn upstream_answered(&mut self, took: Duration) {
        self.note(|record| record.upstream_took = Some(took));
    }

    /// What the cache did for the request; it has counted that.
    pub fn cache(&mut self, status: CacheStatus) {
        self.note(|record| record.cache = Some(status));
    }

    /// The request was refused.
    pub fn refused(&mut self, code: Code) {
        self.note(|record| record.refused = Some(code));
    }

    /// The request's body, which counts what is read of it.
    pub fn count_in(&mut self, body: Body) -> Body {
        match &mut self.0 {
            Some(watch) if !body.is_end_stream() => {
                let count = watch.counted_in.insert(Arc::default());
                Body::new(Counted::new(body, Arc::clone(count)))
            }
            _ => body,
        }
    }

    /// The response, whose body tells when it has ended. For an upgraded connection (101) this is the end of the request:
    /// keep the guard for the tunnel instead, with [`Seen::status`], [`Seen::add_bytes`] and [`Seen::finish`].
    #[must_use]
    pub fn answer(mut self, response: Response) -> Response {
        self.status(response.status());
        self.note(|record| record.is_stream |= is_event_stream(response.headers()));
        let has_body = self.0.as_ref().is_some_and(|watch| may_have_body(&watch.record));
        if !has_body || response.body().is_end_stream() {
            self.finish(Outcome::Complete);
            return response;
        }
        let announced = announced_length(response.headers());
        response.map(|body| Body::new(Watched::new(body, announced, self)))
    }

    /// The answer's head.
    pub fn status(&mut self, status: StatusCode) {
        let Some(watch) = &mut self.0 else { return };
        watch.record.status = Some(status);
        watch.record.answered = Some(watch.started.elapsed());
        watch.record.is_stream = status == StatusCode::SWITCHING_PROTOCOLS;
    }

    /// So many bytes went through, beside counted bodies.
    pub fn add_bytes(&mut self, received: u64, sent: u64) {
        self.note(|record| {
            record.bytes_in += received;
            record.bytes_out += sent;
        });
    }

    /// The request is over: tells of it, the first time that this is called.
    pub fn finish(&mut self, outcome: Outcome) {
        let Some(watch) = self.0.take() else { return };
        watch.tell(outcome);
    }

    /// How many bytes of the answer's body have been handed over.
    pub(super) fn bytes_out(&self) -> u64 {
        self.0.as_ref().map_or(0, |watch| watch.record.bytes_out)
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.finish(Outcome::Aborted);
    }
}

impl Watch {
    fn tell(mut self: Box<Self>, outcome: Outcome) {
        let record = &mut self.record;
        record.outcome = outcome;
        record.took = self.started.elapsed();
        if let Some(counted) = &self.counted_in {
            record.bytes_in += counted.load(Ordering::Relaxed);
        }
        count(record, self.is_inflight);
        let witness = Arc::clone(&self.witness);
        if let Some(facts) = &witness.facts {
            facts.note(&self.record);
        }
        if let Some((policy, writer)) = witness.log.as_ref().filter(|(policy, _)| policy.wants(&self.record)) {
            line::with(policy, &self.record, |line| writer.push(line));
        }
        if let Some(spans) = witness.spans.as_ref().filter(|_| self.record.trace.is_sampled()) {
            spans.send(self.record);
        }
    }
}

fn count(record: &Record, is_inflight: bool) {
    let metrics = &record.route.metrics;
    if is_inflight {
        metrics.left();
    }
    metrics.finished(&Finished {
        method: &record.method,
        status: record.status(),
        outcome: record.outcome,
        took: record.duration(),
        bytes_in: record.bytes_in,
        bytes_out: record.bytes_out,
    });
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn logged_headers(witness: &Witness, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let Some((policy, _)) = &witness.log else {
        return Vec::new();
    };
    let logged = policy.headers.iter();
    logged
        .filter_map(|name| headers.get(name).map(|value| (name.clone(), value.clone())))
        .collect()
}

/// Whether a response to it has a body that is sent (RFC 9110 §6.4.1); hyper drops any other unread.
fn may_have_body(record: &Record) -> bool {
    let status = record.status();
    let is_without =
        status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    record.method != Method::HEAD && !is_without
}
