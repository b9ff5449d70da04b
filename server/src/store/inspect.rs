//! Looking at the database from outside: how it fares (`trailmark doctor`), and what the demo has put in (`trailmark demo`).

use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// How the database fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// As `15.14 (Debian 15.14-0+deb12u1)`.
    pub server_version: String,
    /// Its clock.
    pub now: Timestamp,
    /// The schema version; `None` if it was never migrated.
    pub schema_version: Option<i64>,
    /// Weekly partitions of the events that begin in the future.
    pub weeks_ahead: i64,
    /// Dead letters that wait.
    pub dead_letters: i64,
}

impl Store {
    /// How the database fares; also before it was migrated.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn vitals(&self) -> Result<Vitals, StoreError> {
        let (server_version, now): (String, PgTime) =
            sqlx::query_as("SELECT current_setting('server_version'), clock_timestamp()")
                .fetch_one(&self.pool)
                .await?;
        let migrated: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
            .fetch_one(&self.pool)
            .await?;
        let mut vitals = Vitals {
            server_version,
            now: now.0,
            schema_version: None,
            weeks_ahead: 0,
            dead_letters: 0,
        };
        if migrated {
            self.look_closer(&mut vitals).await?;
        }
        Ok(vitals)
    }

    async fn look_closer(&self, vitals: &mut Vitals) -> Result<(), StoreError> {
        vitals.schema_version = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(&self.pool)
            .await?;
        // Partitions are named by ISO week (weeks.rs), so their names sort by time.
        vitals.weeks_ahead = sqlx::query_scalar(
            r#"SELECT count(*) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
               WHERE inhparent = to_regclass('events') AND relname ~ '^events_\d{4}w\d{2}$'
                 AND relname > to_char(now() AT TIME ZONE 'UTC', '"events_"IYYY"w"IW')"#,
        )
        .fetch_one(&self.pool)
        .await?;
        vitals.dead_letters = sqlx::query_scalar("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL")
            .fetch_one(&self.pool)
            .await?;
        Ok(())
    }

    /// Events by the first digit of their property `status`, as `2xx`; those without one are left out. Reads every row of
    /// the project: for a demo's thousands of events, not for a dashboard's millions.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn status_classes(&self, project_id: i32) -> Result<Vec<(String, i64)>, StoreError> {
        let classes = sqlx::query_as(
            "SELECT left(properties->>'status', 1) || 'xx', count(*) FROM events
             WHERE project_id = $1 AND jsonb_typeof(properties->'status') = 'number' GROUP BY 1 ORDER BY 1",
        );
        Ok(classes.bind(project_id).fetch_all(&self.pool).await?)
    }
}
