//! Services without a bus: they publish over HTTP, and are posted what clients say.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::Semaphore;

use super::super::testing::{Posted, Site, said, say};
use crate::bus::LocalBus;

const WEBHOOK: &str = "deliver = { upstream = \"chat\", path = \"/messages\", queue = 8 }";

#[tokio::test]
async fn a_service_without_a_bus_writes_over_http() {
    let site = Site::new("topics = [\"news\"]\nqueue_bytes = 2000").await;
    let mut ann = site.open("ann").await;
    let post = async |body: String| {
        let request = Request::post("/gateway/hubs/chat/publish")
            .body(Body::from(body))
            .unwrap();
        site.hub
            .publish(request)
            .await
            .map_err(|problem| problem.code().as_str())
    };
    let response = post(json!({"to": {"user": "ann"}, "data": {"n": 1}}).to_string())
        .await
        .unwrap();
    assert_eq!(response.status(), 202);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"reach":"all_instances"}"#);
    assert_eq!(said(&mut ann).await, json!({"hub": "message", "data": {"n": 1}}));
    for (body, code) in [
        ("{".to_owned(), "invalid_json"),
        (
            json!({"to": {"everybody": true}, "data": 1}).to_string(),
            "invalid_json",
        ),
        (json!({"to": {"user": ""}, "data": 1}).to_string(), "invalid_parameter"),
        (
            json!({"to": {"topic": "a..b"}, "data": 1}).to_string(),
            "invalid_parameter",
        ),
        (
            json!({"to": {"user": "ann"}, "data": "x".repeat(9000)}).to_string(),
            "body_too_large",
        ),
    ] {
        assert_eq!(post(body).await.unwrap_err(), code);
    }
}

#[tokio::test]
async fn a_service_without_a_bus_is_posted_what_clients_say_in_their_order() {
    let site = Site::on(Arc::new(LocalBus::default()), WEBHOOK, Posted::default()).await;
    let mut ann = site.open("ann").await;
    say(&mut ann, "1").await;
    site.until(|_| site.posted.bodies.lock().unwrap().len() == 2).await;
    ann.close(None).await.unwrap();
    site.until(|_| site.posted.bodies.lock().unwrap().len() == 3).await;
    let bodies = site.posted.bodies.lock().unwrap();
    let kinds: Vec<_> = bodies.iter().map(|body| body["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["joined", "message", "left"]);
    assert_eq!(bodies[1]["data"], 1);
}

#[tokio::test]
async fn what_a_webhook_does_not_take_is_dropped_and_counted() {
    let failing = Posted {
        fails: true,
        ..Posted::default()
    };
    let site = Site::on(Arc::new(LocalBus::default()), WEBHOOK, failing).await;
    let _ann = site.open("ann").await;
    site.until(|hub| hub.state().dropped["deliver_failed"] == 1).await;

    let stuck = Posted {
        gate: Some(Semaphore::new(0)),
        ..Posted::default()
    };
    let site = Site::on(Arc::new(LocalBus::default()), WEBHOOK, stuck).await;
    let mut ann = site.open("ann").await;
    for n in 0..10 {
        say(&mut ann, &n.to_string()).await;
    }
    // One is under way, one waits in the socket's lane; joining was the first of the eleven.
    site.until(|hub| hub.state().dropped["deliver_queue_full"] == 9).await;
    site.posted.gate.as_ref().unwrap().add_permits(2);
    site.until(|_| site.posted.bodies.lock().unwrap().len() == 2).await;
}
