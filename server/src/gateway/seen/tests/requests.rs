//! One line for each request, whatever becomes of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::support::{Log, answer, request};
use crate::gateway::cache::CacheStatus;
use crate::gateway::caller::{Caller, Proof};
use crate::gateway::problem::Code;
use crate::gateway::seen::{Outcome, Seen};
use crate::gateway::upstream::Asked;

/// Answers each connection's requests with what `handle` makes of them; returns where.
async fn served<F>(log: &Arc<Log>, handle: impl Fn(Seen, Request<Incoming>) -> F + Send + Sync + 'static) -> TcpStream
where
    F: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = Arc::clone(log);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(|request| {
            let answered = handle(log.begin(&request), request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    });
    TcpStream::connect(address).await.unwrap()
}

async fn ask(client: &mut TcpStream, head: &str) {
    let text = format!("{head} HTTP/1.1\r\nhost: api.example\r\n\r\n");
    client.write_all(text.as_bytes()).await.unwrap();
}

async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let mut bytes = [0; 1024];
        let read = client.read(&mut bytes).await.unwrap();
        assert!(read > 0, "it ended after {text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    text
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A client that has asked, and what is sent to it piece by piece, in a body of unknown length.
async fn asked_for_pieces(log: &Arc<Log>) -> (mpsc::Sender<Result<&'static str, std::io::Error>>, TcpStream) {
    let (pieces, taken) = mpsc::channel(1);
    let pieces_of = |mut taken: mpsc::Receiver<_>| async { taken.recv().await.map(|piece| (piece, taken)) };
    let body = Body::from_stream(stream::unfold(taken, pieces_of));
    let body = std::sync::Mutex::new(Some(body));
    let mut client = served(log, move |seen, _| {
        let body = body.lock().unwrap().take().unwrap();
        async move { seen.answer(Response::new(body)) }
    })
    .await;
    ask(&mut client, "GET /long").await;
    (pieces, client)
}

#[tokio::test]
async fn a_request_and_its_answer_are_one_line() {
    let log = Arc::new(Log::new("query = true"));
    let mut client = served(&log, |mut seen, request| async move {
        let body = seen.count_in(Body::new(request.into_body()));
        body.collect().await.unwrap();
        seen.asked(Asked {
            attempts: 2,
            endpoint: Some(1),
        });
        seen.upstream_answered(Duration::from_micros(1_500));
        seen.cache(CacheStatus::Miss);
        seen.caller(&Caller {
            proof: Proof::Key,
            user: Some("u_7".to_owned()),
            key: Some("billing".to_owned()),
            email: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            claims: serde_json::Map::new(),
        });
        seen.answer(answer("hello"))
    })
    .await;
    let head =
        "POST /api/users/7?page=2 HTTP/1.1\r\nhost: api.example\r\nuser-agent: curl/8\r\ncontent-length: 3\r\n\r\nabc";
    client.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut client, "hello").await;
    let line = lines(&log.text(1).await).remove(0);
    for (key, value) in [
        ("ts", json!("2026-11-20T21:13:05.123Z")),
        ("method", json!("POST")),
        ("host", json!("api.example")),
        ("path", json!("/api/users/7")),
        ("query", json!("page=2")),
        ("status", json!(200)),
        ("outcome", json!("complete")),
        ("upstream_ms", json!(1.5)),
        ("bytes_in", json!(3)),
        ("bytes_out", json!(5)),
        ("route", json!("users")),
        ("client_ip", json!("203.0.113.9")),
        ("user", json!("u_7")),
        ("key", json!("billing")),
        ("request_id", json!("r-1")),
        ("upstream", json!("users")),
        ("endpoint", json!(1)),
        ("attempts", json!(2)),
        ("cache", json!("miss")),
        ("user_agent", json!("curl/8")),
        ("protocol", json!("HTTP/1.1")),
        ("tls", json!(false)),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn answers_without_a_body_and_many_on_one_connection_are_one_line_each() {
    let log = Arc::new(Log::new(""));
    let mut client = served(&log, |seen, request| async move {
        let status = match request.uri().path() {
            "/none" => StatusCode::NO_CONTENT,
            "/same" => StatusCode::NOT_MODIFIED,
            _ => StatusCode::OK,
        };
        let mut response = answer(if status == StatusCode::OK { "body" } else { "" });
        *response.status_mut() = status;
        seen.answer(response)
    })
    .await;
    for head in ["GET /none", "GET /same", "HEAD /x"] {
        ask(&mut client, head).await;
        read_until(&mut client, "\r\n\r\n").await;
    }
    ask(&mut client, "GET /x").await;
    read_until(&mut client, "body").await;
    let lines = lines(&log.text(4).await);
    let ends = |line: &Value| {
        (
            line["status"].as_u64().unwrap(),
            line["outcome"].as_str().unwrap().to_owned(),
        )
    };
    let complete = |status| (status, "complete".to_owned());
    assert_eq!(
        lines.iter().map(ends).collect::<Vec<_>>(),
        [204, 304, 200, 200].map(complete)
    );
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_is_one_line_with_the_bytes_so_far() {
    let log = Arc::new(Log::new("sample = 0.0"));
    let (pieces, mut client) = asked_for_pieces(&log).await;
    pieces.send(Ok("seven b")).await.unwrap();
    read_until(&mut client, "seven b").await;
    drop(client);
    pieces.closed().await;
    let line = lines(&log.text(1).await).remove(0);
    assert_eq!(
        (&line["outcome"], &line["status"], &line["bytes_out"]),
        (&json!("aborted"), &json!(200), &json!(7))
    );
}

#[tokio::test]
async fn a_client_that_leaves_before_there_is_an_answer_is_one_line() {
    let log = Arc::new(Log::new("sample = 0.0"));
    let (asked, mut is_asked) = mpsc::channel(1);
    let mut client = served(&log, move |seen, _| {
        let asked = asked.clone();
        async move {
            asked.send(()).await.unwrap();
            std::future::pending::<()>().await;
            seen.answer(answer("never"))
        }
    })
    .await;
    ask(&mut client, "GET /never").await;
    is_asked.recv().await.unwrap();
    drop(client);
    let line = lines(&log.text(1).await).remove(0);
    assert_eq!(
        (&line["outcome"], &line["status"], &line["bytes_out"]),
        (&json!("aborted"), &json!(499), &json!(0))
    );
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_one_line() {
    let log = Arc::new(Log::new("sample = 0.0"));
    let (pieces, mut client) = asked_for_pieces(&log).await;
    pieces.send(Ok("abc")).await.unwrap();
    pieces.send(Err(std::io::Error::other("reset"))).await.unwrap();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
    let line = lines(&log.text(1).await).remove(0);
    assert_eq!((&line["outcome"], &line["bytes_out"]), (&json!("broken"), &json!(3)));
}

#[tokio::test]
async fn an_answer_of_known_length_is_complete_with_its_last_byte() {
    let log = Arc::new(Log::new(""));
    let mut client = served(&log, |seen, _| async move {
        // A stream that never says that it has ended.
        let stream = stream::unfold(0, |sent| async move {
            match sent {
                0 => Some((Ok::<_, Infallible>(Bytes::from_static(b"four")), 1)),
                _ => std::future::pending().await,
            }
        });
        let mut response = Response::new(Body::from_stream(stream));
        let length = HeaderValue::from_static("4");
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length);
        seen.answer(response)
    })
    .await;
    ask(&mut client, "GET /four").await;
    read_until(&mut client, "four").await;
    let line = lines(&log.text(1).await).remove(0);
    assert_eq!((&line["outcome"], &line["bytes_out"]), (&json!("complete"), &json!(4)));
}

#[test]
fn requests_in_flight_are_counted_in_and_out() {
    let recorder = crate::telemetry::builder().unwrap().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let log = Log::new("");
        let request = request(Method::GET, "/api/users/7", &[]);
        let (one, other) = (log.begin(&request), log.begin(&request));
        assert!(handle.render().contains(r#"gateway_inflight{route="users"} 2"#));
        drop(one.answer(answer("")));
        drop(other);
        let text = handle.render();
        for line in [
            r#"gateway_inflight{route="users"} 0"#,
            r#"gateway_requests_total{route="users",method="GET",code="200"} 1"#,
            r#"gateway_requests_total{route="users",method="GET",code="499"} 1"#,
            r#"gateway_cut_total{route="users",outcome="aborted"} 1"#,
            r#"gateway_request_duration_seconds_count{route="users"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert_eq!(log.all().len(), 2);
    });
}

#[test]
fn a_tunnel_is_one_line_at_its_end() {
    let log = Log::new("");
    let mut seen = log.begin(&request(Method::GET, "/socket", &[]));
    seen.status(StatusCode::SWITCHING_PROTOCOLS);
    seen.add_bytes(10, 20);
    seen.add_bytes(1, 2);
    seen.finish(Outcome::Complete);
    seen.finish(Outcome::Aborted);
    drop(seen);
    let lines = log.all();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["bytes_in"], &lines[0]["bytes_out"]),
        (&json!(11), &json!(22))
    );
}

#[tokio::test(start_paused = true)]
async fn how_long_a_socket_or_a_stream_stays_open_is_nobodys_latency() {
    let recorder = crate::telemetry::builder().unwrap().build_recorder();
    let log = metrics::with_local_recorder(&recorder, || Log::new(""));
    let mut socket = log.begin(&request(Method::GET, "/socket", &[]));
    socket.status(StatusCode::SWITCHING_PROTOCOLS);
    let mut events = answer("data: 1");
    let media_type = HeaderValue::from_static("text/event-stream");
    events.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    let events = log.begin(&request(Method::GET, "/events", &[])).answer(events);
    let whole = log.begin(&request(Method::GET, "/whole", &[])).answer(answer("1"));
    tokio::time::advance(Duration::from_secs(3600)).await;
    metrics::with_local_recorder(&recorder, || drop((socket, events, whole)));
    let text = recorder.handle().render();
    let sum = r#"gateway_request_duration_seconds_sum{route="users"} 3600"#;
    assert!(text.contains(sum), "only one lasted an hour:\n{text}");
    let lasted = log
        .all()
        .iter()
        .map(|line| line["duration_ms"].as_f64().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(lasted, [3_600_000.0; 3], "the log tells how long they lasted");
}

#[test]
fn a_refusal_says_its_code_also_when_nothing_else_is_sampled() {
    let log = Log::new("sample = 0.0");
    drop(
        log.begin(&request(Method::GET, "/", &[]))
            .answer(answer("fine"))
            .into_body(),
    );
    let mut seen = log.begin(&request(Method::GET, "/", &[]));
    seen.refused(Code::InvalidToken);
    let mut response = answer("");
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    drop(seen.answer(response));
    let codes: Vec<_> = log.all().iter().map(|line| line["code"].clone()).collect();
    assert_eq!(
        codes,
        [Value::Null, json!("invalid_token")],
        "the first one's client left"
    );
}

#[test]
fn sampling_goes_by_the_request_id() {
    let log = Log::new("sample = 0.5");
    let ids: Vec<_> = (0..100)
        .map(|n| HeaderValue::from_str(&format!("r-{n}")).unwrap())
        .collect();
    for id in &ids {
        let mut seen = log.begin_with(&request(Method::GET, "/", &[]), id);
        seen.status(StatusCode::OK);
        seen.finish(Outcome::Complete);
    }
    let drawn = |id: &&HeaderValue| crate::gateway::seen::log::is_drawn(id.as_bytes(), 0.5);
    let expected: Vec<_> = ids.iter().filter(drawn).map(|id| json!(id.to_str().unwrap())).collect();
    assert!((30..70).contains(&expected.len()));
    assert_eq!(
        log.all()
            .iter()
            .map(|line| line["request_id"].clone())
            .collect::<Vec<_>>(),
        expected
    );
}

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzcifQ.";

fn percent(text: &str, every: usize) -> String {
    let encode = |(at, byte): (usize, u8)| match at % every {
        0 => format!("%{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    text.bytes().enumerate().map(encode).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every place of a request that a client chooses, with a credential in it.
    #[test]
    fn no_secret_planted_anywhere_is_in_the_line(secret in "[A-Za-z0-9]{12,30}", every in 1usize..9, name in "[a-z]{1,8}") {
        let config = "query = true\nheaders = [\"authorization\", \"cookie\", \"x-api-key\", \"x-csrf-token\", \"referer\", \"x-note\"]";
        let log = Log::new(config);
        for shape in [format!("tm_sk_{secret}"), format!("{TOKEN}{secret}")] {
            let encoded = percent(&shape, every);
            for part in [&shape, &encoded] {
                let uri = format!("/p/{part}/q?{name}={part}&token={secret}&{part}&x=https%3A%2F%2Fx%2F%3Fcode%3D{secret}");
                let headers = [
                    ("host", &format!("{part}.example")),
                    ("user-agent", &format!("agent/{part}")),
                    ("authorization", &secret),
                    ("cookie", &secret),
                    ("x-api-key", &secret),
                    ("x-csrf-token", &secret),
                    ("referer", &format!("https://x/?a=1&password={secret}")),
                    ("x-note", part),
                ];
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                drop(log.begin(&request(Method::GET, &uri, &headers)));
            }
        }
        let lines = log.all();
        prop_assert_eq!(lines.len(), 4);
        for line in lines {
            let text = line.to_string();
            let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
            prop_assert!(!text.contains(&secret) && !decoded.contains(&secret), "{} is in {}", secret, text);
        }
    }

    /// One line stays one line of JSON, with the texts as they were sent.
    #[test]
    fn nothing_that_a_client_sends_breaks_the_line(agent in proptest::collection::vec(32u8..=255, 0..60), user in ".*", method in "[!#$%&'*+.^_`|~A-Z]{1,9}") {
        let log = Log::new("");
        let Ok(value) = HeaderValue::from_bytes(&agent) else { return Ok(()) };
        let mut request = request(method.parse().unwrap(), "/", &[]);
        request.headers_mut().insert("user-agent", value);
        let mut seen = log.begin(&request);
        seen.caller(&Caller {
            proof: Proof::Session,
            user: Some(user.clone()),
            key: None,
            email: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            claims: serde_json::Map::new(),
        });
        drop(seen);
        let lines = log.all();
        prop_assert_eq!(lines.len(), 1);
        let agent = String::from_utf8_lossy(&agent);
        prop_assert_eq!(lines[0]["user_agent"].as_str(), Some(&*agent));
        prop_assert_eq!(lines[0]["user"].as_str(), Some(&*user));
    }
}
