//! Spans at a real receiver.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::support::{AT, Log, answer, request};
use crate::gateway::seen::{OtlpConfig, Outcome, Spans};

/// How long an answer of the exporter may take to show: only a deadline.
const LONG: Duration = Duration::from_secs(20);

/// A collector that answers the requests in turn as told, and then with 200.
struct Receiver {
    endpoint: String,
    taken: mpsc::UnboundedReceiver<(http::request::Parts, Value)>,
}

impl Receiver {
    async fn new(answers: Vec<Response>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (took, taken) = mpsc::unbounded_channel();
        let answers = Arc::new(std::sync::Mutex::new(answers.into_iter()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service_fn(|request: http::Request<Incoming>| async {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    took.send((parts, serde_json::from_slice(&body).unwrap())).unwrap();
                    let next = answers.lock().unwrap().next();
                    Ok::<_, Infallible>(next.unwrap_or_else(|| answer("{}")))
                });
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        });
        Self { endpoint, taken }
    }

    async fn next(&mut self) -> (http::request::Parts, Value) {
        tokio::time::timeout(LONG, self.taken.recv()).await.unwrap().unwrap()
    }
}

struct Exporting {
    log: Log,
    stop: CancellationToken,
    task: JoinHandle<()>,
    metrics: PrometheusHandle,
}

impl Exporting {
    fn to(endpoint: &str, more: &str) -> Self {
        let config: OtlpConfig =
            toml::from_str(&format!("endpoint = \"{endpoint}\"\nflush = \"20ms\"\n{more}")).unwrap();
        let recorder = crate::telemetry::builder().unwrap().build_recorder();
        let stop = CancellationToken::new();
        let started = || Spans::start_with(&config, stop.clone(), Duration::from_millis(1)).unwrap();
        let (spans, task) = metrics::with_local_recorder(&recorder, started);
        Self {
            log: Log::with_spans("", Some(spans)),
            stop,
            task,
            metrics: recorder.handle(),
        }
    }

    fn request(&self, status: u16, headers: &[(&str, &str)]) {
        let mut seen = self
            .log
            .begin(&request(Method::GET, "/api/users/7?token=s3cret", headers));
        seen.status(StatusCode::from_u16(status).unwrap());
        seen.finish(Outcome::Complete);
    }

    async fn dropped(&self, count: usize) {
        let line = format!("gateway_spans_dropped_total {count}\n");
        let waiting = async {
            while !self.metrics.render().contains(&line) {
                tokio::task::yield_now().await;
            }
        };
        let told = tokio::time::timeout(LONG, waiting).await;
        assert!(told.is_ok(), "{line} is not in\n{}", self.metrics.render());
    }
}

fn status(status: u16, body: &'static str) -> Response {
    let mut response = answer(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn spans(body: &Value) -> &Vec<Value> {
    body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap()
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let mut attributes = span["attributes"].as_array().unwrap().iter();
    let found = attributes.find(|attribute| attribute["key"] == key);
    found.map_or(&Value::Null, |attribute| &attribute["value"])
}

#[tokio::test]
async fn a_recorded_request_is_a_span_of_its_callers_trace() {
    let mut receiver = Receiver::new(Vec::new()).await;
    let exporting = Exporting::to(
        &receiver.endpoint,
        "headers = { x-tenant = \"t1\" }\nservice = \"edge\"",
    );
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    exporting.request(503, &[("traceparent", parent), ("user-agent", "curl/8 tm_sk_s3cret")]);
    let (parts, body) = receiver.next().await;
    assert_eq!((parts.method, parts.uri.path()), (Method::POST, "/v1/traces"));
    assert_eq!(
        parts.headers[header::CONTENT_TYPE],
        HeaderValue::from_static("application/json")
    );
    assert_eq!(parts.headers["x-tenant"], HeaderValue::from_static("t1"));
    let service = &body["resourceSpans"][0]["resource"]["attributes"][0];
    assert_eq!(
        service,
        &json!({"key": "service.name", "value": {"stringValue": "edge"}})
    );
    let span = &spans(&body)[0];
    let begin = AT.micros() * 1_000;
    for (key, value) in [
        ("traceId", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("parentSpanId", json!("00f067aa0ba902b7")),
        ("name", json!("GET /api/users/{*rest}")),
        ("kind", json!(2)),
        ("startTimeUnixNano", json!(begin.to_string())),
        ("status", json!({"code": 2})),
    ] {
        assert_eq!(span[key], value, "{key}");
    }
    assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
    assert!(span["endTimeUnixNano"].as_str().unwrap().parse::<i64>().unwrap() >= begin);
    assert_eq!(
        attribute(span, "http.route"),
        &json!({"stringValue": "/api/users/{*rest}"})
    );
    assert_eq!(
        attribute(span, "http.response.status_code"),
        &json!({"intValue": "503"})
    );
    assert_eq!(attribute(span, "url.path"), &json!({"stringValue": "/api/users/7"}));
    assert!(!body.to_string().contains("s3cret"));
}

#[tokio::test]
async fn a_trace_that_is_not_recorded_is_not_sent() {
    let mut receiver = Receiver::new(Vec::new()).await;
    let exporting = Exporting::to(&receiver.endpoint, "");
    exporting.request(
        200,
        &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")],
    );
    exporting.request(201, &[]);
    let (_, body) = receiver.next().await;
    let sent: Vec<_> = spans(&body)
        .iter()
        .map(|span| attribute(span, "http.response.status_code"))
        .collect();
    assert_eq!(sent, [&json!({"intValue": "201"})]);
}

#[tokio::test]
async fn a_collector_that_is_busy_gets_the_same_batch_again() {
    let mut receiver = Receiver::new(vec![status(503, ""), status(429, "")]).await;
    let exporting = Exporting::to(&receiver.endpoint, "");
    exporting.request(200, &[]);
    let (first, second, third) = (
        receiver.next().await.1,
        receiver.next().await.1,
        receiver.next().await.1,
    );
    assert!(first == second && second == third);
    exporting.stop.cancel();
    exporting.task.await.unwrap();
    assert!(!exporting.metrics.render().contains("gateway_spans_dropped_total 1"));
    assert!(receiver.taken.try_recv().is_err(), "it was taken, and sent again");
}

#[tokio::test]
async fn attempts_are_bounded_and_what_is_not_taken_is_counted() {
    let mut receiver = Receiver::new((0..4).map(|_| status(503, "")).collect()).await;
    let exporting = Exporting::to(&receiver.endpoint, "");
    exporting.request(200, &[]);
    exporting.dropped(1).await;
    for _ in 0..4 {
        receiver.next().await;
    }
    assert!(receiver.taken.try_recv().is_err());
}

#[tokio::test]
async fn what_a_collector_will_never_take_is_not_sent_again() {
    let mut receiver = Receiver::new(vec![status(400, "")]).await;
    let exporting = Exporting::to(&receiver.endpoint, "");
    exporting.request(200, &[]);
    exporting.dropped(1).await;
    receiver.next().await;
    assert!(receiver.taken.try_recv().is_err());
}

#[tokio::test]
async fn spans_that_the_collector_rejected_are_counted() {
    let rejecting = status(
        200,
        r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#,
    );
    let receiver = Receiver::new(vec![rejecting]).await;
    let exporting = Exporting::to(&receiver.endpoint, "");
    (0..5).for_each(|_| exporting.request(200, &[]));
    exporting.dropped(3).await;
}

#[tokio::test]
async fn a_stop_sends_what_waits() {
    let mut receiver = Receiver::new(Vec::new()).await;
    let exporting = Exporting::to(&receiver.endpoint, "");
    (0..700).for_each(|_| exporting.request(200, &[]));
    exporting.stop.cancel();
    exporting.task.await.unwrap();
    let mut sent = 0;
    while let Ok((_, body)) = receiver.taken.try_recv() {
        sent += spans(&body).len();
    }
    assert_eq!(sent, 700);
}

/// A collector that takes connections and never answers.
#[tokio::test]
async fn a_collector_that_hangs_blocks_no_request_and_costs_only_spans() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            held.push(stream);
        }
    });
    let exporting = Exporting::to(&endpoint, "timeout = \"10ms\"");
    (0..10).for_each(|_| exporting.request(200, &[]));
    exporting.dropped(10).await;
    assert_eq!(connections.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_full_queue_of_spans_drops_and_counts() {
    // Nobody listens there, and nothing is sent before the task has its first turn.
    let exporting = Exporting::to("http://127.0.0.1:9", "");
    (0..3_000).for_each(|_| exporting.request(200, &[]));
    let text = exporting.metrics.render();
    assert!(text.contains("gateway_spans_dropped_total 952"), "{text}");
}

#[test]
fn an_endpoint_that_is_none_is_refused() {
    let problems = |endpoint: &str| {
        let config: OtlpConfig = toml::from_str(&format!("endpoint = \"{endpoint}\"")).unwrap();
        config.problems()
    };
    assert!(problems("http://127.0.0.1:4318").is_empty() && problems("http://collector/v1/traces").is_empty());
    for bad in ["https://collector:4318", "collector:4318", "", "http://", "/v1/traces"] {
        assert_eq!(problems(bad).len(), 1, "{bad}");
    }
}
