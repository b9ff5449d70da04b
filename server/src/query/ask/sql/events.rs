//! The events that a question means, as a relation.

use trailmark_protocol::Timestamp;

use super::{Making, filter};
use crate::query::ask::calendar::{Periods, Span};
use crate::query::ask::question::{Event, Filter, Invalid};
use crate::query::error::QueryError;

/// From when, inclusive, to when, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// The first moment inside.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl From<&Span> for Pick {
    fn from(span: &Span) -> Self {
        Self {
            from: span.from,
            to: span.to,
        }
    }
}

impl Pick {
    /// The part of the stretch that lies in the period of this label; all of it, if there is none.
    ///
    /// # Errors
    /// There is no such period.
    pub fn in_period(periods: &Periods, label: Option<&str>) -> Result<Self, Invalid> {
        let whole = Self::from(&periods.span);
        let Some(label) = label else { return Ok(whole) };
        let index = periods.index_of_label(label)?;
        let bound = |index: usize| periods.bounds.get(index).copied();
        Ok(Self {
            from: bound(index).map_or(whole.from, |begin| whole.from.max(begin)),
            to: bound(index + 1).map_or(whole.to, |end| whole.to.min(end)),
        })
    }
}

/// `FROM … WHERE …` of some events: `e` is the event, `i` its identity (with `i.person_id`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    joins: String,
    condition: String,
}

impl Events {
    /// Events of this kind in this time, that `filters` let through, too.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn new(making: &mut Making, events: &Event, filters: Option<&Filter>, pick: Pick) -> Result<Self, QueryError> {
        let (from, to) = (making.bind_time(pick.from)?, making.bind_time(pick.to)?);
        let mut joins = String::new();
        let mut condition = format!("e.project_id = $1 AND e.timestamp >= {from} AND e.timestamp < {to} AND ");
        condition.push_str(&meant(making, events, &mut joins)?);
        if let Some(filters) = filters {
            condition.push_str(" AND ");
            condition.push_str(&filter::condition(making, filters, &mut joins)?);
        }
        Ok(Self { joins, condition })
    }

    /// Only those of which this is also true.
    #[must_use]
    pub fn and(mut self, condition: &str) -> Self {
        self.condition.push_str(" AND ");
        self.condition.push_str(condition);
        self
    }

    /// The same with another join, that of a [`Value`](super::Value).
    #[must_use]
    pub fn joined(mut self, join: &str) -> Self {
        self.joins.push_str(join);
        self
    }

    /// The same, but without the identities where no condition asks for the person: what is made of an identity's events can
    /// be put together by person afterwards, when it is less.
    #[must_use]
    pub fn from_where_by_identity(&self, columns: &str) -> String {
        if [columns, &self.joins, &self.condition]
            .iter()
            .any(|text| text.contains("i.person_id"))
        {
            return self.from_where();
        }
        format!("FROM events e{} WHERE {}", self.joins, self.condition)
    }

    /// `FROM … WHERE …`.
    #[must_use]
    pub fn from_where(&self) -> String {
        format!(
            "FROM events e JOIN identities i ON i.project_id = $1 AND i.id = e.identity_id{} WHERE {}",
            self.joins, self.condition
        )
    }
}

/// Whether the event `e` is one of these: a condition. The joins that it needs are added to `joins`.
///
/// # Errors
/// See [`Making::new`].
pub fn meant(making: &mut Making, events: &Event, joins: &mut String) -> Result<String, QueryError> {
    let mut conditions = Vec::new();
    if let Some(name) = &events.event {
        conditions.push(match making.number_of(name) {
            // Known when the statement is planned, so that the plan is that of a frequent name or of a rare one.
            Some(number) => format!("e.event_name_id = {}", making.bind(number)?),
            None => {
                let name = making.bind(name.clone())?;
                format!(
                    "e.event_name_id = (SELECT n.id FROM event_names n WHERE n.project_id = $1 AND n.name = {name})"
                )
            }
        });
    }
    if let Some(filters) = &events.filters {
        conditions.push(filter::condition(making, filters, joins)?);
    }
    Ok(match conditions.as_slice() {
        [] => "true".to_owned(),
        conditions => format!("({})", conditions.join(" AND ")),
    })
}
