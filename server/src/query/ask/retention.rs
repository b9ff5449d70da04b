//! Retention: of those who began in a period, how many come back, period after period.
//!
//! Two relations, who began when and who came back when, and their join. A cell that lies in a period which is not over is
//! said to be incomplete, one that lies in the future is null: neither is ever shown as zero.

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::calendar::{FIRST_MOMENT, Periods};
use super::persons::Page;
use super::question::{Retention, RetentionMode, RetentionType, WindowMode};
use super::sql::{Events, Making, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Rows of cohorts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RetentionAnswer {
    /// One row for each period in which somebody could begin.
    pub results: Vec<Row>,
}

/// Those who began in one period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RetentionRow)]
pub struct Row {
    /// The period.
    pub label: String,
    /// How many began.
    pub size: u64,
    /// How many of them were there in that period, the next, and so on; null where that is still to come.
    pub values: Vec<Option<u64>>,
    /// The place of the first value that may still grow.
    pub incomplete_from: Option<usize>,
}

/// How many of those who began in a period (from 0) were back so many periods later.
#[derive(Debug, FromRow)]
struct Cell {
    began: i32,
    later: i32,
    persons: i64,
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
    snapshot: &mut Snapshot,
    question: &Retention,
    periods: &Periods,
) -> Result<RetentionAnswer, QueryError> {
    let cells = if fits_bits(question, periods) {
        by_bits(snapshot, question, periods).await?
    } else {
        by_join(snapshot, question, periods).await?
    };
    Ok(table(question, &cells, periods))
}

/// The cells as one statement makes them.
async fn by_join(snapshot: &mut Snapshot, question: &Retention, periods: &Periods) -> Result<Vec<Cell>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let (starts, returns) = (
        starts(&mut making, question, periods)?,
        returns(&mut making, question, periods)?,
    );
    let back = back(&mut making, question, &starts, &returns);
    // Those who began are there 0 periods later.
    let select = format!(
        "SELECT began, later, count(*) AS persons
         FROM (SELECT began, 0 AS later FROM {starts} UNION ALL SELECT began, later FROM {back}) cells
         GROUP BY 1, 2"
    );
    Ok(making.query_as(&select).fetch_all(snapshot.rows()).await?)
}

/// Periods whose bits fit into a number: bit 0 is the time before the first, and no bit is the sign's, so that `began & -began`
/// is the lowest bit.
const PERIODS_IN_BITS: usize = 62;

/// So many persons who began, and were back, in the periods whose bits are set; bit 1 is that of the first.
#[derive(Debug, FromRow)]
struct Both {
    began: i64,
    back: i64,
    persons: i64,
}

/// The same cells, but each event is read once, and a person is one number for the periods of beginning and one for those
/// of coming back. Which of them make a cell is decided here, for all persons who are alike at once.
async fn by_bits(snapshot: &mut Snapshot, question: &Retention, periods: &Periods) -> Result<Vec<Cell>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let whole = whole(periods);
    let bit = format!(
        "1::bigint << width_bucket(e.timestamp, {})",
        making.bind_times(&periods.bounds)?
    );
    let (since, counted) = match question.kind {
        // The first period alone is that of the lowest bit.
        RetentionType::FirstTime => (FIRST_MOMENT, "began & -began"),
        RetentionType::Recurring => (whole.from, "began"),
    };
    let start = Pick { from: since, ..whole };
    let mut branch = |event, pick, columns: String| -> Result<String, QueryError> {
        let events = Events::new(&mut making, event, question.filters.as_ref(), pick)?;
        let events = events.from_where_by_identity("");
        Ok(format!("SELECT e.identity_id, {columns} {events}"))
    };
    // Where both events are the same, one number says both.
    let (branches, together, back) = if question.start_event.is_same(&question.return_event) {
        let branch = branch(&question.start_event, start, format!("{bit} AS began"))?;
        (branch, "bit_or(began) AS began", "began")
    } else {
        let began = branch(
            &question.start_event,
            start,
            format!("{bit} AS began, 0::bigint AS back"),
        )?;
        let back = branch(
            &question.return_event,
            whole,
            format!("0::bigint AS began, {bit} AS back"),
        )?;
        (
            format!("{began} UNION ALL {back}"),
            "bit_or(began) AS began, bit_or(back) AS back",
            "back",
        )
    };
    let select = format!(
        "SELECT {counted} AS began, {back} AS back, count(*) AS persons FROM (
             SELECT {together} FROM (
                 SELECT identity_id, {together} FROM ({branches}) e GROUP BY identity_id) identity
             JOIN identities i ON i.project_id = $1 AND i.id = identity.identity_id
             GROUP BY i.person_id) person
         WHERE began <> 0 AND began & 1 = 0 GROUP BY 1, 2"
    );
    let rows = making.query_as::<Both>(&select);
    let mut cells = Cells::of(question, periods);
    let mut rows = rows.fetch(snapshot.rows());
    while let Some(both) = rows.try_next().await? {
        cells.add(both.began.cast_unsigned(), both.back.cast_unsigned(), both.persons);
    }
    Ok(cells.into_list())
}

/// Persons by when they began, and how much later they were back.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    mode: RetentionMode,
    /// The periods later that are looked at, as bits; bit 0 is the period of beginning.
    later: u64,
    /// For each period, and each later one.
    counts: Vec<Vec<i64>>,
}

impl Cells {
    pub(super) fn of(question: &Retention, periods: &Periods) -> Self {
        let columns = question.intervals as usize;
        Self {
            mode: question.mode,
            later: u64::MAX
                .checked_shl(question.intervals)
                .map_or(u64::MAX, |beyond| !beyond),
            counts: vec![vec![0; columns]; periods.len()],
        }
    }

    /// Adds persons who began and were back in the periods whose bits are set; bit 1 is that of the first.
    pub(super) fn add(&mut self, began: u64, back: u64, persons: i64) {
        let mut left = began >> 1;
        while left != 0 {
            let period = left.trailing_zeros() as usize;
            left &= left - 1;
            let Some(row) = self.counts.get_mut(period) else { return };
            let mut count = |later: usize| row.get_mut(later).into_iter().for_each(|cell| *cell += persons);
            count(0);
            let mut back = back >> 1 >> period & self.later & !1;
            if self.mode == RetentionMode::OnOrAfter {
                back = back.checked_ilog2().map_or(0, |last| 1 << last);
            }
            while back != 0 {
                count(back.trailing_zeros() as usize);
                back &= back - 1;
            }
        }
    }

    /// Adds what others have counted.
    pub(super) fn merge(&mut self, other: &Self) {
        let cells = self.counts.iter_mut().flatten().zip(other.counts.iter().flatten());
        cells.for_each(|(cell, other)| *cell += other);
    }

    fn into_list(self) -> Vec<Cell> {
        let small = |number| i32::try_from(number).unwrap_or(i32::MAX);
        let rows = self.counts.into_iter().enumerate();
        let cells = rows.flat_map(|(began, row)| {
            let cells = row.into_iter().enumerate();
            cells.map(move |(later, persons)| Cell {
                began: small(began),
                later: small(later),
                persons,
            })
        });
        cells.collect()
    }

    /// The answer that they make.
    pub(super) fn answer(self, question: &Retention, periods: &Periods) -> RetentionAnswer {
        table(question, &self.into_list(), periods)
    }
}

/// Whether bits are enough: the calendar's periods, and not too many.
pub(super) fn fits_bits(question: &Retention, periods: &Periods) -> bool {
    question.window_mode == WindowMode::Calendar && periods.len() <= PERIODS_IN_BITS
}

/// `(person_id, began, at)`: each person's beginnings, one for each period.
fn starts(making: &mut Making, question: &Retention, periods: &Periods) -> Result<String, QueryError> {
    let whole = whole(periods);
    let (pick, having) = match question.kind {
        RetentionType::Recurring => (whole, String::new()),
        RetentionType::FirstTime => {
            let from = making.bind_time(whole.from)?;
            let ever = Pick {
                from: FIRST_MOMENT,
                ..whole
            };
            (ever, format!(" HAVING min(e.timestamp) >= {from}"))
        }
    };
    let group = match question.kind {
        RetentionType::FirstTime => "1",
        RetentionType::Recurring => "1, 2",
    };
    let bounds = making.bind_times(&periods.bounds)?;
    let events = Events::new(making, &question.start_event, question.filters.as_ref(), pick)?;
    let began = match question.kind {
        RetentionType::FirstTime => format!("width_bucket(min(e.timestamp), {bounds}) - 1"),
        RetentionType::Recurring => format!("width_bucket(e.timestamp, {bounds}) - 1"),
    };
    Ok(making.with(&format!(
        "SELECT i.person_id, {began} AS began, min(e.timestamp) AS at {} GROUP BY {group}{having}",
        events.from_where()
    )))
}

/// `(person_id, period, at)`: when each person was there; with rolling windows each time, else once for each period.
fn returns(making: &mut Making, question: &Retention, periods: &Periods) -> Result<String, QueryError> {
    let length = i64::from(question.intervals).saturating_mul(question.period.micros());
    let pick = match question.window_mode {
        WindowMode::Calendar => whole(periods),
        WindowMode::Rolling => Pick {
            to: whole(periods).to.plus_micros(length),
            ..whole(periods)
        },
    };
    let bounds = making.bind_times(&periods.bounds)?;
    let events = Events::new(making, &question.return_event, question.filters.as_ref(), pick)?;
    let columns = match question.window_mode {
        WindowMode::Calendar => format!("DISTINCT i.person_id, width_bucket(e.timestamp, {bounds}) - 1 AS period"),
        WindowMode::Rolling => "i.person_id, e.timestamp AS at".to_owned(),
    };
    Ok(making.with(&format!("SELECT {columns} {}", events.from_where())))
}

/// `(person_id, began, later)`: who was back how much later; at the latest, where that counts for all before it.
fn back(making: &mut Making, question: &Retention, starts: &str, returns: &str) -> String {
    let (later, join) = match question.window_mode {
        WindowMode::Calendar => ("r.period - s.began".to_owned(), "r.period > s.began"),
        WindowMode::Rolling => {
            let length = question.period.micros();
            (
                format!("div(extract(epoch FROM r.at - s.at) * 1000000, {length})::integer"),
                "r.at > s.at",
            )
        }
    };
    let last = question.intervals.saturating_sub(1);
    let (columns, group) = match question.mode {
        RetentionMode::Exact => (format!("DISTINCT s.person_id, s.began, {later} AS later"), ""),
        RetentionMode::OnOrAfter => (format!("s.person_id, s.began, max({later}) AS later"), " GROUP BY 1, 2"),
    };
    making.with(&format!(
        "SELECT * FROM (SELECT {columns} FROM {starts} s JOIN {returns} r ON r.person_id = s.person_id AND {join}
                        WHERE {later} <= {last}{group}) back
         WHERE later > 0"
    ))
}

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetentionPlace)]
pub struct Spot {
    /// The label of the period in which they began.
    pub period: String,
    /// So many periods later; 0 is who began.
    pub interval: u32,
}

/// Who is in one number.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Retention,
    spot: &Spot,
    periods: &Periods,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let began = periods.index_of_label(&spot.period)?;
    let mut making = Making::new(snapshot)?;
    let (starts, returns) = (
        starts(&mut making, question, periods)?,
        returns(&mut making, question, periods)?,
    );
    let back = back(&mut making, question, &starts, &returns);
    let began = making.bind(i32::try_from(began).unwrap_or(i32::MAX))?;
    let later = making.bind(i32::try_from(spot.interval).unwrap_or(i32::MAX))?;
    let op = match question.mode {
        RetentionMode::Exact => "=",
        RetentionMode::OnOrAfter => ">=",
    };
    let select = format!(
        "SELECT person_id FROM {starts} WHERE began = {began} AND {later} = 0
         UNION ALL SELECT person_id FROM {back} WHERE began = {began} AND {later} > 0 AND later {op} {later}"
    );
    page.of(snapshot, making, &select).await
}

fn table(question: &Retention, cells: &[Cell], periods: &Periods) -> RetentionAnswer {
    let now = periods.span.now;
    let columns = question.intervals as usize;
    let mut counts = vec![vec![0_u64; columns]; periods.len()];
    for cell in cells {
        let row = usize::try_from(cell.began).ok().and_then(|row| counts.get_mut(row));
        let column = usize::try_from(cell.later).ok();
        if let Some(place) = row.zip(column).and_then(|(row, column)| row.get_mut(column)) {
            *place = cell.persons.cast_unsigned();
        }
    }
    if question.mode == RetentionMode::OnOrAfter {
        for row in &mut counts {
            // Whoever was back later counts as back before, too; the beginning is counted already.
            for column in (2..columns).rev() {
                let later = row.get(column).copied().unwrap_or_default();
                if let Some(place) = row.get_mut(column - 1) {
                    *place += later;
                }
            }
        }
    }
    let rows = counts.into_iter().zip(&periods.labels).enumerate();
    let results = rows.map(|(began, (counts, label))| {
        let end = |column: usize| edge(question, periods, began + 1, column, 1);
        let begin = |column: usize| edge(question, periods, began, column, 0);
        Row {
            label: label.clone(),
            size: counts.first().copied().unwrap_or_default(),
            incomplete_from: (0..columns).find(|column| end(*column).is_none_or(|end| end > now)),
            values: counts
                .into_iter()
                .enumerate()
                .map(|(column, count)| begin(column).is_some_and(|begin| begin <= now).then_some(count))
                .collect(),
        }
    });
    RetentionAnswer {
        results: results.collect(),
    }
}

/// When a cell's first moment is, for whoever began first in its period (`bound` the period's own, `more` 0), or when its
/// last is over for whoever began last (`bound` that of the next period, `more` 1). Calendar periods behind the stretch
/// that was asked for are not looked at: `None`.
fn edge(question: &Retention, periods: &Periods, bound: usize, column: usize, more: usize) -> Option<Timestamp> {
    match question.window_mode {
        WindowMode::Calendar => periods.bounds.get(bound + column).copied(),
        WindowMode::Rolling => {
            let windows = i64::try_from(column + more).unwrap_or(i64::MAX);
            let length = question.period.micros().saturating_mul(windows);
            periods.bounds.get(bound).map(|at| at.plus_micros(length))
        }
    }
}

pub(super) fn whole(periods: &Periods) -> Pick {
    Pick {
        from: periods.bounds.first().copied().unwrap_or_default(),
        to: periods.bounds.last().copied().unwrap_or_default(),
    }
}
