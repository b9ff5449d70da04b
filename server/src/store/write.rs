//! The one way into the events table: binary `COPY` in one transaction with all that follows from the events and with
//! the cursor. Optimistic: if the key refuses a row, the transaction is rolled back, the events that are there
//! already are counted and left out, and the rest is tried again; another server may be storing the same events.

use std::collections::BTreeSet;

use bytes::Bytes;
use sqlx::PgConnection;
use trailmark_protocol::Uuid;

use super::connect::Store;
use super::error::{ErrorClass, StoreError};
use super::existing::{self, LeftOut};
use super::group::{Dead, Group, Late};
use super::installs::{self, Report};
use super::rows::{self, Row};
use super::segments::marks::{self, Closed};
use super::tombstones::{self, Tombstones};
use super::{claims, dead_letters, erasure_requests, identity, isolate, late, notes, registers, stored};

/// What a write did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// New rows.
    pub stored: u64,
    /// Events that were stored already, or came twice in this write.
    pub duplicates: u64,
    /// Events that the database refused; they are dead letters now.
    pub dead: u64,
    /// Events that were dropped because somebody whom they name was erased after they were captured.
    pub erased: u64,
    /// Aliases that join nobody because they would have made a person of too many users.
    pub refused_aliases: u64,
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
        let outcome = loop {
            match self.attempt(&group, cursor).await {
                Err(StoreError::Erased) => {
                    if let Err(error) = self.learn_erasures(&group.projects()).await {
                        break Err(error);
                    }
                }
                outcome => break outcome,
            }
        };
        if outcome.is_err() {
            self.dictionary.clear();
            self.weeks.clear();
        }
        outcome
    }

    async fn attempt(&self, group: &Group<'_>, cursor: Option<Cursor>) -> Result<Written, StoreError> {
        let known = self.tombstones();
        let (events, dead, late) = group.without_erased(&known);
        self.make_weeks_of(&events).await?;
        let numbers = self.numbers(&events, &known).await?;
        let mut work = Work {
            rows: events
                .iter()
                .filter_map(|pending| Row::new(pending, &numbers))
                .collect(),
            dead: dead.into_owned(),
            late,
            reports: &group.reports,
            duplicates: group.duplicates,
            claims: Vec::new(),
            cursor,
            known: &known,
        };
        let mut refused = false;
        loop {
            match self.store_whole(&work).await {
                Ok(tally) => return Ok(work.written(tally)),
                Err(error) if error.is_duplicate() => self.leave_out_existing(&mut work, error).await?,
                // Once may be a race with a partition that was just made; twice is the values.
                Err(error) if error.class() == ErrorClass::Data && !refused => refused = true,
                Err(error) if error.class() == ErrorClass::Data => return isolate::store(self, work).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn store_whole(&self, work: &Work<'_>) -> Result<Tally, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let closed = work.enter(&mut transaction).await?;
        let refused_aliases = put(&mut transaction, &work.rows, &closed).await?;
        let erased = finish(&mut transaction, work).await?;
        transaction.commit().await?;
        Ok(Tally {
            refused_aliases,
            erased,
        })
    }

    async fn leave_out_existing(&self, work: &mut Work<'_>, refusal: StoreError) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let left_out = existing::leave_out(&mut connection, &mut work.rows, refusal).await?;
        work.leave_out(left_out);
        Ok(())
    }
}

/// What is left to be written, and what was found out on the way.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) rows: Vec<Row<'a>>,
    pub(super) dead: Vec<Dead>,
    /// What `known` refuses.
    pub(super) late: Vec<Late>,
    pub(super) reports: &'a [Report<'a>],
    pub(super) duplicates: u64,
    /// Of the duplicates those of an install, where what is stored is of none; in the order of their ids.
    pub(super) claims: Vec<Row<'a>>,
    pub(super) cursor: Option<Cursor>,
    /// The tombstones that this work reckons with.
    pub(super) known: &'a Tombstones,
}

/// What a write found out about its rows.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    /// Aliases that turned out too many for one person.
    pub(super) refused_aliases: u64,
    /// Events that were dropped for a tombstone, and not before.
    pub(super) erased: u64,
}

impl<'a> Work<'a> {
    /// Some of it is stored already.
    pub(super) fn leave_out(&mut self, left_out: LeftOut<'a>) {
        self.duplicates += left_out.count;
        self.claims.extend(left_out.claims);
        self.claims.sort_by_key(|row| row.pending.key());
    }

    pub(super) fn written(&self, tally: Tally) -> Written {
        Written {
            stored: self.rows.len() as u64,
            duplicates: self.duplicates,
            dead: self.dead.len() as u64,
            erased: tally.erased,
            refused_aliases: tally.refused_aliases,
        }
    }

    /// Keeps erasures away until the transaction ends. Returns what is closed: see [`marks`].
    ///
    /// # Errors
    /// [`StoreError::Erased`] if one came before.
    pub(super) async fn enter(&self, connection: &mut PgConnection) -> Result<Closed, StoreError> {
        let rows = self.rows.iter().chain(&self.claims).map(Row::project_id);
        let projects: BTreeSet<i32> = rows.chain(self.dead.iter().map(|dead| dead.project_id)).collect();
        if projects.is_empty() {
            return Ok(Closed::default());
        }
        tombstones::enter(connection, &projects, self.known).await
    }
}

/// Puts rows in, with all that follows from them. Returns how many aliases turned out too many for one person.
pub(super) async fn put(connection: &mut PgConnection, rows: &[Row<'_>], closed: &Closed) -> Result<u64, StoreError> {
    rows::copy(connection, rows).await?;
    marks::mark(connection, rows, closed).await?;
    let refused_aliases = identity::apply(connection, rows).await?;
    registers::apply(connection, rows).await?;
    erasure_requests::apply(connection, rows).await?;
    notes::leave(connection, rows).await?;
    Ok(refused_aliases)
}

/// What ends every write: what installs say of themselves, how many of their events are stored, what came too late, the
/// dead letters and the cursor. Returns how many events came too late.
pub(super) async fn finish(connection: &mut PgConnection, work: &Work<'_>) -> Result<u64, StoreError> {
    installs::apply(connection, work.reports).await?;
    let claimed = claims::claim(connection, &work.claims).await?;
    stored::count(connection, &work.rows, &claimed).await?;
    let erased = late::count(connection, &work.late).await?;
    dead_letters::keep(connection, &work.dead).await?;
    let Some(Cursor { node, through }) = work.cursor else {
        return Ok(erased);
    };
    sqlx::query(
        "INSERT INTO ingest_cursor AS c (node_id, seq) VALUES ($1, $2)
         ON CONFLICT (node_id) DO UPDATE SET seq = excluded.seq, updated_at = now() WHERE c.seq < excluded.seq",
    )
    .bind(node)
    .bind(through.cast_signed())
    .execute(connection)
    .await?;
    Ok(erased)
}
