//! Paths and sessions, told in a few words each.

use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;

use crate::ask;
use crate::world::{World, user};

const MINUTE: i64 = 60_000;

fn viewed<'a>(ms: i64, who: &'a str, session: Option<&'a str>, properties: &'a str) -> AcceptedEvent<'a> {
    AcceptedEvent {
        properties: Some(properties),
        session_id: session,
        ..user(ms, "$pageview", who)
    }
}

async fn visits() -> World {
    let (home, cart) = (r#"{"$pathname": "/"}"#, r#"{"$pathname": "/cart"}"#);
    let buy = |ms, who, session| AcceptedEvent {
        session_id: session,
        ..user(ms, "buy", who)
    };
    let world = World::new().await;
    world
        .send(&[
            viewed(0, "ann", Some("s1"), home),
            viewed(1, "ann", Some("s1"), home),
            viewed(2, "ann", Some("s1"), cart),
            buy(2 * MINUTE, "ann", Some("s1")),
            viewed(3 * MINUTE, "ann", Some("s2"), home),
            viewed(4 * MINUTE, "bob", None, home),
            viewed(5 * MINUTE, "bob", None, cart),
            viewed(35 * MINUTE, "bob", None, home),
            viewed(36 * MINUTE, "bob", None, cart),
        ])
        .await;
    world
}

#[tokio::test]
async fn each_step_of_a_way_is_an_edge() {
    let world = visits().await;
    let edges = |answer: Value| -> Vec<(u64, String, u64, u64)> {
        let edges = answer["results"].as_array().unwrap().iter();
        let text = |edge: &Value| format!("{} {}", edge["from"].as_str().unwrap(), edge["to"].as_str().unwrap());
        let number = |value: &Value| value.as_u64().unwrap();
        edges
            .map(|edge| {
                (
                    number(&edge["step"]),
                    text(edge),
                    number(&edge["persons"]),
                    number(&edge["count"]),
                )
            })
            .collect()
    };
    let expected = [(1, "/ /cart".to_owned(), 2, 3), (2, "/cart buy".to_owned(), 1, 1)];
    assert_eq!(edges(ask(&world, json!({"kind": "paths"})).await), expected);
    let ends = ask(&world, json!({"kind": "paths", "end": "buy", "max_steps": 2})).await;
    assert_eq!(edges(ends), [(1, "/cart buy".to_owned(), 1, 1)]);
    let many = ask(
        &world,
        json!({"kind": "paths", "min_edge": 2, "events": [{"event": "$pageview"}]}),
    )
    .await;
    assert_eq!(edges(many), [(1, "/ /cart".to_owned(), 2, 3)]);
}

#[tokio::test]
async fn sessions_have_a_length_events_and_bounces() {
    let world = visits().await;
    let answer = ask(&world, json!({"kind": "sessions", "date_from": "-2d"})).await;
    let expected = json!({"sessions": 2, "average_seconds": 60.0, "median_seconds": 60.0, "events_per_session": 2.5, "bounce_rate": 0.5});
    assert_eq!(answer["results"][0]["total"], expected);
    assert_eq!(answer["results"][0]["values"][0], expected);
    assert_eq!(answer["results"][0]["values"][1]["sessions"], 0);
    let filters = json!({"property": "$pathname", "op": "is", "value": "/cart"});
    let answer = ask(
        &world,
        json!({"kind": "sessions", "date_from": "-2d", "filters": filters}),
    )
    .await;
    assert_eq!(
        answer["results"][0]["total"]["events_per_session"], 4.0,
        "the whole session, not only what fits"
    );
    let answer = ask(
        &world,
        json!({"kind": "sessions", "date_from": "-2d", "breakdown": [{"property": "$pathname"}]}),
    )
    .await;
    assert_eq!(answer["results"][0]["breakdown"], json!([{"value": "/"}]));
}
