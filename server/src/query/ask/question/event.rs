//! What is counted: events of a name, and what is made of them.

use serde::{Deserialize, Serialize};
use trailmark_protocol::limits::NAME_CHARS;
use utoipa::ToSchema;

use super::filter::{Filter, property};
use super::{Invalid, Path};

/// Events of one name, or of any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = EventPick)]
pub struct Event {
    /// The name; any event where there is none.
    #[schema(min_length = 1, max_length = 200)]
    pub event: Option<String>,
    /// What the answer calls it; the event's name by default.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Only those that this lets through.
    pub filters: Option<Filter>,
}

impl Event {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        name(self.event.as_deref(), &path.field("event"))?;
        name(self.name.as_deref(), &path.field("name"))?;
        Filter::check_optional(self.filters.as_ref(), &path.field("filters"))
    }

    /// Whether it means the same events, whatever it is called.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.event, &self.filters) == (&other.event, &other.filters)
    }

    /// What the answer calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        let any = || self.event.as_deref().unwrap_or("any event");
        self.name.as_deref().unwrap_or_else(any)
    }
}

/// Whether a name is one that can have been stored.
pub(super) fn name(name: Option<&str>, path: &Path<'_>) -> Result<(), Invalid> {
    let Some(name) = name else { return Ok(()) };
    path.require(!name.is_empty(), "is empty; leave it out for any event")?;
    path.require(!name.contains('\0'), "holds a NUL character")?;
    path.require(
        name.chars().nth(NAME_CHARS).is_none(),
        "is longer than an event's name may be",
    )
}

/// What is made of the events of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Math {
    /// How many there are.
    #[default]
    Total,
    /// How many persons they belong to.
    #[serde(alias = "dau")]
    UniquePersons,
    /// How many sessions they belong to; events without a session are not counted.
    #[serde(alias = "unique_session")]
    Sessions,
    /// The sum of a property.
    Sum,
    /// Its mean.
    Avg,
    /// Its least value.
    Min,
    /// Its greatest value.
    Max,
    /// Its median, interpolated between the two values in the middle (`percentile_cont`).
    P50,
    /// Its 90th percentile.
    P90,
    /// Its 95th percentile.
    P95,
    /// Its 99th percentile.
    P99,
}

impl Math {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Total,
        Self::UniquePersons,
        Self::Sessions,
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::P50,
        Self::P90,
        Self::P95,
        Self::P99,
    ];

    /// Whether it is made of a property.
    #[must_use]
    pub const fn needs_property(self) -> bool {
        !matches!(self, Self::Total | Self::UniquePersons | Self::Sessions)
    }

    /// Whether periods without events are zero. A mean of nothing is not: it is null.
    #[must_use]
    pub const fn is_count(self) -> bool {
        matches!(self, Self::Total | Self::UniquePersons | Self::Sessions | Self::Sum)
    }
}

/// A line of a trend.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Series {
    /// The name of its events; any event where there is none.
    pub event: Option<String>,
    /// What the answer calls it; the event's name by default.
    pub name: Option<String>,
    /// What is made of them.
    pub math: Math,
    /// The property of the event that `sum`, `avg`, … are made of. Only numbers count.
    pub math_property: Option<String>,
    /// Only those that this lets through.
    pub filters: Option<Filter>,
}

impl Series {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.events().check(path)?;
        let at = path.field("math_property");
        match &self.math_property {
            Some(name) => {
                at.require(self.math.needs_property(), "is not used by this `math`; leave it out")?;
                property(name, &at)
            }
            None => at.require(
                !self.math.needs_property(),
                "is missing: this `math` is made of a property",
            ),
        }
    }

    /// The events that it counts.
    #[must_use]
    pub fn events(&self) -> Event {
        Event {
            event: self.event.clone(),
            name: self.name.clone(),
            filters: self.filters.clone(),
        }
    }
}
