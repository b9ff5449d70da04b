//! What is sent and answered, as the API's description tells it. Nothing is read or written through these types: events
//! are read by hand ([`decode`](super::decode), [`validate`](super::validate)), receipts are written by
//! [`trailmark_protocol::Receipt`]; tests hold the two together.

use serde::Serialize;
use trailmark_protocol::Uuid;
use utoipa::ToSchema;

/// Events sent together.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Batch {
    /// The events.
    #[schema(max_items = 1000)]
    pub batch: Vec<SentEvent>,
    /// The install that sends them. With it and `counters` the server can say what was lost on the way.
    #[schema(max_length = 200)]
    pub install_id: Option<String>,
    /// A write key, where it can be put nowhere else.
    pub api_key: Option<String>,
    /// The client's clock at this attempt; if it is more than a minute off, the events' times are corrected.
    #[schema(format = DateTime)]
    pub sent_at: Option<String>,
    /// The install's own counters.
    pub counters: Option<Counters>,
}

/// What an install says of itself as the batch is cut: captured = delivered + dropped + queued + the events in the batch.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Counters {
    /// Events it ever captured.
    #[schema(maximum = 9007199254740991_i64)]
    pub captured: u64,
    /// Events that stay on the device and are not in this batch.
    #[schema(default = 0, maximum = 9007199254740991_i64)]
    pub queued: u64,
    /// Events given up, by reason.
    #[schema(value_type = Object, default = json!({}))]
    pub dropped: std::collections::BTreeMap<String, u64>,
}

/// One event. Without `anonymous_id` and `user_id` it is refused. Fields that are not listed here are passed over.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct SentEvent {
    /// What happened; `name` is the same. Names that start with `$` have a meaning of their own.
    #[schema(min_length = 1, max_length = 200)]
    pub event: String,
    /// A UUIDv7 made at capture. A retry that sends the same id is stored once.
    #[schema(max_length = 200)]
    pub id: Option<String>,
    /// Its number within the install, from 1.
    pub seq: Option<u64>,
    /// The device's id.
    #[schema(max_length = 200)]
    pub anonymous_id: Option<String>,
    /// The id that the app gave.
    #[schema(max_length = 200)]
    pub user_id: Option<String>,
    /// For `$alias`: the other `user_id` of the same person.
    #[schema(max_length = 200)]
    pub alias: Option<String>,
    /// The session it belongs to.
    #[schema(max_length = 200)]
    pub session_id: Option<String>,
    /// When it happened, by the client's clock; the time of receipt without it.
    #[schema(format = DateTime)]
    pub timestamp: Option<String>,
    /// What is known about it.
    #[schema(value_type = Option<Object>)]
    pub properties: Option<()>,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    pub context: Option<()>,
    /// Properties of the person: the last to be written wins.
    #[schema(value_type = Option<Object>)]
    pub set: Option<()>,
    /// Properties of the person: the first to be written wins.
    #[schema(value_type = Option<Object>)]
    pub set_once: Option<()>,
}

/// A batch, an array of events, or one event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Sent {
    /// A batch.
    Batch(Batch),
    /// Events.
    Events(Vec<SentEvent>),
    /// One event, beside whose fields `api_key` and `sent_at` may stand.
    Event(SentEvent),
}

/// What became of a batch. An event that `results` does not name was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// How many events are on stable storage.
    pub accepted: usize,
    /// The events that are not.
    pub results: Vec<Refused>,
    /// How long the client should wait before its next batch, in milliseconds.
    pub next_send_after_ms: u64,
}

/// One event that was not accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Its id, where it had a readable one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<Uuid>,
    /// Refused for good, or to be sent again.
    pub result: Outcome,
    /// Why, for programs.
    pub reason: String,
    /// What exactly was wrong, for a person to read.
    pub detail: String,
}

/// What is to be done with an event that was not accepted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefusedResult)]
pub enum Outcome {
    /// Nothing: it is refused for good.
    Drop,
    /// Send it again.
    Retry,
}
