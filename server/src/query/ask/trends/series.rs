//! One series, as one statement.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::Line;
use crate::query::ask::answer::Part;
use crate::query::ask::calendar::Periods;
use crate::query::ask::question::{Breakdown, Math, Series, Trends};
use crate::query::ask::sql::{Bits, Events, Making, Parts, Pick, of};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// The lines of a series, the greatest total first.
pub(super) async fn lines(
    snapshot: &mut Snapshot,
    question: &Trends,
    series: &Series,
    letter: char,
    periods: &Periods,
) -> Result<Vec<Line>, QueryError> {
    let pick = Pick::from(&periods.span);
    let parts = parts(snapshot, question, series, pick).await?;
    let mut cells = Cells::default();
    let bits = Bits::of(periods.len()).filter(|_| series.math == Math::UniquePersons);
    if let Some(bits) = bits {
        let mut rows = unique(snapshot, question, series, &parts, (pick, periods), bits)?.fetch(snapshot.rows());
        while let Some(row) = rows.try_next().await? {
            cells.add_persons(&row, question.breakdown.len(), bits)?;
        }
        return Ok(cells.lines(series, letter, &parts, periods.len()));
    }
    for row in statement(snapshot, question, series, &parts, pick, periods)?
        .fetch_all(snapshot.rows())
        .await?
    {
        cells.add(&row, question.breakdown.len())?;
    }
    Ok(cells.lines(series, letter, &parts, periods.len()))
}

/// The parts that the breakdowns of a series tell apart.
pub(super) async fn parts(
    snapshot: &mut Snapshot,
    question: &Trends,
    series: &Series,
    pick: Pick,
) -> Result<Vec<Parts>, QueryError> {
    let filters = question.filters.as_ref();
    Parts::find_all(snapshot, &question.breakdown, &series.events(), filters, pick).await
}

/// One row for each period and combination of parts, and one for all periods together (period NULL).
fn statement(
    snapshot: &Snapshot,
    question: &Trends,
    series: &Series,
    parts: &[Parts],
    pick: Pick,
    periods: &Periods,
) -> Result<sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let mut events = Events::new(&mut making, &series.events(), question.filters.as_ref(), pick)?;
    let mut columns = String::new();
    let mut groups = String::new();
    for (at, (breakdown, parts)) in question.breakdown.iter().zip(parts).enumerate() {
        let number = numbered(&mut making, breakdown, parts)?;
        events = events.joined(&number.join);
        columns.push_str(&format!(", {} AS part{at}", number.expression));
        groups.push_str(&format!(", part{at}"));
    }
    let (input, reduce) = reduced(&mut making, series)?;
    events = events.joined(&input.join);
    let bounds = making.bind_times(&periods.bounds)?;
    let select = format!(
        "SELECT period{groups}, ({reduce})::float8 AS value FROM (
             SELECT width_bucket(e.timestamp, {bounds}) - 1 AS period{columns}, {} AS input {}) counted
         GROUP BY GROUPING SETS ((period{groups}), ({}))",
        input.expression,
        events.from_where(),
        groups.trim_start_matches(", "),
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
    (pick, periods): (Pick, &Periods),
    bits: Bits,
) -> Result<sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let mut events = Events::new(&mut making, &series.events(), question.filters.as_ref(), pick)?;
    let (mut columns, mut groups) = (String::new(), String::new());
    for (at, (breakdown, parts)) in question.breakdown.iter().zip(parts).enumerate() {
        let number = numbered(&mut making, breakdown, parts)?;
        events = events.joined(&number.join);
        columns.push_str(&format!("{} AS part{at}, ", number.expression));
        groups.push_str(&format!("part{at}, "));
    }
    let bounds = making.bind_times(&periods.bounds)?;
    let select = format!(
        "SELECT {groups}{bits}, count(*) AS persons FROM (
             SELECT {groups}{together} FROM (
                 SELECT {columns}e.identity_id, {of_events} {from_where} GROUP BY {groups}identity_id) identity
             JOIN identities i ON i.project_id = $1 AND i.id = identity.identity_id
             GROUP BY {groups}i.person_id) person
         GROUP BY {groups}{bits}",
        bits = bits.names(),
        together = bits.together(),
        of_events = bits.of_events(bounds),
        from_where = events.from_where_by_identity(&columns),
    );
    Ok(making.query(&select))
}

fn numbered(
    making: &mut Making,
    breakdown: &Breakdown,
    parts: &Parts,
) -> Result<crate::query::ask::sql::Value, QueryError> {
    parts.number(making, breakdown)
}

/// What is taken from each event, and what is made of all of them.
fn reduced(making: &mut Making, series: &Series) -> Result<(crate::query::ask::sql::Value, &'static str), QueryError> {
    let column = |expression: &str| crate::query::ask::sql::Value {
        expression: expression.to_owned(),
        join: String::new(),
    };
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
    let value = of(making, Default::default(), property)?;
    // A number beyond every float is none: it would end the whole statement.
    let number = format!(
        "CASE jsonb_typeof({0}) WHEN 'number' THEN CASE WHEN abs({0}::numeric) < 1e300 THEN {0}::float8 END END",
        value.expression
    );
    Ok((
        crate::query::ask::sql::Value {
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
    fn add(&mut self, row: &PgRow, breakdowns: usize) -> Result<(), QueryError> {
        let numbers: Result<Vec<i32>, _> = (0..breakdowns).map(|at| row.try_get(1 + at)).collect();
        let cell = self.0.entry(numbers?).or_default();
        let value: Option<f64> = row.try_get("value")?;
        match row.try_get::<Option<i32>, _>("period")? {
            Some(period) => {
                cell.values.insert(usize::try_from(period).unwrap_or(usize::MAX), value);
            }
            None => cell.total = value,
        }
        Ok(())
    }

    /// So many persons that were there in these periods.
    fn add_persons(&mut self, row: &PgRow, breakdowns: usize, bits: Bits) -> Result<(), QueryError> {
        let numbers: Result<Vec<i32>, _> = (0..breakdowns).map(|at| row.try_get(at)).collect();
        let cell = self.0.entry(numbers?).or_default();
        let persons = row.try_get::<i64, _>("persons")? as f64;
        *cell.total.get_or_insert(0.0) += persons;
        for period in bits.periods(row)? {
            *cell.values.entry(period).or_default().get_or_insert(0.0) += persons;
        }
        Ok(())
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
                    .collect::<Vec<Part>>(),
                values,
                total: cell.total.or(nothing),
            }
        };
        let mut lines: Vec<Line> = self.0.into_iter().map(line).collect();
        lines.sort_by(|a, b| b.total.partial_cmp(&a.total).unwrap_or(std::cmp::Ordering::Equal));
        lines
    }
}
