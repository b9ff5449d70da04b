//! Trends: counts and sums over time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::Series;
use super::filter::Filter;
use super::{Breakdown, Invalid, Path};
use crate::query::ask::calendar::{Interval, Span};

/// Most series: 26, because formulas name them A to Z.
pub const SERIES_MAX: usize = 26;

/// Longest formula, in characters.
const FORMULA_CHARS: usize = 200;

/// Counts and sums over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trends {
    /// From when: a time, a date, or `-30d` (units h, d, w, m, y; from the beginning of that hour or day).
    #[serde(default = "Span::default_from")]
    #[schema(default = Span::default_from)]
    pub date_from: String,
    /// To when, exclusive if it is a time, its whole day if it is a date; now by default.
    #[serde(default)]
    pub date_to: Option<String>,
    /// IANA name of the time zone in which days begin.
    #[serde(default = "Span::default_timezone")]
    #[schema(default = Span::default_timezone)]
    pub timezone: String,
    /// Length of a period.
    #[serde(default)]
    #[schema(default = Interval::default)]
    pub interval: Interval,
    /// The lines, named A to Z by formulas.
    #[schema(min_items = 1, max_items = 26)]
    pub series: Vec<Series>,
    /// One line made of the series: `A / B * 100`, with + - * / and brackets. Then the answer has that line alone. A
    /// division by zero is null.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub formula: Option<String>,
    /// A line for each combination of values.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub breakdown: Vec<Breakdown>,
    /// Only events that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
    /// Also the same for the stretch of equal length before.
    #[serde(default)]
    pub compare: Option<Compare>,
}

/// What an answer is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// The stretch of equal length just before.
    Previous,
}

impl Trends {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.check_span(path)?;
        let series = path.field("series");
        series.require(!self.series.is_empty(), "is empty")?;
        series.require(self.series.len() <= SERIES_MAX, "has more than 26 series")?;
        series.each(&self.series, Series::check)?;
        Breakdown::check_all(&self.breakdown, &path.field("breakdown"))?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))?;
        let short = self
            .formula
            .as_ref()
            .is_none_or(|text| text.chars().nth(FORMULA_CHARS).is_none());
        path.field("formula").require(short, "is longer than 200 characters")
    }
}
