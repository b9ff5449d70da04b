//! Trends: what happens, period by period.
//!
//! Each series is one statement: its events, sorted into periods and parts, reduced to a number for each. Periods without
//! events are filled in here: zero where something is counted, null where a mean of nothing would be made up.

mod formula;
mod series;

pub use formula::Formula;
pub use series::Cells;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Part;
use super::calendar::Periods;
use super::persons::Page;
use super::question::{Compare, Path, Trends};
use super::sql::{Events, Making, Parts, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Most numbers of an answer: 50,000. A chart of more is not read, and the answer stays below a megabyte or two.
pub const CELLS_MAX: usize = 50_000;

/// The lines of a trend.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TrendsAnswer {
    /// What the periods are called.
    pub labels: Vec<String>,
    /// The lines.
    pub results: Vec<Line>,
    /// The lines of the stretch before, and what its periods are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub previous: Option<Box<TrendsAnswer>>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = TrendsLine)]
pub struct Line {
    /// The letter of its series; none of a formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[A-Z]$")]
    pub series: Option<char>,
    /// What it is called.
    pub name: String,
    /// One part for each breakdown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breakdown: Vec<Part>,
    /// A number for each period; null where there is none.
    pub values: Vec<Option<f64>>,
    /// The number of the whole stretch: not the sum of the periods where persons are counted once in each.
    pub total: Option<f64>,
}

impl Line {
    /// Sorts lines, the greatest total first; those without one last.
    fn greatest_first(lines: &mut [Self]) {
        lines.sort_by(|a, b| b.total.partial_cmp(&a.total).unwrap_or(Ordering::Equal));
    }
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(snapshot: &mut Snapshot, question: &Trends, periods: &Periods) -> Result<TrendsAnswer, QueryError> {
    let mut whole = lines(snapshot, question, periods).await?;
    if question.compare == Some(Compare::Previous) {
        let before = periods.span.previous().periods(question.interval, &Path::root())?;
        whole.previous = Some(Box::new(lines(snapshot, question, &before).await?));
    }
    Ok(whole)
}

async fn lines(snapshot: &mut Snapshot, question: &Trends, periods: &Periods) -> Result<TrendsAnswer, QueryError> {
    let mut results = Vec::new();
    for (index, series) in question.series.iter().enumerate() {
        results.extend(series::lines(snapshot, question, series, letter(index), periods).await?);
        fits(&results, periods)?;
    }
    put_together(question, periods, results)
}

/// The letter of a series.
#[must_use]
pub fn letter(index: usize) -> char {
    char::from(b'A' + u8::try_from(index).unwrap_or_default())
}

fn fits(results: &[Line], periods: &Periods) -> Result<(), QueryError> {
    if results.len().saturating_mul(periods.len()) <= CELLS_MAX {
        return Ok(());
    }
    Err(QueryError::parameter(
        "breakdown",
        "makes more than 50,000 numbers; ask for fewer values or longer periods",
    ))
}

/// The answer of all series' lines, which become one line where there is a formula.
///
/// # Errors
/// They are too many, or the formula is none.
pub fn put_together(question: &Trends, periods: &Periods, results: Vec<Line>) -> Result<TrendsAnswer, QueryError> {
    fits(&results, periods)?;
    let formula = question
        .formula
        .as_deref()
        .map(|text| Formula::read(text, question.series.len()))
        .transpose()?;
    let results = match formula {
        Some(formula) => formula.lines(&results, periods.len()),
        None => results,
    };
    Ok(TrendsAnswer {
        labels: periods.labels.clone(),
        results,
        previous: None,
    })
}

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TrendsPlace)]
pub struct Spot {
    /// The letter of the series.
    #[schema(value_type = String, pattern = "^[A-Z]$")]
    pub series: char,
    /// The label of the period; the whole stretch if there is none.
    #[serde(default)]
    pub period: Option<String>,
    /// The line's parts.
    #[serde(default)]
    pub breakdown: Vec<Part>,
}

/// Who is in one number.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Trends,
    spot: &Spot,
    periods: &Periods,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let index = (spot.series as usize).wrapping_sub('A' as usize);
    let series = question.series.get(index);
    let series = series.ok_or_else(|| QueryError::parameter("at.series", "is none of the question's"))?;
    let (filters, whole) = (question.filters.as_ref(), (&periods.span).into());
    let parts = Parts::find_all(snapshot, &question.breakdown, &series.events(), filters, whole).await?;
    let number = Parts::folded(&parts, &spot.breakdown)?;
    let mut making = Making::new(snapshot)?;
    let pick = Pick::in_period(periods, spot.period.as_deref())?;
    let events = Events::new(&mut making, &series.events(), filters, pick)?;
    let (part, joins) = Parts::fold(&parts, &mut making, &question.breakdown)?;
    let number = making.bind(number)?;
    let select = format!(
        "SELECT i.person_id {}",
        events.joined(&joins).and(&format!("{part} = {number}")).from_where()
    );
    page.of(snapshot, making, &select).await
}
