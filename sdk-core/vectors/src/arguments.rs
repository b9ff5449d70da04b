//! What a step is called with.

use serde::Deserialize;
use serde_json::value::RawValue;
use trailmark_core::exception::{Exception, Frame, Level, Thrown};
use trailmark_core::http_request::HttpRequest;
use trailmark_core::{Capture, Properties, Timestamp};

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
    /// `app_opened`.
    pub(crate) from_background: bool,
    /// `capture_exception`: the errors, the outermost first, …
    #[serde(borrow)]
    pub(crate) thrown: Vec<ThrownArgs<'a>>,
    pub(crate) handled: bool,
    /// … `fatal`, `error` or `warning`, …
    pub(crate) level: Option<&'a str>,
    /// … and what groups them.
    pub(crate) fingerprint: Option<String>,
    /// `capture_request`.
    pub(crate) method: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) error: Option<String>,
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

/// One error of a chain.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ThrownArgs<'a> {
    kind: String,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    frames: Vec<FrameArgs>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FrameArgs {
    function: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    in_app: Option<bool>,
}

impl With<'_> {
    /// The error of `capture_exception`.
    pub(crate) fn exception(&self) -> Result<Exception, String> {
        let thrown: Result<_, String> = self.thrown.iter().map(thrown).collect();
        Ok(Exception {
            thrown: thrown?,
            handled: self.handled,
            level: level(self.level)?,
            fingerprint: self.fingerprint.clone(),
        })
    }

    /// The request of `capture_request`.
    pub(crate) fn request(&self) -> HttpRequest {
        HttpRequest {
            method: self.method.clone().unwrap_or_default(),
            url: self.url.clone().unwrap_or_default(),
            status: self.status,
            duration_ms: self.duration_ms,
            error: self.error.clone(),
        }
    }

    /// The event of `capture`.
    pub(crate) fn capture(&self) -> Result<Capture, String> {
        let mut capture = Capture::new(text(self.name)?);
        if self.other_user_id.is_some() {
            capture = capture.other_user_id(text(self.other_user_id)?);
        }
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
            capture = capture.id_text(id);
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

fn thrown(args: &ThrownArgs<'_>) -> Result<Thrown, String> {
    Ok(Thrown {
        kind: args.kind.clone(),
        message: text(args.message)?,
        frames: args.frames.iter().map(frame).collect(),
    })
}

fn frame(args: &FrameArgs) -> Frame {
    Frame {
        function: args.function.clone(),
        file: args.file.clone(),
        line: args.line,
        column: args.column,
        in_app: args.in_app,
    }
}

fn level(word: Option<&str>) -> Result<Level, String> {
    match word {
        None | Some("error") => Ok(Level::Error),
        Some("fatal") => Ok(Level::Fatal),
        Some("warning") => Ok(Level::Warning),
        Some(other) => Err(format!("no level {other}")),
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
    Ok(Properties::accept(&json))
}
