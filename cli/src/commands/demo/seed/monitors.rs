//! The shop's monitors: three of the demo's own server, which are up, and one of a port on which nobody listens.

use reqwest::Method;
use serde_json::{Value, json};
use trailmark_protocol::Timestamp;

use super::super::{Stage, shop};
use super::past::{self, Character};
use crate::failure::Failure;

/// Where nobody listens: the port of `discard` (RFC 863), which no other program takes, and hardly anybody runs any more.
const NOBODY: &str = "http://localhost:9/search/health";

/// The monitor that is down.
const DOWN: &str = "Search";

/// Makes the monitors once, with their past, and has them call where this start's server is.
pub(super) async fn keep(stage: &Stage<'_>, now: Timestamp) -> Result<(), Failure> {
    let there = stage.api.read("/api/v1/monitors").await?;
    let there = there["monitors"].as_array().cloned().unwrap_or_default();
    for (place, (name, target)) in targets(&stage.url).into_iter().enumerate() {
        let known = there.iter().find(|monitor| monitor["name"] == name);
        let id = match known {
            Some(monitor) => go_on(stage, monitor, &target).await?,
            None => make(stage, (place, name), target, now).await?,
        };
        let id = id.ok_or_else(|| Failure::failed(format!("the monitor {name} has no number")))?;
        // Two failed checks in a row are down.
        let checks = if name == DOWN { 2 } else { 1 };
        for _ in 0..checks {
            let path = format!("/api/v1/monitors/{id}/check");
            stage.api.change(Method::POST, &path, &Value::Null).await?;
        }
    }
    Ok(())
}

fn targets(url: &str) -> [(&'static str, Value); 4] {
    let host_and_port = url.trim_start_matches("http://").rsplit_once(':');
    let (host, port) = host_and_port.unwrap_or(("127.0.0.1", "7700"));
    let host = host.trim_matches(['[', ']']);
    [
        ("Shop", json!({"http": {"url": format!("{url}{}", shop::PATH)}})),
        ("API", json!({"http": {"url": format!("{url}/livez")}})),
        (
            "Load balancer",
            json!({"tcp": {"host": host, "port": port.parse::<u16>().unwrap_or_default()}}),
        ),
        (DOWN, json!({"http": {"url": NOBODY}})),
    ]
}

async fn make(
    stage: &Stage<'_>,
    (place, name): (usize, &str),
    target: Value,
    now: Timestamp,
) -> Result<Option<i64>, Failure> {
    let mut monitor = target;
    monitor["name"] = name.into();
    monitor["interval_s"] = 30.into();
    monitor["timeout_ms"] = 5_000.into();
    let made = stage.api.change(Method::POST, "/api/v1/monitors", &monitor).await?;
    let id = made["id"].as_i64();
    if let Some(id) = id {
        let past = past::of(&Character::ALL[place], now);
        stage.store.keep_monitor_past(stage.project.id, id, &past).await?;
    }
    Ok(id)
}

/// A server that listens elsewhere than the last time is called there.
async fn go_on(stage: &Stage<'_>, monitor: &Value, target: &Value) -> Result<Option<i64>, Failure> {
    let id = monitor["id"].as_i64();
    let is_elsewhere = monitor["http"]["url"] != target["http"]["url"] || monitor["tcp"] != target["tcp"];
    if let Some(id) = id.filter(|_| is_elsewhere) {
        let path = format!("/api/v1/monitors/{id}");
        stage.api.change(Method::PATCH, &path, target).await?;
    }
    Ok(id)
}
