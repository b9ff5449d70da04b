//! The example answers of docs/api.md have the fields that real answers have.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;
use trailmark_server::gateway::login::LoginPolicy;

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
    let Value::Object(object) = value else {
        return BTreeSet::from([path.to_owned()]);
    };
    object
        .iter()
        .flat_map(|(name, value)| fields(value, &format!("{path}.{name}")))
        .collect()
}

#[tokio::test]
async fn answers_have_the_fields_that_the_manual_shows() {
    let house = House::with_ann().await;
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
