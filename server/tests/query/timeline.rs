//! A person's timeline: events, and between them the changes of who it is.

use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;

use crate::http::{Front, encoded};
use crate::world::{World, alias, anonymous, at, id_at, identify, user};

/// What is on a timeline, by the names of its events and the kinds of its changes.
async fn told(front: &Front, id: &str, limit: usize) -> Vec<String> {
    let secret = front.secret().await;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/persons/{}/timeline?limit={limit}{cursor}", encoded(id));
        let (status, page) = front.get(&path, &secret).await;
        assert_eq!(status, 200, "{page}");
        found.extend(page["entries"].as_array().unwrap().iter().map(one));
        assert!(found.len() < 1_000, "the pages go round in circles");
        match page["next_cursor"].as_str() {
            None => return found,
            Some(next) => cursor = format!("&cursor={}", encoded(next)),
        }
    }
}

fn one(entry: &Value) -> String {
    match entry["type"].as_str().unwrap() {
        "event" => entry["event"].as_str().unwrap().to_owned(),
        _ => format!(
            "{} of {}",
            entry["change"].as_str().unwrap(),
            entry["id"].as_str().unwrap()
        ),
    }
}

async fn whole(front: &Front, id: &str) -> Vec<String> {
    let whole = told(front, id, 1_000).await;
    for limit in [1, 2, 3] {
        assert_eq!(told(front, id, limit).await, whole, "{id} by {limit}");
    }
    whole
}

#[tokio::test]
async fn changes_of_identity_stand_behind_the_events_that_made_them() {
    let world = World::new().await;
    world
        .send(&[anonymous(1, "open", "phone"), anonymous(2, "browse", "phone")])
        .await;
    world.send(&[identify(3, "phone", "ann"), user(4, "buy", "ann")]).await;
    world.send(&[user(5, "open", "ann@example.com")]).await;
    world
        .send(&[alias(6, "ann", "ann@example.com"), user(7, "buy", "ann")])
        .await;
    let front = Front::of(world).await;
    let expected = [
        "buy",
        "merge of ann@example.com",
        "$alias",
        "open",
        "buy",
        "link of phone",
        "$identify",
        "browse",
        "open",
    ];
    for id in ["ann", "phone", "ann@example.com"] {
        assert_eq!(whole(&front, id).await, expected, "{id}");
    }
}

#[tokio::test]
async fn a_link_that_arrives_late_stands_where_it_happened() {
    let world = World::new().await;
    world
        .send(&[anonymous(1, "open", "phone"), user(2, "open", "bob")])
        .await;
    world
        .send(&[identify(30, "phone", "ann"), user(40, "buy", "ann")])
        .await;
    world.send(&[identify(10, "phone", "bob")]).await;
    let front = Front::of(world).await;
    let bob = whole(&front, "bob").await;
    let place = |what: &str| bob.iter().position(|entry| entry == what);
    assert!(place("move of phone") < place("$identify"), "{bob:?}");
    let (_, page) = front.get("/api/v1/persons/bob/timeline", &front.secret().await).await;
    let change = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["change"] == "move");
    let change = change.unwrap();
    assert_eq!(change["timestamp"], "2026-11-20T12:00:00.010Z");
    assert_eq!(
        (&change["event_id"], &change["kind"]),
        (&json!(id_at(10)), &json!("anonymous"))
    );
    let ann = whole(&front, "ann").await;
    assert!(
        ann.contains(&"move of phone".to_owned()),
        "what was lost is told, too: {ann:?}"
    );
}

#[tokio::test]
async fn ties_are_in_the_order_of_seq_and_then_of_id() {
    let world = World::new().await;
    let tied = |id, seq, name| AcceptedEvent {
        timestamp: at(100),
        seq,
        ..user(id, name, "ann")
    };
    world
        .send(&[
            tied(1, None, "unnumbered, lesser id"),
            tied(2, Some(8), "eight"),
            tied(3, Some(7), "seven"),
            tied(4, None, "unnumbered, greater id"),
            AcceptedEvent {
                timestamp: at(100),
                anonymous_id: Some("phone"),
                ..tied(5, Some(9), "$identify")
            },
        ])
        .await;
    let front = Front::of(world).await;
    let all = whole(&front, "ann").await;
    let events: Vec<_> = all.iter().filter(|entry| !entry.contains(" of ")).collect();
    assert_eq!(
        events,
        [
            "unnumbered, greater id",
            "unnumbered, lesser id",
            "$identify",
            "eight",
            "seven"
        ]
    );
}

#[tokio::test]
async fn a_range_cuts_events_and_changes() {
    let world = World::new().await;
    world.send(&[anonymous(1_000, "open", "phone")]).await;
    world
        .send(&[identify(2_000, "phone", "ann"), user(3_000, "buy", "ann")])
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    for (range, expected) in [
        (
            "from=2026-11-20T12:00:02Z&to=2026-11-20T12:00:03Z",
            vec!["link of phone", "$identify"],
        ),
        ("to=2026-11-20T12:00:02Z", vec!["open"]),
        ("from=2026-11-20T12:00:03Z", vec!["buy"]),
        ("from=2026-11-21T12:00:03Z", vec![]),
    ] {
        let (_, page) = front
            .get(&format!("/api/v1/persons/ann/timeline?{range}"), &secret)
            .await;
        let found: Vec<_> = page["entries"].as_array().unwrap().iter().map(one).collect();
        assert_eq!(found, expected, "{range}");
    }
}
