//! The example answers of docs/api.md have the fields that real answers have.

use std::collections::BTreeSet;

use serde_json::Value;
use trailmark_server::event::AcceptedEvent;

use crate::delivery::report;
use crate::http::Front;
use crate::world::{World, alias, event, id_at, identify, user};

const MANUAL: &str = include_str!("../../../docs/api.md");

pub(crate) fn example(name: &str) -> Value {
    let block = MANUAL
        .split_once(&format!("<!-- example: {name} -->\n```json\n"))
        .expect(name)
        .1;
    serde_json::from_str(block.split_once("```").unwrap().0).expect(name)
}

/// An example that is sent.
fn request(name: &str) -> String {
    example(name).to_string()
}

/// Every path to a value, elements of arrays told apart no further, nothing below what an app itself has put there.
pub(crate) fn fields(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) if !path.ends_with("properties") && !path.ends_with("context") => {
                fields
                    .iter()
                    .for_each(|(key, value)| walk(value, &format!("{path}.{key}"), found));
            }
            Value::Array(elements) if !elements.is_empty() && !path.contains("timeline") => {
                elements
                    .iter()
                    .for_each(|element| walk(element, &format!("{path}[]"), found));
            }
            _ => drop(found.insert(path.to_owned())),
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

#[tokio::test]
async fn answers_have_the_fields_that_the_manual_shows() {
    let world = World::new().await;
    world
        .send(&[AcceptedEvent {
            set: Some(r#"{"plan":"pro"}"#),
            properties: Some(r#"{"method":"mail"}"#),
            ..identify(1, "device", "u_7")
        }])
        .await;
    world
        .send(&[
            alias(20, "u_7", "ann@example.com"),
            alias(21, "u_7", "u_8"),
            asks_to_be_erased(22, "device", "u_7"),
        ])
        .await;
    world
        .report(0, "0193-install", &[1, 2], &report(9, 1, &[("too_large", 1)]))
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    let (_, answer) = front.delete(&format!("/v1/aliases/{}", id_at(21)), &secret).await;
    assert_eq!(fields(&answer), fields(&example("unaliased")), "{answer}");
    for (name, path) in [
        ("events", "/api/v1/events"),
        ("events", "/api/analytics/events"),
        ("persons", "/api/v1/persons?search=u_7"),
        ("timeline", "/api/v1/persons/u_7/timeline"),
        (
            "sessions",
            "/api/v1/sessions?from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z",
        ),
        ("properties", "/api/v1/properties"),
        ("event-names", "/api/v1/event-names"),
        ("stats", "/api/analytics/stats"),
        ("delivery", "/api/analytics/delivery"),
        ("person", "/api/v1/persons/u_7"),
        ("person", "/v1/persons/u_7"),
        ("problem", "/api/analytics/events?limit=0"),
        ("explain", "/v1/persons/u_7/explain"),
    ] {
        let (_, answer) = front.get(path, &secret).await;
        assert_eq!(fields(&answer), fields(&example(name)), "{name}: {answer}");
    }
    for (name, method, path, body) in [
        ("cohort", "POST", "/api/v1/cohorts", request("new-cohort").as_str()),
        ("cohort", "PATCH", "/api/v1/cohorts/1", r#"{"name":"Buyers"}"#),
        ("cohorts", "GET", "/api/v1/cohorts", ""),
        ("list", "POST", "/api/v1/cohorts", r#"{"name":"Testers"}"#),
        (
            "uploaded",
            "POST",
            "/api/v1/cohorts/2/members",
            request("members").as_str(),
        ),
    ] {
        let answer = front.answer_to("application/json", method, path, &secret, body);
        let (_, answer) = answer.await;
        assert_eq!(fields(&answer), fields(&example(name)), "{name}: {answer}");
    }
    front
        .world()
        .send(&[user(23, "e", "bob"), asks_to_be_erased(24, "other", "bob")])
        .await;
    let (_, answer) = front.delete("/v1/persons/u_7", &secret).await;
    assert_eq!(fields(&answer), fields(&example("erased")), "{answer}");
    let (_, answer) = front.get("/v1/erasures", &secret).await;
    assert_eq!(fields(&answer), fields(&example("erasures")), "{answer}");
}

fn asks_to_be_erased<'a>(ms: i64, device: &'a str, user: &'a str) -> AcceptedEvent<'a> {
    event(ms, "$erase", Some(device), Some(user))
}
