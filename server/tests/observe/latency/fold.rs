//! What is added up is what was told, in any order, by however many servers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Builder;
use trailmark_protocol::Timestamp;
use trailmark_server::observe::latency::durations::Durations;
use trailmark_server::observe::latency::template::template;
use trailmark_server::observe::latency::{Source, Span};
use trailmark_server::store::notes::Observed;
use trailmark_server::store::{PgTime, Store, endpoints, endpoints_read};

use super::{fold, get, minutes, noon, request, told};
use crate::support;

/// Path, span, beginning: requests, errors, client errors, sum and longest in µs, and how many said how long.
type Sums = BTreeMap<(String, i16, Timestamp), [i64; 6]>;

async fn stored(store: &Store, project_id: i32) -> Sums {
    type Row = (String, i16, PgTime, i64, i64, i64, i64, i64, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT path, span, at, requests, errors, client_errors, sum_us, max_us, durations
         FROM endpoint_counts c JOIN endpoints e ON e.project_id = c.project_id AND e.id = c.endpoint_id
         WHERE c.project_id = $1",
    )
    .bind(project_id)
    .fetch_all(store.pool())
    .await
    .unwrap();
    let sum = |(path, span, at, requests, errors, client, sum, max, durations): Row| {
        let mut all = Durations::default();
        all.merge_bytes(&durations).unwrap();
        (
            (path, span, at.0),
            [requests, errors, client, sum, max, all.count() as i64],
        )
    };
    rows.into_iter().map(sum).collect()
}

/// A request of the model: minutes after noon, which path, which status, and how long it took in milliseconds.
type Asked = (i64, usize, u16, i64);

const PATHS: [&str; 5] = [
    "/users/7",
    "/users/8",
    "/cart",
    "/cart?x=1",
    "/p/0193a5c1-7d2e-7b6a-9f10-3b1f0a2c4d5e",
];

fn model(asked: &[Asked]) -> Sums {
    let mut sums = Sums::new();
    for (at, path, status, ms) in asked {
        for (span, minutes_of) in [(0, 1), (1, 60), (2, 1_440)] {
            let micros = minutes_of * 60_000_000;
            let at = minutes(*at).micros();
            let key = (
                template(PATHS[*path]),
                span,
                Timestamp::from_micros(at - at.rem_euclid(micros)),
            );
            let sum = sums.entry(key).or_default();
            let one = [
                1,
                i64::from(*status >= 500),
                i64::from((400..500).contains(status)),
                ms * 1_000,
                0,
                1,
            ];
            sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
            sum[4] = sum[4].max(ms * 1_000);
        }
    }
    sums
}

fn observed(asked: &Asked) -> Observed {
    let (at, path, status, ms) = *asked;
    request(at, get(PATHS[path], status, ms as f64))
}

#[test]
fn every_order_and_any_parts_give_the_sums_of_the_model() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(support::store());
    let config = ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let status = prop::sample::select(vec![200u16, 301, 404, 422, 500, 503]);
    let asked = prop::collection::vec((-3_000..2_000i64, 0..PATHS.len(), status, 0..90_000i64), 1..60);
    let projects = std::cell::Cell::new(0);
    proptest!(config, |(mut asked in asked, part in 1..20usize)| {
        let project = projects.get() + 1;
        projects.set(project);
        // Of each path something is answered, so that none is unknown.
        asked.extend((0..PATHS.len()).map(|path| (0, path, 200, 1)));
        asked.rotate_right(PATHS.len());
        runtime.block_on(async {
            for part in asked.chunks(part) {
                fold(&store, project, &part.iter().map(observed).collect::<Vec<_>>()).await;
            }
            assert_eq!(stored(&store, project).await, model(&asked));
        });
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_fold_at_once_lose_nothing_and_never_deadlock() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..3).map(|_| Store::connect(options.clone(), 2)).collect();
    servers[0].migrate().await.unwrap();
    let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
        tokio::spawn(async move {
            for round in 0..20i64 {
                let order = |n: i64| if server == 1 { 29 - n } else { n };
                let of = |n: i64| request(order(n) % 3 + round, get(&format!("/e{}", order(n)), 200, 5.0));
                let events: Vec<_> = (0..30).map(of).collect();
                let mut transaction = store.pool().begin().await.unwrap();
                for project in [1, 2] {
                    endpoints::fold(&mut transaction, project, &events).await.unwrap();
                }
                transaction.commit().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for project in [1, 2] {
        let sums = stored(&servers[0], project).await;
        for span in 0..3 {
            let requests: i64 = sums
                .iter()
                .filter(|(key, _)| key.1 == span)
                .map(|(_, sum)| sum[0])
                .sum();
            assert_eq!(requests, 3 * 20 * 30);
        }
        assert_eq!(
            sums.iter().filter(|(key, _)| key.1 == 2).count(),
            30,
            "one row per endpoint and day"
        );
    }
    let deadlocks: i64 =
        sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(servers[0].pool())
            .await
            .unwrap();
    assert_eq!(deadlocks, 0);
}

#[tokio::test]
async fn a_fold_that_is_rolled_back_leaves_nothing() {
    let store = support::store().await;
    let mut transaction = store.pool().begin().await.unwrap();
    let events = [request(0, get("/a", 200, 1.0))];
    endpoints::fold(&mut transaction, 1, &events).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(stored(&store, 1).await.is_empty());
    fold(&store, 1, &events).await;
    assert_eq!(stored(&store, 1).await.len(), 3);
}

#[tokio::test]
async fn minutes_are_counted_for_three_days_and_days_for_four_hundred_and_nothing_in_days_to_come() {
    let store = support::store().await;
    let days_ago = |days: i64| noon().plus_micros(-days * 86_400_000_000);
    let events = [
        told(days_ago(2), noon(), get("/two", 200, 1.0)),
        told(days_ago(4), noon(), get("/four", 200, 1.0)),
        told(days_ago(401), noon(), get("/last-year", 200, 1.0)),
        told(days_ago(-2), noon(), get("/to-come", 200, 1.0)),
    ];
    fold(&store, 1, &events).await;
    let sums = stored(&store, 1).await;
    let spans = |path: &str| {
        sums.keys()
            .filter(|key| key.0 == path)
            .map(|key| key.1)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        [spans("/two"), spans("/four"), spans("/last-year"), spans("/to-come")],
        [vec![0, 1, 2], vec![1, 2], vec![], vec![0, 1, 2]]
    );
    let to_come = sums.keys().find(|key| key.0 == "/to-come" && key.1 == 0).unwrap();
    assert_eq!(to_come.2, noon());

    store
        .forget_endpoints(noon().plus_micros(86_400_000_000 * 2))
        .await
        .unwrap();
    let left = stored(&store, 1).await;
    let minutes: Vec<_> = left.keys().filter(|key| key.1 == 0).map(|key| key.0.as_str()).collect();
    assert_eq!((minutes, left.len()), (vec!["/to-come"], 7));
    store
        .forget_endpoints(noon().plus_micros(86_400_000_000 * 402))
        .await
        .unwrap();
    assert!(stored(&store, 1).await.is_empty());
    let endpoints: i64 = sqlx::query_scalar("SELECT count(*) FROM endpoints")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(endpoints, 0, "an endpoint without sums is forgotten too");
}

#[tokio::test]
async fn robots_and_free_text_make_no_endpoints_without_end_and_every_request_is_counted() {
    let store = support::store().await;
    let mut events: Vec<_> = (0..500)
        .map(|n| request(0, get(&format!("/probe-x{n}y.php"), 404, 1.0)))
        .collect();
    events.extend((0..500).map(|n| request(0, get(&format!("/tea/sort-x{n}y"), 200, 1.0))));
    events.extend((0..7).map(|_| request(0, json!({"what": "is this"}))));
    fold(&store, 1, &events).await;
    fold(&store, 1, &events).await;
    let sums = stored(&store, 1).await;
    let days: BTreeMap<_, _> = sums
        .iter()
        .filter(|(key, _)| key.1 == 2)
        .map(|(key, sum)| (key.0.as_str(), sum[0]))
        .collect();
    assert_eq!(
        (days["(other)"], days["/tea/:value"], days["(unreadable)"]),
        (1_000, 800, 14)
    );
    assert_eq!((days.len(), days.values().sum::<i64>()), (103, 2 * 1_007));
}

#[tokio::test]
async fn all_endpoints_together_are_told_over_time_by_each_side() {
    let store = support::store().await;
    let app = |n| request(n, json!({"path": "/a", "host": "h", "status": 500}));
    let events = [
        request(0, get("/a", 200, 4.0)),
        request(1, get("/b", 500, 8.0)),
        request(7, get("/b", 200, 8.0)),
        request(0, json!({})),
        app(2),
    ];
    fold(&store, 1, &events).await;
    let mut connection = store.pool().acquire().await.unwrap();
    let piece = (Span::Minute, minutes(0), minutes(10));
    let strip = endpoints_read::strip(&mut connection, 1, piece, 5 * Span::Minute.micros())
        .await
        .unwrap();
    let told: Vec<_> = strip
        .iter()
        .map(|(source, at, sum)| (*source, *at, sum.requests, sum.errors))
        .collect();
    assert_eq!(
        told,
        [
            (Source::Client, minutes(0), 1, 1),
            (Source::Server, minutes(0), 2, 1),
            (Source::Server, minutes(5), 1, 0)
        ]
    );
    assert_eq!(strip[1].2.max_us, 8_000);
}
