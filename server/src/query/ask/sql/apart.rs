//! Breakdowns of a statement that finds its parts itself: events are read once, into a table of the statement, and the most
//! frequent values and the numbers of their parts are both made of that table.

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use super::parts::value_of;
use super::{Making, Parts};
use crate::query::ask::question::Breakdown;
use crate::query::error::QueryError;

/// What breakdowns look at, as columns of a table that is made of events.
#[derive(Debug, Default)]
pub struct Looks {
    /// `… AS value0, … AS value1, `, of an event.
    pub columns: String,
    /// `value0, value1, `.
    pub names: String,
    /// The joins that the columns need.
    pub joins: String,
}

impl Looks {
    /// What these breakdowns look at.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn of(making: &mut Making, breakdowns: &[Breakdown]) -> Result<Self, QueryError> {
        let mut looks = Self::default();
        for (at, breakdown) in breakdowns.iter().enumerate() {
            let value = value_of(making, breakdown)?;
            looks.columns.push_str(&format!("{} AS value{at}, ", value.expression));
            looks.names.push_str(&format!("value{at}, "));
            looks.joins.push_str(&value.join);
        }
        Ok(looks)
    }
}

/// The rows of a table, told apart by the parts that they belong to.
#[derive(Debug)]
pub struct Apart {
    /// What to select from: the table's columns, and `part0`, `part1`, ….
    pub table: String,
    /// `part0, part1, `.
    pub names: String,
    /// `, … AS values0, … AS values1`: the values of the parts, beside the first row.
    values: String,
}

impl Apart {
    /// Tells the rows of `table` apart. It has the columns of [`Looks`], and `events`: how many events a row stands for.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn of(making: &mut Making, breakdowns: &[Breakdown], table: &str) -> Result<Self, QueryError> {
        let (mut joins, mut numbers, mut names, mut values) = <(String, String, String, String)>::default();
        for (at, breakdown) in breakdowns.iter().enumerate() {
            let limit = making.bind(i32::try_from(breakdown.limit).unwrap_or(i32::MAX))?;
            // As `Parts::find` sorts them.
            let top = making.with(&format!(
                "SELECT value, (row_number() OVER (ORDER BY events DESC, value) - 1)::integer AS part
                 FROM (SELECT value{at} AS value, sum(events) AS events FROM {table} WHERE value{at} IS NOT NULL
                       GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit}) most"
            ));
            joins.push_str(&format!(" LEFT JOIN {top} ON {top}.value = value{at}"));
            numbers.push_str(&format!(
                "CASE WHEN value{at} IS NULL THEN -1 ELSE COALESCE({top}.part, {limit}) END AS part{at}, "
            ));
            names.push_str(&format!("part{at}, "));
            values.push_str(&format!(
                ", CASE WHEN row_number() OVER () = 1 THEN (SELECT jsonb_agg(value ORDER BY part) FROM {top}) END AS values{at}"
            ));
        }
        Ok(Self {
            table: format!("(SELECT {numbers}{table}.* FROM {table}{joins}) apart"),
            names,
            values,
        })
    }

    /// The statement whose rows are those of `select`, with the values of the parts beside the first.
    #[must_use]
    pub fn with_values(&self, select: &str) -> String {
        format!("SELECT *{} FROM ({select}) cells", self.values)
    }
}

impl Parts {
    /// The parts of so many breakdowns, as [`Apart::with_values`] puts them beside the first row.
    ///
    /// # Errors
    /// The row has no such columns.
    pub fn beside(row: &PgRow, breakdowns: usize) -> Result<Vec<Self>, QueryError> {
        let mut parts = Vec::new();
        for at in 0..breakdowns {
            let values: Option<Json<_>> = row.try_get(format!("values{at}").as_str())?;
            parts.push(values.map_or_else(Self::default, |values| Self { values: values.0 }));
        }
        Ok(parts)
    }
}
