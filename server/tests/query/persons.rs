//! Who is whom: history joins a person at the moment of the link, and never the wrong one.

use serde_json::Value;
use trailmark_server::query::{Page, QueryError};

use crate::world::{World, alias, anonymous, event, identify, user};

fn ids(person: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let identities = person["identities"].as_array().unwrap();
    identities
        .iter()
        .map(|identity| (text(&identity["kind"]), text(&identity["id"])))
        .collect()
}

fn kinds(ids: &[(String, String)]) -> Vec<(&str, &str)> {
    ids.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).collect()
}

#[tokio::test]
async fn what_a_device_did_before_the_sign_in_is_on_the_users_timeline() {
    let world = World::new().await;
    world
        .send(&[anonymous(1, "open", "device"), anonymous(2, "browse", "device")])
        .await;
    let before = world.person("device").await;
    world.send(&[identify(3, "device", "ann"), user(4, "buy", "ann")]).await;

    for id in ["ann", "device"] {
        assert_eq!(world.timeline(id).await, ["buy", "$identify", "browse", "open"], "{id}");
        let person = world.person(id).await;
        assert_eq!(kinds(&ids(&person)), [("user", "ann"), ("anonymous", "device")]);
        assert_eq!(
            (person["events"].as_i64(), person["identity_count"].as_i64()),
            (Some(4), Some(2))
        );
        assert_eq!(person["first_seen_at"], "2026-11-20T12:00:00.001Z");
        assert_eq!(person["last_seen_at"], "2026-11-20T12:00:00.004Z");
        assert_eq!(
            person["identities"][0]["first_seen_at"], "2026-11-20T12:16:40.000Z",
            "the time of receipt"
        );
    }
    assert_eq!(
        kinds(&ids(&before)),
        [("anonymous", "device")],
        "before, it was a person of its own"
    );
}

#[tokio::test]
async fn the_second_user_of_a_shared_device_does_not_get_the_first_ones_history() {
    let world = World::new().await;
    world
        .send(&[
            anonymous(1, "ann browses", "tablet"),
            identify(2, "tablet", "ann"),
            event(3, "ann buys", Some("tablet"), Some("ann")),
            identify(4, "tablet", "bob"),
            event(5, "bob buys", Some("tablet"), Some("bob")),
            anonymous(6, "signed out", "tablet"),
        ])
        .await;
    assert_eq!(
        world.timeline("ann").await,
        ["signed out", "ann buys", "$identify", "ann browses"]
    );
    assert_eq!(world.timeline("bob").await, ["bob buys", "$identify"]);
    assert_eq!(kinds(&ids(&world.person("bob").await)), [("user", "bob")]);
}

#[tokio::test]
async fn an_alias_makes_one_person_of_two_users_and_their_devices() {
    let world = World::new().await;
    world
        .send(&[
            identify(1, "phone", "ann"),
            identify(2, "laptop", "ann@example.com"),
            anonymous(3, "read", "laptop"),
            user(4, "write", "ann"),
        ])
        .await;
    assert_eq!(world.timeline("ann").await, ["write", "$identify"]);
    world.send(&[alias(5, "ann@example.com", "ann")]).await;
    let everything = ["$alias", "write", "read", "$identify", "$identify"];
    for id in ["ann", "ann@example.com", "phone", "laptop"] {
        assert_eq!(world.timeline(id).await, everything, "{id}");
    }
    assert_eq!(
        world.person("ann").await["person_id"],
        world.person("laptop").await["person_id"]
    );
}

#[tokio::test]
async fn a_user_id_wins_over_an_anonymous_id_of_the_same_text() {
    let world = World::new().await;
    world
        .send(&[anonymous(1, "as a device", "same"), user(2, "as a user", "same")])
        .await;
    assert_eq!(world.timeline("same").await, ["as a user"]);
}

#[tokio::test]
async fn a_user_known_by_an_alias_only_is_a_person_without_events_of_its_own() {
    let world = World::new().await;
    world.send(&[alias(1, "ann", "ann@example.com")]).await;
    let person = world.person("ann@example.com").await;
    assert_eq!(
        (person["events"].as_i64(), person["identity_count"].as_i64()),
        (Some(1), Some(2))
    );
}

#[tokio::test]
async fn a_timeline_has_pages() {
    let world = World::new().await;
    let mut events: Vec<_> = (0..9).map(|ms| anonymous(ms, "e", "device")).collect();
    events.push(identify(9, "device", "ann"));
    world.send(&events).await;

    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let person = world.reader().person("ann", Page { limit: 4, before }).await.unwrap();
        assert_eq!(person.seen.events, 10, "the count does not depend on the page");
        seen.extend(person.timeline.events.iter().map(|event| event.seq.unwrap()));
        assert!(seen.len() <= 10, "the pages go round in circles: {seen:?}");
        before = person.timeline.next_cursor;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..10).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn an_unknown_id_is_nobody() {
    let world = World::new().await;
    let answer = world.reader().person("nobody", Page::default()).await;
    assert!(matches!(answer, Err(QueryError::UnknownPerson)), "{answer:?}");
}
