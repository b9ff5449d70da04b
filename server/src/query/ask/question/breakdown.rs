//! Breakdowns: one answer for each value of a property.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::property;
use super::{Invalid, Path};

/// Most breakdowns of a question: 3, as in PostHog.
pub const BREAKDOWNS_MAX: usize = 3;

/// Values told apart where `limit` does not say: 10. The others are one, `$other`.
pub const BREAKDOWN_LIMIT: u32 = 10;

/// Most values told apart: 100.
const LIMIT_MAX: u32 = 100;

/// Whose property it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PropertyOf)]
pub enum Of {
    /// The event's: in its `properties`. `$context.os.name` is a path into its circumstances.
    #[default]
    Event,
    /// The person's.
    Person,
    /// The session's: `$session_duration` (seconds), `$event_count`, `$entry_url`, `$exit_url`.
    Session,
    /// Whether the person is in a cohort; the property is its number.
    Cohort,
}

/// One answer for each value of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    /// Whose.
    #[serde(rename = "type", default)]
    #[schema(default = Of::default)]
    pub of: Of,
    /// Its name; for a cohort its number, as a text.
    #[schema(min_length = 1, max_length = 512)]
    pub property: String,
    /// How many values are told apart, those with most events first.
    #[serde(default = "limit")]
    #[schema(default = limit, minimum = 1, maximum = 100)]
    pub limit: u32,
}

const fn limit() -> u32 {
    BREAKDOWN_LIMIT
}

impl Breakdown {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        let at = path.field("property");
        property(&self.property, &at)?;
        let is_number = self.property.parse::<i64>().is_ok();
        at.require(self.of != Of::Cohort || is_number, "is the number of a cohort")?;
        path.field("limit")
            .require((1..=LIMIT_MAX).contains(&self.limit), "is a whole number from 1 to 100")
    }

    pub(super) fn check_all(breakdowns: &[Self], path: &Path<'_>) -> Result<(), Invalid> {
        path.require(breakdowns.len() <= BREAKDOWNS_MAX, "has more than three breakdowns")?;
        path.each(breakdowns, Self::check)
    }
}
