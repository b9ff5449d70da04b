//! What a monitor asks, and which answer is well.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An HTTP or HTTPS request.
    Http(HttpTarget),
    /// A TCP connection.
    Tcp(TcpTarget),
}

/// An HTTP or HTTPS request, and which answer is well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HttpMonitor)]
pub struct HttpTarget {
    /// Where; `http` or `https`, without user and password.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// How.
    #[serde(default)]
    pub method: Verb,
    /// Headers to send. Values are never shown again: in answers they are null. In a change, null keeps the value that is
    /// there.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// A body to send.
    #[serde(default)]
    #[schema(max_length = 16384)]
    pub body: Option<String>,
    /// Which statuses are well: `200`, or `200-299`.
    #[serde(default = "HttpTarget::any_success")]
    #[schema(min_items = 1, max_items = 20)]
    pub expected_status: Vec<String>,
    /// What is to be so of the answer's first 256 KiB.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub expected_body: Vec<Expectation>,
    /// Whether a redirect is followed, up to five of them; else it is an answer like others. To another origin the headers
    /// are not sent.
    #[serde(default = "HttpTarget::yes")]
    #[schema(default = true)]
    pub follow_redirects: bool,
}

impl HttpTarget {
    fn any_success() -> Vec<String> {
        vec!["200-299".to_owned()]
    }

    const fn yes() -> bool {
        true
    }
}

/// A method.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "HTTP's own words")]
pub enum Verb {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Verb {
    /// As HTTP has it.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
            Self::Options => Method::OPTIONS,
        }
    }
}

/// What is to be so of a body; texts of 1 to 1,000 characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// This text is in it.
    Contains(String),
    /// This text is not in it.
    Lacks(String),
    /// This regular expression, of Postgres' kind, is found in it.
    Matches(String),
    /// It is JSON, and has this value at this place.
    Json(JsonValue),
}

/// A value at a place in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpectedJson)]
pub struct JsonValue {
    /// The place, as RFC 6901 has it: `/checks/0/status`.
    #[schema(max_length = 1000)]
    pub pointer: String,
    /// The value.
    #[schema(value_type = Value)]
    pub equals: Value,
}

/// A TCP connection, which is well if somebody takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TcpMonitor)]
pub struct TcpTarget {
    /// A name or an address.
    #[schema(min_length = 1, max_length = 253)]
    pub host: String,
    /// The port.
    #[schema(minimum = 1, maximum = 65535)]
    pub port: u16,
}

impl Target {
    /// What a person calls it: a URL without its query, which may hold secrets, or host and port.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Http(http) => http.url.split('?').next().unwrap_or_default().to_owned(),
            Self::Tcp(tcp) => format!("{}:{}", tcp.host, tcp.port),
        }
    }

    /// The same with nothing in it that may be a secret.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        if let Self::Http(http) = &mut self {
            http.headers.values_mut().for_each(|value| *value = None);
        }
        self
    }

    /// The same with the header values of `stored` where it has none.
    #[must_use]
    pub fn with_secrets_of(mut self, stored: &Self) -> Self {
        if let (Self::Http(http), Self::Http(stored)) = (&mut self, stored) {
            for (name, value) in &mut http.headers {
                if value.is_none() {
                    *value = stored.headers.get(name).cloned().flatten();
                }
            }
        }
        self
    }
}

/// `200`, or `200-299`.
#[must_use]
pub fn read_status(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let read = |text: &str| {
        let number = text.parse().ok().filter(|number| (100..=599).contains(number));
        number.filter(|_| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (first, last) = (read(first)?, read(last)?);
    (first <= last).then_some((first, last))
}
