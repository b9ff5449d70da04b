//! What those who are logged in see of the servers and of the gateway's file.

use std::fs;

use serde_json::{Value, json};
use trailmark_server::store::Role;

use crate::house::{EMAIL, House};
use crate::support;

const FILE: &str = r#"
version = 1
[auth.jwt.staff]
issuer = "staff"
audience = ["shop"]
algorithms = ["HS256"]
secret = "vK2p9sQmX7fLr4TzB1nYc8WdHg5JaEu3"
[limits.slow]
key = "ip"
rate = 5
per = "1s"
[upstreams.shop]
endpoints = [{ url = "http://127.0.0.1:9" }]
[[routes]]
id = "shop"
host = "shop.example"
prefix = "/shop"
methods = ["GET"]
upstream = "shop"
any_role = ["admin"]
auth = ["session"]
limits = ["slow"]
[[routes]]
id = "events"
path = "/v1/batch"
auth = []
service = "ingest"
"#;

#[tokio::test]
async fn the_servers_are_shown_as_they_are_configured() {
    let plain = House::new().await;
    let shown = plain
        .browser_as(EMAIL, Role::Viewer)
        .await
        .get("/api/v1/server")
        .await
        .json;
    assert_eq!(
        shown,
        json!({"version": env!("CARGO_PKG_VERSION"), "public_url": null, "retention": {"events_days": null}, "mail": false,
               "gateway": false, "nodes": []})
    );
    let house = House::configured(support::store().await, |config, folder| {
        config.http.public_url = "https://t.example/".to_owned();
        config.retention.events_days = 30;
        config.gateway.file = folder.join("gateway.toml");
        fs::write(&config.gateway.file, FILE).unwrap();
    });
    let node = "INSERT INTO nodes (id, started_at, seen_at, version, listen, backlog_records, backlog_bytes, oldest_ms, poisoned)
                VALUES (gen_random_uuid(), now(), now(), '1.2.3', '127.0.0.1:7700', 1, 2, 3, false)";
    sqlx::query(node).execute(house.store().pool()).await.unwrap();
    let shown = house
        .browser_as(EMAIL, Role::Viewer)
        .await
        .get("/api/v1/server")
        .await
        .json;
    assert_eq!(
        (
            &shown["public_url"],
            &shown["retention"]["events_days"],
            &shown["gateway"]
        ),
        (&json!("https://t.example"), &json!(30), &json!(true))
    );
    assert_eq!(shown["nodes"][0]["version"], "1.2.3", "{shown}");
}

#[tokio::test]
async fn the_gateway_is_shown_with_its_instances_and_without_its_secrets() {
    let house = House::configured(support::store().await, |config, folder| {
        config.gateway.file = folder.join("gateway.toml");
        fs::write(&config.gateway.file, FILE).unwrap();
    });
    let shown = house
        .browser_as(EMAIL, Role::Admin)
        .await
        .get("/api/v1/gateway")
        .await
        .json;
    assert_eq!(
        shown["routes"],
        json!([
            {"name": "shop", "host": "shop.example", "path": "/shop/*", "methods": ["GET"], "auth": ["session"],
             "any_role": ["admin"], "limits": ["slow"], "target": "upstream shop"},
            {"name": "events", "host": null, "path": "/v1/batch", "methods": [], "auth": [], "any_role": [], "limits": [],
             "target": "service ingest"},
        ])
    );
    assert_eq!(shown["upstreams"][0]["name"], "shop");
    for instance in shown["upstreams"][0]["instances"].as_array().unwrap() {
        assert_eq!(
            (&instance["url"], &instance["ejected"]),
            (&json!("http://127.0.0.1:9"), &json!(false))
        );
    }
    assert!(!shown.to_string().contains("vK2p9sQmX7fLr4TzB1nYc8WdHg5JaEu3"));
    let none = House::new().await;
    let empty = none
        .browser_as(EMAIL, Role::Owner)
        .await
        .get("/api/v1/gateway")
        .await
        .json;
    assert_eq!(
        empty,
        json!({"routes": Vec::<Value>::new(), "upstreams": Vec::<Value>::new()})
    );
}
