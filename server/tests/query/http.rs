//! The routes as a client meets them: keys, parameters, problems.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use trailmark_server::clock::SystemClock;
use trailmark_server::config::Config;
use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::KeyKind;

use crate::support::app::app;
use crate::world::{World, anonymous, id_at, identify, user};

/// The routes of a server over a project, without its connections.
pub(crate) struct Front {
    router: axum::Router,
    world: World,
    _folder: TempDir,
}

/// A status and a JSON body.
pub(crate) type Answer = (StatusCode, Value);

impl Front {
    pub(crate) async fn of(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(None, [], []).unwrap();
        let app = app(world.store.clone(), Arc::new(SystemClock), config, folder.path());
        Self {
            router: trailmark_server::gateway::router(&app),
            world,
            _folder: folder,
        }
    }

    /// A new key of a project.
    pub(crate) async fn key(&self, project: i32, kind: KeyKind) -> String {
        self.world.store.create_key(project, kind, "test").await.unwrap().text
    }

    /// A new secret key of the project.
    pub(crate) async fn secret(&self) -> String {
        self.key(self.world.project, KeyKind::Secret).await
    }

    async fn ask(&self, method: &str, path: &str, key: Option<&str>) -> Answer {
        let (status, bytes) = self.send(method, path, key, "").await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// A status and a whole body.
    async fn send(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> (StatusCode, Bytes) {
        self.send_as("application/json", method, path, key, body).await
    }

    /// The answer to a body of this kind.
    pub(crate) async fn answer_to(&self, kind: &str, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let (status, bytes) = self.send_as(kind, method, path, Some(key), body).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn send_as(
        &self,
        kind: &str,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &str,
    ) -> (StatusCode, Bytes) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, kind);
        let request = match key {
            Some(key) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        };
        let body = Body::from(body.to_owned());
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        (status, to_bytes(response.into_body(), usize::MAX).await.unwrap())
    }

    /// A response whose body may never end.
    pub(crate) async fn open(&self, path: &str, key: &str) -> axum::response::Response {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
        let request = request.body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The status of a request that sends `body` with this key.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &str) -> u16 {
        self.send("POST", path, Some(key), body).await.0.as_u16()
    }

    /// The receipt of a batch that is sent with a new write key.
    pub(crate) async fn receipt(&self, batch: &Value) -> Value {
        let key = self.key(self.world.project, KeyKind::Write).await;
        let (status, receipt) = self.send("POST", "/v1/batch", Some(&key), &batch.to_string()).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        serde_json::from_slice(&receipt).unwrap()
    }

    pub(crate) async fn delete(&self, path: &str, key: &str) -> Answer {
        self.ask("DELETE", path, Some(key)).await
    }

    /// A body of JSON lines.
    pub(crate) async fn lines(&self, path: &str, key: &str) -> Vec<Value> {
        let (status, body) = self.send("GET", path, Some(key), "").await;
        assert_eq!(status, StatusCode::OK);
        let lines = std::str::from_utf8(&body).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.ask("GET", path, Some(key)).await
    }
}

const READS: [&str; 14] = [
    "/api/analytics/events",
    "/api/analytics/stats",
    "/api/analytics/delivery",
    "/v1/persons/ann",
    "/v1/persons/ann/explain",
    "/v1/erasures",
    "/api/v1/events",
    "/api/v1/persons",
    "/api/v1/persons/ann",
    "/api/v1/persons/ann/timeline",
    "/api/v1/sessions",
    "/api/v1/properties",
    "/api/v1/event-names",
    "/api/v1/export?format=ndjson",
];

async fn front() -> Front {
    let world = World::new().await;
    world
        .send(&[
            anonymous(1, "open", "device"),
            identify(2, "device", "ann"),
            user(3, "buy", "ann"),
        ])
        .await;
    Front::of(world).await
}

pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn a_secret_key_opens_every_read_and_nothing_else_does() {
    let front = front().await;
    let (secret, write) = (
        front.secret().await,
        front.key(front.world.project, KeyKind::Write).await,
    );
    for path in READS {
        let answers = [
            (front.ask("GET", path, Some(&secret)).await, 200, Value::Null),
            (front.ask("GET", path, None).await, 401, "missing_key".into()),
            (
                front.ask("GET", path, Some("tm_sk_made_up")).await,
                401,
                "unknown_key".into(),
            ),
            (front.ask("GET", path, Some(&write)).await, 403, "wrong_key_kind".into()),
            (
                front.ask("POST", path, Some(&secret)).await,
                405,
                "method_not_allowed".into(),
            ),
        ];
        for ((status, body), expected, code) in answers {
            assert_eq!((status.as_u16(), &body["code"]), (expected, &code), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn a_secret_key_in_the_url_is_refused_with_the_reason() {
    let front = front().await;
    let path = format!("/api/analytics/stats?key={}", front.secret().await);
    let (status, body) = front.ask("GET", &path, None).await;
    assert_eq!(
        (status.as_u16(), &body["code"]),
        (400, &Value::from("invalid_parameter"))
    );
    assert!(
        body["detail"].as_str().unwrap().contains("Authorization header"),
        "{body}"
    );
}

#[tokio::test]
async fn questions_take_no_secret_key_in_the_url_either_and_no_other_parameter() {
    let front = front().await;
    let secret = front.secret().await;
    for path in ["/api/v1/query", "/api/v1/query/persons"] {
        let (status, body) = front.ask("POST", &format!("{path}?key={secret}"), None).await;
        assert_eq!((status.as_u16(), &body["code"]), (400, &"invalid_parameter".into()));
        let (_, body) = front.ask("POST", &format!("{path}?limit=1"), Some(&secret)).await;
        assert!(
            body["detail"].as_str().unwrap().starts_with("`limit` is unknown"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_pattern_that_postgres_cannot_read_is_the_callers_mistake() {
    let front = front().await;
    let seen = AcceptedEvent {
        properties: Some(r#"{"total":"3"}"#),
        ..anonymous(9, "pay", "device")
    };
    front.world.send(&[seen]).await;
    let secret = front.secret().await;
    for pattern in ["(", "a{1000}", "[[:foo:]]", "\\"] {
        let question = json!({"kind": "trends", "series": [{"event": "pay"}], "date_from": "2026-11-19",
            "date_to": "2026-11-22", "filters": {"op": "regex", "property": "total", "value": pattern}});
        let (status, body) = front
            .send("POST", "/api/v1/query", Some(&secret), &question.to_string())
            .await;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status.as_u16(), &body["code"]),
            (400, &"invalid_parameter".into()),
            "{pattern}: {body}"
        );
        assert!(
            body["detail"]
                .as_str()
                .unwrap()
                .starts_with("`filters.value` is an invalid regular"),
            "{pattern}: {body}"
        );
    }
}

#[tokio::test]
async fn a_key_of_another_project_reads_that_project_only() {
    let front = front().await;
    let other = World::beside(front.world.store.clone()).await;
    other.send(&[anonymous(5, "theirs", "their device")]).await;
    let (our_key, their_key) = (front.secret().await, front.key(other.project, KeyKind::Secret).await);

    let (_, page) = front
        .get(&format!("/api/analytics/events?cursor={}", id_at(99)), &their_key)
        .await;
    let names: Vec<_> = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["event"])
        .collect();
    assert_eq!(names, ["theirs"]);
    assert_eq!(front.get("/v1/persons/ann", &their_key).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        front.get("/v1/persons/their%20device", &our_key).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(front.get("/api/analytics/stats", &their_key).await.1["events"], 1);
}

#[tokio::test]
async fn a_bad_parameter_is_refused_by_its_name() {
    let front = front().await;
    let secret = front.secret().await;
    let long = "x".repeat(201);
    let cases = [
        ("/api/analytics/events?limit=0", "limit"),
        ("/api/analytics/events?limit=1001", "limit"),
        ("/api/analytics/events?cursor=7", "cursor"),
        ("/api/analytics/events?cursor=", "cursor"),
        ("/api/analytics/events?from=yesterday", "from"),
        ("/api/analytics/events?to=9999", "to"),
        (
            "/api/analytics/events?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z",
            "to",
        ),
        ("/api/analytics/events?event=", "event"),
        ("/api/analytics/events?person=%00", "person"),
        ("/api/analytics/events?person=%ff", "person"),
        (&format!("/api/analytics/events?person={long}"), "person"),
        ("/api/analytics/events?user=ann", "user"),
        ("/api/analytics/stats?limit=1", "limit"),
        ("/api/analytics/stats?from=1&from=2", "from"),
        ("/v1/persons/ann?person=ann", "person"),
        ("/v1/persons/ann?limit=-1", "limit"),
        ("/v1/persons/%00", "id"),
        ("/v1/persons/%00/explain", "id"),
        ("/v1/persons/%ff/export", "id"),
        ("/v1/persons/ann/export?limit=1", "limit"),
        ("/v1/erasures?limit=1", "limit"),
        ("/v1/persons/%ff", "id"),
        (&format!("/v1/persons/{long}"), "id"),
        ("/api/v1/events?session=", "session"),
        ("/api/v1/events?property.=a", "property."),
        ("/api/v1/events?property.a=1&property.a=2", "property.a"),
        ("/api/v1/events?property.a%00=1", "property"),
        ("/api/v1/events?property.a=%00", "property"),
        ("/api/v1/persons?search=", "search"),
        ("/api/v1/persons?cursor=x", "cursor"),
        ("/api/v1/persons/ann/timeline?cursor=1", "cursor"),
        ("/api/v1/persons/ann/timeline?limit=0", "limit"),
        ("/api/v1/persons/%00/timeline", "id"),
        ("/api/v1/sessions?cursor=7", "cursor"),
        ("/api/v1/sessions?session=s", "session"),
        ("/api/v1/properties?type=session", "type"),
        ("/api/v1/properties?limit=7", "limit"),
        ("/api/v1/event-names?cursor=", "cursor"),
        ("/api/v1/event-names?from=now", "from"),
        ("/api/v1/cohorts?limit=1", "limit"),
        ("/api/v1/cohorts/one", "id"),
    ];
    for (path, name) in cases {
        let (status, body) = front.get(path, &secret).await;
        assert_eq!(
            (status.as_u16(), &body["code"]),
            (400, &Value::from("invalid_parameter")),
            "{path}: {body}"
        );
        assert!(
            body["detail"].as_str().unwrap().starts_with(&format!("`{name}` ")),
            "{path}: {body}"
        );
        assert!(body["request_id"].is_string(), "{path}: {body}");
    }
}

#[tokio::test]
async fn injections_in_every_parameter_are_data_or_a_400() {
    let front = front().await;
    let secret = front.secret().await;
    for text in [
        "'; DROP TABLE events; --",
        "' OR 1=1 --",
        "$1",
        "1)) UNION SELECT 1 --",
        "\\'",
        "%27",
        "{1}",
        "a\"b",
    ] {
        let text = encoded(text);
        for name in [
            "event",
            "person",
            "session",
            "property.a",
            "from",
            "to",
            "limit",
            "cursor",
        ] {
            let (status, body) = front
                .get(&format!("/api/analytics/events?{name}={text}"), &secret)
                .await;
            match name {
                "event" | "person" | "session" | "property.a" => {
                    assert_eq!((status, &body["events"]), (StatusCode::OK, &Value::Array(vec![])));
                }
                _ => assert_eq!(
                    (status.as_u16(), &body["code"]),
                    (400, &"invalid_parameter".into()),
                    "{name}={text}"
                ),
            }
        }
        for (path, list) in [
            ("persons?search", "persons"),
            ("sessions?person", "sessions"),
            ("event-names?search", "event_names"),
        ] {
            let (status, body) = front.get(&format!("/api/v1/{path}={text}"), &secret).await;
            assert_eq!(
                (status, &body[list]),
                (StatusCode::OK, &Value::Array(vec![])),
                "{path}={text}"
            );
        }
        assert_eq!(
            front.get(&format!("/v1/persons/{text}"), &secret).await.0,
            StatusCode::NOT_FOUND,
            "{text}"
        );
        assert_eq!(
            front.get(&format!("/api/analytics/stats?{text}=1"), &secret).await.0,
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(front.get("/api/analytics/stats", &secret).await.1["events"], 3);
}

#[tokio::test]
async fn any_id_can_be_asked_for_percent_encoded() {
    let front = front().await;
    let secret = front.secret().await;
    let ids = [
        "a/b",
        "a b",
        "a+b",
        "50%",
        "ü🦀",
        "..",
        "ann@example.com",
        "a?b#c",
        "%2F",
    ];
    let events: Vec<_> = ids.iter().zip(10..).map(|(id, ms)| user(ms, "open", id)).collect();
    front.world.send(&events).await;
    for id in ids {
        let (status, person) = front.get(&format!("/v1/persons/{}", encoded(id)), &secret).await;
        assert_eq!(
            (status, person["identities"][0]["id"].as_str()),
            (StatusCode::OK, Some(id)),
            "{person}"
        );
        let (_, page) = front
            .get(&format!("/api/analytics/events?person={}", encoded(id)), &secret)
            .await;
        assert_eq!(page["events"][0]["user_id"].as_str(), Some(id));
    }
}
