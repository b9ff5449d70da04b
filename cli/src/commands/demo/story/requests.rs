//! What the shop's server tells of the requests that it answers.

use serde_json::{Value, json};

use super::chance::Chance;

/// Who tells.
pub(super) const SHOP_API: &str = r#"{"app":{"name":"shop-api","version":"1.18.2"}}"#;

/// Requests that fail on a good day.
pub(super) const USUALLY_FAILS: f64 = 0.003;

/// The properties of a `$request`.
pub(super) fn properties(method: &str, path: &str, status: u16, millis: f64) -> Value {
    json!({"source": "server", "method": method, "path": path, "status": status,
           "duration_ms": (millis * 10.0).round() / 10.0})
}

/// How long an answer takes that mostly takes `median` milliseconds.
pub(super) fn millis(median: f64, chance: &mut Chance) -> f64 {
    chance.long_tailed(median, 0.35)
}

/// The status of a checkout, and how long it takes: whether it fails or not, it asks who takes the money.
pub(super) fn checkout(failed: bool, chance: &mut Chance) -> (u16, f64) {
    let status = if failed { *chance.one(&[502, 502, 503]) } else { 200 };
    (status, millis(210.0, chance))
}

/// The status of any other request.
pub(super) fn usual_status(chance: &mut Chance) -> u16 {
    if chance.is(USUALLY_FAILS) { 500 } else { 200 }
}
