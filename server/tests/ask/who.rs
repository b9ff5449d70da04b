//! Every number of an answer can be asked who it is, and as many persons come back.

use serde_json::{Value, json};
use trailmark_server::query::ask::persons::WhoIs;

use crate::world::{World, alias, anonymous, at, identify, json, user};
use crate::{DAY, HOUR, ask_at};

const NOW: i64 = 3 * DAY + HOUR;

async fn world() -> World {
    let world = World::new().await;
    world
        .send(&[
            anonymous(0, "open", "phone"),
            identify(1, "phone", "ann"),
            user(2, "buy", "ann"),
            user(3, "open", "bob"),
            user(DAY, "open", "ann"),
            user(DAY + 1, "open", "cho"),
            user(DAY + 2, "buy", "cho"),
            alias(DAY + 3, "cho", "cho@example.com"),
            user(2 * DAY, "open", "bob"),
            user(3 * DAY, "open", "ann"),
            user(3 * DAY + 1, "buy", "cho@example.com"),
        ])
        .await;
    world
}

/// The persons in a place, asked for one by one.
pub(crate) async fn who(world: &World, query: &Value, place: Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let wanted = json!({"query": query, "at": place, "limit": 1, "cursor": cursor});
        let who = WhoIs::read(wanted.to_string().as_bytes()).unwrap_or_else(|invalid| panic!("{wanted}: {invalid}"));
        let page = json(&world.reader().persons_in(&who, at(NOW)).await.unwrap());
        found.extend(
            page["persons"]
                .as_array()
                .unwrap()
                .iter()
                .map(|person| person["id"].as_str().unwrap().to_owned()),
        );
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return found;
        }
    }
}

async fn check(world: &World, query: &Value, place: Value, number: &Value) {
    let found = who(world, query, place.clone()).await;
    let number = number.as_f64().unwrap_or_default();
    assert_eq!(found.len(), number as usize, "{query} at {place}: {found:?}");
}

#[tokio::test]
async fn of_a_trend_of_persons() {
    let world = world().await;
    let query = json!({"kind": "trends", "date_from": "2026-11-20", "breakdown": [{"property": "none"}],
                       "series": [{"math": "unique_persons"}, {"event": "buy", "math": "unique_persons"}]});
    let answer = ask_at(&world, NOW, query.clone()).await;
    for line in answer["results"].as_array().unwrap() {
        let place = json!({"series": line["series"], "breakdown": line["breakdown"]});
        check(&world, &query, place.clone(), &line["total"]).await;
        for (label, number) in answer["labels"]
            .as_array()
            .unwrap()
            .iter()
            .zip(line["values"].as_array().unwrap())
        {
            let mut place = place.clone();
            place["period"] = label.clone();
            check(&world, &query, place, number).await;
        }
    }
}

#[tokio::test]
async fn of_a_funnel() {
    let world = world().await;
    let query = json!({"kind": "funnel", "date_from": "2026-11-20", "steps": [{"event": "open"}, {"event": "buy"}]});
    let answer = ask_at(&world, NOW, query.clone()).await;
    let steps = &answer["results"][0]["steps"];
    check(
        &world,
        &query,
        json!({"step": 0, "outcome": "converted"}),
        &steps[0]["count"],
    )
    .await;
    check(
        &world,
        &query,
        json!({"step": 1, "outcome": "converted"}),
        &steps[1]["count"],
    )
    .await;
    assert_eq!(
        who(&world, &query, json!({"step": 1, "outcome": "dropped"})).await,
        ["bob"]
    );
}

#[tokio::test]
async fn of_retention() {
    let world = world().await;
    for more in [
        json!({}),
        json!({"mode": "on_or_after"}),
        json!({"type": "recurring"}),
        json!({"window_mode": "24h"}),
    ] {
        let mut query = json!({"kind": "retention", "start_event": {"event": "open"}, "intervals": 4});
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = ask_at(&world, NOW, query.clone()).await;
        for row in answer["results"].as_array().unwrap() {
            for (interval, number) in row["values"].as_array().unwrap().iter().enumerate() {
                check(
                    &world,
                    &query,
                    json!({"period": row["label"], "interval": interval}),
                    number,
                )
                .await;
            }
        }
    }
}

#[tokio::test]
async fn of_a_lifecycle_and_of_stickiness() {
    let world = world().await;
    let query = json!({"kind": "lifecycle", "date_from": "2026-11-21", "event": {"event": "open"}});
    let answer = ask_at(&world, NOW, query.clone()).await;
    for (index, label) in answer["labels"].as_array().unwrap().iter().enumerate() {
        for status in ["new", "returning", "resurrecting", "dormant"] {
            check(
                &world,
                &query,
                json!({"period": label, "status": status}),
                &answer[status][index],
            )
            .await;
        }
    }
    let query = json!({"kind": "stickiness", "date_from": "2026-11-20", "series": [{"event": "open"}]});
    let answer = ask_at(&world, NOW, query.clone()).await;
    for (number, periods) in answer["results"][0]["values"].as_array().unwrap().iter().zip(1..) {
        check(&world, &query, json!({"series": 0, "periods": periods}), number).await;
    }
}

#[tokio::test]
async fn of_paths_and_sessions() {
    let world = world().await;
    let query = json!({"kind": "paths", "date_from": "2026-11-20"});
    let answer = ask_at(&world, NOW, query.clone()).await;
    for edge in answer["results"].as_array().unwrap() {
        let place = json!({"step": edge["step"], "from": edge["from"], "to": edge["to"]});
        check(&world, &query, place, &edge["persons"]).await;
    }
    let query = json!({"kind": "sessions", "date_from": "2026-11-20"});
    assert_eq!(
        who(&world, &query, json!({"period": "2026-11-20"})).await,
        ["ann", "bob", "cho"],
        "there is one session"
    );
}

#[tokio::test]
async fn of_cohorts() {
    let world = world().await;
    for (definition, expected) in [
        (json!({"and": [{"performed": {"event": "buy"}}]}), vec!["ann", "cho"]),
        (
            json!({"and": [{"performed": {"event": "buy", "times": {"at_least": 2}}}]}),
            vec!["cho"],
        ),
        (
            json!({"and": [{"performed": {"event": "open"}}, {"not_performed": {"event": "buy"}}]}),
            vec!["bob"],
        ),
        (
            json!({"or": [{"performed": {"event": "open", "within": {"date_from": "-1h"}}}, {"performed": {"event": "buy", "times": {"exactly": 1}}}]}),
            vec!["ann"],
        ),
    ] {
        let query = json!({"kind": "cohort", "definition": definition});
        assert_eq!(who(&world, &query, json!({})).await, expected, "{definition}");
        let answer = ask_at(&world, NOW, query).await;
        assert_eq!(answer["persons"], expected.len(), "{definition}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_named_by_its_path_in_what_was_sent() {
    let world = World::new().await;
    let refused = async |query: &Value, place: Value| {
        let who = WhoIs::read(json!({"query": query, "at": place}).to_string().as_bytes()).unwrap();
        world.reader().persons_in(&who, at(NOW)).await.unwrap_err().to_string()
    };
    for (kind, more, place) in [
        ("trends", json!({"series": [{}]}), json!({"series": "A"})),
        (
            "funnel",
            json!({"steps": [{}, {}]}),
            json!({"step": 0, "outcome": "converted"}),
        ),
        ("retention", json!({}), json!({"period": "2026-11-20", "interval": 0})),
        ("paths", json!({}), json!({"from": "/", "to": "/cart"})),
        ("lifecycle", json!({}), json!({"period": "2026-11-20", "status": "new"})),
        (
            "stickiness",
            json!({"series": [{}]}),
            json!({"series": 0, "periods": 1}),
        ),
        ("sessions", json!({}), json!({})),
    ] {
        let mut query = json!({"kind": kind, "date_from": "2030-01-01"});
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let problem = refused(&query, place).await;
        assert_eq!(problem, "`query.date_to` is not after `date_from`", "{query}");
    }
    let hours = json!({"kind": "sessions", "date_from": "-1y", "interval": "hour"});
    let problem = refused(&hours, json!({})).await;
    assert!(problem.starts_with("`query.interval` is too short"), "{problem}");
    let problem = refused(&json!({"kind": "sessions"}), json!({"period": "2020-01-01"})).await;
    assert_eq!(problem, "`at.period` is none of the answer's");
}
