//! Which problems an alert tells of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::observe::Kind;
use crate::query::ask::question::{Invalid, Path};

/// Longest subject, in characters: a method and a path.
const SUBJECT_CHARS: usize = 1_000;

/// Which problems: with nothing in it, those of every kind but `threshold`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertOn)]
pub struct On {
    /// Only of these kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 10)]
    pub kinds: Option<Vec<Kind>>,
    /// Only of this one of the kinds, which have to be named: the number of a monitor or an issue, `GET /cart`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1000)]
    pub subject: Option<String>,
    /// Only this: a saved question's number is beyond a bound. Goes with nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
}

/// A bound for a saved question's number: either `above` or `below`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The number of the saved question.
    #[schema(minimum = 1)]
    pub saved_query: i64,
    /// Which of its series, if it has several: `A`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub series: Option<String>,
    /// It is a problem while the number is greater.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// It is a problem while the number is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

impl On {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(&self, at: &Path<'_>) -> Result<(), Invalid> {
        let kinds = self.kinds.as_deref();
        at.field("kinds")
            .require(kinds != Some(&[]), "is empty; leave it out for all kinds")?;
        at.field("kinds").require(
            !kinds.is_some_and(|kinds| kinds.contains(&Kind::Threshold)),
            "has `threshold`, which an alert of its own tells of: `on.threshold`",
        )?;
        if let Some(subject) = &self.subject {
            text(subject, SUBJECT_CHARS, &at.field("subject"))?;
            at.field("subject")
                .require(kinds.is_some(), "goes with `kinds`: say of which kind it is")?;
        }
        let Some(threshold) = &self.threshold else {
            return Ok(());
        };
        let field = at.field("threshold");
        field.require(
            self.kinds.is_none() && self.subject.is_none(),
            "goes with neither `kinds` nor `subject`",
        )?;
        threshold.check(&field)
    }

    /// Whether the alert `alert_id` tells of this one.
    #[must_use]
    pub fn concerns(&self, alert_id: i64, kind: Kind, subject: &str) -> bool {
        if self.threshold.is_some() || kind == Kind::Threshold {
            return self.threshold.is_some() && kind == Kind::Threshold && subject == alert_id.to_string();
        }
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
            && self.subject.as_ref().is_none_or(|only| only == subject)
    }
}

impl Threshold {
    fn check(&self, at: &Path<'_>) -> Result<(), Invalid> {
        at.field("saved_query")
            .require(self.saved_query > 0, "is no number of a saved question")?;
        if let Some(series) = &self.series {
            text(series, 200, &at.field("series"))?;
        }
        at.require(
            self.above.is_some() != self.below.is_some(),
            "has either `above` or `below`",
        )
    }
}

/// Whether a text can be kept: not empty, without NUL, not too long.
pub(super) fn text(text: &str, chars: usize, at: &Path<'_>) -> Result<(), Invalid> {
    at.require(!text.is_empty(), "is empty")?;
    at.require(!text.contains('\0'), "holds a NUL character")?;
    match text.chars().nth(chars) {
        Some(_) => Err(Invalid::new(at, format!("is longer than {chars} characters"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn on(value: Value) -> On {
        serde_json::from_value(value).unwrap()
    }

    fn problem(value: Value) -> String {
        on(value).check(&Path::root().field("on")).unwrap_err().to_string()
    }

    #[test]
    fn an_alert_concerns_what_it_names_and_without_names_everything() {
        let everything = on(json!({}));
        assert!(everything.concerns(1, Kind::NewIssue, "7"));
        assert!(
            !everything.concerns(1, Kind::Threshold, "1"),
            "is told by its own alert"
        );
        let monitor = on(json!({"kinds": ["monitor_down", "certificate_expiring"], "subject": "3"}));
        assert!(monitor.concerns(1, Kind::CertificateExpiring, "3"));
        assert!(!monitor.concerns(1, Kind::MonitorDown, "4"));
        assert!(
            !monitor.concerns(1, Kind::NewIssue, "3"),
            "an issue may have the same number"
        );
    }

    #[test]
    fn a_threshold_is_told_by_the_alert_that_has_it_and_nothing_else_is() {
        let threshold = on(json!({"threshold": {"saved_query": 7, "above": 100}}));
        assert!(threshold.concerns(12, Kind::Threshold, "12"));
        assert!(!threshold.concerns(12, Kind::Threshold, "13"));
        assert!(!threshold.concerns(12, Kind::MonitorDown, "12"));
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_path() {
        for (value, start) in [
            (json!({"kinds": []}), "`on.kinds` is empty"),
            (json!({"kinds": ["threshold"]}), "`on.kinds` has `threshold`"),
            (json!({"subject": "3"}), "`on.subject` goes with `kinds`"),
            (json!({"kinds": ["new_issue"], "subject": ""}), "`on.subject` is empty"),
            (
                json!({"threshold": {"saved_query": 0, "above": 1}}),
                "`on.threshold.saved_query` is no number",
            ),
            (json!({"threshold": {"saved_query": 1}}), "`on.threshold` has either"),
            (
                json!({"threshold": {"saved_query": 1, "above": 1, "below": 2}}),
                "`on.threshold` has either",
            ),
            (
                json!({"kinds": ["ingest"], "threshold": {"saved_query": 1, "below": 2}}),
                "`on.threshold` goes with neither",
            ),
        ] {
            let text = problem(value.clone());
            assert!(text.starts_with(start), "{value}: {text}");
        }
        assert!(
            on(json!({"threshold": {"saved_query": 1, "series": "A", "below": 2.5}}))
                .check(&Path::root())
                .is_ok()
        );
    }
}
