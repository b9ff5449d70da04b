//! Cohorts: persons by what they did, by what is known of them, or by a list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::event::Event;
use super::filter::Filter;
use super::{Invalid, Path};
use crate::query::ask::calendar::Span;

/// Most criteria of a cohort: 20.
const CRITERIA_MAX: usize = 20;

/// How many persons are in a cohort that is kept, or in one that is only described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cohort {
    /// The number of one that is kept.
    #[serde(default)]
    pub cohort: Option<i64>,
    /// Or what is to be so of its persons.
    #[serde(default)]
    pub definition: Option<Definition>,
}

/// What is to be so of a cohort's persons. In criteria about properties only the person's own may be asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// All of these.
    And(Vec<Criterion>),
    /// One of these at least.
    Or(Vec<Criterion>),
}

/// One thing that is to be so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// They did this.
    Performed(Performed),
    /// They did not do this, so often, in this time.
    NotPerformed(Performed),
    /// This is known of them (all `type`s are `person`).
    Person(Filter),
    /// They are in this other cohort, which is kept.
    InCohort(i64),
}

/// That something was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Performed {
    /// The name of the event; any where there is none.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub event: Option<String>,
    /// Only those that this lets through.
    #[serde(default)]
    pub filters: Option<Filter>,
    /// How often; at least once by default.
    #[serde(default)]
    #[schema(default = Frequency::default)]
    pub times: Frequency,
    /// When; ever by default.
    #[serde(default)]
    pub within: Option<Within>,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// So often or more.
    AtLeast(u32),
    /// Exactly so often.
    Exactly(u32),
    /// So often or less, and at least once.
    AtMost(u32),
}

impl Default for Frequency {
    fn default() -> Self {
        Self::AtLeast(1)
    }
}

/// When.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// See [`Trends`](super::Trends).
    pub date_from: String,
    /// See [`Trends`](super::Trends).
    #[serde(default)]
    pub date_to: Option<String>,
    /// See [`Trends`](super::Trends).
    #[serde(default = "Span::default_timezone")]
    #[schema(default = Span::default_timezone)]
    pub timezone: String,
}

impl Cohort {
    pub(super) fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        path.require(
            self.cohort.is_some() != self.definition.is_some(),
            "has exactly one of `cohort` and `definition`",
        )?;
        self.definition
            .as_ref()
            .map_or(Ok(()), |definition| definition.check(&path.field("definition")))
    }
}

impl Definition {
    /// Its criteria.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        match self {
            Self::And(criteria) | Self::Or(criteria) => criteria,
        }
    }

    /// The cohorts that it is made of, each with the path to it.
    #[must_use]
    pub fn cohorts(&self) -> Vec<(String, i64)> {
        let word = match self {
            Self::And(_) => "and",
            Self::Or(_) => "or",
        };
        let cohort = |(index, criterion): (usize, &Criterion)| match criterion {
            Criterion::InCohort(number) => Some((format!("{word}[{index}].in_cohort"), *number)),
            _ => None,
        };
        self.criteria().iter().enumerate().filter_map(cohort).collect()
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// It does not, and where.
    pub fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        let path = match self {
            Self::And(_) => path.field("and"),
            Self::Or(_) => path.field("or"),
        };
        path.require(!self.criteria().is_empty(), "is empty")?;
        path.require(self.criteria().len() <= CRITERIA_MAX, "has more than 20 criteria")?;
        path.each(self.criteria(), Criterion::check)
    }
}

impl Criterion {
    fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        match self {
            Self::Performed(performed) => performed.check(&path.field("performed")),
            Self::NotPerformed(performed) => performed.check(&path.field("not_performed")),
            Self::Person(filter) => {
                let path = path.field("person");
                Filter::check_optional(Some(filter), &path)?;
                path.require(
                    filter.is_about_persons(),
                    "asks for something else than properties of the person",
                )
            }
            Self::InCohort(_) => Ok(()),
        }
    }
}

impl Performed {
    /// The events that are meant.
    #[must_use]
    pub fn events(&self) -> Event {
        Event {
            event: self.event.clone(),
            name: None,
            filters: self.filters.clone(),
        }
    }

    fn check(&self, path: &Path<'_>) -> Result<(), Invalid> {
        self.events().check(path)?;
        let plain = self.filters.as_ref().is_none_or(|filters| !filters.asks_for_cohort());
        path.field("filters")
            .require(plain, "asks for a cohort; use the criterion `in_cohort`")?;
        let (Frequency::AtLeast(times) | Frequency::Exactly(times) | Frequency::AtMost(times)) = self.times;
        path.field("times")
            .require(times > 0, "is at least 1; there is `not_performed`")?;
        let Some(within) = &self.within else { return Ok(()) };
        within.check_span(&path.field("within"))
    }
}
