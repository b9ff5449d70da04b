//! Events that the database refuses for their values.

use bytes::Bytes;
use trailmark_protocol::Uuid;
use trailmark_server::event::{AcceptedEvent, read_batch};
use trailmark_server::store::{Replayed, Store, Written};

use crate::history::{count, event, identify, payload};
use crate::support;

const NODE: Uuid = Uuid::from_u128(1);

/// Valid JSON that `jsonb` refuses; validation repairs it, so only a bug lets it come this far.
fn poison(n: u16) -> AcceptedEvent<'static> {
    AcceptedEvent {
        properties: Some(r#"{"n":"\u0000"}"#),
        ..event(n)
    }
}

async fn write(store: &Store, events: &[AcceptedEvent<'_>]) -> Written {
    store.write(NODE, 1, &[payload(events)]).await.unwrap()
}

#[tokio::test]
async fn poison_rows_become_dead_letters_and_the_rest_is_stored() {
    let store = support::store().await;
    write(&store, &[event(40)]).await;
    let mut events: Vec<_> = (0..100).map(event).collect();
    (events[13], events[77]) = (poison(13), poison(77));
    events[50] = identify(50, "a", "u");
    assert_eq!(
        write(&store, &events).await,
        Written {
            stored: 97,
            duplicates: 1,
            dead: 2,
            ..Written::default()
        }
    );
    assert_eq!(
        (count(store.pool(), "events").await, count(store.pool(), "links").await),
        (98, 1)
    );
    assert_eq!(store.cursor(NODE).await.unwrap(), 1);

    let letters = store.list_dead_letters(Some(1), 10).await.unwrap();
    let ids: Vec<_> = letters.iter().map(|letter| letter.event_id).collect();
    assert_eq!(ids, [poison(13).id, poison(77).id]);
    assert_eq!(letters[0].sqlstate.as_deref(), Some("22P05"));
    assert_eq!(letters[0].reason, "dead_letter");
    assert!(
        letters[0].detail.contains("unsupported Unicode escape"),
        "{}",
        letters[0].detail
    );
    assert_eq!(read_batch(&letters[0].payload).unwrap().events, [poison(13)]);
}

#[tokio::test]
async fn person_properties_can_be_the_poison_too() {
    let store = support::store().await;
    let poison = AcceptedEvent {
        set: Some("[1]"),
        ..event(2)
    };
    assert_eq!(
        write(&store, &[event(1), poison, event(3)]).await,
        Written {
            stored: 2,
            duplicates: 0,
            dead: 1,
            ..Written::default()
        }
    );
}

#[tokio::test]
async fn names_and_ids_that_no_index_takes_become_dead_letters() {
    let store = support::store().await;
    let long = "x".repeat(3000);
    let events = [
        AcceptedEvent {
            name: "nul\0",
            ..event(1)
        },
        AcceptedEvent {
            user_id: Some(&long),
            ..event(2)
        },
        AcceptedEvent {
            anonymous_id: None,
            ..event(3)
        },
        event(4),
    ];
    assert_eq!(
        write(&store, &events).await,
        Written {
            stored: 1,
            duplicates: 0,
            dead: 3,
            ..Written::default()
        }
    );
    assert!(
        store
            .list_dead_letters(None, 10)
            .await
            .unwrap()
            .iter()
            .all(|letter| letter.sqlstate.is_none())
    );
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_kept_whole_and_once() {
    let store = support::store().await;
    let garbage = Bytes::from_static(b"\x09garbage");
    let both = [garbage.clone(), payload(&[event(1)])];
    assert_eq!(
        store.write(NODE, 1, &both).await.unwrap(),
        Written {
            stored: 1,
            duplicates: 0,
            dead: 1,
            ..Written::default()
        }
    );
    store.write(NODE, 2, std::slice::from_ref(&garbage)).await.unwrap();
    let letters = store.list_dead_letters(Some(0), 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].reason.as_str(), letters[0].payload.as_slice()),
        ("unreadable", garbage.as_ref())
    );
}

#[tokio::test]
async fn a_replay_stores_what_the_database_takes_now() {
    let store = support::store().await;
    write(&store, &[poison(1), poison(2)]).await;
    let still_refused = Replayed {
        stored: 0,
        duplicates: 0,
        refused: 2,
    };
    assert_eq!(store.replay_dead_letters(None, None).await.unwrap(), still_refused);

    let cured = payload(&[event(1)]);
    sqlx::query("UPDATE dead_letters SET payload = $1 WHERE event_id = $2")
        .bind(cured.as_ref())
        .bind(event(1).id)
        .execute(store.pool())
        .await
        .unwrap();
    let replayed = Replayed {
        stored: 1,
        duplicates: 0,
        refused: 1,
    };
    assert_eq!(store.replay_dead_letters(Some(1), None).await.unwrap(), replayed);
    assert_eq!(store.list_dead_letters(None, 10).await.unwrap().len(), 1);
    assert_eq!(count(store.pool(), "events").await, 1);
    assert_eq!(
        store.replay_dead_letters(None, Some(event(1).id)).await.unwrap(),
        Replayed::default()
    );
    assert_eq!(store.cursor(NODE).await.unwrap(), 1);
}
