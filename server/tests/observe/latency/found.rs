//! What is wrong is found in the rows, with since when, how many people, and where the evidence is.

use serde_json::{Value, json};
use trailmark_protocol::{Timestamp, Uuid, names};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::observe::latency::detect::{baselines, found};
use trailmark_server::observe::{Found, Kind};
use trailmark_server::store::Store;
use trailmark_server::store::notes::Observed;

use super::{fold, get, minutes, request};
use crate::support;

/// A day of usual traffic before noon: three requests a minute of each path.
async fn usual_day(store: &Store, paths: &[&str]) {
    for hour in -26..0i64 {
        let of = |minute: i64, path: &&str| {
            (0..3)
                .map(move |n| (minute, path.to_string(), 40.0 + (minute.rem_euclid(20) * 3 + n) as f64))
                .collect::<Vec<_>>()
        };
        let all = (0..60).flat_map(|minute| paths.iter().flat_map(move |path| of(hour * 60 + minute, path)));
        let events: Vec<Observed> = all
            .map(|(minute, path, ms)| request(minute, get(&path, 200, ms)))
            .collect();
        fold(store, 1, &events).await;
    }
}

async fn found_at(store: &Store, now: Timestamp) -> Vec<Found> {
    baselines(store, now).await.unwrap();
    found(store, 1, now).await.unwrap()
}

#[tokio::test]
async fn a_slow_and_a_failing_endpoint_are_found_with_since_when_and_a_calm_one_is_not() {
    let store = support::store().await;
    usual_day(&store, &["/calm", "/slow/7", "/fails"]).await;
    assert_eq!(found_at(&store, minutes(0)).await, []);
    let mut events = Vec::new();
    for minute in 0..40 {
        for n in 0..3 {
            let slow = if minute >= 10 { 400.0 } else { 50.0 };
            let status = if minute >= 20 && n == 0 { 500 } else { 200 };
            events.push(request(minute, get("/calm", 200, 50.0)));
            events.push(request(minute, get("/slow/7", 200, slow + f64::from(n))));
            events.push(request(minute, get("/fails", status, 2.0)));
        }
    }
    fold(&store, 1, &events).await;
    let problems = found_at(&store, minutes(40)).await;
    let [slow, failing] = &problems[..] else {
        panic!("{problems:?}")
    };
    assert_eq!(
        (slow.kind, slow.subject.as_str(), slow.since),
        (Kind::SlowEndpoint, "GET /slow/:id", minutes(10))
    );
    assert!(
        slow.what.starts_with("GET /slow/:id is slow: 5 % of requests take 4"),
        "{slow:?}"
    );
    assert_eq!(
        slow.evidence,
        "/api/v1/endpoints/series?source=server&method=GET&path=/slow/%3Aid"
    );
    assert_eq!(
        (failing.kind, failing.subject.as_str(), failing.since),
        (Kind::FailingEndpoint, "GET /fails", minutes(20))
    );
    assert_eq!(failing.what, "GET /fails fails: 33 % of requests");
    assert_eq!(failing.compared_with.as_deref(), Some("usually 0 %"));
    assert_eq!(
        found(&store, 2, minutes(40)).await.unwrap(),
        [],
        "nothing of another project"
    );

    // It is over when a quarter of an hour is calm.
    let calm: Vec<_> = (41..60)
        .flat_map(|minute| ["/slow/7", "/fails"].map(|path| request(minute, get(path, 200, 50.0))))
        .collect();
    fold(&store, 1, &calm).await;
    assert_eq!(found_at(&store, minutes(58)).await, []);
}

/// Stores requests of apps as the writer does, and folds them as the job does.
async fn clients(store: &Store, project: i32, all: &[(i64, &'static str, Value)]) {
    let texts: Vec<String> = all.iter().map(|(_, _, properties)| properties.to_string()).collect();
    let head = BatchHead {
        project_id: project,
        received_at: minutes(30),
        install_id: None,
    };
    let mut batch = BatchWriter::new(&head, 0);
    for ((minute, device, _), properties) in all.iter().zip(&texts) {
        batch.push(&AcceptedEvent {
            id: Uuid::now_v7(),
            seq: None,
            name: names::REQUEST,
            anonymous_id: Some(device),
            user_id: None,
            alias: None,
            session_id: None,
            timestamp: minutes(*minute),
            client_timestamp: minutes(*minute),
            properties: Some(properties),
            context: None,
            set: None,
            set_once: None,
        });
    }
    store.write(Uuid::now_v7(), 1, &[batch.finish()]).await.unwrap();
    let observed: Vec<_> = all
        .iter()
        .map(|(minute, _, properties)| request(*minute, properties.clone()))
        .collect();
    fold(store, project, &observed).await;
}

fn failed(host: &str) -> Value {
    json!({"method": "POST", "host": host, "path": "/pay/7", "error": "TypeError: Failed to fetch", "duration_ms": 3})
}

#[tokio::test]
async fn what_apps_tell_of_is_found_with_the_people_whom_it_met_and_one_phone_in_a_tunnel_is_not() {
    let store = support::store().await;
    let phones = ["ann's", "bob's", "eve's", "kim's"];
    let of_many: Vec<_> = (0..20)
        .map(|n| (n, phones[n as usize % 4], failed("api.example.com")))
        .collect();
    let of_one: Vec<_> = (0..20).map(|n| (n, "ann's", failed("other.example.com"))).collect();
    clients(&store, 1, &[of_many, of_one].concat()).await;
    let problems = found_at(&store, minutes(19)).await;
    let [problem] = &problems[..] else {
        panic!("{problems:?}")
    };
    assert_eq!(
        (problem.subject.as_str(), problem.people),
        ("POST api.example.com/pay/:id", Some(4))
    );
    assert_eq!(problem.since, minutes(0));
    assert!(problem.evidence.ends_with("&host=api.example.com"), "{problem:?}");
}

#[tokio::test]
async fn what_two_sides_tell_of_one_endpoint_is_told_once_by_the_gateway() {
    let store = support::store().await;
    let fact = json!({"source": "gateway", "route": "r", "method": "GET", "path": "/cart", "status_class": "5xx",
                      "count": 40, "errors": 40, "sum_ms": 40.0, "max_ms": 1.0, "buckets_us": [[1024, 40]]});
    let mut events = vec![request(0, fact)];
    events.extend((0..30).map(|_| request(0, get("/cart", 500, 1.0))));
    fold(&store, 1, &events).await;
    let problems = found_at(&store, minutes(1)).await;
    let [problem] = &problems[..] else {
        panic!("{problems:?}")
    };
    assert!(problem.evidence.contains("source=gateway"), "{problem:?}");
    assert_eq!(
        (problem.people, problem.compared_with.as_deref()),
        (None, None),
        "the gateway is nobody, and it is new"
    );
}

#[tokio::test]
async fn what_is_usual_is_kept_by_the_newest_day_however_often_and_in_what_order_it_is_learned() {
    let store = support::store().await;
    usual_day(&store, &["/a"]).await;
    let usual = async || {
        let rows: Vec<(i64, i64, f64)> = sqlx::query_as("SELECT requests, p95_us, error_rate FROM endpoint_usual")
            .fetch_all(store.pool())
            .await
            .unwrap();
        rows
    };
    baselines(&store, minutes(0)).await.unwrap();
    let first = usual().await;
    assert_eq!((first.len(), first[0].0), (1, 24 * 60 * 3));
    assert!((90_000..110_000).contains(&first[0].1), "{first:?}");
    baselines(&store, minutes(0)).await.unwrap();
    baselines(&store, minutes(-120)).await.unwrap();
    assert_eq!(usual().await, first);
    baselines(&store, minutes(3 * 1_440)).await.unwrap();
    assert_eq!(usual().await, [], "an endpoint that nobody asks has nothing usual");
}
