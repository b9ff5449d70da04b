//! Who may do what, and where the key may stand.

use std::thread;

use serde_json::json;

use crate::support::events::{batch, good};
use crate::support::{Project, Request, Server, Setup, until};

#[test]
fn a_key_is_found_wherever_a_client_may_put_it() {
    let project = Project::create(Server::shared());
    let (body, key) = (batch(&[good()]), &project.write);
    let in_body = |event: &str| format!(r#"{{"api_key":"{key}","batch":[{event}]}}"#);
    let single = json!({"api_key": key, "anonymous_id": "device-1", "name": "short", "properties": {"n": 1}});
    let requests = [
        Request::post("/v1/batch", body.clone()).bearer(key),
        Request::post("/v1/batch", body.clone()).header("authorization", format!("bearer  {key} ")),
        Request::post("/v1/batch", in_body(&good())),
        Request::post("/api/events", in_body(&good())),
        Request::post("/api/events", single.to_string()),
        Request::post(format!("/v1/batch?key={key}"), batch(&[good()])),
        Request::post(
            format!("/api/events?sent_at=2026-11-20T12%3A00%3A00Z&key={key}"),
            format!("[{}]", good()),
        )
        .header("content-type", "text/plain;charset=UTF-8"),
    ];
    for request in &requests {
        let response = project.server.send(request);
        assert_eq!(
            (response.status, &response.json()["accepted"]),
            (202, &json!(1)),
            "{request:?}"
        );
    }
    project.server.until_drained();
    // The first two carry the same event.
    assert_eq!(project.rows().count(), requests.len() - 1);
}

#[test]
fn the_wrong_key_opens_nothing() {
    let server = Server::shared();
    let (project, stranger) = (Project::create(server), Project::create(server));
    let post = |target: &str| Request::post(target, batch(&[good()]));
    let get = || Request::get("/api/analytics/stats");
    let cases = [
        ("no key", post("/v1/batch"), 401, "missing_key"),
        ("an empty key", post("/v1/batch?key="), 401, "missing_key"),
        (
            "a key of another scheme",
            post("/v1/batch").header("authorization", "Basic dTpw"),
            401,
            "missing_key",
        ),
        (
            "an unknown key",
            post("/v1/batch").bearer("tm_pk_unknown"),
            401,
            "unknown_key",
        ),
        (
            "a cut key",
            post("/v1/batch").bearer(&project.write[..20]),
            401,
            "unknown_key",
        ),
        ("SQL", post("/v1/batch").bearer("' OR 1=1 --"), 401, "unknown_key"),
        (
            "a secret key where events go in",
            post("/v1/batch").bearer(&project.secret),
            403,
            "wrong_key_kind",
        ),
        ("no key for a read", get(), 401, "missing_key"),
        (
            "an unknown key for a read",
            get().bearer("tm_sk_unknown"),
            401,
            "unknown_key",
        ),
        (
            "a write key where answers come out",
            get().bearer(&project.write),
            403,
            "wrong_key_kind",
        ),
    ];
    for (name, request, status, code) in cases {
        let response = server.send(&request);
        assert_eq!(
            (response.status, response.code().as_str()),
            (status, code),
            "{name}: {}",
            response.text()
        );
        assert!(!response.json()["request_id"].as_str().unwrap().is_empty(), "{name}");
        assert_eq!(response.header("www-authenticate").is_some(), status == 401, "{name}");
    }
    assert_eq!(server.send(&project.batch(batch(&[good()]))).status, 202);
    server.until_drained();
    assert_eq!((project.rows().count(), stranger.rows().count()), (1, 0));
    server.assert_sound();
}

#[test]
fn a_stranger_is_refused_before_the_body_is_read() {
    let server = Server::shared();
    let request =
        b"POST /v1/batch HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer tm_pk_unknown\r\ncontent-length: 1000\r\n\r\n";
    let mut connection = crate::support::Connection::open(server.address()).unwrap();
    connection.write(request).unwrap();
    assert_eq!(connection.read().unwrap().code(), "unknown_key");
}

/// A refusal would make a client pause for minutes, so a key must work from the moment it is shown.
#[test]
fn a_new_key_works_at_once_even_right_after_an_unknown_one() {
    let project = Project::create(Server::shared());
    for _ in 0..3 {
        let (_, key) = project.another_key();
        let call = |key: &str| {
            project
                .server
                .send(&Request::post("/v1/batch", batch(&[good()])).bearer(key))
                .status
        };
        assert_eq!((call("tm_pk_unknown"), call(&key)), (401, 202));
    }
}

#[test]
fn a_revoked_key_stops_working_within_seconds_and_the_others_go_on() {
    let project = Project::create(Server::shared());
    let (number, key) = project.another_key();
    let request = Request::post("/v1/batch", batch(&[good()])).bearer(&key);
    assert_eq!(project.server.send(&request).status, 202);
    project.revoke(number);
    let refused = until("a refusal of the revoked key", || {
        let response = project.server.send(&request);
        (response.status != 202).then_some(response)
    });
    assert_eq!((refused.status, refused.code().as_str()), (401, "unknown_key"));
    assert_eq!(project.server.send(&project.batch(batch(&[good()]))).status, 202);
}

#[test]
fn who_calls_too_often_is_told_when_to_come_back_and_others_are_not_slowed() {
    let limits = Setup::default()
        .set("rate_limit.per_key_per_second", 1)
        .set("rate_limit.per_key_burst", 5);
    let server = limits.start();
    let (greedy, modest) = (Project::create(&server), Project::create(&server));
    let call = |project: &Project<'_>| server.send(&project.batch(batch(&[good()])));
    let answers = thread::scope(|scope| {
        let calls = (0..20).map(|_| scope.spawn(|| call(&greedy))).collect::<Vec<_>>();
        calls.into_iter().map(|call| call.join().unwrap()).collect::<Vec<_>>()
    });
    let refused = answers.iter().filter(|answer| answer.status == 429).collect::<Vec<_>>();
    assert!(refused.len() >= 5, "{} of 20 were refused", refused.len());
    for answer in refused {
        assert_eq!(answer.code(), "rate_limited");
        assert!(
            answer
                .header("retry-after")
                .and_then(|wait| wait.parse::<u64>().ok())
                .is_some_and(|wait| wait >= 1)
        );
    }
    assert_eq!(call(&modest).status, 202);
}

/// On the short way, which most events go, and through a route of the gateway's file.
#[test]
fn whoever_sends_with_a_key_that_opens_nothing_is_seen_by_the_end_of_the_key() {
    let file = "version = 1\n[[routes]]\nid = \"events\"\npath = \"/api/events\"\nauth = []\nservice = \"ingest\"\n";
    let server = Setup::default()
        .text("http.cors_origins", "https://app.example")
        .gateway(file)
        .start();
    let project = Project::create(&server);
    for path in ["/v1/batch", "/api/events"] {
        server.send(&Request::post(path, batch(&[good()])).bearer("tm_pk_not_a_key_3c"));
        let preflight = Request::new("OPTIONS", path).header("origin", "https://other.example");
        server.send(&preflight.header("access-control-request-method", "POST"));
    }
    let seen = project.read("/api/v1/strangers").json();
    let seen = seen["requests"].as_array().unwrap();
    let shown: Vec<_> = seen
        .iter()
        .rev()
        .map(|seen| [&seen["path"], &seen["code"], &seen["key_hint"]].map(|field| field.as_str().unwrap_or("none")))
        .collect();
    assert_eq!(
        shown,
        [
            ["/v1/batch", "unknown_key", "…3c"],
            ["/v1/batch", "origin_refused", "none"],
            ["/api/events", "unknown_key", "…3c"],
            ["/api/events", "origin_refused", "none"],
        ]
    );
    assert!(seen.iter().all(|seen| seen["client_ip"] == "127.0.0.1"), "{seen:?}");
    server.assert_sound();
}
