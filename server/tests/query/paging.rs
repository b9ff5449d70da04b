//! Pages follow each other without a gap or a double, also while events arrive.

use std::collections::BTreeSet;

use trailmark_protocol::Uuid;
use trailmark_server::query::{EventFilter, Page};

use crate::world::{World, anonymous, at, event, id_at, json};

/// Every id from the newest on, and how many pages it took.
async fn walk(world: &World, filter: EventFilter<'_>, limit: u32) -> (Vec<Uuid>, usize) {
    let (mut ids, mut pages, mut before) = (Vec::new(), 0, None);
    loop {
        let page = world.events(filter, Page { limit, before }).await;
        assert!(page.events.len() <= limit as usize);
        ids.extend(page.events.iter().map(|event| event.id));
        pages += 1;
        assert!(pages <= 1_000, "the pages go round in circles");
        before = page.next_cursor;
        if before.is_none() {
            return (ids, pages);
        }
    }
}

#[tokio::test]
async fn pages_hold_every_event_once_newest_first_across_weeks() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
    let world = World::new().await;
    let events: Vec<_> = (0..25).map(|i| anonymous(-i * WEEK_MS / 5, "e", "device")).collect();
    world.send(&events).await;

    let newest_first: Vec<_> = events.iter().map(|event| event.id).collect();
    for limit in [1, 4, 5, 24, 25, 26] {
        let (ids, pages) = walk(&world, EventFilter::default(), limit).await;
        assert_eq!(ids, newest_first, "limit {limit}");
        assert_eq!(
            pages,
            25_usize.div_ceil(limit as usize),
            "no empty last page with limit {limit}"
        );
    }
}

#[tokio::test]
async fn ids_of_an_absurd_time_have_their_place_in_the_pages() {
    const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1_000;
    let world = World::new().await;
    let years = [300, 1, 0, -1, -16, -20, -50];
    let events: Vec<_> = years
        .iter()
        .map(|year| anonymous(year * YEAR_MS, "e", "device"))
        .collect();
    world.send(&events).await;

    let newest_first: Vec<_> = events.iter().map(|event| event.id).collect();
    for limit in [1, 2, 7] {
        assert_eq!(
            walk(&world, EventFilter::default(), limit).await.0,
            newest_first,
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn an_empty_project_has_one_empty_page() {
    let world = World::new().await;
    assert_eq!(walk(&world, EventFilter::default(), 10).await, (vec![], 1));
}

#[tokio::test]
async fn events_that_arrive_meanwhile_neither_move_nor_double_what_was_there() {
    let world = World::new().await;
    let there: Vec<_> = (0..200).map(|i| anonymous(i * 10, "there", "device")).collect();
    world.send(&there).await;

    // New ones on top, and late ones between those that were there: ids of 10·i + 5.
    let sending = async {
        for round in 0..40 {
            let late = anonymous(round * 50 + 5, "late", "device");
            world.send(&[anonymous(10_000 + round, "new", "device"), late]).await;
        }
    };
    let (_, (ids, _)) = tokio::join!(sending, walk(&world, EventFilter::default(), 7));

    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "an event came twice");
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "not newest first");
    assert!(
        there.iter().all(|event| distinct.contains(&event.id)),
        "an event that was there is missing"
    );
}

#[tokio::test]
async fn a_row_tells_everything_that_is_stored() {
    let world = World::new().await;
    let sent = trailmark_server::event::AcceptedEvent {
        properties: Some(r#"{"total":12.50,"note":"a \"quote\" 🦀"}"#),
        context: Some(r#"{"locale":"de-DE"}"#),
        client_timestamp: at(-60_000),
        ..event(7, "checkout", Some("device"), Some("u_7"))
    };
    world.send(&[sent, anonymous(6, "open", "device")]).await;

    let answer = json(&world.events(EventFilter::default(), Page::default()).await);
    let row = &answer["events"][0];
    let person_id = row["person_id"].as_i64().unwrap();
    assert_eq!(
        *row,
        serde_json::json!({
            "id": id_at(7), "event": "checkout", "anonymous_id": "device", "user_id": "u_7", "person_id": person_id,
            "session_id": "session-1", "install_id": "install-1", "seq": 7,
            "timestamp": "2026-11-20T12:00:00.007Z", "received_at": "2026-11-20T12:16:40.000Z",
            "client_timestamp": "2026-11-20T11:59:00.000Z",
            "properties": {"total": 12.5, "note": "a \"quote\" 🦀"}, "context": {"locale": "de-DE"},
        })
    );
    let bare = &answer["events"][1];
    assert_eq!(
        (bare["anonymous_id"].as_str(), &bare["user_id"]),
        (Some("device"), &serde_json::Value::Null)
    );
    assert_eq!(
        (&bare["properties"], &bare["context"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(answer["next_cursor"], serde_json::Value::Null);
}
