//! Paths: what follows what, within a session or with pauses of less than 30 minutes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::{Event, name};
use super::filter::Filter;
use super::{Invalid, Path};
use crate::query::ask::calendar::Span;

/// Most steps of a path: 7.
const STEPS_MAX: u32 = 7;

/// Most edges of an answer: 500.
const EDGES_MAX: u32 = 500;

/// What follows what. A path's points are names of events; of `$pageview` its `$pathname`, of `$screen` its
/// `$screen_name`. The same point twice in a row is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Paths {
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
    /// Only these events are points; all whose names do not begin with `$`, and `$pageview` and `$screen`, if there are none.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Paths begin with this point, where it is passed first.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub start: Option<String>,
    /// Paths end with this point, where it is passed first (after `start`, if there is one). Then the last points before it
    /// are the path; of a path from `start` to `end` that has more than `max_steps` points, nothing is shown.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub end: Option<String>,
    /// Most points of a path.
    #[serde(default = "max_steps")]
    #[schema(default = max_steps, minimum = 2, maximum = 7)]
    pub max_steps: u32,
    /// Edges that fewer persons took are left out.
    #[serde(default = "min_edge")]
    #[schema(default = min_edge, minimum = 1)]
    pub min_edge: u32,
    /// Most edges, those that most persons took first.
    #[serde(default = "edges")]
    #[schema(default = edges, minimum = 1, maximum = 500)]
    pub limit: u32,
    /// Only events that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
}

const fn max_steps() -> u32 {
    5
}

const fn min_edge() -> u32 {
    1
}

const fn edges() -> u32 {
    50
}

impl Paths {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.check_span(path)?;
        path.field("events").each(&self.events, Event::check)?;
        name(self.start.as_deref(), &path.field("start"))?;
        name(self.end.as_deref(), &path.field("end"))?;
        path.field("max_steps")
            .require((2..=STEPS_MAX).contains(&self.max_steps), "is from 2 to 7")?;
        path.field("min_edge").require(self.min_edge > 0, "is at least 1")?;
        path.field("limit")
            .require((1..=EDGES_MAX).contains(&self.limit), "is from 1 to 500")?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }
}
