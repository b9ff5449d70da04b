//! Settings, from JSON.

use std::time::Duration;

use trailmark_core::{Config, ConfigError};
use trailmark_protocol::json::{as_string, as_u64, fields};

/// Reads the settings of an engine. Fields that it does not know are passed over.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn read(json: &str) -> Result<Config, String> {
    let mut config = Config::new(&write_key(json)?).map_err(ConfigError::text)?;
    for (key, value) in fields(json).map_while(Result::ok) {
        set(&mut config, &key, value).ok_or_else(|| "not a value: ".to_owned() + &key + "=" + value)?;
    }
    Ok(config)
}

/// The key, in settings that are JSON from the first to the last character.
fn write_key(json: &str) -> Result<String, String> {
    let mut write_key = String::new();
    for field in fields(json) {
        let (key, value) = field.map_err(|_| "the settings are no JSON object".to_owned())?;
        if key == "write_key" {
            write_key = text(value).unwrap_or_default();
        }
    }
    Ok(write_key)
}

/// `None`: not a value for this key.
fn set(config: &mut Config, key: &str, json: &str) -> Option<()> {
    match key {
        "sdk_name" => config.sdk_name = text(json)?,
        "install_id" => config.install_id = Some(text(json)?),
        "anonymous_id" => config.anonymous_id = Some(text(json)?),
        "flush_at" => config.flush_at = size(json)?,
        "max_batch_events" => config.max_batch_events = size(json)?,
        "max_queue_events" => config.max_queue_events = size(json)?,
        "max_queue_bytes" => config.max_queue_bytes = size(json)?,
        "flush_interval_ms" => config.flush_interval = millis(json)?,
        "max_age_ms" => config.max_age = millis(json)?,
        "backoff_base_ms" => config.backoff_base = millis(json)?,
        "backoff_cap_ms" => config.backoff_cap = millis(json)?,
        "probe_interval_ms" => config.probe_interval = millis(json)?,
        _ => {}
    }
    Some(())
}

fn text(json: &str) -> Option<String> {
    as_string(json).map(String::from)
}

fn size(json: &str) -> Option<usize> {
    as_u64(json)?.try_into().ok()
}

fn millis(json: &str) -> Option<Duration> {
    as_u64(json).map(Duration::from_millis)
}
