//! The routes as a client meets them: who may what, what is refused, what is never shown.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{Request, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, ManualClock};
use trailmark_server::config::Config;
use trailmark_server::gateway::login::password::hash;
use trailmark_server::store::{KeyKind, Role, Store};

use super::receiver::{Receiver, Reply};
use super::sink::{Manner, Sink};
use super::{BEGINNING, House};
use crate::support;

/// The routes of a server over a project.
pub(super) struct Front {
    router: axum::Router,
    pub(super) store: Store,
    pub(super) project: i32,
    clock: Arc<ManualClock>,
    secret: String,
    _folder: TempDir,
}

/// Who asks.
enum Who<'a> {
    Key(&'a str),
    Browser { cookie: String, csrf: String },
}

impl Front {
    pub(super) async fn new(settings: &[(&'static str, &str)]) -> Self {
        let store = support::store().await;
        let project = store.create_project("Shop").await.unwrap().id;
        let secret = store.create_key(project, KeyKind::Secret, "test").await.unwrap().text;
        let flags = settings.iter().map(|(key, value)| (*key, (*value).to_owned()));
        let mut config = Config::load(None, [], flags).unwrap();
        config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
        let clock = ManualClock::at(Timestamp::from_millis(BEGINNING));
        let folder = tempfile::tempdir().unwrap();
        let app = support::app::app(store.clone(), clock.clone(), config, folder.path());
        Self {
            router: trailmark_server::gateway::router(&app),
            store,
            project,
            clock,
            secret,
            _folder: folder,
        }
    }

    async fn ask(&self, who: &Who<'_>, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(format!("/api/v1/alerts{path}"));
        let request = match who {
            Who::Key(key) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
            Who::Browser { cookie, csrf } => request
                .header(header::COOKIE, cookie)
                .header("x-csrf-token", csrf)
                .header("sec-fetch-site", "same-origin")
                .header("trailmark-project", self.project.to_string()),
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask(&Who::Key(&self.secret), method, path, &body).await
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(super) async fn make(&self, body: Value) -> (i64, Value) {
        let (status, made) = self.send("POST", "", body).await;
        assert_eq!(status, 201, "{made}");
        (made["alert"]["id"].as_i64().unwrap(), made)
    }

    /// Somebody who has logged in with this role.
    async fn browser(&self, role: Role) -> Who<'static> {
        let email = format!("{}@example.com", role.as_str());
        let hash = hash("correct horse battery staple").unwrap();
        self.store
            .create_user(&email, &hash, role, self.clock.now())
            .await
            .unwrap();
        let body = json!({"email": email, "password": "correct horse battery staple"}).to_string();
        let request = Request::post("/api/auth/login").header(header::CONTENT_TYPE, "application/json");
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let session: Value =
            serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap();
        let csrf = session["csrf_token"].as_str().unwrap().to_owned();
        Who::Browser { cookie, csrf }
    }
}

#[tokio::test]
async fn an_alert_is_made_read_changed_silenced_and_deleted() {
    let front = Front::new(&[]).await;
    let (id, made) = front
        .make(json!({"name": "On call", "on": {"kinds": ["monitor_down"]}, "to": {"webhook": {"url": "https://hooks.example.com/T0/secret"}}}))
        .await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let alert = front.get(&format!("/{id}")).await;
    assert_eq!(alert, made["alert"]);
    assert_eq!(alert["to"], json!({"webhook": {"url": "https://hooks.example.com/…"}}));
    assert_eq!((&alert["recover"], &alert["enabled"]), (&json!(true), &json!(true)));
    let change = json!({"name": "Nights", "remind_every_minutes": 60, "on": {}, "recover": false});
    let (status, changed) = front.send("PATCH", &format!("/{id}"), change).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(
        (&changed["name"], &changed["on"], &changed["remind_every_minutes"]),
        (&json!("Nights"), &json!({}), &json!(60))
    );
    let (_, changed) = front
        .send("PATCH", &format!("/{id}"), json!({"remind_every_minutes": null}))
        .await;
    assert_eq!(
        (&changed["name"], &changed["remind_every_minutes"]),
        (&json!("Nights"), &Value::Null)
    );
    let (_, silenced) = front
        .send("POST", &format!("/{id}/silence"), json!({"minutes": 60}))
        .await;
    assert_eq!(silenced["silenced_until"], "2026-11-20T13:00:00.000Z");
    let (_, loud) = front
        .send("POST", &format!("/{id}/silence"), json!({"minutes": 0}))
        .await;
    assert_eq!(loud["silenced_until"], Value::Null);
    assert_eq!(front.get("").await["alerts"], json!([loud]));
    assert_eq!(front.send("DELETE", &format!("/{id}"), Value::Null).await.0, 204);
    for (method, path) in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", "/rotate-secret"),
    ] {
        assert_eq!(
            front.send(method, &format!("/{id}{path}"), Value::Null).await.0,
            404,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing_and_nobody_sees_a_secret_twice() {
    let (front, receiver) = (
        Front::new(&[]).await,
        Receiver::answering([Reply::Say(500, "", "/hook/a-token-that-nobody-sees")]).await,
    );
    let (id, made) = front
        .make(json!({"name": "a", "to": {"webhook": {"url": receiver.url()}}}))
        .await;
    let secret = made["secret"].as_str().unwrap();
    let (_, tried) = front.send("POST", &format!("/{id}/test"), Value::Null).await;
    assert_eq!(
        (&tried["delivered"], &tried["deliveries"][0]["attempts"][0]["status"]),
        (&json!(false), &json!(500))
    );
    let viewer = front.browser(Role::Viewer).await;
    let admin = front.browser(Role::Admin).await;
    for path in ["".to_owned(), format!("/{id}"), format!("/{id}/deliveries")] {
        for who in [&viewer, &admin] {
            let (status, answer) = front.ask(who, "GET", &path, &Value::Null).await;
            assert_eq!(status, 200, "{answer}");
            let text = answer.to_string();
            assert!(
                !text.contains("a-token-that-nobody-sees") && !text.contains(secret),
                "{text}"
            );
        }
    }
    let message = tried["deliveries"][0]["message"].as_str().unwrap();
    let changes = [
        (
            "POST",
            String::new(),
            json!({"name": "b", "to": {"webhook": {"url": "https://a.example"}}}),
        ),
        ("PATCH", format!("/{id}"), json!({"name": "b"})),
        ("POST", format!("/{id}/test"), Value::Null),
        ("POST", format!("/{id}/silence"), json!({"minutes": 1})),
        ("POST", format!("/{id}/rotate-secret"), Value::Null),
        ("POST", format!("/{id}/deliveries/{message}/retry"), Value::Null),
        ("DELETE", format!("/{id}"), Value::Null),
    ];
    for (method, path, body) in &changes {
        let (status, problem) = front.ask(&viewer, method, path, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (403, &json!("not_permitted")),
            "{method} {path}"
        );
    }
    for (method, path, body) in &changes {
        let (status, answer) = front.ask(&admin, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    }
    let write = front
        .store
        .create_key(front.project, KeyKind::Write, "w")
        .await
        .unwrap()
        .text;
    assert_eq!(front.ask(&Who::Key(&write), "GET", "", &Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_project_sees_and_changes_only_its_own() {
    let front = Front::new(&[]).await;
    let (id, _) = front
        .make(json!({"name": "a", "to": {"webhook": {"url": "https://a.example/"}}}))
        .await;
    let other = front.store.create_project("other").await.unwrap().id;
    let key = front
        .store
        .create_key(other, KeyKind::Secret, "other")
        .await
        .unwrap()
        .text;
    let who = Who::Key(&key);
    assert_eq!(front.ask(&who, "GET", "", &Value::Null).await.1["alerts"], json!([]));
    for (method, path, body) in [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({"name": "b"})),
        ("DELETE", "", Value::Null),
        ("POST", "/test", Value::Null),
        ("POST", "/silence", json!({"minutes": 1})),
        ("POST", "/rotate-secret", Value::Null),
        ("GET", "/deliveries", Value::Null),
    ] {
        assert_eq!(
            front.ask(&who, method, &format!("/{id}{path}"), &body).await.0,
            404,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_alert_is_named_by_its_path() {
    let front = Front::new(&[]).await;
    let (id, _) = front
        .make(json!({"name": "a", "to": {"webhook": {"url": "https://a.example/x"}}}))
        .await;
    let (one, hook) = (format!("/{id}"), json!({"webhook": {"url": "https://a.example"}}));
    for (method, path, body, start) in [
        ("POST", "", json!({"to": hook}), "`.` missing field `name`"),
        ("POST", "", json!({"name": "", "to": hook}), "`name` is empty"),
        ("POST", "", json!({"name": "a"}), "`.` missing field `to`"),
        (
            "POST",
            "",
            json!({"name": "a", "to": hook, "x": 1}),
            "`x` unknown field",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": {"sms": {}}}),
            "`to` unknown variant",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": {"webhook": {"url": "ftp://a"}}}),
            "`to.webhook.url` is neither",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": {"webhook": {"url": "http://10.0.0.1/"}}}),
            "`to.webhook.url` cannot be called",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": {"email": {"to": ["a@b.example"]}}}),
            "`to.email` is not possible: this server has no `[smtp]`",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": hook, "on": {"kinds": ["fire"]}}),
            "`on.kinds[0]` unknown variant",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": hook, "on": {"subject": "3"}}),
            "`on.subject` goes with",
        ),
        (
            "POST",
            "",
            json!({"name": "a", "to": hook, "remind_every_minutes": 5}),
            "`remind_every_minutes` is not from 30",
        ),
        (
            "PATCH",
            &one,
            json!({"to": {"webhook": {"url": "https://a.example/…"}}}),
            "`to.webhook.url` is the masked one",
        ),
        (
            "PATCH",
            &one,
            json!({"to": {"email": {"to": ["a@b.example"]}}}),
            "`to` is of another kind",
        ),
        ("POST", &format!("{one}/silence"), json!({}), "`.` has either"),
        ("GET", "/x", Value::Null, "`id` is no number"),
        ("GET", "?limit=1", Value::Null, "`limit` is unknown"),
        (
            "GET",
            &format!("{one}/deliveries?state=lost"),
            Value::Null,
            "`state` is one of",
        ),
        (
            "POST",
            &format!("{one}/deliveries/7/retry"),
            Value::Null,
            "`message` is no id",
        ),
    ] {
        let (status, problem) = front.send(method, path, body.clone()).await;
        assert_eq!(status, 400, "{method} {path} {body}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(start), "{method} {path} {body}: {detail}");
    }
}

#[tokio::test]
async fn a_hundred_alerts_are_enough() {
    let front = Front::new(&[]).await;
    for _ in 0..100 {
        front
            .make(json!({"name": "a", "to": {"webhook": {"url": "https://a.example/"}}}))
            .await;
    }
    let (status, problem) = front
        .send(
            "POST",
            "",
            json!({"name": "a", "to": {"webhook": {"url": "https://a.example/"}}}),
        )
        .await;
    assert_eq!(
        (status, problem["detail"].as_str().unwrap()),
        (400, "`.` is one too many: there are 100 alerts")
    );
}

#[tokio::test]
async fn a_test_says_at_once_how_it_went_and_is_not_tried_again() {
    let sink = Sink::that(Manner::Refuses {
        code: 550,
        to: "bob",
        once: false,
    })
    .await;
    let port = sink.port();
    let settings = [
        ("smtp.host", "localhost"),
        ("smtp.port", port.as_str()),
        ("smtp.tls", "none"),
        ("smtp.from", "t@example.com"),
    ];
    let front = Front::new(&settings).await;
    let (id, made) = front
        .make(json!({"name": "a", "enabled": false, "to": {"email": {"to": ["ann@example.com", "bob@example.com"]}}}))
        .await;
    assert_eq!(made["secret"], Value::Null);
    let (status, tried) = front.send("POST", &format!("/{id}/test"), Value::Null).await;
    assert_eq!((status, &tried["delivered"]), (200, &json!(false)), "{tried}");
    let mut states: Vec<_> = tried["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["recipient"], one["state"]))
        .collect();
    states.sort();
    assert_eq!(
        states,
        ["\"ann@example.com\" \"delivered\"", "\"bob@example.com\" \"dead\""]
    );
    assert!(
        sink.mails()[0]
            .header("Subject")
            .unwrap()
            .starts_with("[Trailmark] Only a test: Shop")
    );
    assert_eq!(
        front.get(&format!("/{id}")).await["dead"],
        0,
        "nothing that matters was lost"
    );
    let (status, problem) = front.send("POST", &format!("/{id}/rotate-secret"), Value::Null).await;
    assert_eq!(status, 400, "{problem}");
}

#[tokio::test]
async fn the_log_has_pages_and_can_be_narrowed() {
    let front = Front::new(&[]).await;
    let receiver = Receiver::answering([Reply::Say(500, "", "")]).await;
    let (id, _) = front
        .make(json!({"name": "a", "to": {"webhook": {"url": receiver.url()}}}))
        .await;
    for _ in 0..5 {
        front.send("POST", &format!("/{id}/test"), Value::Null).await;
        front.clock.advance_micros(1_000_000);
    }
    let first = front.get(&format!("/{id}/deliveries?limit=2")).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = front.get(&format!("/{id}/deliveries?limit=10&cursor={cursor}")).await;
    let count = |page: &Value| page["deliveries"].as_array().unwrap().len();
    assert_eq!(
        (count(&first), count(&rest), &rest["next_cursor"]),
        (2, 3, &Value::Null)
    );
    let dead = front.get(&format!("/{id}/deliveries?state=dead")).await;
    assert_eq!(dead["deliveries"], json!([rest["deliveries"][2]]));
}

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_a_rotation() {
    let house = House::new().await;
    let receiver = Receiver::answering([]).await;
    let alert = house.hook(&receiver.url()).await;
    let until = house.clock.now().plus_micros(86_400_000_000);
    let rotated = house
        .store
        .rotate_alert_secret(house.project, alert, "whsec_bmV3", until)
        .await;
    assert!(rotated.unwrap());
    for (problem, pass) in [(1, 86_399), (2, 1), (3, 0)] {
        house
            .tell_of(
                trailmark_server::observe::Kind::NewIssue,
                &problem.to_string(),
                problem,
                trailmark_server::store::alerts::TransitionKind::Opened,
            )
            .await;
        house.deliver().await;
        house.pass(pass);
    }
    let signatures: Vec<_> = receiver
        .received()
        .iter()
        .map(|one| one.headers["webhook-signature"].split(' ').count())
        .collect();
    assert_eq!(signatures, [2, 2, 1]);
}
