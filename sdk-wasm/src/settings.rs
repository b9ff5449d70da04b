//! Settings, from JSON.

use std::time::Duration;

use trailmark_core::{Config, ConfigError};
use trailmark_protocol::json::{as_string, as_u64, pick};

/// Reads the settings of an engine. What it does not know is passed over, and what makes no sense is as if it were not
/// there: they are made by the driver, which checks what an app has given.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn read(json: &str) -> Result<Config, String> {
    let read = pick(json, FIELDS).map_err(|_| "the settings are no JSON object".to_owned());
    let [write_key, sdk_name, install_id, anonymous_id, numbers @ ..] = read?;
    let mut config = Config::new(&text(write_key).unwrap_or_default()).map_err(ConfigError::text)?;
    config.sdk_name = text(sdk_name).unwrap_or(config.sdk_name);
    config.install_id = text(install_id);
    config.anonymous_id = text(anonymous_id);
    let [
        flush_at,
        batch_events,
        batch_bytes,
        queue_events,
        queue_bytes,
        lengths @ ..,
    ] = numbers;
    set(&mut config.flush_at, size(flush_at));
    set(&mut config.max_batch_events, size(batch_events));
    set(&mut config.max_batch_bytes, size(batch_bytes));
    set(&mut config.max_queue_events, size(queue_events));
    set(&mut config.max_queue_bytes, size(queue_bytes));
    let [flush_interval, max_age, backoff_base, backoff_cap, probe_interval] = lengths;
    set(&mut config.flush_interval, millis(flush_interval));
    set(&mut config.max_age, millis(max_age));
    set(&mut config.backoff_base, millis(backoff_base));
    set(&mut config.backoff_cap, millis(backoff_cap));
    set(&mut config.probe_interval, millis(probe_interval));
    Ok(config)
}

const FIELDS: [&str; 14] = [
    "write_key",
    "sdk_name",
    "install_id",
    "anonymous_id",
    "flush_at",
    "max_batch_events",
    "max_batch_bytes",
    "max_queue_events",
    "max_queue_bytes",
    "flush_interval_ms",
    "max_age_ms",
    "backoff_base_ms",
    "backoff_cap_ms",
    "probe_interval_ms",
];

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn text(json: Option<&str>) -> Option<String> {
    json.and_then(as_string).map(String::from)
}

fn size(json: Option<&str>) -> Option<usize> {
    json.and_then(as_u64)?.try_into().ok()
}

fn millis(json: Option<&str>) -> Option<Duration> {
    json.and_then(as_u64).map(Duration::from_millis)
}
