//! What is erased or dropped is in no segment.

use std::time::Duration;

use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::Store;

use crate::history::{at, count, event, id_at, identify};
use crate::sealed::{decoded, each_event_is_in_one_place, segments};
use crate::segments::{happened, hours, write};
use crate::support;

fn by(device: &'static str, event: AcceptedEvent<'static>) -> AcceptedEvent<'static> {
    AcceptedEvent {
        anonymous_id: Some(device),
        ..event
    }
}

async fn identities(store: &Store, like: &'static str) -> Vec<i64> {
    sqlx::query_scalar("SELECT id FROM identities WHERE external_id LIKE $1")
        .bind(like)
        .fetch_all(store.pool())
        .await
        .unwrap()
}

async fn in_segments(store: &Store) -> Vec<i64> {
    let segments = segments(store).await;
    let present = segments.values().filter(|segment| segment.stale.is_none());
    present.flat_map(decoded).map(|event| event.0).collect()
}

#[tokio::test]
async fn erasing_a_person_leaves_none_of_its_numbers_in_any_segment_or_mark() {
    let store = support::store().await;
    let mut events = vec![identify(1, "phone", "ann"), by("phone", happened(2, -30))];
    for week in 0..40 {
        events.push(by("phone", happened(100 + week, -200 - i64::from(week) * 168)));
        events.push(by("other", happened(200 + week, -200 - i64::from(week % 20) * 168)));
    }
    write(&store, &events).await;
    store.promote(1, "n", "use", hours(0), 64).await.unwrap();
    store.seal(1, hours(1)).await.unwrap();
    write(&store, &[by("phone", happened(3, -40)), by("other", happened(4, -40))]).await;
    let erased = identities(&store, "%phone%").await;
    assert!(in_segments(&store).await.contains(&erased[0]));
    let versions = "SELECT version FROM segments s JOIN event_names n ON n.id = s.event_name_id
                    WHERE n.name = 'viewed' ORDER BY week DESC LIMIT 1";
    let current: i64 = sqlx::query_scalar(versions).fetch_one(store.pool()).await.unwrap();

    let erasure = store.begin_erasure(1, "ann", hours(2)).await.unwrap().unwrap();
    each_event_is_in_one_place(&store).await;
    let done = store.finish_erasure(1, erasure).await.unwrap();
    assert_eq!(done.events, 43);
    let left = in_segments(&store).await;
    assert!(!left.contains(&erased[0]) && left.len() == 40);
    assert_eq!(segments(&store).await.len(), 20, "segments without events go");
    let marked: Vec<i64> = sqlx::query_scalar("SELECT identity_id FROM late_events")
        .fetch_all(store.pool())
        .await
        .unwrap();
    assert_eq!(marked, identities(&store, "other").await);
    let rewritten: i64 = sqlx::query_scalar(versions).fetch_one(store.pool()).await.unwrap();
    assert_ne!(rewritten, current, "servers that have kept it notice");
    assert!(segments(&store).await.values().all(|segment| segment.columns == ["n"]));
    each_event_is_in_one_place(&store).await;
}

#[tokio::test]
async fn what_is_sealed_in_the_middle_of_an_erasure_is_erased_too() {
    let store = support::store().await;
    write(&store, &[by("phone", happened(1, -30)), by("other", happened(2, -30))]).await;
    let erased = identities(&store, "phone").await;
    let erasure = store.begin_erasure(1, "phone", hours(2)).await.unwrap().unwrap();
    store.seal(1, hours(0)).await.unwrap();
    each_event_is_in_one_place(&store).await;
    store.finish_erasure(1, erasure).await.unwrap();
    assert_eq!(in_segments(&store).await.len(), 1);
    assert!(!in_segments(&store).await.contains(&erased[0]));
    each_event_is_in_one_place(&store).await;
}

/// An event of which the client's clock and the server's say different weeks.
fn skewed(n: u16, id: &str, timestamp: &str) -> AcceptedEvent<'static> {
    AcceptedEvent {
        id: id_at(at(id), n),
        timestamp: at(timestamp),
        client_timestamp: at(timestamp),
        ..event(n)
    }
}

#[tokio::test]
async fn segments_follow_a_dropped_week_and_what_it_held_of_others() {
    let store = support::store().await;
    let events = [
        skewed(1, "2026-10-14T00:00:00Z", "2026-10-14T00:00:00Z"),
        skewed(2, "2026-10-15T00:00:00Z", "2026-10-20T00:00:00Z"),
        skewed(3, "2026-10-21T00:00:00Z", "2026-10-21T00:00:00Z"),
        skewed(4, "2026-10-28T00:00:00Z", "2026-10-28T00:00:00Z"),
        AcceptedEvent {
            name: "bought",
            ..skewed(5, "2026-10-16T00:00:00Z", "2026-10-28T00:00:00Z")
        },
    ];
    write(&store, &events).await;
    store.seal(1, at("2026-10-28T12:00:00Z")).await.unwrap();
    write(&store, &[skewed(6, "2026-10-17T00:00:00Z", "2026-10-27T00:00:00Z")]).await;
    let old = skewed(7, "2026-10-18T00:00:00Z", "2026-10-29T00:00:00Z");
    write(&store, &[old]).await;
    assert_eq!(segments(&store).await.len(), 4);
    each_event_is_in_one_place(&store).await;

    assert_eq!(store.drop_weeks(at("2026-10-19T00:00:00Z")).await.unwrap(), 1);
    assert_eq!(count(store.pool(), "events").await, 2);
    let left = segments(&store).await;
    let stale: Vec<Option<&str>> = left.values().map(|segment| segment.stale.as_deref()).collect();
    assert_eq!(stale, [Some("retention"), Some("retention")], "the week before is gone");
    assert_eq!(count(store.pool(), "late_events").await, 0);
    each_event_is_in_one_place(&store).await;
    assert_eq!(store.rebuild_stale(1, 1).await.unwrap(), 1);
    each_event_is_in_one_place(&store).await;
    assert_eq!(store.rebuild_stale(1, 9).await.unwrap(), 1);
    assert_eq!(in_segments(&store).await.len(), 2);
    each_event_is_in_one_place(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_sealing_folding_and_dropping_at_once_lose_nothing_and_keep_nothing() {
    const PEOPLE: [&str; 6] = ["a0", "a1", "a2", "a3", "a4", "a5"];
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..4).map(|_| Store::connect(options.clone(), 3)).collect();
    servers[0].migrate().await.unwrap();
    let mut events = Vec::new();
    for n in 0..240u16 {
        events.push(by(PEOPLE[n as usize % 6], happened(n, -i64::from(n) * 7)));
    }
    write(&servers[0], &events).await;
    let erased: Vec<i64> = identities(&servers[0], "a%").await;
    let work: [Box<dyn Fn(Store) -> futures_util::future::BoxFuture<'static, ()>>; 4] = [
        Box::new(|store| {
            Box::pin(async move {
                for n in 0..30 {
                    store.seal(1, hours(-1_700 + n * 60)).await.unwrap();
                }
            })
        }),
        Box::new(|store| {
            Box::pin(async move {
                for person in &PEOPLE[..5] {
                    let erasure = store.begin_erasure(1, person, hours(2)).await.unwrap().unwrap();
                    store.finish_erasure(1, erasure).await.unwrap();
                }
            })
        }),
        Box::new(|store| {
            Box::pin(async move {
                for n in 0..10u16 {
                    let late = happened(300 + n, -1_000 + i64::from(n) * 50);
                    while store
                        .write(uuid::Uuid::nil(), 1, &[crate::history::payload(&[by("late", late)])])
                        .await
                        .is_err()
                    {}
                    store.fold_late(1, Duration::ZERO).await.unwrap();
                }
            })
        }),
        Box::new(|store| {
            Box::pin(async move {
                for n in 0..4 {
                    // One that is being read is left for the next time.
                    while store.drop_weeks(hours(-1_600 + n * 168)).await.is_err() {}
                    store.rebuild_stale(1, 3).await.unwrap();
                }
            })
        }),
    ];
    let tasks: Vec<_> = work
        .iter()
        .zip(&servers)
        .map(|(work, store)| tokio::spawn(work(store.clone())))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let store = &servers[0];
    each_event_is_in_one_place(store).await;
    let left = in_segments(store).await;
    assert!(erased[..5].iter().all(|identity| !left.contains(identity)), "{left:?}");
    store.seal(1, hours(10)).await.unwrap();
    store.fold_late(1, Duration::ZERO).await.unwrap();
    store.rebuild_stale(1, 99).await.unwrap();
    each_event_is_in_one_place(store).await;
    assert_eq!(
        in_segments(store).await.len() as i64,
        count(store.pool(), "events").await,
        "all are sealed"
    );
}
