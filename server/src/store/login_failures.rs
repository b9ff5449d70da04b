//! Failed logins by account. The rules are `gateway::login::lockout`'s: here they are applied to one row, held for so long.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// Rows that are kept at the most: 100,000, about 15 MB. A flood of made-up addresses fills no disk.
const ROWS_MAX: i64 = 100_000;

/// How one account fared lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFailures {
    /// Failures since then, up to the next lock.
    pub failures: u32,
    /// When they began to be counted.
    pub since: Timestamp,
    /// Locks in a row.
    pub locks: u32,
    /// When the last of them ends, or ended; not after `since` if there was none.
    pub locked_until: Timestamp,
}

impl LoginFailures {
    /// None, as of `now`.
    #[must_use]
    pub const fn none(now: Timestamp) -> Self {
        Self {
            failures: 0,
            since: now,
            locks: 0,
            locked_until: now,
        }
    }
}

type Row = (i32, PgTime, i32, PgTime);

impl From<Row> for LoginFailures {
    fn from((failures, since, locks, locked_until): Row) -> Self {
        Self {
            failures: failures.cast_unsigned(),
            since: since.0,
            locks: locks.cast_unsigned(),
            locked_until: locked_until.0,
        }
    }
}

impl Store {
    /// Changes how an account fares by `decide`, one after the other for all servers. Its refusal changes nothing.
    ///
    /// # Errors
    /// What stands in the way; the inner error is that of `decide`.
    pub async fn change_login_failures<T, E>(
        &self,
        account: &[u8; 32],
        now: Timestamp,
        decide: impl FnOnce(LoginFailures) -> Result<(LoginFailures, T), E>,
    ) -> Result<Result<T, E>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // An update of nothing, for the lock on a row that may be new.
        let row: Row = sqlx::query_as(
            "INSERT INTO login_failures (account_hash, failures, since, locks, locked_until, updated_at)
             VALUES ($1, 0, $2, 0, $2, $2) ON CONFLICT (account_hash) DO UPDATE SET account_hash = EXCLUDED.account_hash
             RETURNING failures, since, locks, locked_until",
        )
        .bind(account)
        .bind(PgTime(now))
        .fetch_one(&mut *transaction)
        .await?;
        let (after, told) = match decide(row.into()) {
            Ok(decided) => decided,
            Err(refused) => return Ok(Err(refused)),
        };
        sqlx::query(
            "UPDATE login_failures SET failures = $2, since = $3, locks = $4, locked_until = $5, updated_at = $6
             WHERE account_hash = $1",
        )
        .bind(account)
        .bind(after.failures.cast_signed())
        .bind(PgTime(after.since))
        .bind(after.locks.cast_signed())
        .bind(PgTime(after.locked_until))
        .bind(PgTime(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Ok(told))
    }

    /// Forgets how an account fared. Returns whether there was anything to forget.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_login_failures(&self, account: &[u8; 32]) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM login_failures WHERE account_hash = $1")
            .bind(account)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets accounts that have not changed since `before` and are not locked at `now`; beyond 100,000, the least
    /// locked and the oldest.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn sweep_login_failures(&self, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM login_failures WHERE updated_at < $1 AND locked_until < $2")
            .bind(PgTime(before))
            .bind(PgTime(now))
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "DELETE FROM login_failures WHERE account_hash IN (
                 SELECT account_hash FROM login_failures ORDER BY locks DESC, updated_at DESC OFFSET $1
             )",
        )
        .bind(ROWS_MAX)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
