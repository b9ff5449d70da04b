//! The event that is tracked, and clients to track it with.

use std::path::Path;
use std::time::Duration;

use trailmark_core::{Client, ClientBuilder, Context, Properties};

use crate::Outcome;

/// A port of this machine that nobody listens on (discard, RFC 863): the system refuses at once.
const NOBODY: &str = "http://127.0.0.1:9";

/// Longer than any measurement.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the first attempt, which is refused, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client's settings that this measurement needs, for a phone's event: with circumstances, about 680 bytes.
pub fn builder(url: &str, key: &str) -> ClientBuilder {
    let context = Context::new()
        .app("Trail Shop", "4.12.0")
        .os("Android", "15")
        .device("Google", "Pixel 8", "phone")
        .screen(412, 915, 2.6)
        .locale("de-DE")
        .timezone("Europe/Berlin");
    Client::builder(url, key).context(context)
}

/// Room for 100,000 of these events, which are a little longer than the default bound's arithmetic assumes.
const QUEUE_BYTES: usize = 128 * 1024 * 1024;

/// A client's settings for one that reaches nobody.
pub fn offline(directory: Option<&Path>) -> ClientBuilder {
    let builder = builder(NOBODY, "tm_pk_bench")
        .backoff(DAY, DAY)
        .max_queue_bytes(QUEUE_BYTES);
    match directory {
        Some(directory) => builder.directory(directory),
        None => builder,
    }
}

/// Lets the client try once, in vain: from now on it waits for at least a tenth of a day.
///
/// # Errors
/// It did not.
pub fn go_offline(client: &Client) -> Outcome<()> {
    client.track("started", Properties::new());
    let report = client.flush_blocking(PATIENCE);
    let stats = client.stats();
    if stats.attempts == 1 && report.pending >= 1 {
        Ok(())
    } else {
        Err(format!("not offline: {stats:?}").into())
    }
}

/// The measured call: five properties, made in the call as an app does.
pub fn track(client: &Client, n: usize) {
    client.track("checkout_completed", properties(n));
}

/// Five properties of four kinds.
#[must_use]
pub fn properties(n: usize) -> Properties {
    Properties::new()
        .with("order_id", n)
        .with("total", 184.4)
        .with("currency", "EUR")
        .with("first_order", false)
        .with("referrer", "newsletter-2026-11")
}
