//! The routes of endpoints as a client meets them.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use trailmark_server::clock::ManualClock;
use trailmark_server::config::Config;
use trailmark_server::observe::latency::detect::baselines;
use trailmark_server::store::notes::Observed;
use trailmark_server::store::{KeyKind, Store};

use super::{fold, get, minutes, request};
use crate::support;

/// The routes of a server at half past noon, over a project with a key.
struct Front {
    router: Router,
    store: Store,
    project: i32,
    key: String,
    _folder: TempDir,
}

impl Front {
    async fn new() -> Self {
        let store = support::store().await;
        let project = store.create_project("p").await.unwrap().id;
        let key = store.create_key(project, KeyKind::Secret, "test").await.unwrap().text;
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(None, [], []).unwrap();
        let app = support::app::app(store.clone(), ManualClock::at(minutes(30)), config, folder.path());
        Self {
            router: trailmark_server::gateway::router(&app),
            store,
            project,
            key,
            _folder: folder,
        }
    }

    async fn ask(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn good(&self, path: &str) -> Value {
        let (status, answer) = self.ask(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    async fn fold(&self, events: &[Observed]) {
        fold(&self.store, self.project, events).await;
    }
}

fn paths(answer: &Value) -> Vec<&str> {
    let endpoints = answer["endpoints"].as_array().unwrap();
    endpoints
        .iter()
        .map(|endpoint| endpoint["path"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn endpoints_are_listed_with_volume_errors_durations_and_what_is_usual() {
    let front = Front::new().await;
    let long_ago: Vec<_> = (0..200)
        .map(|n| request(-300, get("/users/7", 200, f64::from(n))))
        .collect();
    front.fold(&long_ago).await;
    baselines(&front.store, minutes(30)).await.unwrap();
    let lately: Vec<_> = (0..99)
        .map(|n| request(20, get("/users/8", if n < 2 { 500 } else { 200 }, 10.0)))
        .collect();
    front.fold(&lately).await;
    front.fold(&[request(21, get("/users/9", 404, 90.0))]).await;
    let answer = front
        .good("/api/v1/endpoints?from=2026-11-22T12:20:00Z&to=2026-11-22T12:22:00Z")
        .await;
    assert_eq!(
        answer,
        json!({"from": "2026-11-22T12:20:00.000Z", "to": "2026-11-22T12:22:00.000Z", "next_cursor": null, "endpoints": [{
            "source": "server", "host": null, "method": "GET", "path": "/users/:id", "requests": 100, "errors": 2,
            "client_errors": 1, "error_rate": 0.02, "mean_ms": 10.8, "p50_ms": 9.727, "p95_ms": 9.727,
            "p99_ms": 9.727, "max_ms": 90.0, "usual": {"requests": 200, "error_rate": 0.0, "p95_ms": 188.415}}]})
    );
    assert_eq!(
        front.good("/api/v1/endpoints").await["endpoints"][0]["requests"],
        300,
        "the last 24 hours"
    );
}

#[tokio::test]
async fn endpoints_come_in_the_order_that_is_asked_for_and_pages_are_all_of_them_once() {
    let front = Front::new().await;
    let mut events = Vec::new();
    for n in 0..25 {
        events.push(request(0, get(&format!("/many{}", n % 2), 200, 5.0)));
    }
    events.push(request(0, get("/slow", 200, 900.0)));
    events.extend((0..4).map(|_| request(0, get("/failing", 500, 1.0))));
    events.extend((0..40).map(|_| request(0, get("/outlier", 200, 1.0))));
    events.push(request(0, get("/outlier", 200, 5_000.0)));
    events.push(request(
        0,
        json!({"method": "GET", "host": "h", "path": "/app", "status": 200}),
    ));
    front.fold(&events).await;
    for (sort, first) in [
        ("volume", "/outlier"),
        ("p95", "/slow"),
        ("error_rate", "/failing"),
        ("slowest", "/outlier"),
    ] {
        let answer = front.good(&format!("/api/v1/endpoints?sort={sort}")).await;
        assert_eq!((paths(&answer).len(), paths(&answer)[0]), (6, first), "{sort}");
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = front
                .good(&format!("/api/v1/endpoints?sort={sort}&limit=1{cursor}"))
                .await;
            seen.extend(paths(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, paths(&answer), "{sort}");
    }
    let clients = front.good("/api/v1/endpoints?source=client").await;
    assert_eq!(
        (paths(&clients), &clients["endpoints"][0]["p95_ms"]),
        (vec!["/app"], &Value::Null)
    );
}

#[tokio::test]
async fn an_endpoint_is_told_over_time_in_steps_that_fit() {
    let front = Front::new().await;
    let events: Vec<_> = [-3_000, -100, 0, 0, 3, 4]
        .map(|minute| request(minute, get("/users/1", if minute == 3 { 503 } else { 200 }, 8.0)))
        .into();
    front.fold(&events).await;
    front
        .fold(&[request(
            3,
            json!({"method": "GET", "host": "h", "path": "/users/1", "status": 200}),
        )])
        .await;
    let points = async |query: &str| {
        let answer = front
            .good(&format!("/api/v1/endpoints/series?method=GET&path=/users/:id{query}"))
            .await;
        let points = answer["points"].as_array().unwrap().iter();
        let points: Vec<_> = points
            .map(|point| {
                (
                    point["at"].as_str().unwrap()[8..16].to_owned(),
                    point["requests"].as_i64().unwrap(),
                )
            })
            .collect();
        (answer["step"].as_str().unwrap().to_owned(), points)
    };
    let told = |step: &str, points: &[(&str, i64)]| {
        (
            step.to_owned(),
            points.iter().map(|(at, n)| ((*at).to_owned(), *n)).collect::<Vec<_>>(),
        )
    };
    let minute = points("&from=2026-11-22T11:59:10Z&source=server").await;
    assert_eq!(
        minute,
        told("minute", &[("22T12:00", 2), ("22T12:03", 1), ("22T12:04", 1)])
    );
    assert_eq!(points("").await, told("5 minutes", &[("22T10:20", 1), ("22T12:00", 5)]));
    assert_eq!(points("&host=h").await, told("5 minutes", &[("22T12:00", 1)]));
    let days = points("&from=2026-11-02T00:00:00Z").await;
    assert_eq!(days, told("hour", &[("20T10:00", 1), ("22T10:00", 1), ("22T12:00", 5)]));
    let months = points("&from=2026-06-02T00:00:00Z").await;
    assert_eq!(months, told("day", &[("20T00:00", 1), ("22T00:00", 6)]));
    let whole = front.good("/api/v1/endpoints/series?method=GET&path=/users/:id&source=server&from=2026-11-22T12:03:00Z&to=2026-11-22T12:04:00Z").await;
    assert_eq!(
        whole,
        json!({"from": "2026-11-22T12:03:00.000Z", "to": "2026-11-22T12:04:00.000Z", "step": "minute", "points": [{
            "at": "2026-11-22T12:03:00.000Z", "requests": 1, "errors": 1, "client_errors": 0, "error_rate": 1.0,
            "p50_ms": 7.935, "p95_ms": 7.935, "p99_ms": 7.935, "max_ms": 8.0}]})
    );
}

/// The example answers of docs/api.md have the fields that real answers have.
#[tokio::test]
async fn answers_have_the_fields_that_the_manual_shows() {
    const MANUAL: &str = include_str!("../../../../docs/api.md");
    let example = |name: &str| -> Value {
        let begins = format!("<!-- example: {name} -->\n```json\n");
        let block = MANUAL.split_once(&begins).expect(name).1;
        serde_json::from_str(block.split_once("```").unwrap().0).expect(name)
    };
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let front = Front::new().await;
    let events: Vec<_> = (0..200).map(|_| request(-300, get("/users/7", 200, 9.0))).collect();
    front.fold(&events).await;
    baselines(&front.store, minutes(30)).await.unwrap();
    let (list, series) = (example("endpoints"), example("endpoint-series"));
    let listed = front.good("/api/v1/endpoints").await;
    let told = front.good("/api/v1/endpoints/series?method=GET&path=/users/:id").await;
    assert_eq!(fields(&list), fields(&listed));
    assert_eq!(fields(&list["endpoints"][0]), fields(&listed["endpoints"][0]));
    assert_eq!(
        fields(&list["endpoints"][0]["usual"]),
        fields(&listed["endpoints"][0]["usual"])
    );
    assert_eq!(fields(&series), fields(&told));
    assert_eq!(fields(&series["points"][0]), fields(&told["points"][0]));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name_and_what_is_not_there_is_not_found() {
    let front = Front::new().await;
    for (path, status, code, detail) in [
        (
            "/api/v1/endpoints?sort=name",
            400,
            "invalid_parameter",
            "`sort` is one of volume",
        ),
        (
            "/api/v1/endpoints?source=phone",
            400,
            "invalid_parameter",
            "`source` is one of gateway",
        ),
        ("/api/v1/endpoints?cursor=x", 400, "invalid_parameter", "`cursor`"),
        ("/api/v1/endpoints?limit=0", 400, "invalid_parameter", "`limit`"),
        (
            "/api/v1/endpoints?from=2027-01-01T00:00:00Z",
            400,
            "invalid_parameter",
            "`from` is in the future",
        ),
        (
            "/api/v1/endpoints/series?method=GET",
            400,
            "invalid_parameter",
            "`path` is missing",
        ),
        (
            "/api/v1/endpoints/series?path=/a%00",
            400,
            "invalid_parameter",
            "`path` holds a NUL",
        ),
        (
            "/api/v1/endpoints/series?method=GET&path=/nobody",
            404,
            "not_found",
            "there is no such endpoint",
        ),
    ] {
        let (answered, problem) = front.ask(path).await;
        assert_eq!(
            (answered.as_u16(), &problem["code"]),
            (status, &json!(code)),
            "{path}: {problem}"
        );
        assert!(
            problem["detail"].as_str().unwrap().starts_with(detail),
            "{path}: {problem}"
        );
    }
    let other = front.store.create_project("other").await.unwrap().id;
    fold(&front.store, other, &[request(0, get("/theirs", 200, 1.0))]).await;
    assert_eq!(front.good("/api/v1/endpoints").await["endpoints"], json!([]));
    assert_eq!(
        front.ask("/api/v1/endpoints/series?method=GET&path=/theirs").await.0,
        StatusCode::NOT_FOUND
    );
}
