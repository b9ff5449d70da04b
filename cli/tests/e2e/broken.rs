//! Something breaks: it is found, shown on the first screen, told by a signed webhook, and told again when it is over.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::wait::until_true;
use crate::support::{Project, Request, Server, Setup, until};

/// A webhook's receiver: answers 200, and hands on what came.
fn receiver() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut length, mut signed, mut line) = (0, false, String::new());
            while stream.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                length = lower
                    .strip_prefix("content-length:")
                    .map_or(length, |text| text.trim().parse().unwrap());
                signed |= lower.starts_with("webhook-signature: v1,");
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            assert!(signed);
            if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, received)
}

fn post(project: &Project<'_>, path: &str, body: &Value) -> Value {
    let request = Request::post(path, body.to_string()).bearer(&project.secret);
    let answer = project.server.send(&request.header("content-type", "application/json"));
    assert!((200..300).contains(&answer.status), "{path}: {}", answer.text());
    answer.json()
}

/// The open problem of a kind, once there is one.
fn problem(project: &Project<'_>, kind: &str) -> Value {
    until(kind, || {
        let now = project.read("/api/v1/now").json();
        let problems = now["problems"].as_array().unwrap();
        problems.iter().find(|problem| problem["kind"] == kind).cloned()
    })
}

fn allowed() -> Server {
    Setup::default().text("outbound.allow", "127.0.0.0/8").start()
}

#[test]
fn an_error_is_on_the_first_screen_with_its_people_and_is_told_by_webhook() {
    let server = allowed();
    let project = Project::create(&server);
    let (url, received) = receiver();
    post(
        &project,
        "/api/v1/alerts",
        &json!({"name": "On call", "on": {"kinds": ["new_issue"]}, "to": {"webhook": {"url": url}}}),
    );
    let thrown = |place: usize| {
        json!({"event": "$exception", "anonymous_id": format!("d{}", place % 4), "properties": {"$exception_list": [{
            "type": "TypeError", "value": format!("cart {place} has no total"), "mechanism": {"handled": false},
            "stacktrace": {"frames": [{"function": "Cart.total", "filename": "src/cart.ts", "lineno": place + 7, "in_app": true}]}}]}})
    };
    let events: Vec<Value> = (0..20).map(thrown).collect();
    let sent = server.send(&project.batch(json!({"batch": events}).to_string()));
    assert_eq!(sent.status, 202, "{}", sent.text());

    let found = problem(&project, "new_issue");
    assert_eq!(found["people"], 4, "{found}");
    assert!(found["what"].as_str().unwrap().contains("TypeError"), "{found}");
    let evidence = found["evidence"].as_str().unwrap();
    let issue = project.read(evidence).json();
    assert_eq!(
        (&issue["events"], &issue["state"]),
        (&json!(20), &json!("new")),
        "{issue}"
    );

    let told = received.recv().unwrap();
    assert_eq!(
        (&told["type"], &told["data"]["kind"]),
        (&json!("problem.opened"), &json!("new_issue")),
        "{told}"
    );

    // Resolved: the problem is over, and that is told too.
    let resolve = Request::new("PATCH", evidence).body(json!({"state": "resolved"}).to_string());
    let resolve = resolve.bearer(&project.secret);
    let resolved = server.send(&resolve.header("content-type", "application/json"));
    assert_eq!(resolved.status, 200, "{}", resolved.text());
    let over = received.recv().unwrap();
    assert_eq!(over["type"], "problem.closed", "{over}");
    until_true("all clear", || {
        project.read("/api/v1/now").json()["verdict"] == "All clear"
    });
    server.assert_sound();
}

#[test]
fn a_monitor_of_a_closed_port_is_down_and_only_where_that_may_be_asked() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let monitor = json!({"name": "Shop", "tcp": {"host": "127.0.0.1", "port": closed.port()}, "interval_s": 10, "timeout_ms": 1000});
    let server = allowed();
    let project = Project::create(&server);
    let made = post(&project, "/api/v1/monitors", &monitor);
    let found = problem(&project, "monitor_down");
    assert_eq!(found["evidence"], format!("/api/v1/monitors/{}", made["id"]));
    let incidents = project.read("/api/v1/incidents?open=true").json();
    assert_eq!(incidents["incidents"][0]["cause_kind"], "connect");
    let now = project.read("/api/v1/now").json();
    let uptime = now["strips"]["uptime"].as_array().unwrap();
    assert!(uptime.contains(&json!(0.0)), "{uptime:?}");

    let guarded = Server::shared();
    let project = Project::create(guarded);
    let request = Request::post("/api/v1/monitors", monitor.to_string()).bearer(&project.secret);
    let refused = guarded.send(&request.header("content-type", "application/json"));
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (400, "invalid_parameter"),
        "{}",
        refused.text()
    );
}

#[test]
fn requests_make_endpoints_and_one_that_fails_is_found() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let request = |place: usize, status: u16| {
        json!({"event": "$request", "anonymous_id": "web", "properties": {
            "source": "server", "method": "POST", "path": format!("/api/orders/{place}"), "status": status, "duration_ms": 12}})
    };
    let events: Vec<Value> = (0..60)
        .map(|place| request(1_000 + place, if place % 3 == 0 { 503 } else { 201 }))
        .collect();
    let sent = server.send(&project.batch(json!({"batch": events}).to_string()));
    assert_eq!(sent.status, 202, "{}", sent.text());
    let found = problem(&project, "failing_endpoint");
    assert!(found["what"].as_str().unwrap().contains("/api/orders/:id"), "{found}");
    let now = project.read("/api/v1/now").json();
    assert!(
        now["strips"]["p95_ms"]
            .as_array()
            .unwrap()
            .iter()
            .any(|ms| ms.as_f64().is_some_and(|ms| ms > 11.0)),
        "{now}"
    );
}
