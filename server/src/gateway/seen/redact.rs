//! What must not be read in a log: credentials, wherever they stand. Decided before a line is written.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use trailmark_protocol::json::write_str;

/// What stands in a secret's place.
pub const REDACTED: &str = "[redacted]";

/// Headers whose values are never shown.
const HEADERS: [&str; 6] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-csrf-token",
];

/// Parameters whose values are never shown.
const PARAMETERS: [&str; 8] = [
    "key",
    "token",
    "api_key",
    "password",
    "secret",
    "signature",
    "code",
    "state",
];

/// Those of them that tell a secret also as the last word of a name: `access_token`, `X-Amz-Signature`, `user[password]`.
/// `code` and `state` do not: `country_code`.
const LAST_WORDS: usize = 6;

/// What every secret key of Trailmark begins with.
const SECRET_KEY: &str = "tm_sk_";

/// What a JSON Web Token begins with: `{"` or `{ ` and a letter, in base64url.
const TOKENS: [&str; 2] = ["eyJ", "eyA"];

/// Fewest characters of a token's first part. `{"alg":"none"}` has 19.
const TOKEN_CHARS: usize = 10;

/// How often a text is decoded to look for secrets in it: an address within an address within an address.
const DEPTH: usize = 3;

/// `redact` of `[log]`: what else is not shown. Credentials never are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedactConfig {
    /// Names of headers.
    pub headers: Vec<String>,
    /// Names of query parameters, in any case.
    pub query: Vec<String>,
}

/// What is not shown.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    headers: Vec<HeaderName>,
    query: Vec<String>,
}

impl Redaction {
    /// From its configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile(config: &RedactConfig) -> Result<Self, Vec<String>> {
        Ok(Self {
            headers: super::log::header_names("redact.headers", &config.headers)?,
            query: config.query.iter().map(|name| name.to_lowercase()).collect(),
        })
    }

    /// Appends a header's value as a JSON string.
    pub fn write_header(&self, out: &mut String, name: &HeaderName, value: &HeaderValue) {
        if HEADERS.contains(&name.as_str()) || self.headers.contains(name) {
            return write_str(out, REDACTED);
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        if self.hides(&value, DEPTH) {
            return write_str(out, REDACTED);
        }
        write_clean(out, &value);
    }

    /// Appends a query string as a JSON string: the names, and the values that may be shown.
    pub fn write_query(&self, out: &mut String, query: &str) {
        let mut shown = String::with_capacity(query.len());
        for (at, pair) in query.split('&').enumerate() {
            if at > 0 {
                shown.push('&');
            }
            self.push_pair(&mut shown, pair);
        }
        write_clean(out, &shown);
    }

    fn push_pair(&self, shown: &mut String, pair: &str) {
        match pair.split_once('=') {
            Some((name, value)) if self.is_secret(&decoded(name)) || self.hides(value, DEPTH) => {
                shown.push_str(&clean(name));
                shown.push('=');
                shown.push_str(REDACTED);
            }
            _ if self.hides(pair, DEPTH) => shown.push_str(REDACTED),
            _ => shown.push_str(&clean(pair)),
        }
    }

    /// Whether a text holds an address with a password, or a parameter that is secret.
    fn hides(&self, text: &str, depth: usize) -> bool {
        let mut parts = text.split(['?', '&', ';', '#', ' ', ',']);
        let mut has_secret = || {
            parts.any(|part| {
                part.split_once('=')
                    .is_some_and(|(name, _)| self.is_secret(name.trim()))
            })
        };
        if has_password(text) || has_secret() {
            return true;
        }
        depth > 0 && text.contains('%') && self.hides(&decoded(text), depth - 1)
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = name.trim_end_matches(']').to_lowercase();
        let last_word = |secret: &&str| {
            let before = name.strip_suffix(*secret);
            before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric()))
        };
        PARAMETERS.contains(&name.as_str())
            || PARAMETERS.iter().take(LAST_WORDS).any(last_word)
            || self.query.contains(&name)
    }
}

/// Whether an address in it names a user, also one whose password was not encoded as it should be.
fn has_password(text: &str) -> bool {
    let before = text
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .map(|(before, _)| before);
    before.is_some_and(|before| before.contains(':') || !before.contains('/'))
}

/// Appends `text` as a JSON string, with what looks like a credential left out.
pub fn write_clean(out: &mut String, text: &str) {
    write_str(out, &clean(text));
}

/// `text` without what looks like a credential: a JSON Web Token or a secret key, as it stands or percent-encoded.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let mut cleaned = Cow::Borrowed(text);
    while let Some((from, to)) = find(&cleaned) {
        cleaned.to_mut().replace_range(from..to, REDACTED);
    }
    if text.contains('%') && is_secret_below(&cleaned, DEPTH) {
        return Cow::Borrowed(REDACTED);
    }
    cleaned
}

fn is_secret_below(text: &str, depth: usize) -> bool {
    let decoded = decoded(text);
    find(&decoded).is_some() || (depth > 1 && decoded.contains('%') && is_secret_below(&decoded, depth - 1))
}

/// From where to where the first credential goes.
fn find(text: &str) -> Option<(usize, usize)> {
    // Nearly no text holds one, and a search for each beginning has to be set up: a third of what a line of the log costs.
    let begins = |three: &[u8]| matches!(three, b"tm_" | b"eyJ" | b"eyA");
    if !text.as_bytes().windows(3).any(begins) {
        return None;
    }
    if let Some(from) = text.find(SECRET_KEY) {
        return Some((from, from + run(text, from, false)));
    }
    TOKENS.iter().find_map(|begin| {
        let mut begins = text.match_indices(begin).map(|(at, _)| at);
        let from = begins.find(|at| is_token(text, *at))?;
        Some((from, from + run(text, from, true)))
    })
}

/// A first part, a point, and something of a second.
fn is_token(text: &str, from: usize) -> bool {
    let first = run(text, from, false);
    let after = text.as_bytes().get(from + first..).unwrap_or_default();
    first >= TOKEN_CHARS && after.first() == Some(&b'.') && after.get(1).is_some_and(|byte| is_base64url(*byte))
}

/// How many bytes from `from` on belong to a credential.
fn run(text: &str, from: usize, points: bool) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    rest.iter()
        .take_while(|byte| is_base64url(**byte) || (points && **byte == b'.'))
        .count()
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzcifQ.c2lnbmF0dXJl";

    fn query(text: &str) -> String {
        let config = RedactConfig {
            query: vec!["Customer".to_owned()],
            ..RedactConfig::default()
        };
        let mut out = String::new();
        Redaction::compile(&config).unwrap().write_query(&mut out, text);
        serde_json::from_str(&out).unwrap()
    }

    #[test]
    fn values_of_secret_parameters_are_left_out_however_they_are_written() {
        for (given, shown) in [
            ("a=1&key=s3cret&b=2", "a=1&key=[redacted]&b=2"),
            ("TOKEN=s3cret", "TOKEN=[redacted]"),
            ("%6Bey=s3cret", "%6Bey=[redacted]"),
            ("access_token=s3cret", "access_token=[redacted]"),
            ("X-Amz-Signature=s3cret", "X-Amz-Signature=[redacted]"),
            ("user[password]=s3cret", "user[password]=[redacted]"),
            ("code=s3cret&state=s3cret", "code=[redacted]&state=[redacted]"),
            ("customer=s3cret", "customer=[redacted]"),
            ("to=https%3A%2F%2Fx%2F%3Ftoken%3Ds3cret", "to=[redacted]"),
            ("to=https://x/?q%3D1%26token%3Ds3cret", "to=[redacted]"),
            ("to=https://ann:s3cret@x/", "to=[redacted]"),
            ("to=https://ann:s3/cret@x/", "to=[redacted]"),
            ("a=1;key=s3cret", "a=[redacted]"),
        ] {
            assert_eq!(query(given), shown);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "page=2&sort=name&country_code=de&us_state=ca&monkey=1",
            "",
            "flag",
            "a=&b==c",
            "q=%22rust%22",
            "eyJ=1",
            "to=https://blog.example/@ann",
        ] {
            assert_eq!(query(text), text);
        }
        for text in [
            "/api/keys/7",
            "/eyJ/x.y",
            "/hosts/eye-catching-names.example",
            "Mozilla/5.0 (X11)",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn tokens_and_secret_keys_are_left_out_of_any_text() {
        for text in [
            format!("/reset/{TOKEN}/now"),
            format!("/reset/x{TOKEN}"),
            format!("/reset/{}", TOKEN.replace('.', "%2E")),
            format!("/reset/{}", TOKEN.replace("eyJ", "%65yJ")),
            format!("/reset/{}", TOKEN.replace("eyJ", "%2565yJ")),
            "/keys/tm_sk_s3cret".to_owned(),
            "/keys/tm%5Fsk%5Fs3cret".to_owned(),
            format!("tm_sk_s3cret {TOKEN} tm_sk_s3cret"),
        ] {
            let shown = clean(&text);
            assert!(!shown.contains("s3cret") && !shown.contains("JhbGci"), "{shown}");
            assert!(shown.contains(REDACTED), "{shown}");
        }
    }

    #[test]
    fn headers_that_carry_credentials_are_never_shown() {
        let redaction = Redaction::compile(&RedactConfig {
            headers: vec!["X-Tenant".to_owned()],
            ..RedactConfig::default()
        })
        .unwrap();
        let shown = |name: &'static str, value: &'static str| {
            let mut out = String::new();
            redaction.write_header(
                &mut out,
                &HeaderName::from_static(name),
                &HeaderValue::from_static(value),
            );
            out
        };
        for name in HEADERS.iter().chain(&["x-tenant"]) {
            assert_eq!(shown(name, "s3cret"), "\"[redacted]\"");
        }
        assert_eq!(shown("referer", "https://x/?token=s3cret"), "\"[redacted]\"");
        assert_eq!(shown("accept", "text/html;q=0.9, */*"), "\"text/html;q=0.9, */*\"");
    }

    #[test]
    fn a_header_that_is_no_header_name_is_refused() {
        let config = RedactConfig {
            headers: vec!["x tenant".to_owned()],
            ..RedactConfig::default()
        };
        assert!(Redaction::compile(&config).unwrap_err()[0].starts_with("redact.headers: "));
    }

    proptest! {
        #[test]
        fn cleaning_ends_and_cleans(before in ".{0,20}", key in "[A-Za-z0-9_]{6,30}", after in ".{0,20}") {
            let text = format!("{before}tm_sk_{key}{after}");
            let shown = clean(&text);
            prop_assert!(!shown.contains("tm_sk_"));
            let (cleaned, again) = (shown.clone().into_owned(), clean(&shown).into_owned());
            prop_assert_eq!(cleaned, again);
        }
    }
}
