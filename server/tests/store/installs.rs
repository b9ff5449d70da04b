//! What installs say of themselves, in any order of arrival.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use sqlx::Row as _;
use trailmark_protocol::{Timestamp, Uuid};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::install::InstallReport;
use trailmark_server::store::{ErrorClass, PgTime, Store};

use crate::history::{NOW, at, count, event};
use crate::{property, support};

/// A report of an install, received so many microseconds after [`NOW`].
type Said = (&'static str, i64, InstallReport);

fn said(install: &'static str, after: i64, captured: i64, queued: i64, too_large: i64) -> Said {
    let report = InstallReport {
        captured,
        queued,
        dropped: BTreeMap::from([("too_large".to_owned(), too_large)]),
        sdk: Some("trailmark-rust/0.1.0".to_owned()),
        release: Some(format!("1.{captured}.{queued}.{too_large}")),
    };
    (install, after, report)
}

fn payload(said: &Said, events: &[AcceptedEvent<'_>]) -> Bytes {
    let (install, after, report) = said;
    let head = BatchHead {
        project_id: 1,
        received_at: at(NOW).plus_micros(*after),
        install_id: Some(install),
    };
    let mut writer = BatchWriter::with_report(&head, Some(report), 0);
    events.iter().for_each(|event| writer.push(event));
    writer.finish()
}

/// A row: the install, captured, queued, dropped, release, and when it was first and last seen.
type Row = (String, i64, i64, String, Option<String>, Timestamp, Timestamp);

async fn rows(store: &Store) -> Vec<Row> {
    let rows = sqlx::query("SELECT * FROM installs")
        .fetch_all(store.pool())
        .await
        .unwrap();
    let row = |row: sqlx::postgres::PgRow| {
        let time = |column| row.get::<PgTime, _>(column).0;
        let dropped = row.get::<serde_json::Value, _>("dropped").to_string();
        let (captured, queued, release) = (row.get("captured"), row.get("queued"), row.get("release"));
        let (first, last) = (time("first_seen_at"), time("last_seen_at"));
        (row.get("install_id"), captured, queued, dropped, release, first, last)
    };
    let mut rows: Vec<Row> = rows.into_iter().map(row).collect();
    rows.sort();
    rows
}

/// What the table must hold: of each install the report with the most captured, then the fewest queued, then the most
/// dropped events.
fn model(history: &[Said]) -> Vec<Row> {
    let mut installs = BTreeMap::<&str, Vec<&Said>>::new();
    for said in history {
        installs.entry(said.0).or_default().push(said);
    }
    let row = |(install, all): (&&str, &Vec<&Said>)| {
        let rank = |report: &InstallReport| (report.captured, -report.queued, report.dropped["too_large"]);
        let latest = &all.iter().max_by_key(|said| rank(&said.2)).unwrap().2;
        let dropped = match latest.dropped["too_large"] {
            0 => "{}".to_owned(),
            n => format!("{{\"too_large\":{n}}}"),
        };
        let seen = |after: Option<i64>| at(NOW).plus_micros(after.unwrap());
        let times = all.iter().map(|said| said.1);
        let (first, last) = (seen(times.clone().min()), seen(times.max()));
        (
            (*install).to_owned(),
            latest.captured,
            latest.queued,
            dropped,
            latest.release.clone(),
            first,
            last,
        )
    };
    installs.iter().map(row).collect()
}

fn any_said() -> impl Strategy<Value = Said> {
    let install = prop::sample::select(vec!["i", "j", "K", "ü"]);
    (install, 0..9i64, 0..4i64, 0..3i64, 0..3i64)
        .prop_map(|(install, after, captured, queued, dropped)| said(install, after, captured, queued, dropped))
}

#[test]
fn every_order_repetition_and_batching_gives_the_counters_of_the_model() {
    let (runtime, store) = property::store();
    let config = property::cases(150);
    let history = prop::collection::vec(any_said(), 1..14);
    let arrivals = history.prop_flat_map(|history| {
        let arrival = [history.clone(), history[history.len() / 2..].to_vec()].concat();
        (Just(history), Just(arrival).prop_shuffle(), 1..6usize)
    });
    proptest!(config, |((history, arrival, group) in arrivals)| {
        runtime.block_on(async {
            sqlx::raw_sql("TRUNCATE installs").execute(store.pool()).await.unwrap();
            for part in arrival.chunks(group) {
                let payloads: Vec<_> = part.iter().map(|said| payload(said, &[])).collect();
                store.write(Uuid::nil(), 1, &payloads).await.unwrap();
            }
            assert_eq!(rows(&store).await, model(&history));
        });
    });
}

#[tokio::test]
async fn counters_are_stored_with_the_rows_of_their_batch_and_with_none() {
    let store = support::store().await;
    let written = store
        .write(
            Uuid::nil(),
            1,
            &[payload(&said("i", 0, 5, 2, 1), &[event(1), event(2)])],
        )
        .await
        .unwrap();
    assert_eq!(written.stored, 2);
    store
        .write(Uuid::nil(), 2, &[payload(&said("i", 9, 6, 0, 4), &[])])
        .await
        .unwrap();
    assert_eq!(store.cursor(Uuid::nil()).await.unwrap(), 2);
    assert_eq!(
        rows(&store).await,
        model(&[said("i", 0, 5, 2, 1), said("i", 9, 6, 0, 4)])
    );
}

#[tokio::test]
async fn counters_survive_the_duplicates_and_dead_letters_of_their_batch() {
    let store = support::store().await;
    let poison = AcceptedEvent {
        properties: Some(r#"{"n":"\u0000"}"#),
        ..event(3)
    };
    store
        .write(Uuid::nil(), 1, &[payload(&said("i", 0, 1, 0, 0), &[event(1)])])
        .await
        .unwrap();
    let batch = [payload(&said("i", 1, 3, 0, 0), &[event(1), event(2), poison])];
    let written = store.write(Uuid::nil(), 2, &batch).await.unwrap();
    assert_eq!((written.stored, written.duplicates, written.dead), (1, 1, 1));
    assert_eq!(
        rows(&store).await,
        model(&[said("i", 0, 1, 0, 0), said("i", 1, 3, 0, 0)])
    );
    store.replay_dead_letters(None, None).await.unwrap();
    assert_eq!(rows(&store).await[0].1, 3, "a replay says nothing of the install");
}

/// Ingest lets none of these through; a bug there must not stop the writer.
#[tokio::test]
async fn counters_that_no_row_can_hold_are_left_out() {
    let store = support::store().await;
    let mut nul = said("i", 0, 1, 0, 0);
    nul.2.release = Some("1\0".to_owned());
    let mut reason = said("i", 0, 1, 0, 0);
    reason.2.dropped.insert("a\0".to_owned(), 1);
    let batch = [payload(&nul, &[event(1)]), payload(&reason, &[event(2)])];
    assert_eq!(store.write(Uuid::nil(), 1, &batch).await.unwrap().stored, 2);
    assert_eq!(count(store.pool(), "installs").await, 0);
}

/// Servers that hear of the same installs at once, in opposite orders.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_hear_of_the_same_installs_at_once_agree_and_never_deadlock() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..3).map(|_| Store::connect(options.clone(), 2)).collect();
    servers[0].migrate().await.unwrap();
    let names: Vec<&'static str> = (0..40).map(|n| &*format!("install-{n}").leak()).collect();
    let history: Vec<Said> = (0..400usize)
        .map(|n| said(names[n * 7 % 40], n as i64, (n / 40) as i64, (n % 3) as i64, 1))
        .collect();
    let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
        let mut mine = history.clone();
        mine.rotate_left(server * 133);
        if server == 1 {
            mine.reverse();
        }
        tokio::spawn(async move {
            for part in mine.chunks(40) {
                let payloads: Vec<_> = part.iter().map(|said| payload(said, &[])).collect();
                until_stored(&store, server as u128, &payloads).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(rows(&servers[0]).await, model(&history));
    let deadlocks: i64 =
        sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(servers[0].pool())
            .await
            .unwrap();
    assert_eq!(deadlocks, 0);
}

async fn until_stored(store: &Store, node: u128, payloads: &[Bytes]) {
    while let Err(error) = store.write(Uuid::from_u128(node), 1, payloads).await {
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
    }
}
