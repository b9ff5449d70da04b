//! Person properties.

use proptest::prelude::*;
use trailmark_protocol::Uuid;
use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::Store;

use crate::history::{event, payload};
use crate::{property, support};

async fn registers(store: &Store) -> Vec<(String, String, String)> {
    sqlx::query_as("SELECT key, op, value::text FROM person_properties WHERE project_id = 1 ORDER BY key, op")
        .fetch_all(store.pool())
        .await
        .unwrap()
}

fn row(key: &str, op: &str, value: &str) -> (String, String, String) {
    (key.into(), op.into(), value.into())
}

#[tokio::test]
async fn set_keeps_the_last_writer_and_set_once_the_first() {
    let store = support::store().await;
    let writes = [
        AcceptedEvent {
            set: Some(r#"{"plan":"new","x":null}"#),
            set_once: Some(r#"{"first":"late"}"#),
            ..event(2)
        },
        AcceptedEvent {
            set: Some(r#"{"plan":"old"}"#),
            set_once: Some(r#"{"first":"early"}"#),
            ..event(1)
        },
    ];
    for (seq, write) in writes.iter().enumerate() {
        store
            .write(Uuid::nil(), seq as u64, &[payload(&[*write])])
            .await
            .unwrap();
    }
    let expected = [
        row("first", "set_once", "\"early\""),
        row("plan", "set", "\"new\""),
        row("x", "set", "null"),
    ];
    assert_eq!(registers(&store).await, expected);
}

/// At equal times the greater event id is the later one: here the one with the greater number.
#[test]
fn every_order_and_batching_ends_in_the_same_values() {
    let (runtime, store) = property::store();
    const SETS: [&str; 4] = [r#"{"k":0}"#, r#"{"k":1,"l":1}"#, r#"{"k":2}"#, r#"{"k":3,"l":3}"#];
    let write = |n: usize| AcceptedEvent {
        timestamp: event((n / 2) as u16).timestamp,
        set: Some(SETS[n]),
        set_once: Some(SETS[n]),
        ..event(n as u16)
    };
    let order = prop::collection::vec(0..4usize, 0..8);
    let config = property::cases(32);
    proptest!(config, |(mut order in order, cut in 0..8usize)| {
        order.extend(0..4);
        runtime.block_on(async {
            sqlx::raw_sql("TRUNCATE events, person_properties").execute(store.pool()).await.unwrap();
            let events: Vec<_> = order.iter().map(|n| write(*n)).collect();
            let (one, two) = events.split_at(cut.min(events.len()));
            for part in [one, two] {
                store.write(Uuid::nil(), 1, &[payload(part)]).await.unwrap();
            }
            let expected =
                [row("k", "set", "3"), row("k", "set_once", "0"), row("l", "set", "3"), row("l", "set_once", "1")];
            assert_eq!(registers(&store).await, expected);
        });
    });
}
