//! Segments are made anew from the rows, one name and week at a time.

use super::fold::sealed_end;
use super::frontier::{self, BEGINNING};
use super::hold;
use super::keep::{self, Key};
use super::read::{self, Stretch};
use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::weeks::Week;

/// What is asked for most comes first: the newest weeks.
const STALE: &str = "
    SELECT event_name_id, week FROM segments WHERE project_id = $1 AND stale IS NOT NULL
    ORDER BY week DESC, event_name_id LIMIT $2";

/// Right, but with columns of other properties than are promoted now.
const OUTDATED: &str = "
    SELECT event_name_id, week FROM segments
    WHERE project_id = $1 AND stale IS NULL AND columns <> ARRAY(
        SELECT property FROM promoted_properties WHERE project_id = $1 ORDER BY property COLLATE \"C\")
    ORDER BY week DESC, event_name_id LIMIT $2";

impl Store {
    /// Makes stale segments anew, at most so many. Returns how many: fewer, if no more are left.
    ///
    /// # Errors
    /// What stands in the way; what is made stays.
    pub async fn rebuild_stale(&self, project_id: i32, most: u32) -> Result<u32, StoreError> {
        self.rebuild_some(STALE, project_id, most).await
    }

    /// Makes segments anew that do not have the columns of the properties that are promoted now, at most so many. Returns
    /// how many.
    ///
    /// # Errors
    /// What stands in the way; what is made stays.
    pub async fn rebuild_outdated(&self, project_id: i32, most: u32) -> Result<u32, StoreError> {
        self.rebuild_some(OUTDATED, project_id, most).await
    }

    async fn rebuild_some(&self, which: &'static str, project_id: i32, most: u32) -> Result<u32, StoreError> {
        let which = sqlx::query_as(which).bind(project_id).bind(i64::from(most));
        let which: Vec<(i32, i32)> = which.fetch_all(&self.pool).await?;
        for (name, week) in &which {
            let (name, week) = (*name, Week::of_number(*week));
            self.rebuild(Key { project_id, name, week }).await?;
        }
        Ok(which.len() as u32)
    }

    /// Collects all events of the name and week at once: as large as [`keep::add`] makes them.
    async fn rebuild(&self, key: Key) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        hold(&mut transaction, key.project_id).await?;
        let frontier = frontier::read(&mut transaction, key.project_id).await?;
        let sealed_before = frontier.map_or(BEGINNING, |frontier| frontier.sealed_before.0);
        read::prepare(&mut transaction).await?;
        let columns = read::promoted(&mut transaction, key.project_id).await?;
        let of = Stretch {
            project_id: key.project_id,
            names: &[key.name],
            from: key.week.start(),
            until: sealed_end(key.week, sealed_before),
        };
        let events = read::take(&mut transaction, of, &columns).await?.remove(&key.name);
        keep::put(&mut transaction, key, events.unwrap_or_default(), &columns).await?;
        transaction.commit().await?;
        Ok(())
    }
}
