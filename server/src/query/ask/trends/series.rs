//! One series, as one statement.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use super::Line;
use crate::query::ask::calendar::Periods;
use crate::query::ask::question::{Math, Of, Series, Trends};
use crate::query::ask::sql::{Apart, Bits, Events, Looks, Making, Parts, Value};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

type Statement = Query<'static, Postgres, PgArguments>;

/// The lines of a series, the greatest total first.
pub(super) async fn lines(
    snapshot: &mut Snapshot,
    question: &Trends,
    series: &Series,
    letter: char,
    periods: &Periods,
) -> Result<Vec<Line>, QueryError> {
    let bits = Bits::of(periods.len()).filter(|_| series.math == Math::UniquePersons);
    let breakdowns = question.breakdown.len();
    let (mut parts, mut cells) = (None, Cells::default());
    let mut rows = statement(snapshot, question, series, periods, bits)?.fetch(snapshot.rows());
    while let Some(row) = rows.try_next().await? {
        if parts.is_none() {
            parts = Some(Parts::beside(&row, breakdowns)?);
        }
        cells.add(&row, breakdowns, bits)?;
    }
    if breakdowns == 0 {
        cells.add_nothing();
    }
    Ok(cells.lines(series, letter, &parts.unwrap_or_default(), periods.len()))
}

/// One row for each combination of parts and period, and one for all periods together (period NULL). With `bits`, which are
/// for unique persons: one for each combination of parts and periods that somebody was there in, with how many those are.
fn statement(
    snapshot: &Snapshot,
    question: &Trends,
    series: &Series,
    periods: &Periods,
    bits: Option<Bits>,
) -> Result<Statement, QueryError> {
    let mut making = Making::new(snapshot)?;
    let (picked, reduce) = picked(&mut making, question, series, periods, bits)?;
    let picked = making.with(&picked);
    let apart = Apart::of(&mut making, &question.breakdown, &picked)?;
    let Apart { table, names, .. } = &apart;
    let select = match bits {
        Some(bits) => {
            let (together, bits) = (bits.together(), bits.names());
            // Where nothing is told apart, a row is a person already.
            let persons = match names.as_str() {
                "" => table.clone(),
                names => format!("(SELECT {names}{together} FROM {table} GROUP BY {names}person_id) person"),
            };
            format!("SELECT {names}{bits}, count(*) AS persons FROM {persons} GROUP BY {names}{bits}")
        }
        None => format!(
            "SELECT {names}period, ({reduce})::float8 AS value FROM {table}
             GROUP BY GROUPING SETS (({names}period), ({}))",
            names.trim_end_matches(", ")
        ),
    };
    Ok(making.query(&apart.with_values(&select)))
}

/// The events of a series, as few rows as its math allows, and what is made of their `input`. Rows have what the breakdowns
/// look at, and how many `events` they stand for.
fn picked(
    making: &mut Making,
    question: &Trends,
    series: &Series,
    periods: &Periods,
    bits: Option<Bits>,
) -> Result<(String, &'static str), QueryError> {
    let (filters, pick) = (question.filters.as_ref(), (&periods.span).into());
    let Looks { columns, names, joins } = Looks::of(making, &question.breakdown)?;
    let events = Events::new(making, &series.events(), filters, pick)?.joined(&joins);
    let bounds = making.bind_times(&periods.bounds)?;
    let period = format!("width_bucket(e.timestamp, {bounds}) - 1 AS period");
    let from_where = events.from_where();
    if let Some(bits) = bits {
        let there = bits.of_events(bounds);
        let picked = format!(
            "SELECT {columns}i.person_id, {there}, count(*) AS events {from_where} GROUP BY {names}i.person_id"
        );
        return Ok((picked, "count(*)"));
    }
    let (input, reduce) = reduced(making, series)?;
    let picked = match input {
        None => format!("SELECT {columns}{period}, count(*) AS events {from_where} GROUP BY {names}period"),
        Some(Value { expression, join }) => format!(
            "SELECT {columns}{period}, {expression} AS input, 1 AS events {}",
            events.joined(&join).from_where()
        ),
    };
    Ok((picked, reduce))
}

/// What is taken from each event, nothing where their number will do, and what is made of all of them.
fn reduced(making: &mut Making, series: &Series) -> Result<(Option<Value>, &'static str), QueryError> {
    let column = |expression: &str| Some(Value::plain(expression.to_owned()));
    let reduce = match series.math {
        Math::Total => return Ok((None, "sum(events)")),
        Math::UniquePersons => return Ok((column("i.person_id"), "count(DISTINCT input)")),
        Math::Sessions => return Ok((column("e.session_id"), "count(DISTINCT input)")),
        Math::Sum => "sum(input)",
        Math::Avg => "avg(input)",
        Math::Min => "min(input)",
        Math::Max => "max(input)",
        Math::P50 => "percentile_cont(0.5) WITHIN GROUP (ORDER BY input)",
        Math::P90 => "percentile_cont(0.9) WITHIN GROUP (ORDER BY input)",
        Math::P95 => "percentile_cont(0.95) WITHIN GROUP (ORDER BY input)",
        Math::P99 => "percentile_cont(0.99) WITHIN GROUP (ORDER BY input)",
    };
    let property = series.math_property.as_deref().unwrap_or_default();
    let value = Value::of(making, Of::Event, property)?;
    // A number beyond every float is none: it would end the whole statement.
    let number = format!(
        "CASE jsonb_typeof({0}) WHEN 'number' THEN CASE WHEN abs({0}::numeric) < 1e300 THEN {0}::float8 END END",
        value.expression
    );
    let number = Value {
        expression: number,
        ..value
    };
    Ok((Some(number), reduce))
}

/// Numbers by the parts they belong to.
#[derive(Debug, Default)]
pub struct Cells(BTreeMap<Vec<i32>, Cell>);

#[derive(Debug, Default)]
struct Cell {
    total: Option<f64>,
    values: BTreeMap<usize, Option<f64>>,
}

impl Cells {
    fn add(&mut self, row: &PgRow, breakdowns: usize, bits: Option<Bits>) -> Result<(), QueryError> {
        let numbers: Result<Vec<i32>, _> = (0..breakdowns).map(|at| row.try_get(at)).collect();
        let cell = self.0.entry(numbers?).or_default();
        match bits {
            Some(bits) => cell.add_persons(row, bits),
            None => cell.add_value(row),
        }
    }

    /// The number of a period, or of the whole stretch, for a combination of parts.
    pub fn put(&mut self, parts: Vec<i32>, period: Option<usize>, value: Option<f64>) {
        let cell = self.0.entry(parts).or_default();
        match period {
            Some(period) => drop(cell.values.insert(period, value)),
            None => cell.total = value,
        }
    }

    /// A line of zeros is an answer, too.
    pub fn add_nothing(&mut self) {
        self.0.entry(Vec::new()).or_default();
    }

    /// The lines, the greatest total first.
    #[must_use]
    pub fn lines(self, series: &Series, letter: char, parts: &[Parts], periods: usize) -> Vec<Line> {
        let nothing = series.math.is_count().then_some(0.0);
        let line = |(numbers, cell): (Vec<i32>, Cell)| {
            let mut values = vec![nothing; periods];
            for (period, value) in cell.values {
                if let Some(place) = values.get_mut(period) {
                    *place = value.or(nothing);
                }
            }
            Line {
                series: Some(letter),
                name: series.events().label().to_owned(),
                breakdown: parts
                    .iter()
                    .zip(numbers)
                    .map(|(parts, number)| parts.part(number))
                    .collect(),
                values,
                total: cell.total.or(nothing),
            }
        };
        let mut lines: Vec<Line> = self.0.into_iter().map(line).collect();
        Line::greatest_first(&mut lines);
        lines
    }
}

impl Cell {
    /// The number of a period, or of all of them.
    fn add_value(&mut self, row: &PgRow) -> Result<(), QueryError> {
        let value: Option<f64> = row.try_get("value")?;
        match row.try_get::<Option<i32>, _>("period")? {
            Some(period) => {
                self.values.insert(usize::try_from(period).unwrap_or(usize::MAX), value);
            }
            None => self.total = value,
        }
        Ok(())
    }

    /// So many persons that were there in these periods.
    fn add_persons(&mut self, row: &PgRow, bits: Bits) -> Result<(), QueryError> {
        let persons = row.try_get::<i64, _>("persons")? as f64;
        *self.total.get_or_insert(0.0) += persons;
        for period in bits.periods(row)? {
            *self.values.entry(period).or_default().get_or_insert(0.0) += persons;
        }
        Ok(())
    }
}
