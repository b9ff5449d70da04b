//! The example answers of docs/api.md have the fields that real answers have.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use trailmark_server::clock::Clock;
use trailmark_server::gateway::login::{INVITED_FOR, LoginPolicy, new_link};
use trailmark_server::store::Role;

use crate::house::{House, readable_tokens};

const MANUAL: &str = include_str!("../../../docs/api.md");

fn example(name: &str) -> Value {
    let block = MANUAL
        .split_once(&format!("<!-- example: {name} -->\n```json\n"))
        .expect(name)
        .1;
    serde_json::from_str(block.split_once("```").unwrap().0).expect(name)
}

fn fields(value: &Value, path: &str) -> BTreeSet<String> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, value)| fields(value, &format!("{path}.{name}")))
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| fields(item, &format!("{path}[]")))
            .collect(),
        _ => BTreeSet::from([path.to_owned()]),
    }
}

#[tokio::test]
async fn answers_have_the_fields_that_the_manual_shows() {
    let house = House::with_ann().await;
    house.store().create_project("Shop").await.unwrap();
    house.policy(LoginPolicy {
        tokens: Some(readable_tokens()),
        ..LoginPolicy::default()
    });
    let asked = example("login");
    let (email, password) = (asked["email"].as_str().unwrap(), asked["password"].as_str().unwrap());
    let answer = house.log_in(email, password).await;
    assert_eq!(fields(&answer.json, ""), fields(&example("logged-in"), ""));
    let browser = house.browser().await;
    assert_eq!(
        fields(&browser.refresh().await.json, ""),
        fields(&example("logged-in"), "")
    );
    let me = browser.send(Method::GET, "/api/auth/me").await;
    assert_eq!(fields(&me.json, ""), fields(&example("me"), ""));
}

#[tokio::test]
async fn the_manuals_link_is_asked_and_accepted_as_it_says() {
    let house = House::with_ann().await;
    let link = new_link(INVITED_FOR, house.clock.now()).unwrap();
    let mut sent = example("accept");
    let email = sent["email"].as_str().unwrap().to_owned();
    let invited = (Role::Admin, Some(&*email));
    house.store().invite(None, invited, link.kept).await.unwrap();
    let shown = house.get_with(&link.token, "/api/auth/invitation").await.json;
    let mut expected = example("invitation");
    expected["expires_at"] = shown["expires_at"].clone();
    assert_eq!(shown, expected);
    sent["invitation"] = link.token.into();
    let answer = house.post("/api/auth/accept", &sent).await;
    assert_eq!(answer.json["user"]["email"], email, "{answer:?}");
}

#[tokio::test]
async fn the_settings_have_the_fields_that_the_manual_shows() {
    let house = House::with_ann().await;
    let ann = house.browser().await;
    let made = ann.post("/api/v1/projects", &json!({"name": "Shop"})).await.json;
    assert_eq!(fields(&made, ""), fields(&example("new-project"), ""));
    let made = ann
        .post("/api/v1/keys?project=1", &json!({"kind": "write", "name": "website"}))
        .await;
    assert_eq!(fields(&made.json, ""), fields(&example("new-key"), ""));
    ann.post("/api/v1/invitations", &json!({"role": "viewer"})).await;
    house.post("/v1/batch", &json!({"api_key": "tm_pk_made_up"})).await;
    for (path, name) in [
        ("/api/v1/users", "users"),
        ("/api/v1/server", "server"),
        ("/api/v1/strangers?project=1", "strangers"),
    ] {
        let answer = ann.get(path).await.json;
        assert_eq!(fields(&answer, ""), fields(&example(name), ""), "{name}");
    }
}
