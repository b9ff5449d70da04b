//! `[log]`: which requests get a line, and where it goes. One line of JSON for each request, also for one whose client left.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use serde::Deserialize;

use super::record::{Outcome, Record};
use super::redact::{RedactConfig, Redaction};
use super::writer::Target;
use crate::gateway::units::Span;

/// `[log]`: the access log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Whether there is an access log.
    pub enabled: bool,
    /// `"stdout"`, `"stderr"`, or the path of a file, from its root. The file is opened again on SIGHUP, for logrotate.
    pub target: String,
    /// `"json"`: one object a line.
    pub format: Format,
    /// The share of requests that get a line, from 0 to 1. Refused, failed, cut and slow ones always get one. Which ones
    /// is decided by the request's id, so that all services that decide so log the same ones.
    pub sample: f64,
    /// A request that takes so long is slow.
    pub slow: Span,
    /// Whether the query string is logged. Credentials in it are left out, but nobody knows what else it may hold.
    pub query: bool,
    /// Request headers that are logged.
    pub headers: Vec<String>,
    /// What else is left out.
    pub redact: RedactConfig,
}

/// `format` of `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One object a line.
    #[default]
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            target: "stdout".to_owned(),
            format: Format::Json,
            sample: 1.0,
            slow: Span::seconds(1),
            query: false,
            headers: Vec::new(),
            redact: RedactConfig::default(),
        }
    }
}

/// Which requests get a line, and what is in it.
#[derive(Debug, Clone)]
pub struct LogPolicy {
    sample: f64,
    slow: Duration,
    pub(super) query: bool,
    pub(super) headers: Vec<HeaderName>,
    pub(super) redaction: Redaction,
}

impl LogConfig {
    /// What it says, checked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile(&self) -> Result<LogPolicy, Vec<String>> {
        let mut problems: Vec<String> = super::share_problem("sample", self.sample).into_iter().collect();
        problems.extend(self.target().err());
        let mut checked = |made: Result<Vec<HeaderName>, Vec<String>>| {
            made.unwrap_or_else(|found| {
                problems.extend(found);
                Vec::new()
            })
        };
        let headers = checked(header_names("headers", &self.headers));
        let redaction = Redaction::compile(&self.redact).unwrap_or_else(|found| {
            problems.extend(found);
            Redaction::default()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(LogPolicy {
            sample: self.sample,
            slow: self.slow.0,
            query: self.query,
            headers,
            redaction,
        })
    }

    /// Where its lines go.
    ///
    /// # Errors
    /// What is wrong with `target`.
    pub fn target(&self) -> Result<Target, String> {
        match self.target.as_str() {
            "stdout" => Ok(Target::Stdout),
            "stderr" => Ok(Target::Stderr),
            path if path.starts_with('/') => Ok(Target::File(PathBuf::from(path))),
            other => Err(format!(
                "target: \"{other}\" is not \"stdout\", \"stderr\" or a path from the root"
            )),
        }
    }
}

impl LogPolicy {
    /// Whether a request gets a line.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        self.is_remarkable(record.status(), record.outcome(), record.took())
            || is_drawn(record.request_id(), self.sample)
    }

    fn is_remarkable(&self, status: StatusCode, outcome: Outcome, took: Duration) -> bool {
        status.as_u16() >= 400 || outcome != Outcome::Complete || took >= self.slow
    }
}

/// Whether a request is among the `share` that gets a line: the CRC-32C of its id, as a fraction of 2^32, is below it. A
/// service that sees the same id and does the same comes to the same result.
#[must_use]
pub fn is_drawn(request_id: &[u8], share: f64) -> bool {
    super::is_sampled(crc32c::crc32c(request_id), share)
}

/// Names of headers; `key` is where they stand.
pub(super) fn header_names(key: &str, names: &[String]) -> Result<Vec<HeaderName>, Vec<String>> {
    let (mut parsed, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match name.parse() {
            Ok(name) => parsed.push(name),
            Err(_) => problems.push(format!("{key}: \"{name}\" is no header name")),
        }
    }
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<LogPolicy, Vec<String>> {
        toml::from_str::<LogConfig>(text).unwrap().compile()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        let wrong = "sample = 1.5\ntarget = \"logs/a\"\nheaders = [\"a b\"]\nredact = { headers = [\"c d\"] }";
        let problems = read(wrong).unwrap_err();
        for key in ["sample: ", "target: ", "headers: ", "redact.headers: "] {
            assert!(
                problems.iter().any(|problem| problem.starts_with(key)),
                "{key} of {problems:?}"
            );
        }
        assert_eq!(problems.len(), 4);
        assert!(toml::from_str::<LogConfig>("simple = 1.0").is_err());
        assert!(read("").is_ok());
    }

    #[test]
    fn refused_cut_and_slow_requests_always_get_a_line() {
        let policy = read("sample = 0.0").unwrap();
        let wants = |status: u16, outcome, millis| {
            policy.is_remarkable(
                StatusCode::from_u16(status).unwrap(),
                outcome,
                Duration::from_millis(millis),
            )
        };
        assert!(!wants(200, Outcome::Complete, 999) && !wants(304, Outcome::Complete, 0));
        assert!(wants(400, Outcome::Complete, 0) && wants(503, Outcome::Complete, 0));
        assert!(wants(200, Outcome::Aborted, 0) && wants(200, Outcome::Broken, 0));
        assert!(wants(200, Outcome::Complete, 1_000));
    }

    /// The numbers are what another service computes: `crc32c(id) / 2^32`.
    #[test]
    fn the_draw_is_a_known_function_of_the_id() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert!(is_drawn(b"123456789", 0.887) && !is_drawn(b"123456789", 0.886));
    }

    #[test]
    fn consecutive_ids_are_drawn_evenly() {
        let drawn = (0..10_000)
            .filter(|n| is_drawn(format!("0193-{n}").as_bytes(), 0.1))
            .count();
        assert!((800..1_200).contains(&drawn), "{drawn}");
    }

    proptest! {
        #[test]
        fn a_larger_share_takes_in_a_smaller_one(id in any::<Vec<u8>>(), one in 0.0..=1.0, other in 0.0..=1.0) {
            let (small, large) = if one < other { (one, other) } else { (other, one) };
            prop_assert!(!is_drawn(&id, small) || is_drawn(&id, large));
            prop_assert!(is_drawn(&id, 1.0) && !is_drawn(&id, 0.0));
        }
    }
}
