//! A server's routes over a project of their own, and who calls them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use trailmark_protocol::Timestamp;
use trailmark_server::app::App;
use trailmark_server::clock::ManualClock;
use trailmark_server::config::Config;
use trailmark_server::gateway::edge::Peer;
use trailmark_server::gateway::login::password::hash;
use trailmark_server::store::{KeyKind, Role};

use super::watch::BEGINNING;
use crate::support;

const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    router: axum::Router,
    pub(crate) project: i32,
    secret: String,
    _folder: tempfile::TempDir,
}

/// A status and a JSON body.
pub(crate) type Answer = (u16, Value);

impl House {
    pub(crate) async fn new() -> Self {
        let store = support::store().await;
        let project = store.create_project("p").await.unwrap().id;
        let secret = store.create_key(project, KeyKind::Secret, "test").await.unwrap().text;
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::load(None, [], []).unwrap();
        config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
        config.rate_limit.per_ip_per_second = 0;
        let clock = ManualClock::at(Timestamp::parse(BEGINNING).unwrap());
        let app = support::app::app(store, clock.clone(), config, folder.path());
        Self {
            router: trailmark_server::gateway::router(&app),
            app,
            clock,
            project,
            secret,
            _folder: folder,
        }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer::plain(Ipv4Addr::LOCALHOST.into()));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// With the project's secret key.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.secret);
        self.send(method, path, &[("authorization", &bearer)], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) async fn make(&self, body: &Value) -> i64 {
        let (status, made) = self.ask("POST", "/api/v1/monitors", body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_i64().unwrap()
    }

    /// The detail of a refusal with 400.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &Value) -> String {
        let (status, problem) = self.ask(method, path, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &json!("invalid_parameter")),
            "{problem}"
        );
        problem["detail"].as_str().unwrap().to_owned()
    }

    /// Checks what is due by now.
    pub(crate) async fn run(&self) {
        self.app.uptime.run_due().await.unwrap();
        self.app.uptime.settled().await;
    }

    /// A user's headers.
    pub(crate) async fn user(&self, email: &str, role: Role) -> [(String, String); 4] {
        let (store, hash) = (&self.app.store, hash(PASSWORD).unwrap());
        store
            .create_user(email, &hash, role, self.app.clock.now())
            .await
            .unwrap();
        let body = json!({"email": email, "password": PASSWORD}).to_string();
        let request = Request::post("/api/auth/login")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(Peer::plain(Ipv4Addr::LOCALHOST.into()));
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let csrf = answer["csrf_token"].as_str().unwrap().to_owned();
        [
            ("cookie".to_owned(), cookie),
            ("x-csrf-token".to_owned(), csrf),
            ("sec-fetch-site".to_owned(), "same-origin".to_owned()),
            ("trailmark-project".to_owned(), self.project.to_string()),
        ]
    }
}
