//! Trends: what happens, period by period.
//!
//! Each series is one statement: its events, sorted into periods and parts, reduced to a number for each. Periods without
//! events are filled in here: zero where something is counted, null where a mean of nothing would be made up.

mod formula;
mod series;

pub use formula::Formula;

use serde::Serialize;
use trailmark_protocol::Timestamp;

use super::answer::Part;
use super::calendar::{Periods, Span};
use super::question::{Compare, Path, Trends};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Most numbers of an answer: 50,000. A chart of more is not read, and the answer stays below a megabyte or two.
pub const CELLS_MAX: usize = 50_000;

/// The lines of a trend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrendsAnswer {
    /// What the periods are called.
    pub labels: Vec<String>,
    /// The lines.
    pub results: Vec<Line>,
    /// The lines of the stretch before, and what its periods are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Box<TrendsAnswer>>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The letter of its series; none of a formula.
    #[serde(skip_serializing_if = "Option::is_none")]
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

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
    snapshot: &mut Snapshot,
    question: &Trends,
    now: Timestamp,
) -> Result<(TrendsAnswer, Span, Periods), QueryError> {
    let root = Path::root();
    let (from, to) = (&question.date_from, question.date_to.as_deref());
    let span = Span::resolve(from, to, &question.timezone, now, &root)?;
    let periods = span.periods(question.interval, &root)?;
    let mut whole = lines(snapshot, question, &span, &periods).await?;
    if question.compare == Some(Compare::Previous) {
        let before = span.previous();
        let before_periods = before.periods(question.interval, &root)?;
        whole.previous = Some(Box::new(lines(snapshot, question, &before, &before_periods).await?));
    }
    Ok((whole, span, periods))
}

async fn lines(
    snapshot: &mut Snapshot,
    question: &Trends,
    span: &Span,
    periods: &Periods,
) -> Result<TrendsAnswer, QueryError> {
    let formula = question
        .formula
        .as_deref()
        .map(|text| Formula::read(text, question.series.len()))
        .transpose()?;
    let mut results = Vec::new();
    for (index, series) in question.series.iter().enumerate() {
        let letter = char::from(b'A' + u8::try_from(index).unwrap_or_default());
        results.extend(series::lines(snapshot, question, series, letter, span, periods).await?);
        let cells = results.len().saturating_mul(periods.len());
        if cells > CELLS_MAX {
            return Err(QueryError::parameter(
                "breakdown",
                "makes more than 50,000 numbers; ask for fewer values or longer periods",
            ));
        }
    }
    if let Some(formula) = formula {
        results = formula.lines(&results, periods.len());
    }
    Ok(TrendsAnswer {
        labels: periods.labels.clone(),
        results,
        previous: None,
    })
}
