//! What there is, in all and in a time range.

use serde_json::json;
use trailmark_server::query::TimeRange;

use crate::world::{World, alias, anonymous, at, identify, json, user};

const DAY: i64 = 24 * 60 * 60 * 1_000;

async fn two_days() -> World {
    let world = World::new().await;
    world
        .send(&[
            anonymous(0, "open", "phone"),
            identify(1, "phone", "ann"),
            user(2, "buy", "ann"),
            anonymous(3, "open", "tablet"),
            alias(DAY, "ann", "ann@example.com"),
            user(DAY + 1, "buy", "ann@example.com"),
        ])
        .await;
    world
}

#[tokio::test]
async fn counts_events_persons_devices_names_and_days() {
    let world = two_days().await;
    let stats = json(&world.reader().stats(TimeRange::default()).await.unwrap());
    assert_eq!(
        stats,
        json!({
            "events": 6, "persons": 2, "devices": 2,
            "by_event": [{"event": "buy", "count": 2}, {"event": "open", "count": 2},
                         {"event": "$alias", "count": 1}, {"event": "$identify", "count": 1}],
            "by_event_rest": 0,
            "by_day": [{"day": "2026-11-20", "events": 4}, {"day": "2026-11-21", "events": 2}],
            "by_day_rest": 0,
            "first_event_at": "2026-11-20T12:00:00.000Z", "last_event_at": "2026-11-21T12:00:00.001Z",
            "dead_letters": 0,
        })
    );
}

#[tokio::test]
async fn a_time_range_counts_what_is_in_it() {
    let world = two_days().await;
    let range = TimeRange {
        from: Some(at(2)),
        to: Some(at(DAY)),
    };
    let stats = json(&world.reader().stats(range).await.unwrap());
    assert_eq!(
        (&stats["events"], &stats["persons"]),
        (&json!(2), &json!(2)),
        "to is not inside"
    );
    assert_eq!(stats["by_day"], json!([{"day": "2026-11-20", "events": 2}]));
    assert_eq!(stats["first_event_at"], "2026-11-20T12:00:00.002Z");
}

#[tokio::test]
async fn an_empty_project_has_zeros() {
    let world = World::new().await;
    let stats = json(&world.reader().stats(TimeRange::default()).await.unwrap());
    assert_eq!(
        stats,
        json!({
            "events": 0, "persons": 0, "devices": 0, "by_event": [], "by_event_rest": 0, "by_day": [], "by_day_rest": 0,
            "first_event_at": null, "last_event_at": null, "dead_letters": 0,
        })
    );
}

#[tokio::test]
async fn names_beyond_the_hundred_most_frequent_are_counted_together() {
    let world = World::new().await;
    let names: Vec<_> = (0..103).map(|i| format!("event {i:03}")).collect();
    let mut events: Vec<_> = names
        .iter()
        .zip(0..)
        .map(|(name, ms)| anonymous(ms, name, "device"))
        .collect();
    events.push(anonymous(500, "event 102", "device"));
    world.send(&events).await;
    let stats = world.reader().stats(TimeRange::default()).await.unwrap();
    assert_eq!((stats.by_event.len(), stats.by_event_rest, stats.events), (100, 3, 104));
    assert_eq!(
        (stats.by_event[0].event.as_str(), stats.by_event[0].count),
        ("event 102", 2)
    );
}

#[tokio::test]
async fn dead_letters_count_until_they_are_replayed() {
    let world = two_days().await;
    let insert = "INSERT INTO dead_letters (project_id, event_id, reason, detail, payload, replayed_at)
                  VALUES ($1, gen_random_uuid(), 'dead_letter', 'd', '', NULL), ($1, gen_random_uuid(), 'dead_letter', 'd', '', now())";
    sqlx::query(insert)
        .bind(world.project)
        .execute(world.store.pool())
        .await
        .unwrap();
    assert_eq!(
        world.reader().stats(TimeRange::default()).await.unwrap().dead_letters,
        1
    );
}
