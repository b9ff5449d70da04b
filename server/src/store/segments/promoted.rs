//! Which properties have columns in segments: chosen by people, or because questions use them often.

use trailmark_protocol::Timestamp;

use crate::store::connect::Store;
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;

/// A property with a column.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Promoted {
    /// Its name, or `$context.` and a path into the circumstances.
    pub property: String,
    /// Since when.
    pub promoted_at: PgTime,
    /// By whom: an e-mail address, the number of a key, or `use`.
    pub promoted_by: String,
    /// Questions of the last 30 days that used it.
    pub uses: i64,
}

/// Most properties that are promoted because they are used: 16. A column of few values takes about half a byte of each event.
const BY_USE_MAX: i64 = 16;

const LIST: &str = "
    SELECT p.property, p.promoted_at, p.promoted_by, COALESCE(sum(u.uses), 0)::bigint AS uses
    FROM promoted_properties p
    LEFT JOIN property_uses u ON u.project_id = p.project_id AND u.property = p.property
                             AND u.day > ($2::timestamptz AT TIME ZONE 'UTC')::date - 30
    WHERE p.project_id = $1 GROUP BY p.project_id, p.property ORDER BY p.property COLLATE \"C\"";

/// Whoever promotes what is promoted by use keeps it.
const PROMOTE: &str = "
    INSERT INTO promoted_properties AS p (project_id, property, promoted_at, promoted_by)
    SELECT $1, $2, $3, $4
    WHERE (SELECT count(*) FROM promoted_properties WHERE project_id = $1 AND property <> $2) < $5
    ON CONFLICT (project_id, property) DO UPDATE
    SET promoted_by = CASE p.promoted_by WHEN 'use' THEN excluded.promoted_by ELSE p.promoted_by END";

/// Ordered, so that two servers wait for each other instead of deadlocking.
const COUNT: &str = "
    INSERT INTO property_uses AS u (project_id, property, day, uses)
    SELECT DISTINCT $1::integer, property, ($3::timestamptz AT TIME ZONE 'UTC')::date, 1
    FROM unnest($2::text[]) AS property ORDER BY property
    ON CONFLICT (project_id, property, day) DO UPDATE SET uses = u.uses + 1";

/// Used on three days of the last 14, by ten questions.
const PROMOTE_BY_USE: &str = "
    INSERT INTO promoted_properties (project_id, property, promoted_at, promoted_by)
    SELECT $1, property, $2, 'use' FROM property_uses
    WHERE project_id = $1 AND day > ($2::timestamptz AT TIME ZONE 'UTC')::date - 14
      AND NOT EXISTS (SELECT FROM promoted_properties p
                      WHERE p.project_id = $1 AND p.property = property_uses.property)
    GROUP BY property HAVING count(*) >= 3 AND sum(uses) >= 10
    ORDER BY sum(uses) DESC, property COLLATE \"C\"
    LIMIT greatest(0, $3 - (SELECT count(*) FROM promoted_properties WHERE project_id = $1 AND promoted_by = 'use'))
    ON CONFLICT (project_id, property) DO NOTHING";

/// Promoted by use, and without any for 60 days.
const DEMOTE_BY_USE: &str = "
    DELETE FROM promoted_properties p
    WHERE project_id = $1 AND promoted_by = 'use' AND promoted_at < $2::timestamptz - interval '1440 hours'
      AND NOT EXISTS (SELECT FROM property_uses u WHERE u.project_id = $1 AND u.property = p.property
                        AND u.day > ($2::timestamptz AT TIME ZONE 'UTC')::date - 60)";

const FORGET_USES: &str =
    "DELETE FROM property_uses WHERE project_id = $1 AND day <= ($2::timestamptz AT TIME ZONE 'UTC')::date - 60";

impl Store {
    /// The promoted properties of a project.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn promoted(&self, project_id: i32, now: Timestamp) -> Result<Vec<Promoted>, StoreError> {
        let list = sqlx::query_as(LIST).bind(project_id).bind(PgTime(now));
        Ok(list.fetch_all(&self.pool).await?)
    }

    /// Promotes a property, unless `most` others are. Segments get a column of it in the background.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn promote(
        &self,
        project_id: i32,
        property: &str,
        by: &str,
        at: Timestamp,
        most: i64,
    ) -> Result<bool, StoreError> {
        let promote = sqlx::query(PROMOTE).bind(project_id).bind(property);
        let promote = promote.bind(PgTime(at)).bind(by).bind(most);
        Ok(promote.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Takes a property's column away. False: it had none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn demote(&self, project_id: i32, property: &str) -> Result<bool, StoreError> {
        let demote = sqlx::query("DELETE FROM promoted_properties WHERE project_id = $1 AND property = $2");
        let demoted = demote.bind(project_id).bind(property).execute(&self.pool).await?;
        Ok(demoted.rows_affected() > 0)
    }

    /// Counts a question that used these properties of events.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn count_use(&self, project_id: i32, properties: &[String], at: Timestamp) -> Result<(), StoreError> {
        let count = sqlx::query(COUNT).bind(project_id).bind(properties);
        count.bind(PgTime(at)).execute(&self.pool).await?;
        Ok(())
    }

    /// Promotes what questions use often, and demotes what was promoted for that and is used no more. Returns how many of
    /// both.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn promote_by_use(&self, project_id: i32, now: Timestamp) -> Result<u64, StoreError> {
        let demote = sqlx::query(DEMOTE_BY_USE).bind(project_id).bind(PgTime(now));
        let demoted = demote.execute(&self.pool).await?.rows_affected();
        let promote = sqlx::query(PROMOTE_BY_USE).bind(project_id).bind(PgTime(now));
        let promoted = promote.bind(BY_USE_MAX).execute(&self.pool).await?.rows_affected();
        let forget = sqlx::query(FORGET_USES).bind(project_id).bind(PgTime(now));
        forget.execute(&self.pool).await?;
        Ok(demoted + promoted)
    }
}
