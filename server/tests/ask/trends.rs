//! Trends, told in a few words each.

use std::sync::Arc;

use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::query::ask::question::Question;

use crate::world::{World, alias, anonymous, at, identify, json as as_json, user};
use crate::{DAY, ask};

fn bought<'a>(ms: i64, who: &'a str, properties: &'a str) -> AcceptedEvent<'a> {
    AcceptedEvent {
        properties: Some(properties),
        ..user(ms, "buy", who)
    }
}

async fn shop() -> World {
    let world = World::new().await;
    world
        .send(&[
            anonymous(0, "open", "phone"),
            identify(1, "phone", "ann"),
            bought(2, "ann", r#"{"price": 10, "plan": "pro"}"#),
            bought(3, "bob", r#"{"price": 20.5, "plan": null}"#),
            bought(DAY, "bob", r#"{"price": "30", "plan": "pro"}"#),
            bought(DAY + 1, "cho", r#"{"price": 40}"#),
            alias(DAY + 2, "cho", "ann"),
        ])
        .await;
    world
}

#[tokio::test]
async fn counts_events_and_persons_by_day_and_over_all() {
    let world = shop().await;
    let answer = ask(
        &world,
        json!({"kind": "trends", "date_from": "-2d", "series": [
            {"event": "buy"}, {"event": "buy", "math": "unique_persons", "name": "buyers"}, {"event": "never"}]}),
    )
    .await;
    assert_eq!(answer["labels"], json!(["2026-11-20", "2026-11-21", "2026-11-22"]));
    assert_eq!(
        answer["results"],
        json!([
            {"series": "A", "name": "buy", "values": [2.0, 2.0, 0.0], "total": 4.0},
            {"series": "B", "name": "buyers", "values": [2.0, 2.0, 0.0], "total": 2.0},
            {"series": "C", "name": "never", "values": [0.0, 0.0, 0.0], "total": 0.0},
        ]),
        "ann and cho are one person"
    );
    assert_eq!(answer["meta"]["incomplete_from"], "2026-11-22");
}

#[tokio::test]
async fn what_somebody_did_who_is_being_erased_counts_no_longer_in_rows_or_segments() {
    let world = shop().await;
    world
        .store
        .promote(world.project, "plan", "test", at(0), 16)
        .await
        .unwrap();
    world.store.seal(world.project, at(2 * DAY)).await.unwrap();
    // The server is killed before the first row is gone.
    world
        .store
        .begin_erasure(world.project, "bob", at(2 * DAY))
        .await
        .unwrap()
        .unwrap();
    let question = json!({"kind": "trends", "date_from": "-2d", "breakdown": [{"property": "plan"}], "series": [{"event": "buy"}]});
    let question = Question::read(question.to_string().as_bytes()).unwrap();
    let segments = world.reader().with_columns(Arc::default());
    for (reader, by_segments) in [(world.reader(), false), (segments, true)] {
        let (answer, how) = reader.ask_and_tell(&question, at(2 * DAY)).await.unwrap();
        let answer = as_json(&answer);
        let told = answer["results"].as_array().unwrap().iter();
        let told: Vec<_> = told
            .map(|line| (line["breakdown"].clone(), line["total"].clone()))
            .collect();
        let expected = [
            (json!([{"missing": true}]), json!(1.0)),
            (json!([{"value": "pro"}]), json!(1.0)),
        ];
        assert_eq!(
            (told.as_slice(), how.rows_because.is_none()),
            (expected.as_slice(), by_segments),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn properties_are_reckoned_with_where_they_are_numbers() {
    let world = shop().await;
    let series: Vec<_> = ["sum", "avg", "min", "max", "p50"]
        .map(|math| json!({"event": "buy", "math": math, "math_property": "price"}))
        .into();
    let answer = ask(&world, json!({"kind": "trends", "date_from": "-2d", "series": series})).await;
    let values: Vec<_> = (0..5).map(|line| answer["results"][line]["values"].clone()).collect();
    assert_eq!(
        values,
        [
            json!([30.5, 40.0, 0.0]),
            json!([15.25, 40.0, null]),
            json!([10.0, 40.0, null]),
            json!([20.5, 40.0, null]),
            json!([15.25, 40.0, null]),
        ]
    );
}

#[tokio::test]
async fn a_breakdown_tells_values_null_missing_and_others_apart() {
    let world = shop().await;
    let broken_down = |limit: u32| {
        json!({"kind": "trends", "date_from": "-2d", "series": [{"event": "buy"}],
               "breakdown": [{"property": "plan", "limit": limit}]})
    };
    let parts = |answer: Value| -> Vec<(Value, Value)> {
        let lines = answer["results"].as_array().unwrap().iter();
        lines
            .map(|line| (line["breakdown"][0].clone(), line["total"].clone()))
            .collect()
    };
    let all = parts(ask(&world, broken_down(10)).await);
    assert_eq!(all.len(), 3);
    for part in [
        (json!({"value": "pro"}), json!(2.0)),
        (json!({"value": null}), json!(1.0)),
        (json!({"missing": true}), json!(1.0)),
    ] {
        assert!(all.contains(&part), "{part:?} in {all:?}");
    }
    let one = parts(ask(&world, broken_down(1)).await);
    assert!(one.contains(&(json!({"other": true}), json!(1.0))), "{one:?}");
}

#[tokio::test]
async fn a_formula_makes_one_line_and_the_stretch_before_is_beside_it() {
    let world = shop().await;
    let answer = ask(
        &world,
        json!({"kind": "trends", "date_from": "2026-11-21", "date_to": "2026-11-21", "compare": "previous",
               "series": [{"event": "buy"}, {"event": "open"}], "formula": "B / A * 100"}),
    )
    .await;
    assert_eq!(
        answer["results"],
        json!([{"name": "B / A * 100", "values": [0.0], "total": 0.0}])
    );
    assert_eq!(answer["previous"]["labels"], json!(["2026-11-20"]));
    assert_eq!(answer["previous"]["results"][0]["values"], json!([50.0]));
}

#[tokio::test]
async fn filters_nest_and_ask_events_and_persons() {
    let world = shop().await;
    let set = |who| AcceptedEvent {
        set: Some(r#"{"city": "Köln", "age": 41}"#),
        ..user(5, "$set", who)
    };
    world.send(&[set("ann")]).await;
    for (filter, expected) in [
        (json!({"property": "plan", "op": "is", "value": "pro"}), 2.0),
        (json!({"property": "plan", "op": "is", "value": null}), 1.0),
        (json!({"property": "plan", "op": "is_not", "value": "pro"}), 2.0),
        (json!({"property": "plan", "op": "is_not_set"}), 1.0),
        (json!({"property": "price", "op": "gt", "value": 10}), 2.0),
        (json!({"property": "price", "op": "between", "value": [10, 20.5]}), 2.0),
        (json!({"property": "price", "op": "contains", "value": "0"}), 4.0),
        (json!({"property": "plan", "op": "regex", "value": "^P?pr"}), 2.0),
        (
            json!({"type": "person", "property": "city", "op": "contains", "value": "öLN"}),
            2.0,
        ),
        (
            json!({"type": "person", "property": "age", "op": "gte", "value": 41}),
            2.0,
        ),
        (
            json!({"type": "session", "property": "$event_count", "op": "gt", "value": 6}),
            4.0,
        ),
        (
            json!({"or": [{"and": [{"property": "plan", "op": "is", "value": "pro"}, {"property": "price", "op": "lt", "value": 11}]},
                          {"property": "price", "op": "is", "value": 40}]}),
            2.0,
        ),
        (json!({"and": []}), 4.0),
        (json!({"or": []}), 0.0),
    ] {
        let question = json!({"kind": "trends", "date_from": "-2d", "series": [{"event": "buy"}], "filters": filter});
        let answer = ask(&world, question).await;
        assert_eq!(answer["results"][0]["total"], json!(expected), "{filter}");
    }
}
