//! Mirrors of [`trailmark_core::exception`] and [`trailmark_core::http_request`].

use trailmark_core::{exception, http_request};

/// See [`exception::Level`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Level {
    /// The app ended with it.
    Fatal,
    /// Something did not work.
    Error,
    /// Something may not have worked.
    Warning,
}

/// See [`exception::Frame`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct Frame {
    /// `Cart.checkout`.
    #[uniffi(default)]
    pub function: Option<String>,
    /// The file, or the library's address of it.
    #[uniffi(default)]
    pub file: Option<String>,
    /// From 1.
    #[uniffi(default)]
    pub line: Option<u32>,
    /// From 1.
    #[uniffi(default)]
    pub column: Option<u32>,
    /// Whether it is the app's own code.
    #[uniffi(default)]
    pub in_app: Option<bool>,
}

/// See [`exception::Thrown`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct Thrown {
    /// The error's class.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// The innermost first.
    pub frames: Vec<Frame>,
}

/// See [`exception::Exception`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct CapturedException {
    /// The error, then its cause, then the cause of that.
    pub thrown: Vec<Thrown>,
    /// Whether the app has caught it.
    pub handled: bool,
    /// How bad it is.
    pub level: Level,
    /// Errors with the same one are one issue.
    #[uniffi(default)]
    pub fingerprint: Option<String>,
}

impl From<CapturedException> for exception::Exception {
    fn from(from: CapturedException) -> Self {
        Self {
            thrown: from.thrown.into_iter().map(Into::into).collect(),
            handled: from.handled,
            level: from.level.into(),
            fingerprint: from.fingerprint,
        }
    }
}

impl From<Level> for exception::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Fatal => Self::Fatal,
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
        }
    }
}

impl From<Thrown> for exception::Thrown {
    fn from(from: Thrown) -> Self {
        Self {
            kind: from.kind,
            message: from.text,
            frames: from.frames.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Frame> for exception::Frame {
    fn from(from: Frame) -> Self {
        let Frame {
            function,
            file,
            line,
            column,
            in_app,
        } = from;
        Self {
            function,
            file,
            line,
            column,
            in_app,
        }
    }
}

/// See [`http_request::HttpRequest`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct HttpRequest {
    /// `GET`.
    pub method: String,
    /// Where to; what may be secret in it is not captured.
    pub url: String,
    /// The answer's status; nothing if there was none.
    #[uniffi(default)]
    pub status: Option<u16>,
    /// From the first byte sent to the answer's head.
    #[uniffi(default)]
    pub duration_ms: Option<f64>,
    /// Why there was no answer.
    #[uniffi(default)]
    pub error: Option<String>,
}

impl From<HttpRequest> for http_request::HttpRequest {
    fn from(from: HttpRequest) -> Self {
        let HttpRequest {
            method,
            url,
            status,
            duration_ms,
            error,
        } = from;
        Self {
            method,
            url,
            status,
            duration_ms,
            error,
        }
    }
}
