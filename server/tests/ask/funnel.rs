//! Funnels, told in a few words each.

use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;

use crate::world::{World, alias, anonymous, identify, user};
use crate::{DAY, HOUR, ask};

fn counts(answer: &Value) -> Vec<u64> {
    let steps = answer["results"][0]["steps"].as_array().unwrap().iter();
    steps.map(|step| step["count"].as_u64().unwrap()).collect()
}

fn steps(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"event": name})).collect()
}

#[tokio::test]
async fn persons_go_through_it_as_devices_and_as_users_and_under_another_name() {
    let world = World::new().await;
    world
        .send(&[
            anonymous(0, "open", "phone"),
            identify(1, "phone", "ann"),
            user(2, "cart", "ann"),
            alias(3, "ann@example.com", "ann"),
            user(HOUR, "buy", "ann@example.com"),
            anonymous(4, "open", "tablet"),
            anonymous(5, "cart", "tablet"),
            anonymous(6, "cart", "fridge"),
        ])
        .await;
    let answer = ask(
        &world,
        json!({"kind": "funnel", "date_from": "-2d", "steps": steps(&["open", "cart", "buy"])}),
    )
    .await;
    assert_eq!(counts(&answer), [2, 2, 1]);
    let last = &answer["results"][0]["steps"][2];
    assert_eq!((&last["of_first"], &last["of_previous"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(last["average_seconds"], json!(3599.998));
}

#[tokio::test]
async fn events_of_one_moment_convert_in_the_order_of_their_numbers() {
    let world = World::new().await;
    let at_once = |seq, name| AcceptedEvent {
        seq: Some(seq),
        timestamp: crate::world::at(7),
        ..user(100 - seq, name, "ann")
    };
    world.send(&[at_once(1, "open"), at_once(2, "buy")]).await;
    let asked = |names| json!({"kind": "funnel", "date_from": "-2d", "steps": steps(names)});
    assert_eq!(counts(&ask(&world, asked(&["open", "buy"])).await), [1, 1]);
    assert_eq!(counts(&ask(&world, asked(&["buy", "open"])).await), [1, 0]);
}

#[tokio::test]
async fn order_window_sessions_and_exclusions_are_kept() {
    let world = World::new().await;
    let other_session = |ms, name| AcceptedEvent {
        session_id: Some("session-2"),
        ..user(ms, name, "ann")
    };
    world
        .send(&[
            user(0, "open", "ann"),
            user(1, "look", "ann"),
            other_session(2, "buy"),
            user(3, "buy", "bob"),
            user(4, "open", "bob"),
            user(5, "open", "cho"),
            user(5 + 2 * HOUR, "buy", "cho"),
        ])
        .await;
    let asked = |more: Value| {
        let mut question = json!({"kind": "funnel", "date_from": "-2d", "steps": steps(&["open", "buy"])});
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        question
    };
    for (more, expected) in [
        (json!({}), [3, 2]),
        (json!({"order": "strict"}), [3, 1]),
        (json!({"order": "unordered"}), [3, 3]),
        (json!({"by": "session"}), [1, 1]),
        (json!({"window": {"value": 1, "unit": "hour"}}), [3, 1]),
        (
            json!({"exclusions": [{"event": "look", "from_step": 0, "to_step": 1}]}),
            [3, 1],
        ),
    ] {
        assert_eq!(counts(&ask(&world, asked(more.clone())).await), expected, "{more}");
    }
}

#[tokio::test]
async fn later_steps_may_lie_behind_the_stretch() {
    let world = World::new().await;
    world
        .send(&[
            user(0, "open", "ann"),
            user(DAY, "buy", "ann"),
            user(DAY + 1, "open", "bob"),
        ])
        .await;
    let question =
        json!({"kind": "funnel", "date_from": "2026-11-20", "date_to": "2026-11-20", "steps": steps(&["open", "buy"])});
    assert_eq!(counts(&ask(&world, question).await), [1, 1], "bob began too late");
}

#[tokio::test]
async fn a_breakdown_goes_by_the_first_step() {
    let world = World::new().await;
    let open = |ms, who, properties| AcceptedEvent {
        properties: Some(properties),
        ..user(ms, "open", who)
    };
    world
        .send(&[
            open(0, "ann", r#"{"os": "iOS", "n": 1}"#),
            open(1, "bob", r#"{"os": "iOS", "n": 2}"#),
            open(2, "cho", r#"{"n": 1}"#),
            user(3, "buy", "ann"),
            user(4, "buy", "cho"),
        ])
        .await;
    let answer = ask(
        &world,
        json!({"kind": "funnel", "date_from": "-2d", "steps": steps(&["open", "buy"]),
               "breakdown": [{"property": "os"}, {"property": "n"}]}),
    )
    .await;
    let lines: Vec<(Value, Vec<u64>)> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["breakdown"].clone(), counts(&json!({"results": [line]}))))
        .collect();
    assert_eq!(lines.len(), 3);
    for line in [
        (json!([{"value": "iOS"}, {"value": 1}]), vec![1, 1]),
        (json!([{"value": "iOS"}, {"value": 2}]), vec![1, 0]),
        (json!([{"missing": true}, {"value": 1}]), vec![1, 1]),
    ] {
        assert!(lines.contains(&line), "{line:?} in {lines:?}");
    }
}
