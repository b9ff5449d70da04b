//! A server's routes over a database of their own, and a browser that keeps the cookie.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use trailmark_protocol::Timestamp;
use trailmark_server::app::App;
use trailmark_server::clock::{Clock, ManualClock};
use trailmark_server::config::Config;
use trailmark_server::gateway::edge::Peer;
use trailmark_server::gateway::login::config::{LockoutConfig, SessionConfig};
use trailmark_server::gateway::login::password::hash;
use trailmark_server::gateway::login::{LoginPolicy, Mint, Tokens};
use trailmark_server::store::{Role, Store, User};

use crate::support;

pub(crate) const EMAIL: &str = "ann@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
const BEGINNING: i64 = 1_795_000_000_000;

/// The routes of a server, without its connections.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    router: axum::Router,
    _folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    /// Its status and problem code.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.json["code"].as_str().unwrap_or_default())
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::over(support::store().await)
    }

    pub(crate) fn over(store: Store) -> Self {
        Self::configured(store, |_, _| {})
    }

    /// With another configuration; its files are in the folder.
    pub(crate) fn configured(store: Store, configure: impl FnOnce(&mut Config, &Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::load(None, [], []).unwrap();
        config.rate_limit.per_ip_per_second = 0;
        configure(&mut config, folder.path());
        let clock = ManualClock::at(Timestamp::from_millis(BEGINNING));
        let app = support::app::app(store, clock.clone(), config, folder.path());
        Self {
            router: trailmark_server::gateway::router(&app),
            app,
            clock,
            _folder: folder,
        }
    }

    /// With Ann, an owner.
    pub(crate) async fn with_ann() -> Self {
        let house = Self::new().await;
        house.user(EMAIL, Role::Owner).await;
        house
    }

    pub(crate) async fn user(&self, email: &str, role: Role) -> User {
        let hash = hash(PASSWORD).unwrap();
        self.store()
            .create_user(email, &hash, role, self.clock.now())
            .await
            .unwrap()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    /// Goes on with another policy, and the defaults for sessions.
    pub(crate) fn policy(&self, policy: LoginPolicy) {
        self.app.login.configure(SessionConfig::default(), policy);
    }

    pub(crate) fn lockout(&self, lockout: LockoutConfig) {
        self.policy(LoginPolicy {
            lockout,
            ..LoginPolicy::default()
        });
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance_micros(seconds * 1_000_000);
    }

    /// The answer, whose body may never end.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    /// `POST` of JSON from an address.
    pub(crate) async fn post_from(&self, address: IpAddr, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.extension(Peer::plain(address));
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// `POST` of JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_from(Ipv4Addr::LOCALHOST.into(), path, body).await
    }

    /// `GET` with a key or another token.
    pub(crate) async fn get_with(&self, token: &str, path: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// `POST /api/auth/login` from an address.
    pub(crate) async fn log_in_from(&self, address: IpAddr, email: &str, password: &str) -> Answer {
        let credentials = json!({"email": email, "password": password});
        self.post_from(address, "/api/auth/login", &credentials).await
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.log_in_from(Ipv4Addr::LOCALHOST.into(), email, password).await
    }

    /// A browser in which Ann has logged in.
    pub(crate) async fn browser(&self) -> Browser<'_> {
        self.browser_of(EMAIL).await
    }

    /// A browser in which a user has logged in.
    pub(crate) async fn browser_of(&self, email: &str) -> Browser<'_> {
        self.browser_after(&self.log_in(email, PASSWORD).await)
    }

    /// A new user with a role, in a browser of its own.
    pub(crate) async fn browser_as(&self, email: &str, role: Role) -> Browser<'_> {
        self.user(email, role).await;
        self.browser_of(email).await
    }

    /// The browser that got this answer to a login.
    pub(crate) fn browser_after(&self, answer: &Answer) -> Browser<'_> {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let browser = Browser {
            house: self,
            cookie: Mutex::default(),
            csrf: answer.json["csrf_token"].as_str().unwrap().to_owned(),
        };
        browser.keep(answer);
        browser
    }
}

/// A browser in which somebody is logged in.
pub(crate) struct Browser<'a> {
    pub(crate) house: &'a House,
    cookie: Mutex<String>,
    pub(crate) csrf: String,
}

impl Browser<'_> {
    /// The cookie as it is sent.
    pub(crate) fn cookie(&self) -> String {
        self.cookie.lock().unwrap().clone()
    }

    fn keep(&self, answer: &Answer) {
        if let Some(set) = answer.headers.get(header::SET_COOKIE) {
            let set = set.to_str().unwrap().split(';').next().unwrap();
            set.clone_into(&mut self.cookie.lock().unwrap());
        }
    }

    /// A request of the session's page, whose answer may replace the cookie.
    pub(crate) async fn send(&self, method: Method, path: &str) -> Answer {
        let answer = self.send_with(&self.cookie(), method, path).await;
        self.keep(&answer);
        answer
    }

    /// The same with a cookie from somewhere else.
    pub(crate) async fn send_with(&self, cookie: &str, method: Method, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header(header::COOKIE, cookie)
            .header("x-csrf-token", &self.csrf);
        let request = request.header("sec-fetch-site", "same-origin");
        self.house.ask(request.body(Body::empty()).unwrap()).await
    }

    /// A request of the session's page with a body.
    pub(crate) async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header(header::COOKIE, self.cookie())
            .header("x-csrf-token", &self.csrf);
        let request = request.header("sec-fetch-site", "same-origin");
        self.house
            .ask(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::POST, path, body).await
    }

    pub(crate) async fn refresh(&self) -> Answer {
        self.send(Method::POST, "/api/auth/refresh").await
    }

    pub(crate) async fn me(&self) -> Answer {
        self.send(Method::GET, "/api/auth/me").await
    }

    /// What dispatch learns of a request with this session.
    pub(crate) async fn check(&self) -> Result<trailmark_server::gateway::caller::Caller, &'static str> {
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&self.cookie()).unwrap())]);
        let sessions = self.house.app.login.sessions();
        let checked = sessions.check(&headers, &Method::GET, self.house.clock.now()).await;
        checked
            .expect("there is a cookie")
            .map_err(|problem| problem.code().as_str())
    }
}

/// Tokens that anybody can read.
pub(crate) struct Readable;

impl Mint for Readable {
    fn mint(&self, user: &str, email: &str, roles: &[String], now: Timestamp) -> String {
        format!("{user} {email} {roles:?} {}", now.millis())
    }
}

pub(crate) fn readable_tokens() -> Tokens {
    Tokens {
        mint: Arc::new(Readable),
        expires: Duration::from_secs(900),
    }
}
