//! Who is there, how often and for how long: lifecycle, stickiness, sessions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::Event;
use super::filter::Filter;
use super::{Breakdown, Invalid, Path, SERIES_MAX};
use crate::query::ask::calendar::{Interval, Span};

/// Persons of each period: `new` (their first event ever is in it), `returning` (they were there in the period before),
/// `resurrecting` (they had been there, but not in the period before), and `dormant` (they were there in the period
/// before, and not in this one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// See [`Trends`](super::Trends).
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
    /// Length of a period.
    #[serde(default)]
    #[schema(default = Interval::default)]
    pub interval: Interval,
    /// What being there means; any event by default.
    #[serde(default)]
    pub event: Event,
    /// Only events that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
}

/// How many persons did something in one period, in two, in three …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stickiness {
    /// See [`Trends`](super::Trends).
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
    /// Length of a period.
    #[serde(default)]
    #[schema(default = Interval::default)]
    pub interval: Interval,
    /// What is done.
    #[schema(min_items = 1, max_items = 26)]
    pub series: Vec<Event>,
    /// Only events that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
}

/// Sessions by the period in which they begin: how many, how long, how many events, how many of one event alone
/// (bounces). A session is what the SDK says it is (`session_id`); events without one are in none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// See [`Trends`](super::Trends).
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
    /// Length of a period.
    #[serde(default)]
    #[schema(default = Interval::default)]
    pub interval: Interval,
    /// A line for each combination of values, those of the session's first event.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub breakdown: Vec<Breakdown>,
    /// Only sessions with an event that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
}

impl Lifecycle {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.check_span(path)?;
        self.event.check(&path.field("event"))?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }
}

impl Stickiness {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.check_span(path)?;
        let series = path.field("series");
        series.require(!self.series.is_empty(), "is empty")?;
        series.require(self.series.len() <= SERIES_MAX, "has more than 26 series")?;
        series.each(&self.series, Event::check)?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }
}

impl Sessions {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.check_span(path)?;
        Breakdown::check_all(&self.breakdown, &path.field("breakdown"))?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }
}
