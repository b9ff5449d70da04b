//! What can be asked: the JSON of `POST /api/v1/query`, with names and defaults that analysts know from PostHog.
//!
//! Reading is strict: an unknown field, a wrong type or a value that makes no sense is refused with the JSON path at which
//! it is (`series[0].math_property`). What was read is also what is written back as the question that was answered, with
//! every default in it.

mod place;
mod event;
mod filter;
mod breakdown;
mod trends;
mod funnel;
mod retention;
mod paths;
mod activity;
mod cohort;
mod stretch;

pub use activity::{Lifecycle, Sessions, Stickiness};
pub use breakdown::{BREAKDOWN_LIMIT, BREAKDOWNS_MAX, Breakdown, Of};
pub use cohort::{Cohort, Criterion, Definition, Frequency, Performed, Within};
pub use event::{Event, Math, Series};
pub use filter::{FILTERS_MAX, Filter, Op};
pub use funnel::{Exclusion, Funnel, FunnelOrder, FunnelUnit, STEPS_MAX, Window, WindowUnit};
pub use paths::Paths;
pub use place::{Invalid, Path};
pub use retention::{Retention, RetentionMode, RetentionType, WindowMode};
pub use trends::{Compare, SERIES_MAX, Trends};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Question {
    /// Counts and sums over time.
    Trends(Trends),
    /// How many get from one step to the next.
    Funnel(Funnel),
    /// How many come back.
    Retention(Retention),
    /// What follows what.
    Paths(Paths),
    /// New, returning, resurrecting and dormant persons over time.
    Lifecycle(Lifecycle),
    /// In how many periods persons do something.
    Stickiness(Stickiness),
    /// Stretches of use.
    Sessions(Sessions),
    /// Persons by what they did.
    Cohort(Cohort),
}

/// The kinds, as they are written.
pub const KINDS: [&str; 8] = [
    "trends",
    "funnel",
    "retention",
    "paths",
    "lifecycle",
    "stickiness",
    "sessions",
    "cohort",
];

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(json: &[u8]) -> Result<Self, Invalid> {
        let value = serde_json::from_slice(json)
            .map_err(|error| Invalid::new(&Path::root(), format!("is no JSON: {error}")))?;
        Self::from_value(value)
    }

    /// Reads a question that is JSON already.
    ///
    /// # Errors
    /// See [`Question::read`].
    pub fn from_value(mut value: serde_json::Value) -> Result<Self, Invalid> {
        let kind = value.as_object_mut().and_then(|object| object.remove("kind"));
        let question = match kind.as_ref().and_then(serde_json::Value::as_str) {
            Some("trends") => Self::Trends(read_value(value)?),
            Some("funnel") => Self::Funnel(read_value(value)?),
            Some("retention") => Self::Retention(read_value(value)?),
            Some("paths") => Self::Paths(read_value(value)?),
            Some("lifecycle") => Self::Lifecycle(read_value(value)?),
            Some("stickiness") => Self::Stickiness(read_value(value)?),
            Some("sessions") => Self::Sessions(read_value(value)?),
            Some("cohort") => Self::Cohort(read_value(value)?),
            _ => {
                return Err(Invalid::new(
                    &Path::root().field("kind"),
                    format!("is one of {}", KINDS.join(", ")),
                ));
            }
        };
        question.check()?;
        Ok(question)
    }

    /// Whether its values make sense together.
    fn check(&self) -> Result<(), Invalid> {
        let root = Path::root();
        match self {
            Self::Trends(question) => question.check(&root),
            Self::Funnel(question) => question.check(&root),
            Self::Retention(question) => question.check(&root),
            Self::Paths(question) => question.check(&root),
            Self::Lifecycle(question) => question.check(&root),
            Self::Stickiness(question) => question.check(&root),
            Self::Sessions(question) => question.check(&root),
            Self::Cohort(question) => question.check(&root),
        }
    }
}

/// Reads a whole JSON text.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read_text<T: DeserializeOwned>(json: &[u8]) -> Result<T, Invalid> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Invalid::at(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| Invalid::at(".", error))?;
    Ok(read)
}

/// Reads what is JSON already.
///
/// # Errors
/// See [`read_text`].
pub fn read_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|error| Invalid::at(&error.path().to_string(), error.inner()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem(question: &serde_json::Value) -> String {
        Question::read(question.to_string().as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_least_that_can_be_asked_gets_its_defaults_and_reads_back() {
        let least = [
            json!({"kind": "trends", "series": [{}]}),
            json!({"kind": "funnel", "steps": [{"event": "a"}, {"event": "b"}]}),
            json!({"kind": "retention"}),
            json!({"kind": "paths"}),
            json!({"kind": "lifecycle"}),
            json!({"kind": "stickiness", "series": [{"event": "a"}]}),
            json!({"kind": "sessions"}),
            json!({"kind": "cohort", "definition": {"and": [{"performed": {"event": "a"}}]}}),
        ];
        for question in least {
            let read = Question::read(question.to_string().as_bytes()).unwrap();
            let written = serde_json::to_string(&read).unwrap();
            assert_eq!(Question::read(written.as_bytes()).unwrap(), read, "{written}");
        }
        let Ok(Question::Funnel(funnel)) = Question::read(br#"{"kind":"funnel","steps":[{},{}]}"#) else {
            panic!("a funnel");
        };
        assert_eq!(
            (funnel.order, funnel.window.value, funnel.by),
            (FunnelOrder::Ordered, 14, FunnelUnit::Person)
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        let leaf = |filter| json!({"kind": "trends", "series": [{"filters": {"and": [{"or": [filter]}]}}]});
        for (question, start) in [
            (json!([]), "`kind` is one of trends, funnel"),
            (json!({"kind": "trend"}), "`kind` is one of"),
            (json!({"kind": "trends"}), "`.` missing field `series`"),
            (json!({"kind": "trends", "series": [], "x": 1}), "`x` unknown field"),
            (json!({"kind": "trends", "series": []}), "`series` is empty"),
            (
                json!({"kind": "trends", "series": [{"math": "sum"}]}),
                "`series[0].math_property` is missing",
            ),
            (
                json!({"kind": "trends", "series": [{}, {"math": "most"}]}),
                "`series[1].math` unknown variant",
            ),
            (json!({"kind": "funnel", "steps": [{}]}), "`steps` has 2 to 12 steps"),
            (
                json!({"kind": "funnel", "steps": [{}, {}], "window": {"value": 0, "unit": "day"}}),
                "`window` is from",
            ),
            (
                json!({"kind": "funnel", "steps": [{}, {}], "window": {"value": u32::MAX, "unit": "month"}}),
                "`window` is from",
            ),
            (leaf(json!({})), "`series[0].filters.and[0].or[0]` has exactly one"),
            (
                leaf(json!({"op": "is", "property": "a"})),
                "`series[0].filters.and[0].or[0].value` is missing",
            ),
            (
                leaf(json!({"op": "gt", "property": "a", "value": "x"})),
                "`series[0].filters.and[0].or[0].value` is one number",
            ),
            (
                leaf(json!({"op": "is", "property": "a\u{0}", "value": 1})),
                "`series[0].filters.and[0].or[0].property` holds",
            ),
            (json!({"kind": "cohort"}), "`.` has exactly one of"),
        ] {
            let problem = problem(&question);
            assert!(problem.starts_with(start), "{question}: {problem}");
        }
    }
}
