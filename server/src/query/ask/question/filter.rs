//! Filters: conditions on properties, joined by `and` and `or`, nested as deep as it makes sense.
//!
//! A property that is missing and one that is `null` are two things: `is_not_set` is true of the missing one alone, `is`
//! with `null` of the other alone. All conditions are false of a missing property, but for `is_not_set`, `is_not`,
//! `not_contains` and `not_in_cohort`, which say what is not so.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::breakdown::Of;
use super::{Invalid, Path};

/// Most conditions in a question: 100. Each costs a comparison per event.
pub const FILTERS_MAX: usize = 100;

/// Deepest nesting of `and` and `or`: 8.
const DEPTH_MAX: usize = 8;

/// Most values of one condition: 1,000.
const VALUES_MAX: usize = 1_000;

/// Longest value, in characters: as long as the strings that SDKs keep.
const VALUE_CHARS: usize = 8_192;

/// Longest name of a property, in characters.
const PROPERTY_CHARS: usize = 512;

/// Longest regular expression, in characters: 500.
const REGEX_CHARS: usize = 500;

/// A condition, or several: exactly one of `and`, `or` and `op`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// All of these; true if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub and: Option<Vec<Filter>>,
    /// One of these at least; false if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub or: Option<Vec<Filter>>,
    /// Whose property it is; the event's by default.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub of: Option<Of>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// What is said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// What it is compared with: one value, or a list of which one fits.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub value: Option<Value>,
}

/// What is said of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilterOp)]
pub enum Op {
    /// It is one of the values. A number is equal to a number, a text to a text; `null` is a value.
    Is,
    /// It is none of them, or missing.
    IsNot,
    /// Its text has one of the texts in it, whatever the case of letters.
    Contains,
    /// Its text has none of them in it, or it is missing.
    NotContains,
    /// Its text matches a regular expression (POSIX, as Postgres reads it).
    Regex,
    /// It is a number greater than the value, or a text of a time later than it.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// A number between two values, both included.
    Between,
    /// It is there, `null` included.
    IsSet,
    /// It is missing.
    IsNotSet,
    /// The person is in the cohort whose number is the value.
    InCohort,
    /// The person is not in it.
    NotInCohort,
}

impl Op {
    /// Whether it speaks of a cohort and not of a property.
    #[must_use]
    pub const fn of_cohort(self) -> bool {
        matches!(self, Self::InCohort | Self::NotInCohort)
    }
}

impl Filter {
    pub(super) fn check_optional(filter: Option<&Self>, path: &Path<'_>) -> Result<(), Invalid> {
        let Some(filter) = filter else { return Ok(()) };
        path.require(filter.leaves().len() <= FILTERS_MAX, "has more than 100 conditions")?;
        filter.check(path, 0)
    }

    fn check(&self, path: &Path<'_>, depth: usize) -> Result<(), Invalid> {
        path.require(depth <= DEPTH_MAX, "is nested too deep")?;
        let kinds = [self.and.is_some(), self.or.is_some(), self.op.is_some()];
        let is_one = kinds.into_iter().filter(|there| *there).count() == 1;
        path.require(is_one, "has exactly one of `and`, `or` and `op`")?;
        let below = |list: &Option<Vec<Self>>, name| {
            let list = list.as_deref().unwrap_or_default();
            path.field(name)
                .each(list, |filter, path| filter.check(path, depth + 1))
        };
        below(&self.and, "and")?;
        below(&self.or, "or")?;
        match self.op {
            Some(op) => self.check_condition(op, path),
            None => path.require(
                self.property.is_none() && self.value.is_none() && self.of.is_none(),
                "has `and` or `or` and says something of a property, too",
            ),
        }
    }

    fn check_condition(&self, op: Op, path: &Path<'_>) -> Result<(), Invalid> {
        let at = path.field("property");
        match &self.property {
            Some(name) => {
                at.require(!op.of_cohort(), "is not asked for here: a cohort is named by `value`")?;
                property(name, &at)?;
            }
            None => at.require(op.of_cohort(), "is missing")?,
        }
        path.field("type").require(
            self.of != Some(Of::Cohort) || op.of_cohort(),
            "is cohort; then `op` is in_cohort or not_in_cohort",
        )?;
        self.check_value(op, &path.field("value"))
    }

    fn check_value(&self, op: Op, path: &Path<'_>) -> Result<(), Invalid> {
        let values = self.values();
        path.require(values.len() <= VALUES_MAX, "has more than 1,000 values")?;
        path.each(&values, |value, _| {
            path.require(
                is_plain(value),
                "is a text, a number, true, false, null, or a list of them",
            )
        })?;
        let all = |is: fn(&Value) -> bool| !values.is_empty() && values.iter().all(|value| is(value));
        match op {
            Op::Is | Op::IsNot => path.require(!values.is_empty(), "is missing"),
            Op::Contains | Op::NotContains => path.require(all(Value::is_string), "is a text or a list of texts"),
            Op::Regex => path.require(
                values.len() == 1
                    && all(|value| {
                        value
                            .as_str()
                            .is_some_and(|text| text.chars().nth(REGEX_CHARS).is_none())
                    }),
                "is one regular expression of at most 500 characters",
            ),
            Op::Gt | Op::Gte | Op::Lt | Op::Lte => path.require(
                values.len() == 1 && (all(Value::is_number) || all(is_time)),
                "is one number, or one RFC 3339 time",
            ),
            Op::Between => path.require(values.len() == 2 && all(Value::is_number), "is a list of two numbers"),
            Op::IsSet | Op::IsNotSet => path.require(self.value.is_none(), "is not asked for here; leave it out"),
            Op::InCohort | Op::NotInCohort => {
                path.require(values.len() == 1 && all(Value::is_i64), "is the number of a cohort")
            }
        }
    }

    /// All conditions in it.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Self> {
        let below = self.and.iter().chain(&self.or).flatten().flat_map(Self::leaves);
        self.op.map(|_| self).into_iter().chain(below).collect()
    }

    /// Whether one of its conditions is about a cohort.
    #[must_use]
    pub fn asks_for_cohort(&self) -> bool {
        self.leaves().iter().any(|leaf| leaf.op.is_some_and(Op::of_cohort))
    }

    /// Whether all its conditions are about persons' properties, or do not say whose they mean.
    #[must_use]
    pub fn is_about_persons(&self) -> bool {
        let about = |leaf: &&Self| matches!(leaf.of, None | Some(Of::Person));
        !self.asks_for_cohort() && self.leaves().iter().all(about)
    }

    /// The values, one or many.
    #[must_use]
    pub fn values(&self) -> Vec<&Value> {
        match &self.value {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().collect(),
            Some(value) => vec![value],
        }
    }
}

/// A value that is there, also if it is `null`.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().nth(VALUE_CHARS).is_none() && !text.contains('\0'),
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    }
}

fn is_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| trailmark_protocol::Timestamp::parse(text).is_some())
}

/// Whether a name can be a property's.
pub(super) fn property(name: &str, path: &Path<'_>) -> Result<(), Invalid> {
    path.require(!name.is_empty(), "is empty")?;
    path.require(!name.contains('\0'), "holds a NUL character")?;
    path.require(
        name.chars().nth(PROPERTY_CHARS).is_none(),
        "is longer than 512 characters",
    )
}
