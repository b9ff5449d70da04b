//! The way to the database, and bringing its schema up to date.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::ConnectOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use trailmark_protocol::Uuid;

use super::dictionary::Dictionary;
use super::error::StoreError;
use super::tombstones::Tombstones;
use super::weeks::KnownWeeks;

/// The schema that this release works with. Migrations only expand; what an older release needs goes one release later.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// How long to wait for a connection before the error says that there is none: 5 s. Longer than a failover of a local
/// Postgres (0.3–4 s measured), short enough for `/readyz` and a query to answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Writes to the database, and the few reads that go with it. Cheap to clone: clones share the pool and the caches.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: PgPool,
    pub(super) dictionary: Arc<Dictionary>,
    pub(super) weeks: Arc<KnownWeeks>,
    pub(super) tombstones: Arc<ArcSwap<Tombstones>>,
}

/// Statements are not logged: their text helps nobody at a terminal, and their time is in the metrics.
fn quiet(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("trailmark").disable_statement_logging()
}

impl Store {
    /// A store with at most `pool_size` connections. Makes none yet: the database may be down. Call it inside a Tokio runtime.
    #[must_use]
    pub fn connect(options: PgConnectOptions, pool_size: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(pool_size)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(quiet(options));
        Self {
            pool,
            dictionary: Arc::default(),
            weeks: Arc::default(),
            tombstones: Arc::default(),
        }
    }

    /// The same store over at most `pool_size` connections of its own, for work that must not take any from others.
    #[must_use]
    pub fn apart(&self, pool_size: u32) -> Self {
        let options = (*self.pool.connect_options())
            .clone()
            .application_name("trailmark jobs");
        let pool = PgPoolOptions::new()
            .max_connections(pool_size)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options);
        Self { pool, ..self.clone() }
    }

    /// The connections, for reads.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Brings the schema up to date, under an advisory lock: servers that start together wait for each other. A no-op
    /// where nothing is new.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] if a newer release has migrated the database, [`StoreError::Encoding`] if it is not
    /// UTF8, else what stands in the way.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&self.pool).await?;
        if encoding != "UTF8" {
            return Err(StoreError::Encoding(encoding));
        }
        MIGRATIONS.run(&self.pool).await.map_err(migrate_error)
    }

    /// The newest schema version that this release knows.
    #[must_use]
    pub fn known_version() -> i64 {
        MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// How far the journal of `node` is stored: everything up to and including this record. 0 if nothing is.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn cursor(&self, node: Uuid) -> Result<u64, StoreError> {
        let seq: Option<i64> = sqlx::query_scalar("SELECT seq FROM ingest_cursor WHERE node_id = $1")
            .bind(node)
            .fetch_optional(&self.pool)
            .await?;
        Ok(seq.unwrap_or(0).cast_unsigned())
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => StoreError::NewerSchema {
            found,
            known: Store::known_version(),
        },
        other => StoreError::Migrate(other),
    }
}
