//! One event, written by the client once, at capture. Its bytes never change afterwards.

use uuid::Uuid;

use crate::json::Object;
use crate::time::Timestamp;

/// An event ready to be written. JSON-valued fields are raw JSON objects that have passed [`scan`](crate::json::scan).
///
/// ```
/// use trailmark_protocol::{Event, Timestamp, Uuid};
/// let event = Event { name: "checkout", user_id: Some("u_7"), properties: Some(r#"{"total":12.5}"#),
///     ..Event::new(Uuid::nil(), 41, Timestamp::from_millis(0)) };
/// assert!(event.to_json().contains(r#""event":"checkout","user_id":"u_7","timestamp":"1970-01-01T00:00:00.000Z""#));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// UUIDv7 made at capture; the key that makes a retry harmless.
    pub id: Uuid,
    /// Number of the event within its install, from 1; gaps are losses.
    pub seq: Option<u64>,
    /// What happened. `$` in front marks the [reserved names](crate::names).
    pub name: &'a str,
    /// The device's id.
    pub anonymous_id: Option<&'a str>,
    /// The id the app gave.
    pub user_id: Option<&'a str>,
    /// The other user id of an `$alias`.
    pub alias: Option<&'a str>,
    /// The session it belongs to.
    pub session_id: Option<&'a str>,
    /// When it happened, by the client's clock.
    pub timestamp: Timestamp,
    /// What is known about it.
    pub properties: Option<&'a str>,
    /// The circumstances: app, os, screen, locale, timezone.
    pub context: Option<&'a str>,
    /// Person properties, last writer wins.
    pub set: Option<&'a str>,
    /// Person properties, first writer wins.
    pub set_once: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// An event with these and nothing else; fill in the rest.
    #[must_use]
    pub fn new(id: Uuid, seq: u64, timestamp: Timestamp) -> Self {
        Self {
            id,
            seq: Some(seq),
            name: "",
            anonymous_id: None,
            user_id: None,
            alias: None,
            session_id: None,
            timestamp,
            properties: None,
            context: None,
            set: None,
            set_once: None,
        }
    }

    /// Appends the event's JSON.
    pub fn write(&self, out: &mut String) {
        let object = Object::open(out).id("id", self.id);
        let object = match self.seq {
            Some(seq) => object.int("seq", seq),
            None => object,
        };
        object
            .str("event", self.name)
            .opt_str("anonymous_id", self.anonymous_id)
            .opt_str("user_id", self.user_id)
            .opt_str("alias", self.alias)
            .opt_str("session_id", self.session_id)
            .time("timestamp", self.timestamp)
            .opt_raw("properties", self.properties)
            .opt_raw("context", self.context)
            .opt_raw("set", self.set)
            .opt_raw("set_once", self.set_once)
            .close();
    }

    /// The event's JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write(&mut out);
        out
    }
}
