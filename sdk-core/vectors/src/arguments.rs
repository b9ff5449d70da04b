//! What a step is called with.

use serde::Deserialize;
use serde_json::value::RawValue;
use trailmark_core::{Capture, Properties, PropertiesError, PropertyValue, Timestamp, Uuid};
use trailmark_protocol::json::{Fault, Shape};
use trailmark_protocol::limits::{DEPTH, KEYS};

use crate::text::{compact, expand};

/// One step of a file. `expect` is for whoever compares.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step<'a> {
    /// Milliseconds since the start; the same time as before if it is not said.
    pub(crate) at: Option<i64>,
    /// The verb.
    #[serde(rename = "do")]
    pub(crate) verb: String,
    #[serde(borrow)]
    pub(crate) with: Option<&'a RawValue>,
    #[serde(borrow, rename = "expect")]
    _expect: Option<&'a RawValue>,
}

/// All arguments that there are; a verb reads its own, and a text that is not given is empty.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct With<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) properties: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) context: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) set: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) set_once: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) anonymous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) other_user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) session_id: Option<&'a RawValue>,
    pub(crate) id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    #[serde(borrow)]
    pub(crate) group_type: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) group_id: Option<&'a RawValue>,
    pub(crate) key: Option<String>,
    /// `restart`: the settings from now on.
    #[serde(borrow)]
    pub(crate) config: Option<&'a RawValue>,
    /// `storage`: why it fails; nothing if it works.
    pub(crate) fails: Option<String>,
    /// `answer`: the status of an HTTP answer, …
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<String>,
    pub(crate) date: Option<String>,
    #[serde(borrow)]
    pub(crate) body: Option<&'a RawValue>,
    /// … or why there is none, …
    pub(crate) unreachable: Option<String>,
    /// … or that it did not come in time.
    pub(crate) timed_out: bool,
}

impl With<'_> {
    /// The event of `capture`.
    pub(crate) fn capture(&self) -> Result<Capture, String> {
        let mut capture = match self.other_user_id {
            Some(_) => Capture::alias(text(self.user_id)?, text(self.other_user_id)?),
            None => Capture::new(text(self.name)?),
        };
        if self.user_id.is_some() {
            capture = capture.user_id(text(self.user_id)?);
        }
        if self.anonymous_id.is_some() {
            capture = capture.anonymous_id(text(self.anonymous_id)?);
        }
        if self.session_id.is_some() {
            capture = capture.session_id(text(self.session_id)?);
        }
        if self.context.is_some() {
            capture = capture.context(properties(self.context)?);
        }
        if let Some(id) = self.id {
            capture = capture.id(Uuid::parse_str(id).map_err(|error| error.to_string())?);
        }
        if let Some(at) = self.timestamp {
            capture = capture.timestamp(Timestamp::parse(at).ok_or("the timestamp is no RFC 3339")?);
        }
        Ok(capture
            .properties(properties(self.properties)?)
            .set(properties(self.set)?)
            .set_once(properties(self.set_once)?))
    }
}

/// A text, perhaps a repeated one; empty if it is not given.
pub(crate) fn text(json: Option<&RawValue>) -> Result<String, String> {
    let Some(json) = json else { return Ok(String::new()) };
    let json = expand(&compact(json.get()))?;
    serde_json::from_str(&json).map_err(|error| format!("{json:.60}: {error}"))
}

/// Properties in the very bytes of the file, white space apart.
pub(crate) fn properties(json: Option<&RawValue>) -> Result<Properties, String> {
    let Some(json) = json else { return Ok(Properties::new()) };
    let json = expand(&compact(json.get()))?;
    match Properties::from_json(&json) {
        Ok(properties) => Ok(properties),
        Err(PropertiesError::Fault(Fault::TooManyKeys)) => Ok(beyond(KEYS + 1, 0)),
        Err(PropertiesError::Fault(Fault::TooDeep)) => Ok(beyond(1, DEPTH + 1)),
        Err(error) => Err(format!("{json:.60}: {error}")),
    }
}

/// What cannot even be read is handed in as something that is refused for the same reason.
fn beyond(keys: u32, depth: u32) -> Properties {
    Properties::new().with(
        "beyond",
        Beyond(Shape {
            keys,
            depth,
            ..Shape::default()
        }),
    )
}

struct Beyond(Shape);

impl PropertyValue for Beyond {
    fn write(&self, out: &mut String) -> Shape {
        out.push_str("null");
        self.0
    }
}
