//! Which partition an event is in, and when it is made.

use trailmark_protocol::Uuid;
use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::{Store, WEEKS_AHEAD, Written};

use crate::history::{NOW, at, count, event, id_at, payload};
use crate::support;

async fn weeks(store: &Store) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'events'::regclass AND c.relname <> 'events_default' ORDER BY c.relname",
    )
    .fetch_all(store.pool())
    .await
    .unwrap()
}

/// An event whose id was made at `time`.
fn event_of(time: &str) -> AcceptedEvent<'static> {
    AcceptedEvent {
        id: id_at(at(time), 0),
        ..event(0)
    }
}

async fn write(store: &Store, events: &[AcceptedEvent<'_>]) -> Written {
    store.write(Uuid::nil(), 1, &[payload(events)]).await.unwrap()
}

#[tokio::test]
async fn this_week_and_the_next_eight_are_made_ahead_with_all_indexes() {
    let store = support::store().await;
    store.make_weeks_ahead(at(NOW)).await.unwrap();
    let made = weeks(&store).await;
    assert_eq!(made.len(), WEEKS_AHEAD as usize + 1);
    assert_eq!(
        (made[0].as_str(), made[8].as_str()),
        ("events_2026w47", "events_2027w02")
    );
    let attached =
        "pg_inherits WHERE inhparent IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'events'::regclass)";
    assert_eq!(count(store.pool(), attached).await, 3 * (made.len() as i64 + 1));
    let tuned =
        "pg_class WHERE relname LIKE 'events\\_%w%' AND 'autovacuum_vacuum_insert_scale_factor=0.02' = ANY(reloptions)";
    assert_eq!(count(store.pool(), tuned).await, made.len() as i64);
    store.make_weeks_ahead(at(NOW)).await.unwrap();
    Store::connect(store.pool().connect_options().as_ref().clone(), 1)
        .make_weeks_ahead(at(NOW))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_old_log_gets_its_weeks_on_demand_and_absurd_times_none() {
    let store = support::store().await;
    let absurd = AcceptedEvent {
        id: Uuid::from_u128(u128::MAX >> 2),
        ..event(0)
    };
    let events = [
        event_of("2015-05-17T10:05:03Z"),
        event_of("2015-05-20T10:05:03Z"),
        event_of("2010-01-01T00:00:00Z"),
        event_of("2009-12-01T00:00:00Z"),
        event_of("2027-06-01T00:00:00Z"),
        absurd,
    ];
    assert_eq!(write(&store, &events).await.stored, 6);
    assert_eq!(
        weeks(&store).await,
        ["events_2009w53", "events_2015w20", "events_2015w21"]
    );
    assert_eq!(count(store.pool(), "events_default").await, 3);
    assert_eq!(
        write(&store, &events).await,
        Written {
            stored: 0,
            duplicates: 6,
            dead: 0,
            ..Written::default()
        }
    );
}

#[tokio::test]
async fn a_partition_takes_its_rows_out_of_the_default_one() {
    let store = support::store().await;
    let early = event_of("2027-06-01T00:00:00Z");
    write(&store, &[early, event_of("2099-01-01T00:00:00Z")]).await;
    assert_eq!(count(store.pool(), "events_default").await, 2);
    store.make_weeks_ahead(at("2027-05-20T00:00:00Z")).await.unwrap();
    assert_eq!(count(store.pool(), "events_default").await, 1);
    assert_eq!(count(store.pool(), "events_2027w22").await, 1);
    assert_eq!(
        write(&store, &[early]).await,
        Written {
            stored: 0,
            duplicates: 1,
            dead: 0,
            ..Written::default()
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_make_the_same_weeks_at_once_while_others_write() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..4).map(|_| Store::connect(options.clone(), 3)).collect();
    servers[0].migrate().await.unwrap();
    let tasks = servers.iter().cloned().enumerate().map(|(n, store)| {
        tokio::spawn(async move {
            for round in 0..10u16 {
                let week = 1 + (round + n as u16) % 10;
                let id = id_at(
                    at(&format!("2020-01-{:02}T00:00:00Z", week * 3)),
                    n as u16 * 100 + round,
                );
                write(&store, &[AcceptedEvent { id, ..event(0) }]).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(count(servers[0].pool(), "events").await, 40);
    assert_eq!(count(servers[0].pool(), "events_default").await, 0);
}
