//! One line of a diagnosis.

use std::fmt::Write;

use serde::Serialize;

use crate::output::Report;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warn,
    /// A server cannot work like this.
    Fail,
}

/// What was looked at, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) result: Verdict,
    pub(super) detail: String,
}

impl Check {
    pub(super) fn new(name: &'static str, result: Verdict, detail: impl Into<String>) -> Self {
        Self {
            name,
            result,
            detail: detail.into(),
        }
    }

    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, detail)
    }

    pub(super) fn warn(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Warn, detail)
    }

    pub(super) fn fail(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Fail, detail)
    }
}

/// All checks.
#[derive(Debug, Serialize)]
pub(super) struct Diagnosis {
    pub(super) checks: Vec<Check>,
}

impl Diagnosis {
    pub(super) fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.result == Verdict::Fail).count()
    }
}

impl Report for Diagnosis {
    fn text(&self, out: &mut String) {
        for Check { name, result, detail } in &self.checks {
            let result = match result {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            // A message of several lines stays in its column.
            let detail = detail.replace('\n', "\n                      ");
            let _ = writeln!(out, "{result}  {name:<14}  {detail}");
        }
    }
}
