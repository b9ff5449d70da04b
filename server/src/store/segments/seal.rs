//! Sealing: rows become segments, in steps that a crash can only undo whole.

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::keep::{self, Key};
use super::read::{self, Stretch};
use super::{frontier, hold};
use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::weeks::Week;

/// Most events of a step: a million. Of each, 24 bytes and 4 for each column are collected, and about as much again while they
/// are sorted: 60 MB, and the texts of the columns' values, each once. The segments that they are added to take as
/// much for each of their events, one segment at a time.
const EVENTS_AT_ONCE: i64 = 1_000_000;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Rows that are in segments now.
    pub events: u64,
    /// Whether everything of before the moment that was asked for is sealed.
    pub reached: bool,
}

impl Store {
    /// Seals everything that happened before `until`. Returns how many events.
    ///
    /// # Errors
    /// What stands in the way; what is sealed stays sealed.
    pub async fn seal(&self, project_id: i32, until: Timestamp) -> Result<u64, StoreError> {
        self.close_segments(project_id, until).await?;
        let mut sealed = 0;
        loop {
            let step = self.seal_step(project_id, until).await?;
            sealed += step.events;
            if step.reached {
                return Ok(sealed);
            }
        }
    }

    /// Seals some of what happened before `until` and is closed: of one week, and at most a million events.
    ///
    /// # Errors
    /// What stands in the way; then nothing has changed.
    pub async fn seal_step(&self, project_id: i32, until: Timestamp) -> Result<Step, StoreError> {
        self.seal_some(project_id, until, EVENTS_AT_ONCE).await
    }

    /// A step of another size, for tests.
    ///
    /// # Errors
    /// What stands in the way.
    #[doc(hidden)]
    pub async fn seal_some(&self, project_id: i32, until: Timestamp, most: i64) -> Result<Step, StoreError> {
        let mut transaction = self.pool.begin().await?;
        hold(&mut transaction, project_id).await?;
        let frontier = frontier::read(&mut transaction, project_id).await?;
        let reach = frontier.map(|frontier| (frontier.sealed_before.0, until.min(frontier.closed_before.0)));
        let Some((from, goal)) = reach.filter(|(from, goal)| from < goal) else {
            return Ok(Step {
                events: 0,
                reached: true,
            });
        };
        read::prepare(&mut transaction).await?;
        let names = read::names(&mut transaction, project_id).await?;
        let whole = Stretch {
            project_id,
            names: &names,
            from,
            until: goal,
        };
        let (mut sealed, mut end) = (0, goal);
        if let Some(some) = next(&mut transaction, whole, most).await? {
            sealed = seal(&mut transaction, some).await?;
            end = some.until;
        }
        frontier::advance(&mut transaction, project_id, end).await?;
        transaction.commit().await?;
        Ok(Step {
            events: sealed,
            reached: end >= goal,
        })
    }
}

/// The first part of `whole` that has events, of one week and not too many; none, if it has none. Empty weeks are passed over:
/// somebody's clock said that it was the year 1.
async fn next<'n>(
    connection: &mut PgConnection,
    whole: Stretch<'n>,
    most: i64,
) -> Result<Option<Stretch<'n>>, StoreError> {
    let within_week = |from: Timestamp| Stretch {
        from,
        until: Week::of_time(from).end().min(whole.until),
        ..whole
    };
    let mut some = within_week(whole.from);
    let mut events = read::count(connection, some, most + 1).await?;
    if events == 0 {
        let first = read::first(connection, whole.project_id, whole.names, some.until).await?;
        let Some(first) = first.filter(|first| *first < whole.until) else {
            return Ok(None);
        };
        some = within_week(Week::of_time(first).start());
        events = read::count(connection, some, most + 1).await?;
    }
    while events > most {
        let half = (some.until.micros() - some.from.micros()) / 2;
        if half == 0 {
            break;
        }
        some.until = some.from.plus_micros(half);
        events = read::count(connection, some, most + 1).await?;
    }
    Ok(Some(some))
}

/// Adds the events of a stretch within a week to its segments.
async fn seal(connection: &mut PgConnection, some: Stretch<'_>) -> Result<u64, StoreError> {
    let columns = read::promoted(connection, some.project_id).await?;
    let mut sealed = 0;
    for (name, events) in read::take(connection, some, &columns).await? {
        sealed += events.len() as u64;
        let key = Key {
            project_id: some.project_id,
            name,
            week: Week::of_time(some.from),
        };
        keep::add(connection, key, events, &columns).await?;
    }
    Ok(sealed)
}
