//! Retention, lifecycle and stickiness, told in a few words each. The beginning is Friday, 2026-11-20, at noon.

use serde_json::{Value, json};

use crate::world::{World, identify, user};
use crate::{DAY, HOUR, ask_at};

/// Ann is there on days 0, 1 and 3, Bob on days 0 and 2 (late in the evening), Cho on day 1.
async fn four_days() -> World {
    let world = World::new().await;
    world
        .send(&[
            user(0, "open", "ann"),
            user(1, "open", "bob"),
            user(DAY, "open", "ann"),
            user(DAY + 1, "open", "cho"),
            user(2 * DAY + 11 * HOUR, "open", "bob"),
            user(3 * DAY, "open", "ann"),
        ])
        .await;
    world
}

async fn ask(world: &World, question: Value) -> Value {
    ask_at(world, 3 * DAY + HOUR, question).await
}

fn rows(answer: &Value) -> Value {
    let rows = answer["results"].as_array().unwrap().iter();
    rows.map(|row| row["values"].clone()).collect()
}

#[tokio::test]
async fn who_began_on_a_day_is_counted_on_the_days_after() {
    let world = four_days().await;
    let mut question = json!({"kind": "retention", "start_event": {"event": "open"}, "intervals": 4});
    let answer = ask(&world, question.clone()).await;
    assert_eq!(
        rows(&answer),
        json!([[2, 1, 1, 1], [1, 0, 0, null], [0, 0, null, null], [0, null, null, null]])
    );
    assert_eq!(answer["results"][0]["incomplete_from"], 3);
    question["mode"] = json!("on_or_after");
    assert_eq!(rows(&ask(&world, question.clone()).await)[0], json!([2, 2, 2, 1]));
    question["mode"] = json!("exact");
    question["type"] = json!("recurring");
    assert_eq!(
        rows(&ask(&world, question).await),
        json!([[2, 1, 1, 1], [2, 0, 1, null], [1, 0, null, null], [1, null, null, null]])
    );
}

#[tokio::test]
async fn rolling_windows_are_measured_from_each_persons_own_beginning() {
    let world = four_days().await;
    let question = json!({"kind": "retention", "start_event": {"event": "open"}, "intervals": 4, "window_mode": "24h"});
    let answer = ask(&world, question).await;
    assert_eq!(
        rows(&answer)[0],
        json!([2, 1, 1, 1]),
        "ann at 24 h and 72 h, bob at 59 h"
    );
}

#[tokio::test]
async fn days_begin_in_the_zone_that_was_asked_for() {
    let world = four_days().await;
    let question =
        json!({"kind": "retention", "start_event": {"event": "open"}, "intervals": 4, "timezone": "Asia/Tokyo"});
    assert_eq!(
        rows(&ask(&world, question).await)[0],
        json!([2, 1, 0, 2]),
        "bob's late evening is the next day there"
    );
}

#[tokio::test]
async fn a_login_makes_no_new_person() {
    let world = four_days().await;
    world.send(&[identify(3 * DAY + 1, "phone", "ann")]).await;
    let question = json!({"kind": "retention", "intervals": 4});
    assert_eq!(rows(&ask(&world, question).await)[3], json!([0, null, null, null]));
}

#[tokio::test]
async fn persons_are_new_returning_resurrecting_or_dormant() {
    let world = four_days().await;
    let answer = ask(
        &world,
        json!({"kind": "lifecycle", "date_from": "2026-11-21", "date_to": "2026-11-23"}),
    )
    .await;
    assert_eq!(answer["labels"], json!(["2026-11-21", "2026-11-22", "2026-11-23"]));
    assert_eq!(answer["new"], json!([1, 0, 0]), "cho");
    assert_eq!(answer["returning"], json!([1, 0, 0]), "ann");
    assert_eq!(answer["resurrecting"], json!([0, 1, 1]), "bob, ann");
    assert_eq!(answer["dormant"], json!([1, 2, 1]), "bob; ann and cho; bob");
}

#[tokio::test]
async fn persons_stick_for_so_many_days() {
    let world = four_days().await;
    let answer = ask(
        &world,
        json!({"kind": "stickiness", "date_from": "2026-11-20", "series": [{"event": "open"}]}),
    )
    .await;
    assert_eq!(answer["labels"], json!([1, 2, 3, 4]));
    assert_eq!(answer["results"][0]["values"], json!([1, 1, 1, 0]));
}
