//! What all answers share.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailmark_protocol::Timestamp;
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
    pub fn new(span: Option<&Span>, periods: Option<&Periods>, took: Duration) -> Self {
        let text = |at: Timestamp| at.to_string();
        let incomplete = periods.and_then(|periods| periods.labels.get(periods.incomplete_from?));
        Self {
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            timezone: span.map_or("UTC", Span::timezone).to_owned(),
            date_from: span.map(|span| text(span.from)),
            date_to: span.map(|span| text(span.to)),
            incomplete_from: incomplete.cloned(),
            warnings: Vec::new(),
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
