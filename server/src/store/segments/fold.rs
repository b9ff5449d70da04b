//! Late events get into the segments of their weeks.

use std::collections::BTreeSet;
use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::keep::{self, Key};
use super::read::{self, Stretch};
use super::{frontier, hold};
use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::weeks::Week;

/// So many late events of a name and week are folded in at once: 1,000, a few milliseconds of every answer that reads them.
const MANY: i64 = 1_000;

const LATE: &str = "
    SELECT event_name_id, date_trunc('week', timestamp, 'UTC') AS week, count(*) FROM late_events
    WHERE project_id = $1 AND timestamp < (SELECT sealed_before FROM segment_frontiers WHERE project_id = $1)
    GROUP BY 1, 2 ORDER BY 1, 2";

/// Stale ones need nothing: their late events come with the rows. `$5`: how long a segment is left alone, in seconds.
const LEFT_ALONE: &str = "
    SELECT s.event_name_id, s.week FROM segments s
    JOIN unnest($2::integer[], $3::integer[], $4::bigint[]) AS late (name, week, events)
      ON s.event_name_id = late.name AND s.week = late.week
    WHERE s.project_id = $1
      AND (s.stale IS NOT NULL OR late.events < $6 AND s.sealed_at > now() - make_interval(secs => $5))";

impl Store {
    /// Folds late events into the segments that have many of them, or were not made for `rest`: so a segment that few late
    /// events trickle into is written once in that time. Returns how many events.
    ///
    /// # Errors
    /// What stands in the way; what is folded in stays so.
    pub async fn fold_late(&self, project_id: i32, rest: Duration) -> Result<u64, StoreError> {
        let late: Vec<(i32, PgTime, i64)> = sqlx::query_as(LATE).bind(project_id).fetch_all(&self.pool).await?;
        if late.is_empty() {
            return Ok(0);
        }
        let keys: Vec<(i32, i32)> = late
            .iter()
            .map(|(name, start, _)| (*name, Week::of_time(start.0).number()))
            .collect();
        let (names, weeks): (Vec<i32>, Vec<i32>) = keys.iter().copied().unzip();
        let left_alone: Vec<(i32, i32)> = sqlx::query_as(LEFT_ALONE)
            .bind(project_id)
            .bind(names)
            .bind(weeks)
            .bind(late.iter().map(|(_, _, events)| *events).collect::<Vec<_>>())
            .bind(rest.as_secs_f64())
            .bind(MANY)
            .fetch_all(&self.pool)
            .await?;
        let left_alone: BTreeSet<(i32, i32)> = left_alone.into_iter().collect();
        let mut folded = 0;
        for (name, week) in keys.into_iter().filter(|key| !left_alone.contains(key)) {
            let week = Week::of_number(week);
            folded += self.fold(Key { project_id, name, week }).await?;
        }
        Ok(folded)
    }

    /// One segment in one transaction: as large as the week of a name, and whoever waits for the lock waits for no more.
    async fn fold(&self, key: Key) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        hold(&mut transaction, key.project_id).await?;
        let Some(frontier) = frontier::read(&mut transaction, key.project_id).await? else {
            return Ok(0);
        };
        read::prepare(&mut transaction).await?;
        let columns = read::promoted(&mut transaction, key.project_id).await?;
        let late = Stretch {
            project_id: key.project_id,
            names: &[key.name],
            from: key.week.start(),
            until: sealed_end(key.week, frontier.sealed_before.0),
        };
        let mut folded = 0;
        for events in read::take_late(&mut transaction, late, &columns).await?.into_values() {
            folded += events.len() as u64;
            keep::add(&mut transaction, key, events, &columns).await?;
        }
        transaction.commit().await?;
        Ok(folded)
    }
}

/// Where the sealed part of a week ends.
pub(super) fn sealed_end(week: Week, sealed_before: Timestamp) -> Timestamp {
    week.end().min(sealed_before)
}
