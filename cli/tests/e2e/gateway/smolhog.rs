//! S1 to S10: one door in front of an event processor.

use std::sync::LazyLock;

use serde_json::json;

use super::recorder::{Recorder, Reply};
use super::{asked, assert_refused, fresh_id, log_line, nobody, send};
use crate::support::{Request, Server};

/// The gateway, and what stands behind it.
pub(super) struct Smolhog {
    pub(super) server: Server,
    pub(super) processor: Recorder,
}

pub(super) fn smolhog() -> &'static Smolhog {
    static SMOLHOG: LazyLock<Smolhog> = LazyLock::new(|| {
        let processor = Recorder::start(|received| {
            Reply::ok(&json!({ "message": "Welcome to SmolHog API Gateway", "target": received.target() }))
                .with("server", "uvicorn")
                .with("x-powered-by", "Express")
        });
        let setup = super::setup(include_str!("smolhog.toml"));
        let setup = setup.env("EVENT_PROCESSOR_URL", &processor.url());
        let server = setup.env("NOBODY_URL", &nobody()).start();
        Smolhog { server, processor }
    });
    &SMOLHOG
}

#[test]
fn s1_one_door_leads_to_the_service_that_the_environment_names() {
    let Smolhog { server, processor } = smolhog();
    let (answer, id) = send(server, Request::get("/api/events"));
    assert_eq!(answer.status, 200);
    assert_eq!(processor.only(&id).target(), "/events");
}

/// `/` is a route like any other: whoever has a welcome gives it.
#[test]
fn s2_the_root_welcomes() {
    let (answer, _) = send(&smolhog().server, Request::get("/"));
    assert_eq!(
        (answer.status, &answer.json()["message"]),
        (200, &json!("Welcome to SmolHog API Gateway"))
    );
}

/// Ours says so to pages only, which send `Origin`: apps and services have no use for it.
#[test]
fn s3_pages_of_any_origin_may_call_and_read_every_answer() {
    let server = &smolhog().server;
    for (path, status) in [("/api/events", 200), ("/api/down", 502), ("/api/nothing", 404)] {
        let (answer, _) = send(server, Request::get(path).header("origin", "https://any.example"));
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (status, Some("*")),
            "{path}"
        );
    }
}

#[test]
fn s3_a_preflight_ends_at_the_gateway_with_methods_and_headers() {
    let Smolhog { server, processor } = smolhog();
    let preflight = Request::new("OPTIONS", "/api/events")
        .header("origin", "https://any.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let (answer, id) = send(server, preflight);
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (204, Some("*"))
    );
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,POST,OPTIONS"));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("Content-Type,Authorization")
    );
    assert!(processor.of(&id).is_empty());
}

#[test]
fn s4_paths_are_rewritten_for_any_method_and_queries_stay() {
    let Smolhog { server, processor } = smolhog();
    for (method, target, expected) in [
        ("GET", "/api/events", "GET /events HTTP/1.1"),
        ("POST", "/api/events?x=1&y=%20", "POST /events?x=1&y=%20 HTTP/1.1"),
        ("DELETE", "/api/events/7", "DELETE /events/7 HTTP/1.1"),
        ("PATCH", "/api/analytics/events", "PATCH /analytics/events HTTP/1.1"),
        (
            "GET",
            "/api/analytics/stats?day=1",
            "GET /analytics/stats?day=1 HTTP/1.1",
        ),
        (
            "PURGE",
            "/api/analytics/stats/a/b",
            "PURGE /analytics/stats/a/b HTTP/1.1",
        ),
    ] {
        let (answer, id) = send(server, Request::new(method, target));
        assert_eq!(answer.status, 200, "{method} {target}");
        assert_eq!(processor.only(&id).line, expected);
    }
}

/// Ours takes away what is the gateway's to say (D4) and what is for one connection; all else goes through.
#[test]
fn s5_the_service_sees_its_own_host_and_the_clients_headers() {
    let Smolhog { server, processor } = smolhog();
    let request = Request::get("/api/events")
        .header("user-agent", "e2e/1")
        .header("accept-language", "de")
        .header("cookie", "theme=dark")
        .header("x-custom", "kept");
    let (_, id) = send(server, request);
    let received = processor.only(&id);
    let host = processor.address().to_string();
    let expected = [
        ("host", &*host),
        ("user-agent", "e2e/1"),
        ("accept-language", "de"),
        ("cookie", "theme=dark"),
        ("x-custom", "kept"),
    ];
    for (name, value) in expected {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
}

/// 502 and not 500, and no address in it: that is for the log.
#[test]
fn s6_a_service_that_is_away_is_a_502_that_names_no_address() {
    let server = &smolhog().server;
    let (answer, id) = send(server, Request::get("/api/down"));
    assert_refused(&answer, 502, "bad_gateway", &id);
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
    assert_eq!(answer.json()["detail"], "nobody: no connection");
    let line = log_line(server, &id);
    assert_eq!(
        (&line["status"], &line["code"], &line["path"]),
        (&json!(502), &json!("bad_gateway"), &json!("/api/down"))
    );
}

/// One line of JSON for a request, written once its answer has ended.
#[test]
fn s7_each_request_has_a_line_in_the_log_with_status_and_duration() {
    let server = &smolhog().server;
    let (_, id) = send(
        server,
        Request::post("/api/events?page=2", "{}").header("user-agent", "e2e/2"),
    );
    let line = log_line(server, &id);
    for (key, value) in [
        ("method", json!("POST")),
        ("path", json!("/api/events")),
        ("status", json!(200)),
        ("route", json!("events")),
        ("client_ip", json!("127.0.0.1")),
        ("outcome", json!("complete")),
        ("bytes_in", json!(2)),
        ("user_agent", json!("e2e/2")),
    ] {
        assert_eq!(line[key], value, "{key} in {line}");
    }
    assert!(
        line["ts"].as_str().unwrap().ends_with('Z') && line["duration_ms"].is_number(),
        "{line}"
    );
}

#[test]
fn s8_malformed_json_is_a_400_where_the_gateway_reads_it() {
    let Smolhog { server, processor } = smolhog();
    let stamped = |body: &str| {
        let request = Request::post("/api/stamped", body).header("content-type", "application/json");
        send(server, request)
    };
    let (answer, id) = stamped("{\"name\": ");
    assert_refused(&answer, 400, "invalid_json", &id);
    assert!(processor.of(&id).is_empty());
    let (answer, id) = stamped("{\"name\":\"x\"}");
    assert_eq!(answer.status, 200);
    assert_eq!(
        processor.only(&id).json(),
        json!({ "name": "x", "gateway": "trailmark" })
    );
}

/// JSON, and no stack trace.
#[test]
fn s8_an_unknown_path_is_a_404() {
    let (answer, id) = send(&smolhog().server, Request::get("/api/nothing"));
    assert_refused(&answer, 404, "not_found", &id);
}

/// The targets are told to the operator, at any time.
#[test]
fn s9_the_start_says_where_it_listens_and_where_routes_lead() {
    let server = &smolhog().server;
    assert!(server.log().contains(&format!("listening on {}", server.url())));
    let state = asked(server, &Request::get("/gateway")).json();
    let routes = state["routes"].as_array().unwrap();
    let events = routes.iter().find(|route| route["id"] == "events").unwrap();
    assert_eq!(
        (&events["path"], &events["target"]),
        (&json!("/api/events"), &json!("upstream event-processor"))
    );
    assert_eq!(state["problems"], json!([]));
}

#[test]
fn s10_the_duration_of_every_request_is_measured() {
    let server = &smolhog().server;
    let id = fresh_id();
    server.send(&Request::get("/api/analytics/stats").header("x-request-id", &id));
    log_line(server, &id);
    let metrics = asked(server, &Request::get("/metrics")).text();
    for name in [
        "gateway_request_duration_seconds_count{route=\"analytics-stats\"}",
        "gateway_upstream_duration_seconds_count{upstream=\"event-processor\"}",
        "gateway_requests_total{route=\"analytics-stats\",method=\"GET\",code=\"200\"}",
    ] {
        assert!(metrics.contains(name), "{name} is missing in:\n{metrics}");
    }
}
