//! Weeks, and the partitions of the events table: one per ISO week of the id's time.
//!
//! A partition is made beside the table and then attached: `ATTACH` locks the table for neither reads nor writes, only
//! the default partition, which holds next to nothing. Rows of that week which are in the default partition move first.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use sqlx::{AssertSqlSafe, PgConnection};
use trailmark_protocol::{Timestamp, Uuid, id};

use super::connect::Store;
use super::error::StoreError;
use super::group::Pending;
use super::pg_time::PgTime;
use super::segments;

/// Partitions are made this many weeks ahead: a server that runs renews them hourly, so this is how long making them may fail.
pub const WEEKS_AHEAD: i32 = 8;

/// The week of 2010-01-01, the oldest that gets a partition of its own: older than any log somebody imports, and
/// the worst a forged id can do is 840 empty tables.
const OLDEST: Week = Week::of_millis(1_262_304_000_000);

/// Longest wait for the lock on the default partition: readers queue behind it. Then [`ErrorClass::Transient`].
///
/// [`ErrorClass::Transient`]: super::error::ErrorClass::Transient
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";

/// Advisory lock held while partitions are made; the number is arbitrary ("tmweeks" in ASCII).
const WEEKS_LOCK: i64 = 0x74_6d77_6565_6b73;

const PARTITIONS: &str = "
    SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass";

const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// From Monday 1969-12-29 to Thursday 1970-01-01.
const MONDAY_TO_EPOCH_MS: i64 = 3 * 24 * 60 * 60 * 1000;

/// An ISO week: number of weeks since the one that holds 1970-01-01. 48 bits of milliseconds are 465,000 weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Week(i32);

impl Week {
    /// By its number.
    pub(crate) const fn of_number(number: i32) -> Self {
        Self(number)
    }

    /// Weeks since the one that holds 1970-01-01.
    pub(crate) const fn number(self) -> i32 {
        self.0
    }

    /// The week that holds `at`.
    pub(crate) fn of_time(at: Timestamp) -> Self {
        Self::of_millis(at.millis())
    }

    /// Its first moment.
    pub(crate) const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.start_millis())
    }

    /// The first moment after it.
    pub(crate) const fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "i64 milliseconds / a week saturate far above any use"
    )]
    const fn of_millis(millis: i64) -> Self {
        Self((millis + MONDAY_TO_EPOCH_MS).div_euclid(WEEK_MS) as i32)
    }

    fn of_id(event_id: Uuid) -> Self {
        Self::of_millis(id::millis(event_id).cast_signed())
    }

    pub(super) const fn plus(self, weeks: i32) -> Self {
        Self(self.0 + weeks)
    }

    /// Its first millisecond.
    const fn start_millis(self) -> i64 {
        self.0 as i64 * WEEK_MS - MONDAY_TO_EPOCH_MS
    }

    /// Below every UUIDv7 of this week and above every one before: the time, then zeros. Of an eligible week only.
    pub(super) fn lower_bound(self) -> Uuid {
        Uuid::from_u128(u128::from(self.start_millis().max(0).cast_unsigned()) << 80)
    }

    /// `events_2026w47`: made from numbers only, so it may be written into a statement.
    pub(super) fn table(self) -> String {
        let thursday = self.start_millis() + MONDAY_TO_EPOCH_MS;
        let date = time::OffsetDateTime::from_unix_timestamp(thursday / 1000)
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
            .date();
        format!("events_{:04}w{:02}", date.year(), date.iso_week())
    }

    /// Whether an event of this week, received at `received_at`, is worth a partition.
    fn is_sane(self, received_at: Timestamp) -> bool {
        self >= OLDEST && self <= Self::of_time(received_at).plus(WEEKS_AHEAD)
    }
}

/// The weeks that are known to have a partition.
#[derive(Debug, Default)]
pub(super) struct KnownWeeks(Mutex<BTreeSet<Week>>);

impl KnownWeeks {
    fn unknown(&self, wanted: &BTreeSet<Week>) -> BTreeSet<Week> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.difference(&known).copied().collect()
    }

    fn learn(&self, weeks: &BTreeSet<Week>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(weeks);
    }

    /// Forgets everything: the database may be another one now.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The weeks that `events` need.
fn wanted(events: &[Pending<'_>]) -> BTreeSet<Week> {
    let mut wanted = BTreeSet::new();
    let mut last = None;
    for Pending { head, event } in events {
        let week = Week::of_id(event.id);
        if last != Some(week) && week.is_sane(head.received_at) {
            wanted.insert(week);
            last = Some(week);
        }
    }
    wanted
}

impl Store {
    /// Makes the partitions of this week and the eight weeks to come, as far as they are missing.
    ///
    /// # Errors
    /// What stands in the way. Storing goes on without: it makes a missing partition on demand.
    pub async fn make_weeks_ahead(&self, now: Timestamp) -> Result<(), StoreError> {
        let this = Week::of_time(now).max(OLDEST);
        self.make_weeks((0..=WEEKS_AHEAD).map(|ahead| this.plus(ahead)).collect())
            .await
    }

    /// Drops the partitions of weeks that were over before `before`, the counts of their hours and what segments hold of them;
    /// returns how many. One that is being read is left for the next time.
    ///
    /// # Errors
    /// What stands in the way; what is dropped stays dropped.
    pub async fn drop_weeks(&self, before: Timestamp) -> Result<u64, StoreError> {
        let (mut week, mut dropped) = (OLDEST, 0);
        let end = Week::of_time(before);
        let there: BTreeSet<String> = sqlx::query_scalar(PARTITIONS)
            .fetch_all(&self.pool)
            .await?
            .into_iter()
            .collect();
        while week < end {
            if there.contains(&week.table()) {
                let mut transaction = self.pool.begin().await?;
                let segments = segments::dropping(&mut transaction, week).await?;
                sqlx::query(LOCK_TIMEOUT).execute(&mut *transaction).await?;
                // Nothing but numbers of a week is written into it.
                let drop = format!("DROP TABLE {}", week.table());
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *transaction).await?;
                let forget = sqlx::query("DELETE FROM event_hours WHERE hour < $1");
                let until = PgTime(Timestamp::from_millis(week.plus(1).start_millis()));
                forget.bind(until).execute(&mut *transaction).await?;
                segments::dropped(&mut transaction, week, segments).await?;
                transaction.commit().await?;
                dropped += 1;
            }
            week = week.plus(1);
        }
        if dropped > 0 {
            self.weeks.clear();
        }
        Ok(dropped)
    }

    /// Makes the partitions that `events` need, as far as they are missing.
    pub(super) async fn make_weeks_of(&self, events: &[Pending<'_>]) -> Result<(), StoreError> {
        self.make_weeks(wanted(events)).await
    }

    async fn make_weeks(&self, wanted: BTreeSet<Week>) -> Result<(), StoreError> {
        let unknown = self.weeks.unknown(&wanted);
        if unknown.is_empty() {
            return Ok(());
        }
        for week in &unknown {
            let mut transaction = self.pool.begin().await?;
            make_week(&mut transaction, *week).await?;
            transaction.commit().await?;
        }
        self.weeks.learn(&unknown);
        Ok(())
    }
}

/// Makes one partition, unless another server has.
async fn make_week(connection: &mut PgConnection, week: Week) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(WEEKS_LOCK)
        .execute(&mut *connection)
        .await?;
    let table = week.table();
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&table)
        .fetch_one(&mut *connection)
        .await?;
    if there {
        return Ok(());
    }
    sqlx::query(LOCK_TIMEOUT).execute(&mut *connection).await?;
    sqlx::raw_sql(AssertSqlSafe(make_statements(&table, week)))
        .execute(connection)
        .await?;
    Ok(())
}

/// The statements that make and attach a partition. Nothing but numbers of a [`Week`] is written into them.
fn make_statements(table: &str, week: Week) -> String {
    let (from, to) = (week.lower_bound(), week.plus(1).lower_bound());
    format!(
        "LOCK TABLE events_default IN ACCESS EXCLUSIVE MODE;
         CREATE TABLE {table} (LIKE events INCLUDING ALL) WITH (autovacuum_vacuum_insert_scale_factor = 0.02);
         WITH moved AS (DELETE FROM events_default WHERE id >= '{from}' AND id < '{to}' RETURNING *)
         INSERT INTO {table} SELECT * FROM moved;
         ALTER TABLE events ATTACH PARTITION {table} FOR VALUES FROM ('{from}') TO ('{to}');"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i64 {
        Timestamp::parse(text).unwrap().millis()
    }

    #[test]
    fn a_week_begins_on_monday_and_is_named_by_iso() {
        for (at, table) in [
            ("2026-11-21T02:00:00Z", "events_2026w47"),
            ("2026-11-22T23:59:59.999Z", "events_2026w47"),
            ("2026-11-23T00:00:00Z", "events_2026w48"),
            ("2010-01-01T00:00:00Z", "events_2009w53"),
            ("2027-01-03T00:00:00Z", "events_2026w53"),
            ("2027-01-04T00:00:00Z", "events_2027w01"),
            ("1970-01-01T00:00:00Z", "events_1970w01"),
        ] {
            assert_eq!(Week::of_millis(millis(at)).table(), table, "{at}");
        }
    }

    #[test]
    fn a_moment_is_in_one_week_of_any_century() {
        for at in [
            "0000-01-01T00:00:00Z",
            "1969-12-28T23:59:59.999999Z",
            "1969-12-29T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            let at = Timestamp::parse(at).unwrap();
            let week = Week::of_time(at);
            assert!(week.start() <= at && at < week.end(), "{at}");
            assert_eq!(
                (Week::of_time(week.start()), Week::of_number(week.number())),
                (week, week)
            );
            assert_eq!(Week::of_time(week.end()), week.plus(1));
        }
        assert_eq!(Week::of_time(Timestamp::from_millis(0)).number(), 0);
    }

    #[test]
    fn bounds_hold_every_id_of_their_week_and_no_other() {
        let week = Week::of_millis(millis("2026-11-21T02:00:00Z"));
        let first = id::v7(millis("2026-11-16T00:00:00Z").cast_unsigned(), [0; 10]);
        let last = id::v7(millis("2026-11-22T23:59:59.999Z").cast_unsigned(), [0xff; 10]);
        assert!(week.lower_bound() <= first && last < week.plus(1).lower_bound());
        assert!(id::v7(millis("2026-11-15T23:59:59.999Z").cast_unsigned(), [0xff; 10]) < week.lower_bound());
        assert_eq!((Week::of_id(first), Week::of_id(last)), (week, week));
    }

    #[test]
    fn absurd_ids_get_no_partition() {
        let now = Timestamp::parse("2026-11-21T02:00:00Z").unwrap();
        let sane = |text: &str| Week::of_millis(millis(text)).is_sane(now);
        assert!(sane("2010-01-01T00:00:00Z") && sane("2027-01-17T23:59:59Z"));
        assert!(!sane("2009-12-27T23:59:59Z") && !sane("2027-01-18T00:00:00Z") && !sane("1970-01-01T00:00:00Z"));
        assert!(!Week::of_id(Uuid::max()).is_sane(now));
    }
}
