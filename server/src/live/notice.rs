//! What is told, and how a listener writes it out: server-sent events of JSON.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use trailmark_protocol::limits::EVENT_BYTES;
use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{Timestamp, Uuid};
use utoipa::ToSchema;

use super::filter::{Filter, Named};
use crate::event::{AcceptedEvent, BatchHead, read_batch};
use crate::gateway::problem::Problem;
use crate::query::time::At;

/// Something that happened, as cheap to make as can be.
#[derive(Debug)]
pub enum Notice {
    /// Events are on stable storage.
    Accepted {
        /// The batch as the journal has taken it.
        payload: Bytes,
        /// How many events are in it.
        events: usize,
    },
    /// Events of a batch were refused.
    Refused(Vec<RefusedEvent>),
    /// A whole request was refused.
    Request(RefusedRequest),
}

impl Notice {
    /// How many events and refusals it tells of.
    #[must_use]
    pub fn events(&self) -> u64 {
        match self {
            Self::Accepted { events, .. } => *events as u64,
            Self::Refused(events) => events.len() as u64,
            Self::Request(_) => 1,
        }
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Accepted { payload, .. } => payload.len(),
                Self::Refused(events) => events.iter().map(RefusedEvent::bytes).sum(),
                Self::Request(request) => request.detail.len(),
            }
    }

    /// What of it a listener wants to hear, as server-sent events; empty if nothing.
    #[must_use]
    pub fn write(&self, filter: &Filter) -> String {
        let mut out = String::new();
        match self {
            Self::Accepted { payload, .. } => accepted(&mut out, payload, filter),
            Self::Refused(events) => events.iter().for_each(|event| event.write(&mut out, filter)),
            Self::Request(request) if filter.refused => write(&mut out, "refused_request", request),
            Self::Request(_) => {}
        }
        out
    }
}

/// Writes one server-sent event.
pub(super) fn write(out: &mut String, kind: &str, data: &impl Serialize) {
    // Structs of texts and numbers with string keys always serialise.
    let json = serde_json::to_string(data).unwrap_or_default();
    // What a client has sent as properties is repeated as it was sent. In a string a line feed is escaped, so a bare one
    // is only layout; here it would end the line.
    let line = if json.contains(['\n', '\r']) {
        Cow::Owned(json.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(&*json)
    };
    let _ = write!(out, "event: {kind}\ndata: {line}\n\n");
}

fn accepted(out: &mut String, payload: &[u8], filter: &Filter) {
    // The payload was written by this process, a moment ago.
    let Ok(batch) = read_batch(payload) else { return };
    for event in &batch.events {
        let named = Named {
            event: Some(event.name),
            anonymous_id: event.anonymous_id,
            user_id: event.user_id,
        };
        if filter.wants(named) {
            write(out, "event", &LiveEvent::new(&batch.head, event));
        }
    }
}

/// An accepted event, as it was accepted. Who its person is, is known when it is stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveEvent<'a> {
    /// UUIDv7 made at capture.
    id: Uuid,
    /// What happened.
    event: &'a str,
    /// The device, as sent.
    anonymous_id: Option<&'a str>,
    /// The user, as sent.
    user_id: Option<&'a str>,
    /// The session.
    session_id: Option<&'a str>,
    /// The install that sent it.
    install_id: Option<&'a str>,
    /// Its number within the install.
    seq: Option<i64>,
    /// When it happened, corrected for the client's clock.
    #[schema(value_type = String, format = DateTime)]
    timestamp: At,
    /// When the server received it.
    #[schema(value_type = String, format = DateTime)]
    received_at: At,
    /// When it happened by the client's clock.
    #[schema(value_type = String, format = DateTime)]
    client_timestamp: At,
    /// What is known about it.
    #[schema(value_type = Option<Object>)]
    properties: Option<&'a RawValue>,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    context: Option<&'a RawValue>,
}

impl<'a> LiveEvent<'a> {
    fn new(head: &BatchHead<'a>, event: &AcceptedEvent<'a>) -> Self {
        let raw = |json: Option<&'a str>| json.and_then(|json| serde_json::from_str(json).ok());
        Self {
            id: event.id,
            event: event.name,
            anonymous_id: event.anonymous_id,
            user_id: event.user_id,
            session_id: event.session_id,
            install_id: head.install_id,
            seq: event.seq,
            timestamp: At(event.timestamp),
            received_at: At(head.received_at),
            client_timestamp: At(event.client_timestamp),
            properties: raw(event.properties),
            context: raw(event.context),
        }
    }
}

/// An event that was refused.
#[derive(Debug)]
pub struct RefusedEvent {
    received_at: Timestamp,
    index: usize,
    id: Option<Uuid>,
    reason: Cow<'static, str>,
    detail: String,
    /// As it was sent; empty if it is longer than any event may be.
    sent: Box<str>,
}

impl RefusedEvent {
    /// From the verdict and the event's JSON.
    #[must_use]
    pub fn new(received_at: Timestamp, refused: &Refused, sent: &str) -> Self {
        Self {
            received_at,
            index: refused.index,
            id: refused.id,
            reason: refused.reason.clone(),
            detail: refused.detail.clone(),
            sent: if sent.len() > EVENT_BYTES { "" } else { sent }.into(),
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.detail.len() + self.sent.len()
    }

    fn write(&self, out: &mut String, filter: &Filter) {
        let sent: Sent = serde_json::from_str(&self.sent).unwrap_or_default();
        let named = sent.named();
        if filter.wants_refused(named) {
            let told = LiveRefusal {
                id: self.id,
                event: named.event,
                anonymous_id: named.anonymous_id,
                user_id: named.user_id,
                received_at: At(self.received_at),
                index: self.index,
                reason: &self.reason,
                detail: &self.detail,
            };
            write(out, "refused_event", &told);
        }
    }
}

/// What can be read of an event that was refused.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    event: Value,
    anonymous_id: Value,
    user_id: Value,
}

impl Sent {
    fn named(&self) -> Named<'_> {
        Named {
            event: text(&self.event),
            anonymous_id: text(&self.anonymous_id),
            user_id: text(&self.user_id),
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// A refused event, its name and ids where they could be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveRefusal<'a> {
    /// Its id.
    id: Option<Uuid>,
    /// What happened.
    event: Option<&'a str>,
    /// The device.
    anonymous_id: Option<&'a str>,
    /// The user.
    user_id: Option<&'a str>,
    /// When the server received it.
    #[schema(value_type = String, format = DateTime)]
    received_at: At,
    /// Its place in the batch, from 0.
    index: usize,
    /// Why, as in the receipt.
    reason: &'a str,
    /// What exactly was wrong.
    detail: &'a str,
}

/// A request that was refused as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedRequest {
    /// When the server received it.
    #[schema(value_type = String, format = DateTime)]
    received_at: At,
    /// The status that it was answered with.
    status: u16,
    /// The problem's code.
    code: &'static str,
    /// What exactly was wrong.
    detail: String,
}

impl RefusedRequest {
    /// From the answer.
    #[must_use]
    pub fn new(received_at: Timestamp, problem: &Problem) -> Self {
        Self {
            received_at: At(received_at),
            status: problem.code().status().as_u16(),
            code: problem.code().as_str(),
            detail: problem.detail().to_owned(),
        }
    }
}

/// What a listener did not hear.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveMissed {
    /// How many events and refusals of the project, wanted or not.
    pub missed: u64,
}

/// Why nothing comes any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveEnd {
    /// `stopping`: the server stops; `key`: the key opens nothing any more.
    pub reason: &'static str,
}
