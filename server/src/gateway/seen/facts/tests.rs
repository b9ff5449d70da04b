//! What becomes of finished requests.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::*;
use crate::clock::ManualClock;
use crate::event::read_batch;
use crate::journal::MemoryJournal;
use crate::store::StoreError;

const MINUTE: i64 = 60_000;

fn config() -> FactsConfig {
    toml::from_str("project = 3").unwrap()
}

/// Whether there is the project; `None` where nobody answers.
struct Known(Mutex<Option<bool>>);

impl Known {
    fn new(is_there: impl Into<Option<bool>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(is_there.into())))
    }
}

impl Projects for Known {
    fn has(&self, _: i32) -> BoxFuture<'_, Result<bool, StoreError>> {
        match *self.0.lock().unwrap() {
            Some(is_there) => Box::pin(async move { Ok(is_there) }),
            None => Box::pin(std::future::pending()),
        }
    }
}

fn facts() -> Arc<Facts> {
    Facts::new(config(), Timestamp::from_millis(MINUTE))
}

fn series(route: &str, method: &'static str, class: u16) -> Series {
    Series {
        route: route.into(),
        path: format!("/api/{route}/{{*rest}}").into(),
        method,
        class,
    }
}

fn flushed(facts: &Facts) -> Vec<Value> {
    let mut events = facts.flush(Timestamp::from_millis(2 * MINUTE), || [7; 10]);
    events.sort_by(|a, b| a.properties.cmp(&b.properties));
    events
        .iter()
        .map(|fact| serde_json::from_str(&fact.properties).unwrap())
        .collect()
}

#[test]
fn one_event_stands_for_all_requests_of_a_route_method_and_class() {
    let facts = facts();
    for millis in 1..=100 {
        facts.add(series("users", "GET", 2), false, Duration::from_millis(millis));
    }
    facts.add(series("users", "GET", 5), true, Duration::from_millis(3));
    let events = flushed(&facts);
    assert_eq!(events.len(), 2);
    let good = &events[0];
    for (key, value) in [
        ("source", json!("gateway")),
        ("route", json!("users")),
        ("method", json!("GET")),
        ("path", json!("/api/users/{*rest}")),
        ("status_class", json!("2xx")),
        ("interval_s", json!(60.0)),
        ("count", json!(100)),
        ("errors", json!(0)),
        ("sum_ms", json!(5050.0)),
        ("max_ms", json!(100.0)),
    ] {
        assert_eq!(good[key], value, "{key}");
    }
    for (key, exact) in [("p50_ms", 50.0), ("p95_ms", 95.0), ("p99_ms", 99.0)] {
        let told = good[key].as_f64().unwrap();
        assert!((told - exact).abs() <= exact * 0.0625, "{key} {told}");
    }
    let counted = good["buckets_us"].as_array().unwrap().iter();
    assert_eq!(counted.map(|pair| pair[1].as_u64().unwrap()).sum::<u64>(), 100);
    assert_eq!(
        (&events[1]["status_class"], &events[1]["errors"]),
        (&json!("5xx"), &json!(1))
    );
}

#[test]
fn what_was_flushed_is_not_flushed_again() {
    let facts = facts();
    facts.add(series("users", "GET", 2), false, Duration::from_millis(1));
    assert_eq!((flushed(&facts).len(), flushed(&facts).len()), (1, 0));
}

#[test]
fn there_are_never_more_series_than_the_bound_and_the_rest_is_counted() {
    let recorder = crate::telemetry::builder().unwrap().build_recorder();
    let facts = metrics::with_local_recorder(&recorder, facts);
    for n in 0..SERIES + 5 {
        facts.add(series(&n.to_string(), "GET", 2), false, Duration::ZERO);
    }
    facts.add(series("0", "GET", 2), false, Duration::ZERO);
    let flushed = facts.flush(Timestamp::default(), || [0; 10]);
    assert_eq!(flushed.len(), SERIES);
    assert!(recorder.handle().render().contains("gateway_facts_dropped_total 5"));
    let records = facts.records(&flushed, Timestamp::default());
    let sizes: Vec<_> = records
        .iter()
        .map(|record| read_batch(record).unwrap().events.len())
        .collect();
    assert_eq!(sizes, [1000, 1000, 1000, 1000, 96]);
}

#[test]
fn intervals_are_whole_ones_of_the_clock() {
    let every = Duration::from_secs(60);
    for (at, left) in [(0, 60_000), (1, 59_999), (59_999, 1), (60_000, 60_000)] {
        assert_eq!(
            until_next(Timestamp::from_millis(at), every),
            Duration::from_millis(left)
        );
    }
}

#[test]
fn an_interval_of_nothing_or_of_a_day_is_refused() {
    for (text, problems) in [("flush = \"0s\"", 1), ("flush = \"1d\"", 1), ("flush = \"10s\"", 0)] {
        let config: FactsConfig = toml::from_str(&format!("project = 1\n{text}")).unwrap();
        assert_eq!(config.problems().len(), problems, "{text}");
    }
    assert_eq!(FactsConfig { project: 0, ..config() }.problems().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn facts_come_into_the_journal_each_minute_and_at_the_end() {
    let clock = ManualClock::at(Timestamp::from_millis(MINUTE));
    let journal = Arc::new(MemoryJournal::default());
    let (facts, stop) = (facts(), CancellationToken::new());
    let run = Arc::clone(&facts).run(Arc::clone(&journal) as _, Known::new(true), clock, stop.clone());
    let run = tokio::spawn(run);
    facts.add(series("users", "GET", 2), false, Duration::from_millis(4));
    let mut durable = journal.durable();
    durable.wait_for(|seq| *seq == 1).await.unwrap();
    facts.add(series("users", "GET", 2), false, Duration::from_millis(4));
    stop.cancel();
    run.await.unwrap();
    let records = journal.read(0, usize::MAX).unwrap();
    assert_eq!(records.len(), 2);
    let batch = read_batch(&records[0].payload).unwrap();
    assert_eq!(batch.head.project_id, 3);
    let event = batch.events[0];
    assert_eq!((event.name, event.anonymous_id), ("$request", Some(GATEWAY)));
    assert!(id::is_v7(event.id));
    assert_eq!(event.timestamp, Timestamp::from_millis(MINUTE));
}

/// They would be dead letters. While nobody can say, the journal keeps them.
#[tokio::test(start_paused = true)]
async fn facts_of_a_project_that_is_not_there_are_dropped_until_it_is() {
    let clock = ManualClock::at(Timestamp::from_millis(MINUTE));
    let journal = Arc::new(MemoryJournal::default());
    let (facts, known, stop) = (facts(), Known::new(false), CancellationToken::new());
    let projects = Arc::clone(&known) as Arc<dyn Projects>;
    let _stop = stop.clone().drop_guard();
    tokio::spawn(Arc::clone(&facts).run(Arc::clone(&journal) as _, projects, clock, stop));
    let written = async |now: Option<bool>| {
        *known.0.lock().unwrap() = now;
        facts.add(series("users", "GET", 2), false, Duration::from_millis(4));
        tokio::time::sleep(Duration::from_secs(65)).await;
        journal.read(0, usize::MAX).unwrap().len()
    };
    assert_eq!(written(Some(false)).await, 0);
    assert_eq!(written(None).await, 0, "it was not there when that could last be known");
    assert_eq!(written(Some(true)).await, 1);
    assert_eq!(written(None).await, 2);
}
