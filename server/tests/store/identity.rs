//! Persons are a function of the links and aliases, whatever the order in which they come.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trailmark_protocol::Uuid;
use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::{ErrorClass, Store};

use crate::history::{alias, event, identify, payload};
use crate::{property, support};

/// Who is one person: sets of (0 device or 1 user, id).
type Persons = BTreeSet<BTreeSet<(i16, String)>>;

/// The reference: DESIGN §4.4, word by word.
fn model(events: &[AcceptedEvent<'static>]) -> Persons {
    let users: BTreeSet<&str> = events.iter().flat_map(|e| [e.user_id, e.alias]).flatten().collect();
    let devices: BTreeSet<&str> = events.iter().filter_map(|e| e.anonymous_id).collect();
    let mut person: BTreeMap<&str, &str> = users.iter().map(|user| (*user, *user)).collect();
    for event in events {
        if let (Some(a), Some(b)) = (event.user_id, event.alias) {
            let (a, b) = (person[a], person[b]);
            person
                .values_mut()
                .filter(|person| **person == a)
                .for_each(|person| *person = b);
        }
    }
    let owner = |device| {
        let links = events
            .iter()
            .filter(|e| e.alias.is_none() && e.anonymous_id == Some(device) && e.user_id.is_some());
        links.min_by_key(|e| (e.timestamp, e.id)).and_then(|e| e.user_id)
    };
    let mut persons = BTreeMap::<(bool, &str), BTreeSet<(i16, String)>>::new();
    for user in users {
        persons
            .entry((true, person[user]))
            .or_default()
            .insert((1, user.to_owned()));
    }
    for device in devices {
        let of = owner(device).map_or((false, device), |user| (true, person[user]));
        persons.entry(of).or_default().insert((0, device.to_owned()));
    }
    persons.into_values().collect()
}

async fn persons(store: &Store) -> Persons {
    let rows: Vec<(i64, i16, String)> = sqlx::query_as("SELECT person_id, kind, external_id FROM identities")
        .fetch_all(store.pool())
        .await
        .unwrap();
    let mut persons = BTreeMap::<i64, BTreeSet<(i16, String)>>::new();
    for (person, kind, id) in rows {
        persons.entry(person).or_default().insert((kind, id));
    }
    persons.into_values().collect()
}

/// A person of users is named by its least user.
async fn misnamed(store: &Store) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM identities i WHERE kind = 1 AND person_id <>
             (SELECT min(id) FROM identities j WHERE j.person_id = i.person_id AND j.kind = 1)",
    )
    .fetch_one(store.pool())
    .await
    .unwrap()
}

async fn write_until_stored(store: &Store, events: &[AcceptedEvent<'_>]) {
    let batch = [payload(events)];
    while let Err(error) = store.write(Uuid::nil(), 1, &batch).await {
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
    }
}

async fn forget_everything(store: &Store) {
    let all = "TRUNCATE events, links, aliases";
    sqlx::raw_sql(all).execute(store.pool()).await.unwrap();
    sqlx::raw_sql("UPDATE identities SET person_id = id")
        .execute(store.pool())
        .await
        .unwrap();
}

const DEVICES: [&str; 4] = ["a", "b", "c", "d"];
const USERS: [&str; 5] = ["u", "v", "w", "x", "y"];

fn any_event(n: u16) -> impl Strategy<Value = AcceptedEvent<'static>> {
    let device = prop::sample::select(&DEVICES[..]);
    let user = || prop::sample::select(&USERS[..]);
    // Few distinct times: ties are broken by the event id.
    let tied = move |e: AcceptedEvent<'static>| AcceptedEvent {
        timestamp: event(n % 3).timestamp,
        ..e
    };
    prop_oneof![
        3 => (device, user()).prop_map(move |(device, user)| identify(n, device, user)),
        2 => (user(), user()).prop_map(move |(one, other)| alias(n, one, other)),
        1 => Just(event(n)),
    ]
    .prop_map(tied)
}

/// A history, and an arrival of it: every event at least once, shuffled, cut in batches.
fn arrivals() -> impl Strategy<Value = (Vec<AcceptedEvent<'static>>, Vec<AcceptedEvent<'static>>, usize)> {
    let history = (1..14u16).prop_flat_map(|length| (0..length).map(any_event).collect::<Vec<_>>());
    history.prop_flat_map(|history| {
        let again = prop::sample::subsequence(history.clone(), 0..=history.len());
        let arrival = again.prop_map({
            let history = history.clone();
            move |again| [history.clone(), again].concat()
        });
        (Just(history), arrival.prop_shuffle(), 1..5usize)
    })
}

#[test]
fn every_order_repetition_and_batching_gives_the_persons_of_the_model() {
    let (runtime, store) = property::store();
    let config = property::cases(200);
    proptest!(config, |((history, arrival, batch) in arrivals())| {
        runtime.block_on(async {
            forget_everything(&store).await;
            sqlx::raw_sql("DELETE FROM identities").execute(store.pool()).await.unwrap();
            let store = Store::connect(store.pool().connect_options().as_ref().clone(), 2);
            for part in arrival.chunks(batch) {
                write_until_stored(&store, part).await;
            }
            assert_eq!(persons(&store).await, model(&history));
            assert_eq!(misnamed(&store).await, 0);
            store.close().await;
        });
    });
}

#[tokio::test]
async fn a_shared_device_never_glues_two_users() {
    let store = support::store().await;
    write_until_stored(&store, &[identify(1, "a", "u"), identify(2, "a", "v"), event(3)]).await;
    let of = |ids: &[(i16, &str)]| {
        ids.iter()
            .map(|(kind, id)| (*kind, (*id).to_owned()))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        persons(&store).await,
        BTreeSet::from([of(&[(0, "a"), (1, "u")]), of(&[(1, "v")])])
    );
    write_until_stored(&store, &[identify(0, "a", "v")]).await;
    assert_eq!(
        persons(&store).await,
        BTreeSet::from([of(&[(1, "u")]), of(&[(0, "a"), (1, "v")])])
    );
}

/// Shuffled, overlapping parts of one history through four servers at once.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_apply_the_same_history_at_once_agree_with_the_model_and_never_deadlock() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..4).map(|_| Store::connect(options.clone(), 3)).collect();
    servers[0].migrate().await.unwrap();
    let history: Vec<_> = (0..240u16)
        .map(|n| match n % 3 {
            0 => identify(n, DEVICES[usize::from(n / 3) % 4], USERS[usize::from(n / 5) % 5]),
            1 if n % 60 == 1 => alias(n, USERS[usize::from(n / 60) % 3], USERS[usize::from(n / 60 + 1) % 3]),
            _ => AcceptedEvent {
                set: Some(r#"{"p":1,"q":2}"#),
                ..event(n)
            },
        })
        .collect();
    let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
        let mut mine: Vec<_> = history
            .iter()
            .copied()
            .enumerate()
            .filter(|(n, _)| n % 4 != server)
            .collect();
        mine.sort_by_key(|(n, _)| n.wrapping_mul(2_654_435_761 + server * 40_503) % 1009);
        tokio::spawn(async move {
            for part in mine.chunks(10) {
                let part: Vec<_> = part.iter().map(|(_, event)| *event).collect();
                write_until_stored(&store, &part).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(persons(&servers[0]).await, model(&history));
    let deadlocks: i64 =
        sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(servers[0].pool())
            .await
            .unwrap();
    assert_eq!(deadlocks, 0);
}
