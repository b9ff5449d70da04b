//! Issues as a dashboard meets them: who may look, who may change, filters, pages.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{Request, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use trailmark_server::clock::ManualClock;
use trailmark_server::config::Config;
use trailmark_server::gateway::edge::Peer;
use trailmark_server::gateway::login::password::hash;
use trailmark_server::store::{KeyKind, Role};

use crate::errors_world::{DAY, HOUR, MINUTE, World, at, error};
use crate::support::app::app;

const PASSWORD: &str = "correct horse battery staple";

/// The routes of a server over a project, without its connections; it is an hour after the beginning.
struct Front {
    router: axum::Router,
    world: World,
    secret: String,
    _folder: TempDir,
}

/// Who asks.
#[derive(Clone)]
enum Who {
    Key(String),
    Session { cookie: String, csrf: String },
}

impl Front {
    async fn over(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::load(None, [], []).unwrap();
        config.rate_limit.per_ip_per_second = 0;
        let app = app(world.store.clone(), ManualClock::at(at(HOUR)), config, folder.path());
        let secret = world
            .store
            .create_key(world.project, KeyKind::Secret, "test")
            .await
            .unwrap()
            .text;
        Self {
            router: trailmark_server::gateway::router(&Arc::clone(&app)),
            world,
            secret,
            _folder: folder,
        }
    }

    /// Three issues, of which B is the latest, A the most frequent, and C meets the most people.
    async fn new() -> Self {
        let world = World::new().await;
        world
            .meet(&[
                error(0, "ann", "A"),
                error(1, "ann", "A"),
                error(2, "ann", "A"),
                error(3, "ann", "A").release("1.1"),
                error(10, "ann", "C").level("fatal"),
                error(11, "bob", "C"),
                error(12, "cid", "C"),
                error(30 * MINUTE, "ann", "B").level("warning"),
            ])
            .await;
        Self::over(world).await
    }

    async fn ask(&self, who: &Who, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let project = self.world.project.to_string();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        let request = match who {
            Who::Key(key) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
            Who::Session { cookie, csrf } => {
                let request = request.header(header::COOKIE, cookie).header("X-Csrf-Token", csrf);
                request.header("Trailmark-Project", project)
            }
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body.to_string())).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    fn key(&self) -> Who {
        Who::Key(self.secret.clone())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(&self.key(), "GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The types of a list, in its order.
    async fn kinds(&self, query: &str) -> String {
        let answer = self.get(&format!("/api/v1/issues{query}")).await;
        answer["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["type"].as_str().unwrap())
            .collect()
    }

    async fn number(&self, kind: &str) -> i64 {
        let answer = self.get("/api/v1/issues").await;
        let issue = answer["issues"]
            .as_array()
            .unwrap()
            .iter()
            .find(|issue| issue["type"] == kind)
            .unwrap()
            .clone();
        issue["number"].as_i64().unwrap()
    }

    async fn patch(&self, kind: &str, body: &Value) -> (u16, Value) {
        let path = format!("/api/v1/issues/{}", self.number(kind).await);
        self.ask(&self.key(), "PATCH", &path, body).await
    }

    /// Somebody with this role, logged in.
    async fn user(&self, role: Role) -> Who {
        let email = format!("{}@example.com", role.as_str());
        self.world
            .store
            .create_user(&email, &hash(PASSWORD).unwrap(), role, at(0))
            .await
            .unwrap();
        let body = json!({"email": email, "password": PASSWORD}).to_string();
        let request = Request::post("/api/auth/login").header(header::CONTENT_TYPE, "application/json");
        let request = request
            .extension(Peer::plain(Ipv4Addr::LOCALHOST.into()))
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let cookie = response.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap();
        Who::Session {
            cookie,
            csrf: body["csrf_token"].as_str().unwrap().to_owned(),
        }
    }
}

#[tokio::test]
async fn issues_are_sorted_filtered_and_searched() {
    let front = Front::new().await;
    for (query, expected) in [
        ("", "BCA"),
        ("?sort=last_seen", "BCA"),
        ("?sort=first_seen", "BCA"),
        ("?sort=events", "ACB"),
        ("?sort=people&limit=1", "C"),
        ("?level=fatal", "C"),
        ("?level=warning", "B"),
        ("?release=1.1", "A"),
        ("?release=9", ""),
        ("?state=new", "BCA"),
        ("?state=open", "BCA"),
        ("?state=resolved", ""),
        ("?q=a:%20NO%20Card", "A"),
        ("?q=package:shop", "BCA"),
        ("?q=100%25", ""),
        ("?from=2026-11-20T12:15:00Z", "B"),
        ("?to=2026-11-20T12:15:00Z", "CA"),
        ("?from=2026-11-20T12:14:00Z&to=2026-11-20T12:14:30Z", "CA"),
    ] {
        assert_eq!(front.kinds(query).await, expected, "{query}");
    }
    front.patch("A", &json!({"state": "resolved"})).await;
    front.patch("B", &json!({"state": "ignored"})).await;
    assert_eq!(
        (
            front.kinds("?state=open").await.as_str(),
            front.kinds("?state=resolved").await.as_str()
        ),
        ("C", "A")
    );
}

#[tokio::test]
async fn pages_lead_through_all_issues_and_none_comes_twice() {
    let world = World::new().await;
    let kinds: Vec<String> = (0..25).map(|n| format!("K{}", char::from(b'a' + n))).collect();
    let errors: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(n, kind)| error(n as i64 / 4, "ann", kind))
        .collect();
    world.meet(&errors).await;
    let front = Front::over(world).await;
    for sort in ["last_seen", "first_seen", "events", "people"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = front.get(&format!("/api/v1/issues?sort={sort}&limit=7{cursor}")).await;
            seen.extend(
                page["issues"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|issue| issue["type"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 25, "{sort}");
        seen.sort();
        assert_eq!(seen, kinds, "{sort}");
    }
}

#[tokio::test]
async fn an_issue_is_shown_with_its_course_its_releases_and_its_stacks() {
    let front = Front::new().await;
    let issue = front.get(&format!("/api/v1/issues/{}", front.number("A").await)).await;
    let expected = json!({"type": "A", "title": "no card 0", "culprit": "Cart.pay (package:shop/cart.dart)", "level": "error",
                          "handled": true, "state": "new", "events": 4, "people": 1, "resolved": null, "first_release": "1.0",
                          "last_release": "1.1", "first_seen": "2026-11-20T12:00:00.000Z"});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&issue[field], value, "{field}: {issue}");
    }
    let sum = |course: &Value| {
        course["counts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|count| count.as_i64().unwrap())
            .sum::<i64>()
    };
    for (course, steps) in [("hours", 24), ("quarters", 96), ("days", 30)] {
        assert_eq!(
            (issue[course]["counts"].as_array().unwrap().len(), sum(&issue[course])),
            (steps, 4),
            "{course}"
        );
    }
    assert_eq!(issue["quarters"]["counts"][91], 4, "{}", issue["quarters"]);
    assert_eq!(issue["releases"][0]["release"], "1.1");
    assert_eq!(issue["samples"].as_array().unwrap().len(), 4);
    assert_eq!(issue["samples"][0]["anonymous_id"], "ann");
    let stack = &issue["samples"][0]["properties"]["$exception_list"][0]["stacktrace"]["frames"][0];
    assert_eq!(stack["function"], "Cart.pay");
}

#[tokio::test]
async fn who_may_look_may_not_always_change() {
    let front = Front::new().await;
    let path = format!("/api/v1/issues/{}", front.number("A").await);
    let change = json!({"state": "resolved"});
    let viewer = front.user(Role::Viewer).await;
    let admin = front.user(Role::Admin).await;
    assert_eq!(front.ask(&viewer, "GET", &path, &Value::Null).await.0, 200);
    assert_eq!(front.ask(&viewer, "GET", "/api/v1/issues", &Value::Null).await.0, 200);
    let (status, problem) = front.ask(&viewer, "PATCH", &path, &change).await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("not_permitted")));
    assert_eq!(front.get(&path).await["state"], "new");
    let (status, issue) = front.ask(&admin, "PATCH", &path, &change).await;
    assert_eq!((status, issue["state"].as_str()), (200, Some("resolved")), "{issue}");
    assert_eq!(
        issue["resolved"],
        json!({"at": "2026-11-20T13:00:00.000Z", "by": "admin@example.com", "in_release": null})
    );
    let write = front
        .world
        .store
        .create_key(front.world.project, KeyKind::Write, "test")
        .await
        .unwrap()
        .text;
    assert_eq!(front.ask(&Who::Key(write), "GET", &path, &Value::Null).await.0, 403);
}

#[tokio::test]
async fn an_issue_is_resolved_ignored_and_reopened_by_hand() {
    let front = Front::new().await;
    let (status, issue) = front
        .patch("A", &json!({"state": "resolved", "in_release": "1.2"}))
        .await;
    assert_eq!((status, issue["resolved"]["in_release"].as_str()), (200, Some("1.2")));
    assert!(issue["resolved"]["by"].as_str().unwrap().starts_with("key "));
    front.world.meet(&[error(2 * HOUR, "ann", "A").release("1.1")]).await;
    assert_eq!(front.kinds("?state=resolved").await, "A");
    front.world.meet(&[error(3 * HOUR, "ann", "A").release("1.2")]).await;
    assert_eq!(front.kinds("?state=regressed").await, "A");
    for state in ["ignored", "ongoing"] {
        let (status, issue) = front.patch("A", &json!({"state": state})).await;
        assert_eq!((status, issue["state"].as_str()), (200, Some(state)));
    }
    front.world.meet(&[error(DAY, "ann", "A")]).await;
    assert_eq!(front.kinds("?state=ongoing").await, "A");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let front = Front::new().await;
    for (body, start) in [
        (json!({}), "`.` missing field `state`"),
        (json!({"state": "new"}), "`state` is none that can be said"),
        (json!({"state": "gone"}), "`state` unknown variant"),
        (json!({"state": "ignored", "in_release": "1"}), "`in_release` goes with"),
        (json!({"state": "resolved", "in_release": ""}), "`in_release` is empty"),
        (json!({"state": "resolved", "x": 1}), "`x` unknown field"),
    ] {
        let (status, problem) = front.patch("A", &body).await;
        assert_eq!(status, 400, "{body}");
        assert!(
            problem["detail"].as_str().unwrap().starts_with(start),
            "{body}: {problem}"
        );
    }
    for (path, expected) in [
        ("/api/v1/issues/99", 404),
        ("/api/v1/issues/x", 400),
        ("/api/v1/issues?state=bad", 400),
        ("/api/v1/issues?sort=title", 400),
        ("/api/v1/issues?cursor=7", 400),
        ("/api/v1/issues?limit=0", 400),
        ("/api/v1/issues?from=x", 400),
    ] {
        assert_eq!(
            front.ask(&front.key(), "GET", path, &Value::Null).await.0,
            expected,
            "{path}"
        );
    }
    let other = front.world.store.create_project("q").await.unwrap().id;
    let key = Who::Key(
        front
            .world
            .store
            .create_key(other, KeyKind::Secret, "test")
            .await
            .unwrap()
            .text,
    );
    let own = format!("/api/v1/issues/{}", front.number("A").await);
    assert_eq!(front.ask(&key, "GET", &own, &Value::Null).await.0, 404);
    assert_eq!(
        front.ask(&key, "PATCH", &own, &json!({"state": "resolved"})).await.0,
        404
    );
    assert_eq!(
        front.ask(&key, "GET", "/api/v1/issues", &Value::Null).await.1["issues"],
        json!([])
    );
}
