//! How many events of each install are stored is what the rows say, whatever happens.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;
use trailmark_protocol::{Timestamp, Uuid};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::{ErrorClass, Store};

use crate::history::{NOW, at, event};
use crate::{property, support};

const INSTALLS: [&str; 4] = ["i", "j", "K", "ü"];
const DEVICES: [&str; 3] = ["ann's", "bob's", "eve's"];

#[derive(Debug, Clone)]
enum Step {
    /// A write of batches: whose, and the numbers of the events.
    Write(Vec<(usize, Vec<u16>)>),
    Replay,
    Erase(usize),
}

/// Event `n` is always the same: by the same device of the same project, and every seventh the database refuses.
fn nth(n: u16) -> AcceptedEvent<'static> {
    AcceptedEvent {
        anonymous_id: Some(DEVICES[usize::from(n) % 3]),
        properties: Some(if n % 7 == 6 { r#"{"n":"\u0000"}"# } else { "{}" }),
        ..event(n)
    }
}

fn batch(project_id: i32, install: usize, numbers: &[u16]) -> Bytes {
    let head = BatchHead {
        project_id,
        received_at: at(NOW),
        install_id: INSTALLS.get(install).copied(),
    };
    let mut writer = BatchWriter::new(&head, 0);
    numbers.iter().for_each(|n| writer.push(&nth(*n)));
    writer.finish()
}

/// As many as were counted, and as many as there are; an install that has none left may or may not be told.
async fn counted_and_there(store: &Store) -> [Vec<(i32, String, i64)>; 2] {
    let both = [
        "SELECT project_id, install_id, stored FROM installs_stored WHERE stored <> 0 ORDER BY project_id, install_id COLLATE \"C\"",
        "SELECT project_id, install_id, count(*) FROM events WHERE install_id IS NOT NULL
         GROUP BY project_id, install_id ORDER BY project_id, install_id COLLATE \"C\"",
    ];
    let mut found = [Vec::new(), Vec::new()];
    for (sql, rows) in both.into_iter().zip(&mut found) {
        *rows = sqlx::query_as(sql).fetch_all(store.pool()).await.unwrap();
    }
    found
}

/// Events that are stored without an install, of those that one has brought.
async fn unclaimed(store: &Store, project_id: i32, brought: &BTreeSet<(i32, u16)>) -> i64 {
    let of_it = brought.iter().filter(|(project, _)| *project == project_id);
    let ids: Vec<Uuid> = of_it.map(|(_, n)| event(*n).id).collect();
    sqlx::query_scalar("SELECT count(*) FROM events WHERE project_id = $1 AND id = ANY($2) AND install_id IS NULL")
        .bind(project_id)
        .bind(ids)
        .fetch_one(store.pool())
        .await
        .unwrap()
}

async fn empty(store: &Store) {
    let tables = "TRUNCATE events, installs_stored, erased_by_install, erased_events, dead_letters";
    sqlx::raw_sql(tables).execute(store.pool()).await.unwrap();
}

#[test]
fn what_is_counted_is_what_is_there_whatever_comes_twice_is_refused_replayed_or_erased() {
    let (runtime, store) = property::store();
    let batch_of = || (0..=INSTALLS.len(), prop::collection::vec(0..40u16, 1..12));
    let step = prop_oneof![
        6 => prop::collection::vec(batch_of(), 1..5).prop_map(Step::Write),
        1 => Just(Step::Replay),
        1 => (0..DEVICES.len()).prop_map(Step::Erase),
    ];
    let steps = prop::collection::vec((step, 1..3i32), 1..10);
    proptest!(property::cases(60), |(steps in steps)| {
        runtime.block_on(async {
            empty(&store).await;
            let mut brought = BTreeSet::new();
            for (n, (step, project)) in steps.into_iter().enumerate() {
                match step {
                    Step::Write(batches) => {
                        for (_, numbers) in batches.iter().filter(|(install, _)| *install < INSTALLS.len()) {
                            brought.extend(numbers.iter().map(|n| (project, *n)));
                        }
                        let payloads: Vec<_> =
                            batches.iter().map(|(install, numbers)| batch(project, *install, numbers)).collect();
                        store.write(Uuid::nil(), n as u64 + 1, &payloads).await.unwrap();
                    }
                    Step::Replay => {
                        // Somebody has repaired what the database refused, or else it is refused again.
                        store.replay_dead_letters(Some(project), None).await.unwrap();
                    }
                    Step::Erase(device) => {
                        // Of before everything: what is erased may come again.
                        let begun = store.begin_erasure(project, DEVICES[device], Timestamp::default()).await.unwrap();
                        if let Some(erasure) = begun {
                            store.finish_erasure(project, erasure).await.unwrap();
                        }
                        brought.retain(|(of, n)| *of != project || usize::from(*n) % 3 != device);
                    }
                }
                let [counted, there] = counted_and_there(&store).await;
                assert_eq!(counted, there);
                assert_eq!(unclaimed(&store, project, &brought).await, 0);
            }
        });
    });
}

/// The web SDK's stub sends under no name; if it does not hear that it went well, an install sends it again.
#[tokio::test]
async fn what_came_from_nobody_is_the_install_s_that_first_brings_it_again() {
    let store = support::store().await;
    let nobody = INSTALLS.len();
    for (through, batches) in [
        vec![batch(1, nobody, &[1, 2, 3])],
        vec![batch(1, nobody, &[2])],
        vec![batch(1, 0, &[2, 4])],
        vec![batch(1, 1, &[2, 3]), batch(1, 0, &[2])],
        vec![batch(1, nobody, &[5]), batch(1, 0, &[5])],
    ]
    .into_iter()
    .enumerate()
    {
        store.write(Uuid::nil(), through as u64 + 1, &batches).await.unwrap();
    }
    let whose: Vec<(i64, Option<String>)> = sqlx::query_as("SELECT seq, install_id FROM events ORDER BY seq")
        .fetch_all(store.pool())
        .await
        .unwrap();
    let of = |install: &str| Some(install.to_owned());
    assert_eq!(
        whose,
        [(1, None), (2, of("i")), (3, of("j")), (4, of("i")), (5, of("i"))]
    );
    let [counted, there] = counted_and_there(&store).await;
    assert_eq!(counted, there);
}

#[tokio::test]
async fn a_dead_letter_is_counted_when_a_replay_stores_it_and_not_twice() {
    let store = support::store().await;
    store.write(Uuid::nil(), 1, &[batch(1, 0, &[5, 6])]).await.unwrap();
    assert_eq!(counted_and_there(&store).await[0], [(1, "i".to_owned(), 1)]);
    let repaired = BatchHead {
        project_id: 1,
        received_at: at(NOW),
        install_id: Some("i"),
    };
    let mut payload = BatchWriter::new(&repaired, 0);
    payload.push(&event(6));
    sqlx::query("UPDATE dead_letters SET payload = $1")
        .bind(payload.finish().as_ref())
        .execute(store.pool())
        .await
        .unwrap();
    for _ in 0..2 {
        store.replay_dead_letters(None, None).await.unwrap();
        sqlx::raw_sql("UPDATE dead_letters SET replayed_at = NULL")
            .execute(store.pool())
            .await
            .unwrap();
    }
    assert_eq!(counted_and_there(&store).await[0], [(1, "i".to_owned(), 2)]);
}

/// Servers that store the same events of many installs at once, in opposite orders, while persons are erased.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_store_the_same_events_at_once_count_each_once_and_never_deadlock() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..3).map(|_| Store::connect(options.clone(), 2)).collect();
    servers[0].migrate().await.unwrap();
    let batches: Vec<(usize, Vec<u16>)> = (0..60u16)
        .map(|n| (usize::from(n) % 4, vec![n, n + 60, n + 120]))
        .collect();
    let nobody = INSTALLS.len();
    let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
        let mut mine = batches.clone();
        mine.rotate_left(server * 20);
        if server == 1 {
            mine.reverse();
        }
        tokio::spawn(async move {
            for (n, part) in mine.chunks(7).enumerate() {
                let payloads: Vec<_> = part
                    .iter()
                    .map(|(install, numbers)| batch(1, if server == 2 { nobody } else { *install }, numbers))
                    .collect();
                until_stored(&store, server as u128, &payloads).await;
                if n == 4 {
                    let begun = store
                        .begin_erasure(1, DEVICES[server], Timestamp::default())
                        .await
                        .unwrap();
                    store.finish_erasure(1, begun.unwrap()).await.unwrap();
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let [counted, there] = counted_and_there(&servers[0]).await;
    assert_eq!(counted, there);
    assert!(!there.is_empty());
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
