//! Errors of the app, as properties of `$exception`: one form for every platform, so that the server can group them.

use crate::{Properties, PropertyValue};

/// Errors that are kept of a chain of causes, from the outermost on: 8. Six keys each are 48.
pub const CAUSES: usize = 8;

/// Frames that are kept of a whole chain, of each error those nearest to where it was thrown: 48. Five keys each are 240;
/// with those of [`CAUSES`] that leaves 224 of an event's 512 for everything else.
pub const FRAMES: usize = 48;

/// Bytes that are kept of a message, as JSON has it: 2,000.
pub const MESSAGE_BYTES: usize = 2_000;

/// Bytes that are kept of every other text, as JSON has it: 300. A full chain is then at most 8 × (2,300 + 90) + 48 × (600 +
/// 80) = 51,760 bytes with all names and brackets, which leaves 12 KiB of an event's 64 KiB.
pub const TEXT_BYTES: usize = 300;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// The app ended with it.
    Fatal,
    /// Something did not work.
    #[default]
    Error,
    /// Something may not have worked.
    Warning,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One place of a stack trace. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// `Cart.checkout`.
    pub function: Option<String>,
    /// The file, or the library's address of it (`package:shop/cart.dart`).
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// From 1.
    pub column: Option<u32>,
    /// Whether it is the app's own code, and not a library's.
    pub in_app: Option<bool>,
}

/// One error of a chain of causes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thrown {
    /// Its class: `StateError`, `java.io.IOException`.
    pub kind: String,
    /// What it says.
    pub message: String,
    /// Where it was thrown, the innermost frame first.
    pub frames: Vec<Frame>,
}

/// An error to be captured.
///
/// ```
/// # use trailmark_core::{Client, Properties};
/// use trailmark_core::exception::{Exception, Frame, Thrown};
/// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// let frame = Frame { function: Some("Cart.checkout".into()), line: Some(12), ..Frame::default() };
/// let thrown = Thrown { kind: "StateError".into(), message: "no card".into(), frames: vec![frame] };
/// client.capture_exception(&Exception { thrown: vec![thrown], ..Exception::default() }, Properties::new());
/// assert_eq!(client.stats().captured, 1);
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exception {
    /// The error, then its cause, then the cause of that.
    pub thrown: Vec<Thrown>,
    /// Whether the app has caught it.
    pub handled: bool,
    /// How bad it is.
    pub level: Level,
    /// Errors with the same one are one issue; without it the server groups them.
    pub fingerprint: Option<String>,
}

impl Exception {
    /// The properties of `$exception`. Their names are those of PostHog's SDKs, so that one reader is enough.
    pub(crate) fn properties(&self) -> Properties {
        let kept = self.thrown.iter().take(CAUSES);
        let frames = FRAMES / kept.len().max(1);
        let list: Vec<Properties> = kept.map(|thrown| thrown.properties(self.handled, frames)).collect();
        let mut properties = Properties::new()
            .with("$exception_list", list)
            .with("$exception_level", self.level.as_str());
        put(
            &mut properties,
            "$exception_fingerprint",
            text(self.fingerprint.as_ref()),
        );
        properties
    }
}

impl Thrown {
    fn properties(&self, handled: bool, frames: usize) -> Properties {
        let frames: Vec<Properties> = self.frames.iter().take(frames).map(Frame::properties).collect();
        Properties::new()
            .with("type", cut(&self.kind, TEXT_BYTES))
            .with("value", cut(&self.message, MESSAGE_BYTES))
            .with("mechanism", Properties::new().with("handled", handled))
            .with("stacktrace", Properties::new().with("frames", frames))
    }
}

impl Frame {
    fn properties(&self) -> Properties {
        let mut properties = Properties::new();
        put(&mut properties, "function", text(self.function.as_ref()));
        put(&mut properties, "filename", text(self.file.as_ref()));
        put(&mut properties, "lineno", self.line);
        put(&mut properties, "colno", self.column);
        put(&mut properties, "in_app", self.in_app);
        properties
    }
}

fn put(object: &mut Properties, key: &str, value: Option<impl PropertyValue>) {
    if let Some(value) = value {
        object.insert(key, value);
    }
}

fn text(text: Option<&String>) -> Option<&str> {
    text.map(|text| cut(text, TEXT_BYTES))
}

/// The longest beginning that takes at most so many bytes as JSON.
fn cut(text: &str, bytes: usize) -> &str {
    let ends = text.char_indices().scan(0, |written, (at, char)| {
        *written += written_bytes(char);
        (*written <= bytes).then_some(at + char.len_utf8())
    });
    text.get(..ends.last().unwrap_or(0)).unwrap_or_default()
}

/// What a character takes as JSON: an escape, or itself.
fn written_bytes(char: char) -> usize {
    match char {
        '"' | '\\' => 2,
        '\0'..'\x20' => 6,
        char => char.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_protocol::limits::EVENT_BYTES;

    #[test]
    fn a_chain_and_a_stack_without_end_still_fit_an_event() {
        for letter in ["x", "я", "界", "\"", "\\", "\u{1}", "\0"] {
            let long = letter.repeat(10_000);
            let frame = Frame {
                function: Some(long.clone()),
                file: Some(long.clone()),
                line: Some(u32::MAX),
                column: Some(u32::MAX),
                in_app: Some(false),
            };
            let thrown = Thrown {
                kind: long.clone(),
                message: long.clone(),
                frames: vec![frame; 500],
            };
            for causes in [1, 3, 8, 100] {
                let exception = Exception {
                    thrown: vec![thrown.clone(); causes],
                    ..Exception::default()
                };
                let properties = exception.properties();
                assert_eq!(properties.check(), Ok(()));
                let bytes = properties.as_json().len();
                assert!(bytes < EVENT_BYTES - 12 * 1024, "{bytes} with {causes} of {letter:?}");
            }
        }
    }

    #[test]
    fn what_is_short_enough_stays_whole() {
        assert_eq!(cut("", 3), "");
        assert_eq!(cut("äö", 4), "äö");
        assert_eq!(cut("äö", 3), "ä");
        assert_eq!(cut("\"x", 2), "\"");
        assert_eq!(cut("界", 2), "");
    }
}
