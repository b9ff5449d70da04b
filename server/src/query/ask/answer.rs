//! What all answers share.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::calendar::{Periods, Span};

/// What an answer is about, beside its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = AnswerMeta)]
pub struct Meta {
    /// How long it took.
    pub took_ms: u64,
    /// The time zone in which days begin.
    pub timezone: String,
    /// The first moment of the stretch.
    pub date_from: Option<String>,
    /// The first moment after it.
    pub date_to: Option<String>,
    /// The label of the first period that is not over yet; its numbers still grow.
    pub incomplete_from: Option<String>,
    /// What a reader should know about the numbers.
    pub warnings: Vec<String>,
}

impl Meta {
    /// About this stretch of time.
    #[must_use]
    pub fn about(span: &Span) -> Self {
        Self {
            timezone: span.timezone().to_owned(),
            date_from: Some(span.from.to_string()),
            date_to: Some(span.to.to_string()),
            ..Self::timeless()
        }
    }

    /// About the stretch of these periods.
    #[must_use]
    pub fn by(periods: &Periods) -> Self {
        let incomplete = periods.incomplete_from.and_then(|index| periods.labels.get(index));
        Self {
            incomplete_from: incomplete.cloned(),
            ..Self::about(&periods.span)
        }
    }

    /// About no stretch of time.
    #[must_use]
    pub fn timeless() -> Self {
        Self {
            took_ms: 0,
            timezone: "UTC".to_owned(),
            date_from: None,
            date_to: None,
            incomplete_from: None,
            warnings: Vec::new(),
        }
    }

    /// The same, of an answer that took so long.
    #[must_use]
    pub fn took(self, time: Duration) -> Self {
        Self {
            took_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            ..self
        }
    }
}

/// The value of a property that an answer is broken down by. In JSON: `{"value": …}`, `{"other": true}`,
/// `{"missing": true}`, so that no text that an event may have is taken for anything else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Part {
    /// This one; `null` is one.
    Value {
        /// The value.
        value: Value,
    },
    /// All that were not among the most frequent.
    Other {
        /// Always true.
        other: bool,
    },
    /// Events that do not have the property.
    Missing {
        /// Always true.
        missing: bool,
    },
}

impl Part {
    /// See [`Part::Other`].
    pub const OTHER: Self = Self::Other { other: true };
    /// See [`Part::Missing`].
    pub const MISSING: Self = Self::Missing { missing: true };
}
