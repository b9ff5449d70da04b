//! The same event is one row, however it comes.

use sqlx::Row;
use trailmark_protocol::{Timestamp, Uuid};
use trailmark_server::store::{PgTime, Store, Written};

use crate::history::{NOW, at, count, event, identify, payload, payload_of};
use crate::support;

const NODE: Uuid = Uuid::from_u128(1);

fn written(stored: u64, duplicates: u64) -> Written {
    Written {
        stored,
        duplicates,
        dead: 0,
        ..Written::default()
    }
}

#[tokio::test]
async fn every_field_of_an_event_is_stored() {
    let store = support::store().await;
    let sent = trailmark_server::event::AcceptedEvent {
        user_id: Some("u"),
        context: Some(r#"{"os":"ü"}"#),
        client_timestamp: Timestamp::from_micros(-62_167_219_200_000_000),
        ..event(7)
    };
    assert_eq!(store.write(NODE, 1, &[payload(&[sent])]).await.unwrap(), written(1, 0));
    let row = sqlx::query(
        "SELECT e.*, n.name, i.external_id, d.external_id AS device, e.properties::text AS p, e.context::text AS c
         FROM events e JOIN event_names n ON n.id = e.event_name_id JOIN identities i ON i.id = e.identity_id
         LEFT JOIN identities d ON d.id = e.anonymous_identity_id",
    )
    .fetch_one(store.pool())
    .await
    .unwrap();
    assert_eq!(row.get::<Uuid, _>("id"), sent.id);
    assert_eq!(row.get::<i32, _>("project_id"), 1);
    assert_eq!(row.get::<String, _>("name"), "viewed");
    assert_eq!(row.get::<String, _>("external_id"), "u");
    assert_eq!(row.get::<String, _>("device"), "a");
    assert_eq!(row.get::<PgTime, _>("timestamp").0, sent.timestamp);
    assert_eq!(row.get::<PgTime, _>("received_at").0, at(NOW));
    assert_eq!(row.get::<PgTime, _>("client_timestamp").0, sent.client_timestamp);
    assert_eq!(row.get::<i64, _>("seq"), 7);
    assert_eq!(row.get::<String, _>("install_id"), "i");
    assert_eq!(row.get::<String, _>("session_id"), "s");
    assert_eq!(row.get::<String, _>("p"), r#"{"n": 1}"#);
    assert_eq!(row.get::<String, _>("c"), r#"{"os": "ü"}"#);
}

#[tokio::test]
async fn twice_in_one_batch_is_one_row() {
    let store = support::store().await;
    let twice = payload(&[event(1), event(2), event(1)]);
    assert_eq!(
        store.write(NODE, 1, &[twice.clone(), twice]).await.unwrap(),
        written(2, 4)
    );
    assert_eq!(count(store.pool(), "events").await, 2);
}

#[tokio::test]
async fn twice_in_two_batches_is_one_row_and_the_first_stays() {
    let store = support::store().await;
    store.write(NODE, 1, &[payload(&[event(1), event(2)])]).await.unwrap();
    let changed = trailmark_server::event::AcceptedEvent {
        properties: Some(r#"{"n":2}"#),
        ..event(2)
    };
    assert_eq!(
        store.write(NODE, 2, &[payload(&[changed, event(3)])]).await.unwrap(),
        written(1, 1)
    );
    assert_eq!(
        store
            .write(NODE, 3, &[payload(&[event(1), event(2), event(3)])])
            .await
            .unwrap(),
        written(0, 3)
    );
    assert_eq!(count(store.pool(), "events WHERE properties = '{\"n\":1}'").await, 3);
}

#[tokio::test]
async fn the_same_id_in_two_projects_is_two_events() {
    let store = support::store().await;
    let both = [payload_of(1, &[event(1)]), payload_of(2, &[event(1)])];
    assert_eq!(store.write(NODE, 1, &both).await.unwrap(), written(2, 0));
    assert_eq!(store.write(NODE, 2, &both).await.unwrap(), written(0, 2));
    assert_eq!(count(store.pool(), "identities").await, 2);
}

/// Two servers that were sent the same events, in opposite orders, and store them at once.
#[tokio::test(flavor = "multi_thread")]
async fn by_two_servers_at_once_is_one_row_and_counted() {
    let options = support::empty_database().await;
    let servers = [Store::connect(options.clone(), 2), Store::connect(options, 2)];
    servers[0].migrate().await.unwrap();
    let mut total = Written::default();
    for round in 0..20u16 {
        let mut events: Vec<_> = (round * 100..round * 100 + 150).map(event).collect();
        let forth = payload(&events);
        events.reverse();
        let back = payload(&events);
        let (one, two) = tokio::join!(
            tokio::spawn(until_stored(servers[0].clone(), 1, forth)),
            tokio::spawn(until_stored(servers[1].clone(), 2, back))
        );
        for done in [one.unwrap(), two.unwrap()] {
            total.stored += done.stored;
            total.duplicates += done.duplicates;
        }
    }
    assert_eq!(total, written(2050, 20 * 300 - 2050));
    assert_eq!(count(servers[0].pool(), "events").await, 2050);
}

async fn until_stored(store: Store, node: u128, batch: bytes::Bytes) -> Written {
    loop {
        match store
            .write(Uuid::from_u128(node), 1, std::slice::from_ref(&batch))
            .await
        {
            Ok(written) => return written,
            Err(error) => assert_eq!(error.class(), trailmark_server::store::ErrorClass::Transient, "{error}"),
        }
    }
}

/// A crash between the commit and the ack: the journal would give the record again, but the cursor says no; and if it
/// came all the same, nothing is doubled.
#[tokio::test]
async fn a_replay_doubles_nothing() {
    let store = support::store().await;
    let batch = [payload(&[event(1), identify(2, "a", "u"), event(3)])];
    assert_eq!(store.cursor(NODE).await.unwrap(), 0);
    assert_eq!(store.write(NODE, 5, &batch).await.unwrap(), written(3, 0));
    assert_eq!(store.cursor(NODE).await.unwrap(), 5);
    let again = Store::connect(store.pool().connect_options().as_ref().clone(), 2);
    assert_eq!(again.write(NODE, 4, &batch).await.unwrap(), written(0, 3));
    assert_eq!(again.cursor(NODE).await.unwrap(), 5, "a cursor never goes back");
    assert_eq!(
        (count(again.pool(), "events").await, count(again.pool(), "links").await),
        (3, 1)
    );
}
