//! Who tried to send events and was refused before it was known whose they are.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use trailmark_server::clock::Clock;
use trailmark_server::gateway::edge::Peer;
use trailmark_server::store::KeyKind;

use crate::house::House;
use crate::support;

async fn house() -> House {
    let house = House::configured(support::store().await, |config, _| {
        config.http.cors_origins = vec!["https://app.example".to_owned()];
        config.http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    });
    house.store().create_project("Shop").await.unwrap();
    house
}

async fn key(house: &House, kind: KeyKind) -> String {
    house.store().create_key(1, kind, "k").await.unwrap().text
}

async fn ask(house: &House, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> StatusCode {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.extension(Peer::plain([10, 0, 0, 1].into()));
    house
        .ask(request.body(Body::from(body.to_owned())).unwrap())
        .await
        .status
}

async fn seen(house: &House) -> Vec<Value> {
    let secret = key(house, KeyKind::Secret).await;
    let answer = house.get_with(&secret, "/api/v1/strangers").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json["requests"].as_array().unwrap().clone()
}

#[tokio::test]
async fn whoever_sends_with_a_wrong_key_or_none_is_seen_with_the_end_of_the_key() {
    let house = house().await;
    let (good, secret) = (key(&house, KeyKind::Write).await, key(&house, KeyKind::Secret).await);
    let bearer = |key: &str| format!("Bearer {key}");
    let batch = r#"{"batch":[{"event":"e","user_id":"u_7"}]}"#;
    let post = Method::POST;
    let (wrong, mixed_up) = (bearer("tm_pk_not_a_key_3c"), bearer(&secret));
    ask(
        &house,
        post.clone(),
        "/v1/batch",
        &[("authorization", &wrong), ("x-forwarded-for", "192.0.2.7")],
        batch,
    )
    .await;
    ask(&house, post.clone(), "/api/events?key=tm_pk_in_the_url_4d", &[], batch).await;
    ask(
        &house,
        post.clone(),
        "/v1/batch",
        &[("authorization", &mixed_up)],
        batch,
    )
    .await;
    ask(
        &house,
        post.clone(),
        "/v1/batch",
        &[],
        r#"{"api_key":"tm_pk_in_the_body_5e","batch":[]}"#,
    )
    .await;
    ask(
        &house,
        post.clone(),
        "/v1/batch",
        &[("origin", "https://app.example")],
        batch,
    )
    .await;
    ask(&house, post.clone(), "/v1/batch", &[], "no json").await;
    // Whose these are is known.
    ask(
        &house,
        post.clone(),
        "/v1/batch",
        &[("authorization", &bearer(&good))],
        batch,
    )
    .await;
    ask(
        &house,
        post.clone(),
        "/v1/batch",
        &[("authorization", &bearer(&good))],
        "no json",
    )
    .await;
    let strangers = seen(&house).await;
    let told: Vec<_> = strangers
        .iter()
        .rev()
        .map(|stranger| (stranger["code"].as_str().unwrap(), stranger["key_hint"].as_str()))
        .collect();
    let end = format!("…{}", &secret[secret.len() - 2..]);
    assert_eq!(
        told,
        [
            ("unknown_key", Some("…3c")),
            ("unknown_key", Some("…4d")),
            ("wrong_key_kind", Some(end.as_str())),
            ("unknown_key", Some("…5e")),
            ("missing_key", None),
            ("invalid_json", None),
        ]
    );
    assert_eq!(
        strangers[5],
        json!({"at": house.clock.now().to_string(), "client_ip": "192.0.2.7", "method": "POST", "path": "/v1/batch", "status": 401,
               "code": "unknown_key", "key_hint": "…3c", "origin": null})
    );
    assert_eq!(
        (&strangers[4]["path"], &strangers[4]["client_ip"]),
        (&json!("/api/events"), &json!("10.0.0.1"))
    );
    assert_eq!(strangers[1]["origin"], "https://app.example");
    let text = format!("{strangers:?}");
    assert!(
        !text.contains("tm_pk_") && !text.contains("tm_sk_") && !text.contains("?key"),
        "{text}"
    );
}

#[tokio::test]
async fn a_page_that_may_not_send_is_seen_by_its_preflight() {
    let house = house().await;
    let asks = ("access-control-request-method", "POST");
    let options = Method::OPTIONS;
    for (uri, headers) in [
        ("/v1/batch", &[("origin", "https://other.example"), asks][..]),
        ("/v1/batch", &[("origin", "https://app.example"), asks]),
        ("/v1/batch", &[]),
        ("/api/v1/now", &[("origin", "https://other.example"), asks]),
    ] {
        assert_eq!(
            ask(&house, options.clone(), uri, headers, "").await,
            StatusCode::NO_CONTENT
        );
    }
    let strangers = seen(&house).await;
    assert_eq!(strangers.len(), 1, "{strangers:?}");
    assert_eq!(
        (&strangers[0]["method"], &strangers[0]["code"], &strangers[0]["status"]),
        (&json!("OPTIONS"), &json!("origin_refused"), &json!(204))
    );
    assert_eq!(strangers[0]["origin"], "https://other.example");
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_fifty() {
    let house = house().await;
    for _ in 0..60 {
        ask(
            &house,
            Method::POST,
            "/v1/batch",
            &[(header::ORIGIN.as_str(), &"x".repeat(5000))],
            "",
        )
        .await;
    }
    let strangers = seen(&house).await;
    assert_eq!(strangers.len(), 50);
    assert_eq!(strangers[0]["origin"].as_str().unwrap().len(), 200);
}
