//! What the writer notes, and that each note is taken up once.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::Connection;

use crate::world::{DAY, HOUR, MINUTE, Sent, World, new_id, sent};

#[tokio::test]
async fn events_are_counted_by_name_and_time_whenever_they_come() {
    let world = World::new().await;
    world
        .store(&[sent(0, "a", "d"), sent(1, "a", "d"), sent(MINUTE, "b", "d")])
        .await;
    world.store(&[sent(-3 * DAY, "a", "d"), sent(HOUR, "a", "d")]).await;
    world.take_up().await;
    let counted = world.hours().await;
    let expected = [("a", 1), ("a", 2), ("b", 1), ("a", 1)].map(|(name, events)| (name.to_owned(), events));
    assert_eq!(counted, expected);
    assert_eq!(world.store.notes_left().await.unwrap(), (0, 0));
}

#[tokio::test]
async fn events_that_are_stored_already_are_not_counted_again() {
    let world = World::new().await;
    let first = [sent(0, "a", "d"), sent(1, "a", "d")];
    let ids = world.store(&first).await;
    let again: Vec<Sent> = first.iter().cloned().chain([sent(2, "a", "d")]).collect();
    world.store_as(&[ids[0], ids[1], new_id(2)], &again).await;
    world.take_up().await;
    assert_eq!(world.hours().await, [("a".to_owned(), 3)]);
}

#[tokio::test]
async fn two_servers_take_up_each_note_once() {
    let world = World::new().await;
    for ms in 0..120 {
        world.store(&[sent(ms * MINUTE, "a", "d"), sent(0, "b", "d")]).await;
    }
    let servers = [world.store.apart(2), world.store.apart(2)];
    let taken = futures_util::future::join_all(servers.iter().map(async |server| {
        let mut taken = 0;
        loop {
            match server.take_up_notes().await.unwrap() {
                0 => break taken,
                some => taken += some,
            }
        }
    }))
    .await;
    // What one has locked the other passes over, and may then find nothing.
    world.take_up().await;
    assert!(taken.iter().sum::<u64>() <= 120, "{taken:?}");
    let total =
        |name: &str, hours: &[(String, i64)]| hours.iter().filter(|(n, _)| n == name).map(|(_, e)| e).sum::<i64>();
    let hours = world.hours().await;
    assert_eq!((total("a", &hours), total("b", &hours)), (120, 120));
}

#[tokio::test]
async fn a_server_that_dies_with_notes_in_hand_loses_none() {
    let world = World::new().await;
    world.store(&[sent(0, "a", "d")]).await;
    // As a server does that is killed before it commits: its connection ends, and with it the transaction.
    let mut dying = sqlx::PgConnection::connect_with(&world.store.pool().connect_options())
        .await
        .unwrap();
    sqlx::query("BEGIN").execute(&mut dying).await.unwrap();
    sqlx::query("DELETE FROM notes").execute(&mut dying).await.unwrap();
    sqlx::query("INSERT INTO event_hours VALUES ($1, 1, now(), 77)")
        .bind(world.project)
        .execute(&mut dying)
        .await
        .unwrap();
    assert_eq!(world.store.take_up_notes().await.unwrap(), 0, "another has them");
    dying.close_hard().await.unwrap();
    loop {
        // Postgres notices a moment later.
        if world.store.take_up_notes().await.unwrap() > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(world.hours().await, [("a".to_owned(), 1)]);
}

#[tokio::test]
async fn a_note_that_cannot_be_taken_up_holds_up_no_other_and_is_given_up() {
    let world = World::new().await;
    world.store(&[sent(0, "a", "d")]).await;
    // A minute that no timestamp can hold, which no release writes.
    sqlx::query("UPDATE notes SET minutes = '{9223372036854775807}'")
        .execute(world.store.pool())
        .await
        .unwrap();
    world.store(&[sent(0, "b", "d")]).await;
    assert_eq!(world.store.take_up_notes().await.unwrap(), 1);
    assert_eq!(world.hours().await, [("b".to_owned(), 1)]);
    assert_eq!(
        world.store.notes_left().await.unwrap(),
        (0, 1),
        "it is kept, for somebody to look at"
    );
}

#[tokio::test]
async fn minutes_are_forgotten_and_hours_are_kept() {
    let world = World::new().await;
    world.store(&[sent(-10 * DAY, "a", "d"), sent(0, "a", "d")]).await;
    world.take_up().await;
    assert_eq!(world.store.forget_event_minutes(crate::world::at(0)).await.unwrap(), 1);
    assert_eq!(world.hours().await.len(), 2);
}

/// Counts are the rows', whatever comes twice, late, or in which pieces.
#[test]
fn counts_are_those_of_the_rows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config::with_cases(12));
    let event = (0i64..40, 0usize..3, any::<bool>());
    let writes = proptest::collection::vec(proptest::collection::vec(event, 1..12), 1..6);
    runner
        .run(&writes, |writes| {
            runtime.block_on(async {
                let world = World::new().await;
                let mut known: Vec<(uuid::Uuid, Sent)> = Vec::new();
                for write in writes {
                    let mut batch: Vec<(uuid::Uuid, Sent)> = Vec::new();
                    for (place, name, again) in write {
                        let old = known.get(place as usize % known.len().max(1)).cloned();
                        let one = match old.filter(|_| again) {
                            Some(old) => old,
                            None => (new_id(place * 7 * MINUTE), sent(place * 7 * MINUTE, ["a", "b", "c"][name], "d")),
                        };
                        batch.push(one);
                    }
                    let (ids, events): (Vec<_>, Vec<_>) = batch.iter().cloned().unzip();
                    world.store_as(&ids, &events).await;
                    known.extend(batch);
                }
                world.take_up().await;
                let rows: Vec<(String, i64)> = sqlx::query_as(
                    "SELECT n.name, count(*) FROM events e JOIN event_names n ON n.project_id = e.project_id AND n.id = e.event_name_id
                     WHERE e.project_id = $1 GROUP BY date_trunc('hour', e.timestamp), n.name ORDER BY date_trunc('hour', e.timestamp), n.name",
                )
                .bind(world.project)
                .fetch_all(world.store.pool())
                .await
                .unwrap();
                prop_assert_eq!(world.hours().await, rows);
                Ok(())
            })
        })
        .unwrap();
}
