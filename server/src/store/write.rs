//! The one way into the events table: binary `COPY` in one transaction with all that follows from the events and with
//! the cursor. Optimistic: if the key refuses a row, the transaction is rolled back, the events that are there
//! already are counted and left out, and the rest is tried again; another server may be storing the same events.

use bytes::Bytes;
use sqlx::PgConnection;
use trailmark_protocol::Uuid;

use super::connect::Store;
use super::error::{ErrorClass, StoreError};
use super::group::{Dead, Group};
use super::installs::{self, Report};
use super::rows::{self, Row};
use super::{dead_letters, existing, identity, isolate, registers};

/// What a write did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// New rows.
    pub stored: u64,
    /// Events that were stored already, or came twice in this write.
    pub duplicates: u64,
    /// Events that the database refused; they are dead letters now.
    pub dead: u64,
}

/// How far a node's journal is stored once this is committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    pub(super) node: Uuid,
    pub(super) through: u64,
}

impl Store {
    /// Stores the events of `payloads`, which are the records of `node`'s journal up to and including `through`: each
    /// event once, however often it comes, with its links, aliases and person properties, what installs say of
    /// themselves, and the cursor, in one transaction. What the database refuses for its values becomes a dead letter in
    /// that transaction.
    ///
    /// # Errors
    /// Nothing of the write is stored. [`ErrorClass::Transient`] and [`ErrorClass::Saturated`]: try again later.
    /// [`ErrorClass::Bug`] and [`ErrorClass::Data`] (which this function handles): somebody has to act.
    pub async fn write(&self, node: Uuid, through: u64, payloads: &[Bytes]) -> Result<Written, StoreError> {
        self.store(Group::read(payloads), Some(Cursor { node, through })).await
    }

    /// Stores a group, and forgets the caches if it fails for another reason than the values: the database may be
    /// another one when it answers again.
    pub(super) async fn store(&self, group: Group<'_>, cursor: Option<Cursor>) -> Result<Written, StoreError> {
        let outcome = self.attempt(group, cursor).await;
        if outcome.is_err() {
            self.dictionary.clear();
            self.weeks.clear();
        }
        outcome
    }

    async fn attempt(&self, group: Group<'_>, cursor: Option<Cursor>) -> Result<Written, StoreError> {
        self.make_weeks_of(&group.events).await?;
        let numbers = self.numbers(&group.events).await?;
        let rows = group
            .events
            .iter()
            .filter_map(|pending| Row::new(pending, &numbers))
            .collect();
        let mut work = Work {
            rows,
            dead: group.dead,
            reports: group.reports,
            duplicates: group.duplicates,
            cursor,
        };
        let mut refused = false;
        loop {
            match self.store_whole(&work).await {
                Ok(()) => return Ok(work.written()),
                Err(error) if error.is_duplicate() => self.leave_out_existing(&mut work, error).await?,
                // Once may be a race with a partition that was just made; twice is the values.
                Err(error) if error.class() == ErrorClass::Data && !refused => refused = true,
                Err(error) if error.class() == ErrorClass::Data => return isolate::store(self, work).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn store_whole(&self, work: &Work<'_>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        put(&mut transaction, &work.rows).await?;
        finish(&mut transaction, work).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn leave_out_existing(&self, work: &mut Work<'_>, refusal: StoreError) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        work.duplicates += existing::leave_out(&mut connection, &mut work.rows, refusal).await?;
        Ok(())
    }
}

/// What is left to be written, and what was found out on the way.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) rows: Vec<Row<'a>>,
    pub(super) dead: Vec<Dead>,
    pub(super) reports: Vec<Report<'a>>,
    pub(super) duplicates: u64,
    pub(super) cursor: Option<Cursor>,
}

impl Work<'_> {
    pub(super) fn written(&self) -> Written {
        Written {
            stored: self.rows.len() as u64,
            duplicates: self.duplicates,
            dead: self.dead.len() as u64,
        }
    }
}

/// Puts rows in, with all that follows from them.
pub(super) async fn put(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    rows::copy(connection, rows).await?;
    identity::apply(connection, rows).await?;
    registers::apply(connection, rows).await
}

/// What ends every write: what installs say of themselves, the dead letters and the cursor.
pub(super) async fn finish(connection: &mut PgConnection, work: &Work<'_>) -> Result<(), StoreError> {
    installs::apply(connection, &work.reports).await?;
    dead_letters::keep(connection, &work.dead).await?;
    let Some(Cursor { node, through }) = work.cursor else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO ingest_cursor AS c (node_id, seq) VALUES ($1, $2)
         ON CONFLICT (node_id) DO UPDATE SET seq = excluded.seq, updated_at = now() WHERE c.seq < excluded.seq",
    )
    .bind(node)
    .bind(through.cast_signed())
    .execute(connection)
    .await?;
    Ok(())
}
