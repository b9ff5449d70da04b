//! Users that another service knows.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Method, StatusCode};
use serde_json::json;
use trailmark_server::clock::Clock;
use trailmark_server::gateway::login::delegated::{Validate, ValidatedUser, verdict};
use trailmark_server::gateway::login::{Judge, LoginPolicy, first_link};
use trailmark_server::gateway::problem::Problem;

use crate::house::{House, readable_tokens};

/// A service that answers by the password: a status, and with 200 a user.
struct Service;

impl Validate for Service {
    fn validate<'a>(
        &'a self,
        email: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<Option<ValidatedUser>, Problem>> {
        let status = password.parse().unwrap_or(StatusCode::OK);
        let body = json!({"userId": 7, "role": "support"}).to_string();
        async move { verdict(status, body.as_bytes(), email) }.boxed()
    }
}

async fn house() -> House {
    let house = House::new().await;
    house.policy(LoginPolicy {
        judge: Judge::Delegated(Arc::new(Service)),
        tokens: Some(readable_tokens()),
        ..LoginPolicy::default()
    });
    house
}

#[tokio::test]
async fn who_another_service_knows_gets_a_session_with_its_id_and_role() {
    let house = house().await;
    house.store().create_project("Shop").await.unwrap();
    let browser = house.browser().await;
    let me = browser.me().await;
    assert_eq!(
        me.json["user"],
        json!({"id": "7", "email": "ann@example.com", "role": "support"})
    );
    assert_eq!(browser.check().await.unwrap().roles, ["support"]);
    assert_eq!(me.json["projects"], json!([]), "a customer of that service sees none");
    let token = browser.refresh().await.json["token"].to_string();
    assert!(token.contains("7 ann@example.com"), "{token}");
    assert_eq!(
        browser.send(Method::POST, "/api/auth/logout").await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn where_another_service_knows_the_users_no_link_makes_one() {
    let house = house().await;
    let token = first_link(house.store(), house.clock.now()).await.unwrap().unwrap();
    let shown = house.get_with(&token, "/api/auth/invitation").await;
    assert_eq!(shown.refusal(), (403, "not_permitted"));
    let body = json!({"invitation": token, "email": "eve@example.com", "password": "a password of somebody"});
    let answer = house.post("/api/auth/accept", &body).await;
    assert_eq!(answer.refusal(), (403, "not_permitted"));
    assert_eq!(house.store().list_users().await.unwrap(), []);
}

#[tokio::test]
async fn its_no_counts_and_its_failure_does_not() {
    let house = house().await;
    for _ in 0..20 {
        assert_eq!(
            house.log_in("ann@example.com", "500").await.refusal(),
            (502, "bad_gateway")
        );
    }
    assert_eq!(
        house.log_in("ann@example.com", "504").await.refusal(),
        (504, "gateway_timeout")
    );
    for no in ["401", "403", "404", "401", "403"] {
        assert_eq!(
            house.log_in("ann@example.com", no).await.refusal(),
            (401, "invalid_credentials")
        );
    }
    assert_eq!(
        house.log_in("ann@example.com", "200").await.refusal(),
        (429, "locked_out")
    );
}
