//! The head of a file: what the device is, before its first step.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use trailmark_core::Config;

use crate::arguments::properties;

/// The head. Fields of the file that are not for the device (`about`, `steps`) are skipped.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) config: &'a RawValue,
    /// Whether there is a storage; without one a restart forgets everything.
    #[serde(default)]
    pub(crate) storage: bool,
}

/// Settings, named as those of [`Config`]; times in milliseconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings<'a> {
    install_id: Option<String>,
    anonymous_id: Option<String>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    flush_at: Option<usize>,
    flush_interval_ms: Option<u64>,
    max_batch_events: Option<usize>,
    max_batch_bytes: Option<usize>,
    max_queue_events: Option<usize>,
    max_queue_bytes: Option<usize>,
    max_age_ms: Option<u64>,
    session_idle_ms: Option<u64>,
    session_max_ms: Option<u64>,
    backoff_base_ms: Option<u64>,
    backoff_cap_ms: Option<u64>,
    probe_interval_ms: Option<u64>,
}

/// The key of every device.
const WRITE_KEY: &str = "tm_pk_vectors";
/// The SDK's name of every device, so that no release changes a header.
const SDK_NAME: &str = "trailmark-vectors/1";

/// Reads the settings of a head or of a restart.
pub(crate) fn config(json: &str) -> Result<Config, String> {
    let settings: Settings<'_> = serde_json::from_str(json).map_err(|error| format!("config: {error}"))?;
    let mut config = Config::new(WRITE_KEY).map_err(|error| error.to_string())?;
    config.sdk_name = SDK_NAME.to_owned();
    config.install_id = settings.install_id;
    config.anonymous_id = settings.anonymous_id;
    config.context = properties(settings.context)?;
    set(&mut config.flush_at, settings.flush_at);
    set(&mut config.flush_interval, settings.flush_interval_ms.map(millis));
    set(&mut config.max_batch_events, settings.max_batch_events);
    set(&mut config.max_batch_bytes, settings.max_batch_bytes);
    set(&mut config.max_queue_events, settings.max_queue_events);
    set(&mut config.max_queue_bytes, settings.max_queue_bytes);
    set(&mut config.max_age, settings.max_age_ms.map(millis));
    set(&mut config.session_idle, settings.session_idle_ms.map(millis));
    set(&mut config.session_max, settings.session_max_ms.map(millis));
    set(&mut config.backoff_base, settings.backoff_base_ms.map(millis));
    set(&mut config.backoff_cap, settings.backoff_cap_ms.map(millis));
    set(&mut config.probe_interval, settings.probe_interval_ms.map(millis));
    Ok(config)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}
