//! What is not sealed yet.

use trailmark_protocol::Timestamp;

use super::frontier::{self, BEGINNING};
use super::read::{self, Stretch};
use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::weeks::Week;

/// Events that could be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// From when on.
    pub begins: Timestamp,
    /// How many, as far as they were counted.
    pub events: i64,
}

impl Store {
    /// The events that happened before `until` and are not sealed, counted up to `most`. None: there was never one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn tail(&self, project_id: i32, until: Timestamp, most: i64) -> Result<Option<Tail>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        read::prepare(&mut transaction).await?;
        let names = read::names(&mut transaction, project_id).await?;
        let frontier = frontier::read(&mut transaction, project_id).await?;
        let sealed_before = frontier.map_or(BEGINNING, |frontier| frontier.sealed_before.0);
        let begins = match sealed_before {
            BEGINNING => read::first(&mut transaction, project_id, &names, BEGINNING).await?,
            sealed_before => Some(sealed_before),
        };
        let Some(begins) = begins else { return Ok(None) };
        let tail = Stretch {
            project_id,
            names: &names,
            from: begins,
            until,
        };
        let events = read::count(&mut transaction, tail, most).await?;
        Ok(Some(Tail { begins, events }))
    }

    /// How many events the segments of the week that holds `at` have.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn sealed_of_week(&self, project_id: i32, at: Timestamp) -> Result<i64, StoreError> {
        let sum = "SELECT COALESCE(sum(events), 0)::bigint FROM segments WHERE project_id = $1 AND week = $2";
        let sum = sqlx::query_scalar(sum)
            .bind(project_id)
            .bind(Week::of_time(at).number());
        Ok(sum.fetch_one(&self.pool).await?)
    }
}
