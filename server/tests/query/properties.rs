//! Person properties: registers per identity, combined over the identities of a person.

use serde_json::json;
use trailmark_server::event::AcceptedEvent;

use crate::world::{World, alias, anonymous, identify, user};

fn set<'a>(event: AcceptedEvent<'a>, json: &'a str) -> AcceptedEvent<'a> {
    AcceptedEvent {
        set: Some(json),
        ..event
    }
}

fn set_once<'a>(event: AcceptedEvent<'a>, json: &'a str) -> AcceptedEvent<'a> {
    AcceptedEvent {
        set_once: Some(json),
        ..event
    }
}

#[tokio::test]
async fn the_last_set_and_the_first_set_once_win_over_all_identities_whatever_came_first() {
    let world = World::new().await;
    let events = [
        set(user(30, "$set", "ann"), r#"{"plan":"pro","city":"Bonn"}"#),
        set(anonymous(10, "$set", "device"), r#"{"plan":"free","theme":"dark"}"#),
        set(user(40, "$set", "ann@example.com"), r#"{"city":"Kiel"}"#),
        set_once(user(50, "$set", "ann"), r#"{"referrer":"mail","tier":1}"#),
        set_once(anonymous(5, "$set", "device"), r#"{"referrer":"search"}"#),
        identify(20, "device", "ann"),
        alias(60, "ann", "ann@example.com"),
    ];
    let expected = json!({"plan": "pro", "city": "Kiel", "theme": "dark", "referrer": "search", "tier": 1});
    world.send(&events).await;
    for id in ["ann", "device", "ann@example.com"] {
        assert_eq!(world.person(id).await["properties"], expected, "{id}");
    }

    let reversed = World::beside(world.store.clone()).await;
    for event in events.iter().rev() {
        reversed.send(std::slice::from_ref(event)).await;
    }
    assert_eq!(reversed.person("ann").await["properties"], expected);
}

#[tokio::test]
async fn set_beats_set_once_even_an_earlier_one() {
    let world = World::new().await;
    world
        .send(&[
            set_once(user(1, "$set", "ann"), r#"{"a":"once","b":"once"}"#),
            set(user(2, "$set", "ann"), r#"{"a":"set"}"#),
            set_once(user(3, "$set", "ann"), r#"{"a":"late"}"#),
        ])
        .await;
    assert_eq!(
        world.person("ann").await["properties"],
        json!({"a": "set", "b": "once"})
    );
}

#[tokio::test]
async fn the_event_id_decides_between_two_of_the_same_moment() {
    let world = World::new().await;
    let early = set(anonymous(1, "$set", "device"), r#"{"a":"lower id"}"#);
    let tied = AcceptedEvent {
        timestamp: early.timestamp,
        ..set(user(2, "$set", "ann"), r#"{"a":"higher id"}"#)
    };
    world.send(&[tied, early, identify(3, "device", "ann")]).await;
    assert_eq!(world.person("ann").await["properties"], json!({"a": "higher id"}));
}

#[tokio::test]
async fn the_first_users_properties_are_not_the_second_users_of_a_shared_device() {
    let world = World::new().await;
    world
        .send(&[
            set(anonymous(1, "$set", "tablet"), r#"{"from":"tablet"}"#),
            set(identify(2, "tablet", "ann"), r#"{"name":"Ann"}"#),
            set(identify(3, "tablet", "bob"), r#"{"name":"Bob"}"#),
        ])
        .await;
    assert_eq!(
        world.person("ann").await["properties"],
        json!({"from": "tablet", "name": "Ann"})
    );
    assert_eq!(world.person("bob").await["properties"], json!({"name": "Bob"}));
}
