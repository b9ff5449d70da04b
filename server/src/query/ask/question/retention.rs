//! Retention: of those who began in a period, how many come back, period after period.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::Event;
use super::filter::Filter;
use super::{Invalid, Path};
use crate::query::ask::calendar::{Interval, Span};

/// Most periods: 60.
const INTERVALS_MAX: u32 = 60;

/// Of those who began in a period, how many come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The first period begins here; by default so that `intervals` periods end now.
    #[serde(default)]
    pub date_from: Option<String>,
    /// To when; now by default.
    #[serde(default)]
    pub date_to: Option<String>,
    /// See [`Trends`](super::Trends).
    #[serde(default = "Span::default_timezone")]
    #[schema(default = Span::default_timezone)]
    pub timezone: String,
    /// What begins.
    #[serde(default)]
    pub start_event: Event,
    /// What is coming back.
    #[serde(default)]
    pub return_event: Event,
    /// Who belongs to a period.
    #[serde(default, rename = "type")]
    #[schema(default = RetentionType::default)]
    pub kind: RetentionType,
    /// Length of a period.
    #[serde(default)]
    #[schema(default = Interval::default)]
    pub period: Interval,
    /// How many periods, the first included.
    #[serde(default = "intervals")]
    #[schema(default = intervals, minimum = 1, maximum = 60)]
    pub intervals: u32,
    /// In which periods somebody counts as back.
    #[serde(default)]
    #[schema(default = RetentionMode::default)]
    pub mode: RetentionMode,
    /// Where periods begin.
    #[serde(default)]
    #[schema(default = WindowMode::default)]
    pub window_mode: WindowMode,
    /// Only events that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
}

const fn intervals() -> u32 {
    // As in PostHog.
    7
}

/// Who belongs to a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionType {
    /// Whoever began in it for the first time ever.
    #[default]
    FirstTime,
    /// Whoever began in it.
    Recurring,
}

/// In which periods somebody counts as back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionMode {
    /// In which they came back.
    #[default]
    Exact,
    /// In which they came back, and all before it.
    OnOrAfter,
}

/// Where periods begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowMode {
    /// With the calendar: period 1 is the next day, week or month.
    #[default]
    Calendar,
    /// With the person's own first event: period 1 is 24 hours (7 days, 30 days, an hour) after it.
    #[serde(rename = "24h", alias = "24_hour_windows")]
    Rolling,
}

impl Retention {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        let from = self.date_from.as_deref().unwrap_or("-1d");
        Span::check(from, self.date_to.as_deref(), &self.timezone, path)?;
        self.start_event.check(&path.field("start_event"))?;
        self.return_event.check(&path.field("return_event"))?;
        path.field("intervals")
            .require((1..=INTERVALS_MAX).contains(&self.intervals), "is from 1 to 60")?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }
}
