//! Monitors as a client meets them: keys, roles, parameters, and the manual.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailmark_server::store::{KeyKind, Role};

use super::house::House;
use super::site::Site;
use super::watch::SECOND;

const MANUAL: &str = include_str!("../../../../docs/api.md");

fn page(url: &str) -> Value {
    json!({"name": "Shop", "http": {"url": url}})
}

#[tokio::test]
async fn a_monitor_is_made_looked_at_changed_and_deleted() {
    let (house, site) = (House::new().await, Site::new().await);
    let id = house.make(&page(&site.url("/"))).await;
    let path = format!("/api/v1/monitors/{id}");
    let made = house.get(&path).await;
    assert_eq!((&made["state"], &made["last_check"]), (&json!("unknown"), &Value::Null));
    assert_eq!(
        (&made["interval_s"], &made["timeout_ms"], &made["tcp"]),
        (&json!(60), &json!(10_000), &Value::Null)
    );
    house.run().await;
    let checked = house.get(&path).await;
    assert_eq!(
        (&checked["state"], &checked["last_check"]["error"]),
        (&json!("up"), &Value::Null)
    );
    assert_eq!(checked["hours"][23]["checks"], 1);
    assert_eq!(house.get("/api/v1/monitors").await["monitors"], json!([checked]));

    let (_, renamed) = house
        .ask("PATCH", &path, &json!({"name": "Store", "interval_s": 30}))
        .await;
    assert_eq!(
        (&renamed["name"], &renamed["interval_s"], &renamed["state"]),
        (&json!("Store"), &json!(30), &json!("up"))
    );
    let (_, other) = house
        .ask("PATCH", &path, &json!({"http": {"url": site.url("/other")}}))
        .await;
    assert_eq!(
        (&other["state"], &other["last_check"]),
        (&json!("unknown"), &Value::Null)
    );
    let (_, paused) = house.ask("PATCH", &path, &json!({"paused": true})).await;
    assert_eq!(paused["state"], "paused");
    let detail = house.refused("POST", &format!("{path}/check"), &Value::Null).await;
    assert_eq!(detail, "`id` is of a monitor that is paused");
    let (_, renamed) = house.ask("PATCH", &path, &json!({"name": "still"})).await;
    assert_eq!(renamed["state"], "paused");
    house.ask("PATCH", &path, &json!({"paused": false})).await;
    site.says(503);
    let (status, checked) = house.ask("POST", &format!("{path}/check"), &Value::Null).await;
    assert_eq!((status, &checked["state"]), (200, &json!("failing")));
    assert_eq!(checked["last_check"]["error"], "503 instead of 200-299");

    assert_eq!(house.ask("DELETE", &path, &Value::Null).await.0, 204);
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/history")),
        ("POST", format!("{path}/check")),
    ] {
        assert_eq!(house.ask(method, &path, &Value::Null).await.0, 404, "{method} {path}");
    }
    assert_eq!(house.ask("PATCH", &path, &json!({})).await.0, 404);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_place() {
    let (house, site) = (House::new().await, Site::new().await);
    let with = |more: Value| {
        let mut body = page(&site.url("/"));
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let tcp = json!({"host": "site.example", "port": 1});
    for (body, detail) in [
        (with(json!({"name": ""})), "`name` is empty"),
        (
            with(json!({"interval_s": 5})),
            "`interval_s` is no number of seconds from 10 to 3600",
        ),
        (
            with(json!({"interval_s": 10, "timeout_ms": 20_000})),
            "`timeout_ms` is longer than the interval",
        ),
        (
            with(json!({"tcp": tcp})),
            "`tcp` is given beside `http`: a monitor asks one thing",
        ),
        (json!({"name": "n"}), "`.` has neither `http` nor `tcp`"),
        (with(json!({"every": 5})), "`every` unknown field"),
        (
            page("http://10.0.0.1/"),
            "`http.url` cannot be called: 10.0.0.1 leads to",
        ),
        (
            with(json!({"http": {"url": "http://a.example", "headers": {"x": null}}})),
            "`http.headers.x` has no value",
        ),
        (
            with(json!({"http": {"url": "http://a.example", "expected_body": [{"matches": "("}]}})),
            "`http.expected_body[0].matches` is an invalid regular expression",
        ),
        (
            with(json!({"http": {"url": "http://a.example", "expected_body": [{"matches": "\0"}]}})),
            "`http.expected_body[0].matches` holds a NUL",
        ),
    ] {
        let found = house.refused("POST", "/api/v1/monitors", &body).await;
        assert!(found.starts_with(detail), "{detail}: {found}");
    }
    let id = house.make(&page(&site.url("/"))).await;
    let path = format!("/api/v1/monitors/{id}");
    for (body, detail) in [
        (json!({"tcp": tcp}), "`tcp` is not for this monitor: it makes a request"),
        (
            json!({"interval_s": 10, "timeout_ms": 10_001}),
            "`timeout_ms` is longer than the interval",
        ),
        (
            json!({"http": {"url": "http://a.example", "headers": {"x": null}}}),
            "`http.headers.x` has no value",
        ),
    ] {
        assert_eq!(house.refused("PATCH", &path, &body).await, detail);
    }
    assert_eq!(
        house.refused("GET", "/api/v1/monitors/x", &Value::Null).await,
        "`id` is no number of a monitor"
    );
    for (query, detail) in [
        ("monitor=x", "`monitor` is no number of a monitor"),
        ("open=1", "`open` is neither true nor false"),
        ("cursor=x", "`cursor` is none that this server gave out"),
        ("form=2026-11-20T00:00:00Z", "`form` is unknown"),
    ] {
        let found = house
            .refused("GET", &format!("/api/v1/incidents?{query}"), &Value::Null)
            .await;
        assert!(found.starts_with(detail), "{query}: {found}");
    }
}

#[tokio::test]
async fn values_of_headers_are_sent_and_never_shown() {
    let (house, site) = (House::new().await, Site::new().await);
    let http = json!({"url": site.url("/"), "headers": {"Authorization": "Bearer hush", "x-a": "hush too"}});
    let id = house.make(&json!({"name": "n", "http": http})).await;
    let path = format!("/api/v1/monitors/{id}");
    let shown = house.get(&path).await;
    assert_eq!(shown["http"]["headers"], json!({"authorization": null, "x-a": null}));
    // What is shown can be sent back as it is.
    let mut http = shown["http"].clone();
    http["headers"].as_object_mut().unwrap().remove("x-a");
    http["url"] = json!(site.url("/there"));
    let (status, changed) = house.ask("PATCH", &path, &json!({"http": http})).await;
    assert_eq!(status, 200, "{changed}");
    house.run().await;
    let request = site.requests().pop().unwrap();
    assert!(
        request.starts_with("GET /there") && request.contains("authorization: Bearer hush\r\n"),
        "{request}"
    );
    assert!(!request.contains("x-a"));
    for path in [path.as_str(), "/api/v1/monitors", "/api/v1/incidents"] {
        assert!(!house.get(path).await.to_string().contains("hush"), "{path}");
    }
}

#[tokio::test]
async fn there_are_at_most_two_hundred() {
    let house = House::new().await;
    for _ in 0..200 {
        house
            .make(&json!({"name": "n", "tcp": {"host": "127.0.0.1", "port": 1}, "paused": true}))
            .await;
    }
    let body = json!({"name": "n", "tcp": {"host": "127.0.0.1", "port": 1}});
    let detail = house.refused("POST", "/api/v1/monitors", &body).await;
    assert_eq!(detail, "`.` is one too many: there are 200 monitors");
}

#[tokio::test]
async fn who_may_look_looks_and_who_may_change_changes() {
    let (house, site) = (House::new().await, Site::new().await);
    let id = house.make(&page(&site.url("/"))).await;
    let one = format!("/api/v1/monitors/{id}");
    let looks = ["/api/v1/monitors", &one, &format!("{one}/history"), "/api/v1/incidents"].map(str::to_owned);
    let changes = [
        ("POST", "/api/v1/monitors".to_owned(), page(&site.url("/"))),
        ("PATCH", one.clone(), json!({"name": "n"})),
        ("POST", format!("{one}/check"), Value::Null),
        ("DELETE", one.clone(), Value::Null),
    ];
    let write = house
        .app
        .store
        .create_key(house.project, KeyKind::Write, "w")
        .await
        .unwrap()
        .text;
    let elsewhere = house.app.store.create_project("q").await.unwrap().id;
    let other = house
        .app
        .store
        .create_key(elsewhere, KeyKind::Secret, "o")
        .await
        .unwrap()
        .text;
    let (write, other) = (format!("Bearer {write}"), format!("Bearer {other}"));
    let viewer = house.user("viewer@example.com", Role::Viewer).await;
    let admin = house.user("admin@example.com", Role::Admin).await;
    let headers = |of: &[(String, String); 4]| of.clone();
    let (viewer, admin) = (headers(&viewer), headers(&admin));
    let lent = |of: &'static str, value: &str| vec![(of.to_owned(), value.to_owned())];
    let as_lent = |of: &[(String, String)]| {
        of.iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    let ask = async |who: &[(String, String)], method: &str, path: &str, body: &Value| {
        let who: Vec<(&str, &str)> = who
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        house.send(method, path, &who, body).await.0
    };
    for path in &looks {
        assert_eq!(ask(&[], "GET", path, &Value::Null).await, 401, "{path}");
        assert_eq!(
            ask(&lent("authorization", &write), "GET", path, &Value::Null).await,
            403,
            "{path}"
        );
        assert_eq!(ask(&as_lent(&viewer), "GET", path, &Value::Null).await, 200, "{path}");
        let of_another = ask(&lent("authorization", &other), "GET", path, &Value::Null).await;
        assert_eq!(of_another, if path.contains(&one) { 404 } else { 200 }, "{path}");
    }
    for (method, path, body) in &changes {
        assert_eq!(ask(&[], method, path, body).await, 401, "{method} {path}");
        assert_eq!(ask(&as_lent(&viewer), method, path, body).await, 403, "{method} {path}");
        let without_proof: Vec<_> = admin
            .iter()
            .filter(|(name, _)| name != "x-csrf-token")
            .cloned()
            .collect();
        assert_eq!(ask(&without_proof, method, path, body).await, 403, "{method} {path}");
    }
    assert!(
        house.get("/api/v1/monitors").await["monitors"]
            .as_array()
            .unwrap()
            .len()
            == 1
    );
    for (method, path, body) in &changes {
        if path.contains(&one) {
            assert_eq!(
                ask(&lent("authorization", &other), method, path, body).await,
                404,
                "{method} {path}"
            );
        }
        let done = ask(&as_lent(&admin), method, path, body).await;
        assert!((200..300).contains(&done), "{method} {path}: {done}");
    }
}

#[tokio::test]
async fn incidents_are_listed_newest_first_and_filtered() {
    let (house, site) = (House::new().await, Site::new().await);
    let id = house.make(&page(&site.url("/"))).await;
    let path = format!("/api/v1/monitors/{id}/check");
    for _ in 0..3 {
        for status in [500, 500, 200] {
            site.says(status);
            house.clock.advance_micros(60 * SECOND);
            house.ask("POST", &path, &Value::Null).await;
        }
    }
    site.says(404);
    house.clock.advance_micros(60 * SECOND);
    house.ask("POST", &path, &Value::Null).await;
    house.clock.advance_micros(60 * SECOND);
    house.ask("POST", &path, &Value::Null).await;
    let list = async |query: &str| {
        let answer = house.get(&format!("/api/v1/incidents?{query}")).await;
        let started = answer["incidents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|incident| incident["started_at"].as_str().unwrap()[14..16].parse::<i64>().unwrap());
        (started.collect::<Vec<_>>(), answer["next_cursor"].clone())
    };
    assert_eq!(list("").await, (vec![10, 7, 4, 1], Value::Null));
    assert_eq!(list(&format!("monitor={id}")).await.0, [10, 7, 4, 1]);
    assert_eq!(list(&format!("monitor={}", id + 1)).await.0, [] as [i64; 0]);
    assert_eq!(list("open=true").await.0, [10]);
    let (first, cursor) = list("limit=3").await;
    assert_eq!(
        (first, list(&format!("limit=3&cursor={cursor}")).await),
        (vec![10, 7, 4], (vec![1], Value::Null))
    );
    let at = |minute: i64| format!("2026-11-20T12:{minute:02}:00Z");
    assert_eq!(
        list(&format!("from={}&to={}", at(5), at(7))).await.0,
        [4],
        "it lasted from 4 to 6"
    );
    assert_eq!(list(&format!("from={}", at(9))).await.0, [10]);
    let incident = &house.get("/api/v1/incidents").await["incidents"][3];
    assert_eq!(
        (&incident["ended_by"], &incident["monitor"]),
        (&json!("recovered"), &json!("Shop"))
    );
    assert_eq!(
        (&incident["cause"], &incident["failed_checks"]),
        (&json!("500 instead of 200-299"), &json!(2))
    );
}

fn example(name: &str) -> Value {
    let block = MANUAL
        .split_once(&format!("<!-- example: {name} -->\n```json\n"))
        .expect(name)
        .1;
    serde_json::from_str(block.split_once("```").unwrap().0).expect(name)
}

/// Every path to a value, elements of arrays told apart no further.
fn fields(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) if !path.ends_with("headers") => {
                fields
                    .iter()
                    .for_each(|(key, value)| walk(value, &format!("{path}.{key}"), found));
            }
            Value::Array(elements) if !elements.is_empty() => {
                elements
                    .iter()
                    .for_each(|element| walk(element, &format!("{path}[]"), found));
            }
            _ => drop(found.insert(path.to_owned())),
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

#[tokio::test]
async fn answers_have_the_fields_that_the_manual_shows() {
    let (house, site) = (House::new().await, Site::new().await);
    let id = house.make(&example("new-monitor")).await;
    assert_eq!(
        fields(&house.get(&format!("/api/v1/monitors/{id}")).await["http"]),
        fields(&example("monitor")["http"])
    );
    let path = format!("/api/v1/monitors/{id}");
    let mut http = example("new-monitor")["http"].clone();
    http["url"] = json!(site.url("/"));
    house.ask("PATCH", &path, &json!({"http": http})).await;
    site.says(503);
    for _ in 0..2 {
        let (status, checked) = house.ask("POST", &format!("{path}/check"), &Value::Null).await;
        assert_eq!(status, 200, "{checked}");
    }
    for (name, path) in [
        ("monitor", path.clone()),
        ("monitor-history", format!("{path}/history")),
        ("incidents", "/api/v1/incidents".to_owned()),
    ] {
        let answer = house.get(&path).await;
        assert_eq!(fields(&answer), fields(&example(name)), "{name}: {answer}");
    }
}
