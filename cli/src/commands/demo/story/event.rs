//! An event of the story, as it goes over the wire.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::Value;
use trailmark_protocol::{Timestamp, Uuid, id};

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The same each time the story is told, so that it is stored once.
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) name: &'static str,
    pub(crate) anonymous_id: Arc<str>,
    pub(crate) user_id: Option<Arc<str>>,
    pub(crate) session_id: Option<Arc<str>>,
    pub(crate) properties: Value,
    /// JSON.
    pub(crate) context: Arc<str>,
    /// Properties of the person.
    pub(crate) set: Option<Value>,
    /// Those of which the first counts.
    pub(crate) set_once: Option<Value>,
}

impl Event {
    /// Appends it as JSON. The ids are made by the story and need no escapes.
    pub(crate) fn write(&self, out: &mut String) {
        let _ = write!(
            out,
            r#"{{"id":"{}","event":"{}","timestamp":"{}","anonymous_id":"{}""#,
            id::text(self.id),
            self.name,
            self.at,
            self.anonymous_id
        );
        for (field, text) in [("user_id", &self.user_id), ("session_id", &self.session_id)] {
            if let Some(text) = text {
                let _ = write!(out, r#","{field}":"{text}""#);
            }
        }
        let _ = write!(out, r#","properties":{},"context":{}"#, self.properties, self.context);
        for (field, value) in [("set", &self.set), ("set_once", &self.set_once)] {
            if let Some(value) = value {
                let _ = write!(out, r#","{field}":{value}"#);
            }
        }
        out.push('}');
    }
}
