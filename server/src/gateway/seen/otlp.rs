//! `[otlp]`: a span for each recorded request, sent to a trace collector as OTLP over HTTP with JSON
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), a stable format that every collector takes.
//!
//! Written here because of what a request would pay. OpenTelemetry's own crates are eight more in the program, read the
//! clock and choose the ids themselves, and allocate for each attribute while the request waits; here a finished request's
//! record is moved into a bounded queue, and one task makes JSON of it. When the queue is full, or the collector has
//! refused a batch four times, spans are dropped and counted; no request ever waits.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use metrics::Counter;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::metrics::SPANS_DROPPED;
use super::record::Record;
use super::spans;
use crate::gateway::units::{Secret, Span};

/// Spans that wait: 2,048 of about 600 bytes, 1.2 MB. OpenTelemetry's default too.
const QUEUE: usize = 2_048;

/// Spans in a request: 512 of about 1 KB, well below the 4 MiB that collectors take.
const BATCH: usize = 512;

/// How often a batch is sent at the most.
const ATTEMPTS: u32 = 4;

/// The wait before the second attempt; then it doubles, and up to half of it is added by chance.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest that a collector may make us wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How much of a collector's answer is read.
const ANSWER_BYTES: usize = 64 << 10;

/// How long a stopping server tries to send its last spans.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// Where OTLP over HTTP takes spans.
const TRACES: &str = "/v1/traces";

/// `[otlp]`: where spans go. Without it, nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtlpConfig {
    /// The collector: `"http://127.0.0.1:4318"`; without a path `/v1/traces` is meant. Plain HTTP: put the collector on
    /// this machine or into this network, it speaks TLS to the rest of the world.
    pub endpoint: String,
    /// Headers for it, such as one with a credential.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// What this service is called there.
    #[serde(default = "trailmark")]
    pub service: String,
    /// How long a span waits for others.
    #[serde(default = "five_seconds")]
    pub flush: Span,
    /// How long the collector may take for an answer.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,
}

fn trailmark() -> String {
    "trailmark".to_owned()
}

fn five_seconds() -> Span {
    Span::seconds(5)
}

fn ten_seconds() -> Span {
    Span::seconds(10)
}

impl OtlpConfig {
    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        Collector::new(self).err().unwrap_or_default()
    }
}

/// Takes spans, and the task that sends them.
pub type Started = (Arc<Spans>, JoinHandle<()>);

/// Takes spans for the collector.
#[derive(Debug)]
pub struct Spans {
    queue: mpsc::Sender<Record>,
    dropped: Counter,
}

impl Spans {
    /// Starts a task that sends spans until `stop`, and then what is left for at most five seconds.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn start(config: &OtlpConfig, stop: CancellationToken) -> Result<Started, Vec<String>> {
        Self::start_with(config, stop, FIRST_PAUSE)
    }

    pub(super) fn start_with(
        config: &OtlpConfig,
        stop: CancellationToken,
        first_pause: Duration,
    ) -> Result<Started, Vec<String>> {
        let collector = Collector::new(config)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let dropped = super::dropped(SPANS_DROPPED);
        let exporter = Exporter {
            waiting,
            dropped: dropped.clone(),
            collector,
            flush: config.flush.0,
            first_pause,
        };
        let task = tokio::spawn(exporter.run(stop));
        Ok((Arc::new(Self { queue, dropped }), task))
    }

    pub(super) fn send(&self, record: Record) {
        if self.queue.try_send(record).is_err() {
            self.dropped.increment(1);
        }
    }
}

struct Exporter {
    waiting: mpsc::Receiver<Record>,
    dropped: Counter,
    collector: Collector,
    flush: Duration,
    first_pause: Duration,
}

impl Exporter {
    async fn run(mut self, stop: CancellationToken) {
        let running = async {
            while let Some(batch) = self.gather().await {
                self.export(&batch).await;
            }
        };
        let is_stopped = stop.run_until_cancelled(running).await.is_none();
        if is_stopped && tokio::time::timeout(LAST_SPANS, self.export_rest()).await.is_err() {
            tracing::warn!("the last spans were not sent: the collector is too slow");
        }
    }

    /// The next batch: when it is full, or its first span has waited long enough.
    async fn gather(&mut self) -> Option<Vec<Record>> {
        let mut batch = vec![self.waiting.recv().await?];
        let fill = async {
            let mut room = BATCH - batch.len();
            while room > 0 && self.waiting.recv_many(&mut batch, room).await > 0 {
                room = BATCH - batch.len();
            }
        };
        // What was received so far stays in the batch.
        let _ = tokio::time::timeout(self.flush, fill).await;
        Some(batch)
    }

    async fn export_rest(&mut self) {
        self.waiting.close();
        let mut batch = Vec::new();
        while self.waiting.recv_many(&mut batch, BATCH).await > 0 {
            self.export(&batch).await;
            batch.clear();
        }
    }

    /// Sends a batch, again if that may help. What is not taken is counted.
    async fn export(&self, batch: &[Record]) {
        let body = Bytes::from(spans::request(&self.collector.service, batch));
        let mut pause = self.first_pause;
        for attempt in 1..=ATTEMPTS {
            let wait = match self.collector.post(body.clone()).await {
                Ok(Answer::Taken { rejected }) => return self.drop_spans(rejected, "the collector rejected them"),
                Ok(Answer::Refused(status)) => return self.drop_spans(batch.len() as u64, status.as_str()),
                Ok(Answer::Later(wait)) => wait.unwrap_or_default().min(LONGEST_PAUSE),
                Err(error) => {
                    tracing::debug!(%error, attempt, "the trace collector cannot be reached");
                    Duration::ZERO
                }
            };
            if attempt < ATTEMPTS {
                tokio::time::sleep(wait.max(pause + pause.mul_f64(chance(batch) / 2.0))).await;
                pause *= 2;
            }
        }
        self.drop_spans(batch.len() as u64, "the collector took too many attempts");
    }

    fn drop_spans(&self, count: u64, reason: &str) {
        if count > 0 {
            tracing::warn!(count, reason, "spans were dropped");
            self.dropped.increment(count);
        }
    }
}

/// From 0 to 1, unlike other servers': span ids are evenly spread.
fn chance(batch: &[Record]) -> f64 {
    let byte = batch.first().map_or(0, |record| record.trace.span_id[0]);
    f64::from(byte) / 255.0
}

enum Answer {
    /// All but some.
    Taken { rejected: u64 },
    /// Not now.
    Later(Option<Duration>),
    /// Not ever.
    Refused(StatusCode),
}

struct Collector {
    authority: String,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    service: String,
    timeout: Duration,
}

impl Collector {
    fn new(config: &OtlpConfig) -> Result<Self, Vec<String>> {
        let (authority, path) = endpoint(&config.endpoint).map_err(|problem| vec![problem])?;
        let header = |(name, value): (&String, &Secret)| {
            let value = HeaderValue::from_str(value.reveal()).ok()?;
            Some((name.parse().ok()?, value))
        };
        let headers: Option<Vec<_>> = config.headers.iter().map(header).collect();
        Ok(Self {
            authority,
            path,
            headers: headers.ok_or_else(|| vec!["headers: not all are headers".to_owned()])?,
            service: config.service.clone(),
            timeout: config.timeout.0,
        })
    }

    async fn post(&self, body: Bytes) -> io::Result<Answer> {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        tokio::time::timeout(self.timeout, self.exchange(body))
            .await
            .map_err(late)?
    }

    /// One connection for each batch, of which there are at most a few in a second.
    async fn exchange(&self, body: Bytes) -> io::Result<Answer> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let request = self.request(body).map_err(io::Error::other)?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(io::Error::other)?;
            judge(response).await
        };
        // If the connection fails, the answer does, too; if it only ends, the answer may still be read.
        let carried = async {
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            biased;
            answer = answer => answer,
            never = carried => never,
        }
    }

    fn request(&self, body: Bytes) -> http::Result<Request<Full<Bytes>>> {
        let mut request = Request::post(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body))
    }
}

/// Host and port, and the path.
fn endpoint(text: &str) -> Result<(String, String), String> {
    let wrong = || format!("endpoint: \"{text}\" is no address such as \"http://127.0.0.1:4318\"");
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let host = uri
        .host()
        .filter(|_| uri.scheme_str() == Some("http"))
        .ok_or_else(wrong)?;
    let path = match uri.path() {
        "/" | "" => TRACES,
        path => path,
    };
    Ok((format!("{host}:{}", uri.port_u16().unwrap_or(80)), path.to_owned()))
}

/// What the collector makes of a batch (OTLP, "Failures" and "Throttling").
async fn judge(response: http::Response<hyper::body::Incoming>) -> io::Result<Answer> {
    let status = response.status();
    if status.is_success() {
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        // Taken it has, whatever it says; only what it says of rejected spans is of interest.
        let rejected = body.map_or(0, |body| rejected(&body.to_bytes()));
        return Ok(Answer::Taken { rejected });
    }
    Ok(match status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Later(retry_after(&response)),
        _ => Answer::Refused(status),
    })
}

fn retry_after<B>(response: &http::Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// `partialSuccess.rejectedSpans`, a number or a text.
fn rejected(body: &[u8]) -> u64 {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let count = &answer["partialSuccess"]["rejectedSpans"];
    count
        .as_u64()
        .or_else(|| count.as_str()?.parse().ok())
        .unwrap_or_default()
}
