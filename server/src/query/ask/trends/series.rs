//! One series, as one statement.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};

use super::Line;
use crate::query::ask::calendar::Periods;
use crate::query::ask::question::{Math, Of, Series, Trends};
use crate::query::ask::sql::{Bits, Events, Making, Parts, Value};
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
    let parts = parts(snapshot, question, series, periods).await?;
    let bits = Bits::of(periods.len()).filter(|_| series.math == Math::UniquePersons);
    let statement = match bits {
        Some(bits) => unique(snapshot, question, series, &parts, periods, bits)?,
        None => counted(snapshot, question, series, &parts, periods)?,
    };
    let mut cells = Cells::default();
    let mut rows = statement.fetch(snapshot.rows());
    while let Some(row) = rows.try_next().await? {
        cells.add(&row, parts.len(), bits)?;
    }
    Ok(cells.lines(series, letter, &parts, periods.len()))
}

/// The parts that the breakdowns of a series tell apart.
pub(super) async fn parts(
    snapshot: &mut Snapshot,
    question: &Trends,
    series: &Series,
    periods: &Periods,
) -> Result<Vec<Parts>, QueryError> {
    let (filters, pick) = (question.filters.as_ref(), (&periods.span).into());
    Parts::find_all(snapshot, &question.breakdown, &series.events(), filters, pick).await
}

/// The events of a series, and their parts: `columns` makes them of an event (`… AS part0, … AS part1, `), `names` names
/// them (`part0, part1, `).
struct Told {
    events: Events,
    columns: String,
    names: String,
}

fn told_apart(
    making: &mut Making,
    question: &Trends,
    series: &Series,
    parts: &[Parts],
    periods: &Periods,
) -> Result<Told, QueryError> {
    let (filters, pick) = (question.filters.as_ref(), (&periods.span).into());
    let mut events = Events::new(making, &series.events(), filters, pick)?;
    let (mut columns, mut names) = (String::new(), String::new());
    for (at, (breakdown, parts)) in question.breakdown.iter().zip(parts).enumerate() {
        let number = parts.number(making, breakdown)?;
        events = events.joined(&number.join);
        columns.push_str(&format!("{} AS part{at}, ", number.expression));
        names.push_str(&format!("part{at}, "));
    }
    Ok(Told { events, columns, names })
}

/// One row for each combination of parts and period, and one for all periods together (period NULL).
fn counted(
    snapshot: &Snapshot,
    question: &Trends,
    series: &Series,
    parts: &[Parts],
    periods: &Periods,
) -> Result<Statement, QueryError> {
    let mut making = Making::new(snapshot)?;
    let Told { events, columns, names } = told_apart(&mut making, question, series, parts, periods)?;
    let (input, reduce) = reduced(&mut making, series)?;
    let bounds = making.bind_times(&periods.bounds)?;
    let select = format!(
        "SELECT {names}period, ({reduce})::float8 AS value FROM (
             SELECT {columns}width_bucket(e.timestamp, {bounds}) - 1 AS period, {} AS input {}) counted
         GROUP BY GROUPING SETS (({names}period), ({}))",
        input.expression,
        events.joined(&input.join).from_where(),
        names.trim_end_matches(", "),
    );
    Ok(making.query(&select))
}

/// One row for each combination of parts and periods that somebody was there in, with how many those are. Events are put
/// together by identity, then, when they are fewer, by person.
fn unique(
    snapshot: &Snapshot,
    question: &Trends,
    series: &Series,
    parts: &[Parts],
    periods: &Periods,
    bits: Bits,
) -> Result<Statement, QueryError> {
    let mut making = Making::new(snapshot)?;
    let Told { events, columns, names } = told_apart(&mut making, question, series, parts, periods)?;
    let bounds = making.bind_times(&periods.bounds)?;
    let select = format!(
        "SELECT {names}{bits}, count(*) AS persons FROM (
             SELECT {names}{together} FROM (
                 SELECT {columns}e.identity_id, {of_events} {from_where} GROUP BY {names}identity_id) identity
             JOIN identities i ON i.project_id = $1 AND i.id = identity.identity_id
             GROUP BY {names}i.person_id) person
         GROUP BY {names}{bits}",
        bits = bits.names(),
        together = bits.together(),
        of_events = bits.of_events(bounds),
        from_where = events.from_where_by_identity(&columns),
    );
    Ok(making.query(&select))
}

/// What is taken from each event, and what is made of all of them.
fn reduced(making: &mut Making, series: &Series) -> Result<(Value, &'static str), QueryError> {
    let column = |expression: &str| Value::plain(expression.to_owned());
    let reduce = match series.math {
        Math::Total => return Ok((column("1"), "count(*)")),
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
    Ok((
        Value {
            expression: number,
            ..value
        },
        reduce,
    ))
}

/// Numbers by the parts they belong to.
#[derive(Debug, Default)]
struct Cells(BTreeMap<Vec<i32>, Cell>);

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

    fn lines(mut self, series: &Series, letter: char, parts: &[Parts], periods: usize) -> Vec<Line> {
        if parts.is_empty() {
            // A line of zeros is an answer, too.
            self.0.entry(Vec::new()).or_default();
        }
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
