//! Funnels: how many get from one step to the next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::Event;
use super::filter::Filter;
use super::{Breakdown, Invalid, Path};
use crate::query::ask::calendar::Span;

/// Steps of a funnel: 2 to 12.
pub const STEPS_MAX: usize = 12;

/// Most exclusions.
const EXCLUSIONS_MAX: usize = 5;

/// How many get from one step to the next.
///
/// Of all ways in which a person can go through the steps within the window, measured from the first step, the one counts
/// that gets farthest; of several, the one that gets there first; of these, the one that begins last. So a person who
/// begins twice and arrives once has arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Funnel {
    /// See [`Trends`](super::Trends). First steps count in this stretch; later steps also after it, up to the window.
    #[serde(default = "Span::default_from")]
    #[schema(default = Span::default_from)]
    pub date_from: String,
    /// See [`Trends`](super::Trends).
    #[serde(default)]
    pub date_to: Option<String>,
    /// See [`Trends`](super::Trends).
    #[serde(default = "Span::default_timezone")]
    #[schema(default = Span::default_timezone)]
    pub timezone: String,
    /// The steps.
    #[schema(min_items = 2, max_items = 12)]
    pub steps: Vec<Event>,
    /// In which order they are to be taken.
    #[serde(default)]
    #[schema(default = FunnelOrder::default)]
    pub order: FunnelOrder,
    /// How long it may take from the first step to the last.
    #[serde(default)]
    #[schema(default = Window::default)]
    pub window: Window,
    /// Whose steps they are.
    #[serde(default)]
    #[schema(default = FunnelUnit::default)]
    pub by: FunnelUnit,
    /// What must not happen between two steps.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub exclusions: Vec<Exclusion>,
    /// A funnel for each combination of values, those of the first step (`first_touch` attribution).
    #[serde(default)]
    #[schema(max_items = 3)]
    pub breakdown: Vec<Breakdown>,
    /// Only events that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
}

/// In which order steps are to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunnelOrder {
    /// In this order; anything may happen in between.
    #[default]
    Ordered,
    /// In this order, and no other event (of any name) in between.
    Strict,
    /// In any order; the window begins with whichever comes first.
    Unordered,
}

/// Whose steps belong together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunnelUnit {
    /// A person's.
    #[default]
    Person,
    /// A session's; events without one take no step.
    Session,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FunnelWindow)]
pub struct Window {
    /// How many.
    #[schema(minimum = 1, maximum = 31622400)]
    pub value: u32,
    /// Of what.
    pub unit: WindowUnit,
}

/// A unit of time. A day is 24 hours, a month 30 days: a window is a length, not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum WindowUnit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Default for Window {
    /// 14 days, as in PostHog.
    fn default() -> Self {
        Self {
            value: 14,
            unit: WindowUnit::Day,
        }
    }
}

impl Window {
    /// Its length in microseconds; at most `i64::MAX`.
    #[must_use]
    pub const fn micros(self) -> i64 {
        let seconds = match self.unit {
            WindowUnit::Second => 1,
            WindowUnit::Minute => 60,
            WindowUnit::Hour => 3_600,
            WindowUnit::Day => 86_400,
            WindowUnit::Week => 7 * 86_400,
            WindowUnit::Month => 30 * 86_400,
        };
        (self.value as i64 * seconds).saturating_mul(1_000_000)
    }

    fn check(self, path: &Path<'_>) -> Result<(), Invalid> {
        let year = 366 * 86_400 * 1_000_000;
        path.require(self.value > 0 && self.micros() <= year, "is from one second to a year")
    }
}

/// What must not happen between two steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Name of the event; any where there is none.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub event: Option<String>,
    /// Only those that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
    /// After this step (from 0).
    #[schema(maximum = 10)]
    pub from_step: usize,
    /// And before this one.
    #[schema(minimum = 1, maximum = 11)]
    pub to_step: usize,
}

impl Exclusion {
    /// The events that exclude.
    #[must_use]
    pub fn events(&self) -> Event {
        Event {
            event: self.event.clone(),
            name: None,
            filters: self.filters.clone(),
        }
    }
}

impl Funnel {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.check_span(path)?;
        let steps = path.field("steps");
        steps.require((2..=STEPS_MAX).contains(&self.steps.len()), "has 2 to 12 steps")?;
        steps.each(&self.steps, Event::check)?;
        self.window.check(&path.field("window"))?;
        let exclusions = path.field("exclusions");
        exclusions.require(self.exclusions.len() <= EXCLUSIONS_MAX, "has more than five")?;
        let ordered = self.order != FunnelOrder::Unordered;
        exclusions.require(
            ordered || self.exclusions.is_empty(),
            "make no sense in a funnel without order",
        )?;
        exclusions.each(&self.exclusions, |exclusion, path| {
            exclusion.events().check(path)?;
            let between = exclusion.from_step < exclusion.to_step && exclusion.to_step < self.steps.len();
            path.require(
                between,
                "is between two steps: `from_step` is less than `to_step`, which is a step",
            )
        })?;
        Breakdown::check_all(&self.breakdown, &path.field("breakdown"))?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }
}
