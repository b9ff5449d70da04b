//! The rows of an export, page by page: week by week of their ids, oldest first, and in a week by time.

use std::vec::IntoIter;

use futures_util::TryStreamExt;

use super::slices::{Slice, Slices};
use crate::query::error::QueryError;
use crate::query::events::{EventRow, events_of_page};
use crate::query::params::TimeRange;
use crate::query::reader::Reader;
use crate::query::snapshot::Snapshot;
use crate::query::time::At;
use crate::query::windows::{self, Window};
use crate::store::PgTime;

/// Events on one page: 5,000, some 2.5 MB, are read in about 50 ms.
const PAGE: usize = 5_000;

/// Most bytes of properties and context on one page: 16 MiB, and one event's 64 KiB.
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// The names whose events are asked for; those that are new since then have none that were there at the beginning.
const NAMES: &str = "SELECT id FROM event_names WHERE project_id = $1 AND ($2::text[] IS NULL OR name = ANY ($2))";

/// When the first and the last event of a window happened: two entries of `events_by_name` for each name.
const BOUNDS: &str = "
    SELECT min(of_name.first) AS first, max(of_name.last) AS last
    FROM unnest($2::integer[]) AS name (id), LATERAL (
        SELECT min(timestamp) AS first, max(timestamp) AS last FROM events
        WHERE project_id = $1 AND event_name_id = name.id AND id >= $3 AND id < $4
          AND timestamp >= COALESCE($5, '-infinity') AND timestamp < COALESCE($6, 'infinity')) AS of_name";

/// A page of a slice of a window. It is cut before the names and ids are looked up.
const EVENTS: &str = concat!(
    "
    WITH page AS (
        SELECT * FROM events
        WHERE project_id = $1 AND event_name_id = ANY ($2) AND id >= $3 AND id < $4
          AND timestamp >= $5 AND timestamp < $6 AND (timestamp, id) > ($5, $7)
        ORDER BY timestamp, id LIMIT $8)
    ",
    events_of_page!(),
    "
    ORDER BY page.timestamp, page.id"
);

/// A walk through the rows.
#[derive(Debug)]
pub struct Pages {
    reader: Reader,
    range: TimeRange,
    names: Vec<i32>,
    windows: IntoIter<Window>,
    at: Option<(Window, Slices)>,
}

impl Pages {
    /// Begins with the events of `range`, those of these names or of all where there are none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn begin(reader: Reader, range: TimeRange, names: &[String]) -> Result<Self, QueryError> {
        let wanted = (!names.is_empty()).then(|| names.to_vec());
        let begun = reader.answer(async |snapshot| begun(snapshot, wanted).await);
        let (names, mut windows) = begun.await?;
        windows.reverse();
        Ok(Self {
            reader,
            range,
            names,
            windows: windows.into_iter(),
            at: None,
        })
    }

    /// The next events, if only few or none; `None` at the end.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn next(&mut self) -> Result<Option<Vec<EventRow>>, QueryError> {
        let Some((window, slices)) = &mut self.at else {
            let Some(window) = self.windows.next() else {
                return Ok(None);
            };
            let look = self
                .reader
                .answer(async |snapshot| bounds(snapshot, &self.names, window, self.range).await);
            self.at = look.await?.map(|(first, last)| (window, Slices::over(first.0, last.0)));
            return Ok(Some(Vec::new()));
        };
        let Some(slice) = slices.next() else {
            self.at = None;
            return Ok(Some(Vec::new()));
        };
        let look = self
            .reader
            .answer(async |snapshot| page(snapshot, &self.names, *window, slice).await);
        let (rows, is_cut) = look.await?;
        match rows.last() {
            Some(last) if is_cut => slices.cut(last.timestamp.0, last.id),
            _ => slices.ended(rows.len() as f64 / PAGE as f64),
        }
        Ok(Some(rows))
    }
}

async fn begun(snapshot: &mut Snapshot, wanted: Option<Vec<String>>) -> Result<(Vec<i32>, Vec<Window>), QueryError> {
    let names = snapshot.select::<(i32,)>(NAMES).bind(wanted);
    let names = names.fetch_all(snapshot.rows()).await?;
    let windows = windows::by_week(snapshot, None).await?;
    Ok((names.into_iter().map(|(id,)| id).collect(), windows))
}

async fn bounds(
    snapshot: &mut Snapshot,
    names: &[i32],
    window: Window,
    range: TimeRange,
) -> Result<Option<(At, At)>, QueryError> {
    let statement = snapshot
        .select::<(Option<At>, Option<At>)>(BOUNDS)
        .bind(names.to_vec())
        .bind(window.from)
        .bind(window.below)
        .bind(range.from.map(PgTime))
        .bind(range.to.map(PgTime));
    let (first, last) = statement.fetch_one(snapshot.rows()).await?;
    Ok(first.zip(last))
}

/// A page, and whether there may be more in the slice. Rows are taken as they come: 5,000 of the largest would be 320 MB.
async fn page(
    snapshot: &mut Snapshot,
    names: &[i32],
    window: Window,
    slice: Slice,
) -> Result<(Vec<EventRow>, bool), QueryError> {
    let statement = snapshot
        .select::<EventRow>(EVENTS)
        .bind(names.to_vec())
        .bind(window.from)
        .bind(window.below)
        .bind(PgTime(slice.from))
        .bind(PgTime(slice.below))
        .bind(slice.after)
        .bind(PAGE as i64);
    let mut rows = statement.fetch(snapshot.rows());
    let (mut page, mut bytes): (Vec<EventRow>, usize) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        bytes += row.json_bytes();
        page.push(row);
        if bytes > PAGE_BYTES {
            return Ok((page, true));
        }
    }
    let is_cut = page.len() == PAGE;
    Ok((page, is_cut))
}
