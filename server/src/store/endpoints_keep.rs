//! What is done to the sums of endpoints from time to time: what is usual is kept, what is old forgotten.

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::endpoints::lock;
use super::endpoints_read::EachRow;
use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::latency::cover::Piece;
use crate::observe::latency::{Span, Tally, Usual};

/// Most rows that are forgotten in one statement: 10,000, some 50 ms.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

/// Found through the key, by one project and span at a time.
const FORGET: &str = "
    DELETE FROM endpoint_counts c USING (
        SELECT project_id, span, at, endpoint_id FROM endpoint_counts
        WHERE project_id = $1 AND span = $2 AND at < $3 ORDER BY at LIMIT $4) AS old
    WHERE c.project_id = $1 AND c.span = old.span AND c.at = old.at AND c.endpoint_id = old.endpoint_id";

const FORGET_ENDPOINTS: &str = "
    DELETE FROM endpoints e
    WHERE project_id = $1
      AND NOT EXISTS (SELECT FROM endpoint_counts c WHERE c.project_id = $1 AND c.endpoint_id = e.id)";

/// Sums of each endpoint of a project over each span of a time.
const SPANS: &str = "
    SELECT endpoint_id, at, requests, errors, client_errors, sum_us, max_us, ARRAY[durations] AS durations
    FROM endpoint_counts WHERE project_id = $1 AND span = $2 AND at >= $3 AND at < $4 ORDER BY endpoint_id, at";

/// What a newer run found usual stays. Rows come in the order of their keys, so that two runs wait for each other instead of
/// deadlocking.
const KEEP_USUAL: &str = "
    INSERT INTO endpoint_usual AS u (project_id, endpoint_id, until_at, requests, timed, p95_us, error_rate, slow_share)
    SELECT $1, id, $2, requests, timed, p95_us, error_rate, slow_share
    FROM unnest($3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::float8[])
         AS u (id, requests, timed, p95_us, error_rate, slow_share)
    ON CONFLICT (project_id, endpoint_id) DO UPDATE
    SET until_at = excluded.until_at, requests = excluded.requests, timed = excluded.timed, p95_us = excluded.p95_us,
        error_rate = excluded.error_rate, slow_share = excluded.slow_share
    WHERE u.until_at <= excluded.until_at";

impl Store {
    /// The projects that have endpoints.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn projects_with_endpoints(&self) -> Result<Vec<i32>, StoreError> {
        let projects = sqlx::query_scalar("SELECT DISTINCT project_id FROM endpoints ORDER BY project_id");
        Ok(projects.fetch_all(&self.pool).await?)
    }

    /// The sums of a project's endpoints over each span of a time, each endpoint's together and in the order of time.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn endpoint_sums(
        &self,
        project_id: i32,
        (span, from, to): Piece,
    ) -> Result<Vec<(i32, Timestamp, Tally)>, StoreError> {
        let rows: Vec<EachRow> = sqlx::query_as(SPANS)
            .bind(project_id)
            .bind(span.number())
            .bind(PgTime(from))
            .bind(PgTime(to))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(EachRow::sum).collect()
    }

    /// Keeps what is usual of a project's endpoints by the time up to `until`, and nothing of the others.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn keep_usual(
        &self,
        project_id: i32,
        until: Timestamp,
        usual: &[(i32, Usual)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(KEEP_USUAL)
            .bind(project_id)
            .bind(PgTime(until))
            .bind(usual.iter().map(|usual| usual.0).collect::<Vec<_>>())
            .bind(
                usual
                    .iter()
                    .map(|usual| usual.1.requests.cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(
                usual
                    .iter()
                    .map(|usual| usual.1.timed.cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(
                usual
                    .iter()
                    .map(|usual| usual.1.p95_us.cast_signed())
                    .collect::<Vec<_>>(),
            )
            .bind(usual.iter().map(|usual| usual.1.error_rate).collect::<Vec<_>>())
            .bind(usual.iter().map(|usual| usual.1.slow_share).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM endpoint_usual WHERE project_id = $1 AND until_at < $2")
            .bind(project_id)
            .bind(PgTime(until))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets sums that are old enough, and endpoints that have none left. However often it is killed, the next one goes on.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_endpoints(&self, now: Timestamp) -> Result<(), StoreError> {
        for project_id in self.projects_with_endpoints().await? {
            for span in Span::ALL {
                while self.forget_some(project_id, span, span.kept_since(now)).await?
                    == FORGOTTEN_AT_ONCE.cast_unsigned()
                {}
            }
            let mut transaction = self.pool.begin().await?;
            lock(&mut transaction, project_id).await?;
            sqlx::query(FORGET_ENDPOINTS)
                .bind(project_id)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn forget_some(&self, project_id: i32, span: Span, before: Timestamp) -> Result<u64, StoreError> {
        let forgotten = sqlx::query(FORGET)
            .bind(project_id)
            .bind(span.number())
            .bind(PgTime(before))
            .bind(FORGOTTEN_AT_ONCE);
        Ok(forgotten.execute(&self.pool).await?.rows_affected())
    }
}
