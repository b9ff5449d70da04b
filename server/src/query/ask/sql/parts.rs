//! Breakdowns in statements: each event gets the number of its part among those that are told apart.

use serde_json::Value as Json;

use super::{Events, Making, Pick, Value};
use crate::query::ask::answer::Part;
use crate::query::ask::cohort;
use crate::query::ask::question::{Breakdown, Event, Filter, Invalid, Of};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// The parts that one breakdown tells apart: its most frequent values, in that order. The number of the events without the
/// property is -1, of all other values that of how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    pub(super) values: Vec<Json>,
}

impl Parts {
    /// Those of these values, in this order.
    #[must_use]
    pub fn of(values: Vec<Json>) -> Self {
        Self { values }
    }

    /// The parts of each breakdown of these events.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn find_all(
        snapshot: &mut Snapshot,
        breakdowns: &[Breakdown],
        events: &Event,
        filters: Option<&Filter>,
        pick: Pick,
    ) -> Result<Vec<Self>, QueryError> {
        let mut parts = Vec::new();
        for breakdown in breakdowns {
            parts.push(Self::find(snapshot, breakdown, events, filters, pick).await?);
        }
        Ok(parts)
    }

    /// The most frequent values of a breakdown among these events; the lesser value first, where two are as frequent.
    async fn find(
        snapshot: &mut Snapshot,
        breakdown: &Breakdown,
        events: &Event,
        filters: Option<&Filter>,
        pick: Pick,
    ) -> Result<Self, QueryError> {
        let mut making = Making::new(snapshot)?;
        let value = value_of(&mut making, breakdown)?;
        let events = Events::new(&mut making, events, filters, pick)?.joined(&value.join);
        let limit = making.bind(i64::from(breakdown.limit))?;
        let select = format!(
            "SELECT value FROM (SELECT {} AS value {}) v WHERE value IS NOT NULL
             GROUP BY value ORDER BY count(*) DESC, value LIMIT {limit}",
            value.expression,
            events.from_where()
        );
        let rows = making.query_as::<(Json,)>(&select).fetch_all(snapshot.rows()).await?;
        Ok(Self {
            values: rows.into_iter().map(|(value,)| value).collect(),
        })
    }

    /// The number of an event's part, as an expression of the event, and the join it needs.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn number(&self, making: &mut Making, breakdown: &Breakdown) -> Result<Value, QueryError> {
        let value = value_of(making, breakdown)?;
        let known = making.bind(self.values.iter().cloned().map(sqlx::types::Json).collect::<Vec<_>>())?;
        let others = making.bind(i32::try_from(self.values.len()).unwrap_or(i32::MAX))?;
        Ok(Value {
            expression: format!(
                "CASE WHEN {0} IS NULL THEN -1 ELSE COALESCE(array_position({known}, {0}) - 1, {others}) END",
                value.expression
            ),
            ..value
        })
    }

    /// One number for the parts of all breakdowns, as an expression of the event, and the joins it needs.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn fold(parts: &[Self], making: &mut Making, breakdowns: &[Breakdown]) -> Result<(String, String), QueryError> {
        let (mut folded, mut joins) = ("0".to_owned(), String::new());
        for (breakdown, parts) in breakdowns.iter().zip(parts) {
            let number = parts.number(making, breakdown)?;
            joins.push_str(&number.join);
            folded = format!("({folded}) * {} + 1 + {}", parts.numbers(), number.expression);
        }
        Ok((folded, joins))
    }

    /// How many numbers there are: those of the values, of the others and of the events without the property.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.values.len() + 2
    }

    /// The parts that a number of [`Parts::fold`] stands for.
    #[must_use]
    pub fn unfold(parts: &[Self], number: u32) -> Vec<Part> {
        let mut rest = number as usize;
        let mut unfolded: Vec<Part> = parts
            .iter()
            .rev()
            .map(|parts| {
                let here = rest % parts.numbers();
                rest /= parts.numbers();
                parts.part(i32::try_from(here).unwrap_or(i32::MAX) - 1)
            })
            .collect();
        unfolded.reverse();
        unfolded
    }

    /// The number of [`Parts::fold`] that stands for these parts, which a place in the answer (`at`) names.
    ///
    /// # Errors
    /// They are none of the answer's.
    pub fn folded(parts: &[Self], wanted: &[Part]) -> Result<i32, Invalid> {
        let fold = |folded: i32, (parts, part): (&Self, &Part)| {
            let number = 1 + parts.number_of(part)?;
            folded
                .checked_mul(i32::try_from(parts.numbers()).ok()?)?
                .checked_add(number)
        };
        let folded = parts.iter().zip(wanted).try_fold(0, fold);
        folded
            .filter(|_| parts.len() == wanted.len())
            .ok_or_else(|| Invalid::at("at.breakdown", "is none of the answer's lines"))
    }

    fn number_of(&self, part: &Part) -> Option<i32> {
        let index = match part {
            Part::Missing { .. } => return Some(-1),
            Part::Other { .. } => self.values.len(),
            Part::Value { value } => self.values.iter().position(|known| known == value)?,
        };
        i32::try_from(index).ok()
    }

    /// The part of this number.
    #[must_use]
    pub fn part(&self, number: i32) -> Part {
        match usize::try_from(number) {
            Err(_) => Part::MISSING,
            Ok(index) => self
                .values
                .get(index)
                .map_or(Part::OTHER, |value| Part::Value { value: value.clone() }),
        }
    }
}

/// The value that a breakdown looks at. For a cohort: whether the person is in it.
pub(super) fn value_of(making: &mut Making, breakdown: &Breakdown) -> Result<Value, QueryError> {
    if breakdown.of != Of::Cohort {
        return Value::of(making, breakdown.of, &breakdown.property);
    }
    let table = cohort::table(making, cohort::number(breakdown))?;
    Ok(Value::plain(format!(
        "to_jsonb(i.person_id IN (SELECT person_id FROM {table}))"
    )))
}
