//! Reads an `$exception` as our SDKs send it (sdk-core/src/exception.rs, whose names are those of PostHog's), and as
//! PostHog's older SDKs did. Nothing here fails: what cannot be read is left out.

use serde_json::{Map, Value};

/// Errors of a chain that are read; our SDKs send 8 at most.
const CAUSES: usize = 16;

/// Frames of an error that are read; our SDKs send 48 at most.
const FRAMES: usize = 200;

/// What an error is called that says nothing of itself.
pub const UNKNOWN: &str = "Unknown error";

/// How bad it is; what is worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// Something may not have worked. `info`, `debug` and `log` of other SDKs are this too.
    Warning,
    /// Something did not work.
    #[default]
    Error,
    /// The app ended with it.
    Fatal,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Warning, Self::Error, Self::Fatal];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    fn of(word: Option<&str>) -> Self {
        match word {
            Some("warning" | "info" | "debug" | "log") => Self::Warning,
            Some("fatal" | "critical") => Self::Fatal,
            _ => Self::Error,
        }
    }
}

/// One place of a stack trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// As the platform writes it.
    pub function: Option<String>,
    /// The file, or the library's address of it.
    pub file: Option<String>,
    /// Whether it is the app's own code, if the SDK says so.
    pub in_app: Option<bool>,
}

/// One error of a chain of causes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thrown {
    /// Its class.
    pub kind: String,
    /// What it says.
    pub message: String,
    /// Where it was thrown, the innermost frame first.
    pub frames: Vec<Frame>,
}

/// An error that was captured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Occurred {
    /// The error, then its cause, then the cause of that. Empty: nothing could be read.
    pub thrown: Vec<Thrown>,
    /// Whether the app had caught it.
    pub handled: bool,
    /// How bad it is.
    pub level: Level,
    /// What the app says that it is to be grouped by.
    pub fingerprint: Option<String>,
}

/// Reads the properties of an `$exception`.
#[must_use]
pub fn read(properties: &Value) -> Occurred {
    let none = Map::new();
    let properties = properties.as_object().unwrap_or(&none);
    let list = properties.get("$exception_list").and_then(Value::as_array);
    let listed = list.into_iter().flatten().filter_map(Value::as_object);
    let mut thrown: Vec<Thrown> = listed.clone().take(CAUSES).filter_map(read_thrown).collect();
    if thrown.is_empty() {
        thrown.extend(read_older(properties));
    }
    let mechanisms = listed.filter_map(|one| one.get("mechanism")?.get("handled")?.as_bool());
    let handled = mechanisms
        .chain(properties.get("$exception_handled").and_then(Value::as_bool))
        .next();
    Occurred {
        thrown,
        handled: handled.unwrap_or(false),
        level: Level::of(properties.get("$exception_level").and_then(Value::as_str)),
        fingerprint: properties.get("$exception_fingerprint").and_then(read_fingerprint),
    }
}

fn read_thrown(one: &Map<String, Value>) -> Option<Thrown> {
    let stacktrace = one.get("stacktrace").unwrap_or(&Value::Null);
    let mut frames = read_frames(stacktrace.get("frames").unwrap_or(&Value::Null));
    // PostHog's SDKs say what kind of trace it is (`raw`, `resolved`) and list the outermost frame first; ours say nothing.
    if stacktrace.get("type").is_some() {
        frames.reverse();
    }
    // Kotlin's or Java's class may be told apart from its package.
    let kind = match (text(one, "module"), text(one, "type")) {
        (Some(module), Some(kind)) if !kind.contains('.') => Some(format!("{module}.{kind}")),
        (_, kind) => kind,
    };
    thrown(kind, text(one, "value"), frames)
}

/// `$exception_type`, `$exception_message` and `$exception_stack_trace_raw`, a JSON text of frames.
fn read_older(properties: &Map<String, Value>) -> Option<Thrown> {
    let raw = properties
        .get("$exception_stack_trace_raw")
        .and_then(|raw| match raw {
            Value::String(raw) => serde_json::from_str(raw).ok(),
            raw => Some(raw.clone()),
        })
        .unwrap_or(Value::Null);
    let mut frames = read_frames(&raw);
    frames.reverse();
    let (kind, message) = (
        text(properties, "$exception_type"),
        text(properties, "$exception_message"),
    );
    thrown(kind, message, frames)
}

/// `None` if nothing is said.
fn thrown(kind: Option<String>, message: Option<String>, frames: Vec<Frame>) -> Option<Thrown> {
    let says_something = kind.is_some() || message.is_some() || !frames.is_empty();
    says_something.then(|| Thrown {
        kind: kind.unwrap_or_else(|| "Error".to_owned()),
        message: message.unwrap_or_default(),
        frames,
    })
}

fn read_frames(frames: &Value) -> Vec<Frame> {
    let frames = frames.as_array().into_iter().flatten().filter_map(Value::as_object);
    frames.take(FRAMES).map(read_frame).collect()
}

fn read_frame(frame: &Map<String, Value>) -> Frame {
    let function = text(frame, "function").filter(|function| function != "?");
    Frame {
        // Sentry's and PostHog's JVM frames tell the class as `module`.
        function: match (text(frame, "module"), function) {
            (Some(module), Some(function)) if is_of_jvm(frame) => Some(format!("{module}.{function}")),
            (_, function) => function,
        },
        file: text(frame, "filename").or_else(|| text(frame, "abs_path")),
        in_app: frame.get("in_app").and_then(Value::as_bool),
    }
}

fn is_of_jvm(frame: &Map<String, Value>) -> bool {
    let file = frame.get("filename").and_then(Value::as_str).unwrap_or_default();
    file.ends_with(".java") || file.ends_with(".kt")
}

/// A text, or several that are one.
fn read_fingerprint(fingerprint: &Value) -> Option<String> {
    let text = match fingerprint {
        Value::String(text) => text.clone(),
        Value::Array(texts) => {
            let texts: Vec<_> = texts.iter().filter_map(Value::as_str).collect();
            texts.join("\n")
        }
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// A text that is not empty; what is no text is one as JSON writes it. NUL, which Postgres' text cannot hold, is replaced.
fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    let text = match object.get(key)? {
        Value::Null => return None,
        Value::String(text) => text.replace('\0', "\u{fffd}"),
        other => other.to_string(),
    };
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_core_sends_is_read() {
        let vectors = include_str!("../../../../sdk-core/tests/vectors/exception.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let body = vectors["steps"][2]["expect"]["send"]["body"][1].as_str().unwrap();
        let event: Value = serde_json::from_str(body.trim_end_matches(',')).unwrap();
        let read = read(&event["properties"]);
        assert_eq!(read.thrown[0].kind, "StateError");
        assert_eq!(read.thrown[0].frames[0].file.as_deref(), Some("package:shop/cart.dart"));
        assert_eq!(read.thrown[0].frames[1].in_app, None);
        assert_eq!(read.thrown[1].message, "Ünreachable");
        assert_eq!((read.level, read.handled), (Level::Fatal, false));
        assert_eq!(read.fingerprint.as_deref(), Some("checkout"));
    }

    #[test]
    fn older_shapes_are_read() {
        let frames = json!([{"function": "main", "filename": "a.js"}, {"function": "pay", "filename": "b.js"}]);
        let older = json!({"$exception_type": "TypeError", "$exception_message": "x is null",
                           "$exception_stack_trace_raw": frames.to_string(), "$exception_handled": true});
        let older = read(&older);
        assert_eq!((older.thrown[0].kind.as_str(), older.handled), ("TypeError", true));
        assert_eq!(
            older.thrown[0].frames[0].function.as_deref(),
            Some("pay"),
            "the innermost first"
        );
        let listed = json!({"$exception_list": [{"type": "E", "stacktrace": {"type": "raw", "frames": frames}}]});
        assert_eq!(read(&listed).thrown[0].frames, older.thrown[0].frames);
        assert_eq!(
            read(&json!({"$exception_message": "just this"})).thrown[0].kind,
            "Error"
        );
        let several = read(&json!({"$exception_fingerprint": ["a", "b"], "$exception_level": "info"}));
        assert_eq!(
            (several.fingerprint.as_deref(), several.level),
            (Some("a\nb"), Level::Warning)
        );
    }

    #[test]
    fn of_what_cannot_be_read_nothing_is_known() {
        for odd in [
            json!(null),
            json!([]),
            json!({"$exception_list": 7, "$exception_fingerprint": "  "}),
            json!({"$exception_list": [null, 7, {}, {"stacktrace": {"frames": "x"}}], "$exception_level": 3}),
        ] {
            let expected = Occurred::default();
            assert_eq!(read(&odd), expected, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}", number in any::<i64>()) {
            let odd = json!({"$exception_list": [{"type": text, "value": number, "stacktrace": {"frames": [{"function": text}, text]}}],
                             "$exception_type": number, "$exception_stack_trace_raw": text});
            prop_assert!(!read(&odd).thrown.is_empty());
        }
    }
}
