//! Which Postgres: the configured one, or a private one that lives and stops with us.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::config::Config;
use crate::postgres::{PostgresOptions, PrivatePostgres, StartError, StopError};
use crate::store::Store;

/// The folder of the private Postgres below the data directory.
pub const PRIVATE_DIR: &str = "postgres";

/// A store, and the private Postgres under it if that is ours.
#[derive(Debug)]
pub struct Database {
    store: Store,
    private: Option<PrivatePostgres>,
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configured URL is no Postgres URL.
    #[error("database.url is not a postgres:// URL: {0}")]
    Url(#[source] sqlx::Error),
    /// The private Postgres does not start.
    #[error(transparent)]
    Private(#[from] StartError),
}

impl Database {
    /// Opens `database.url`, without connecting yet; where it is empty, starts or adopts the private Postgres.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        let settings = &config.database;
        if !settings.url.is_empty() {
            let options = PgConnectOptions::from_str(&settings.url).map_err(OpenError::Url)?;
            return Ok(Self {
                store: Store::connect(options, settings.pool_size),
                private: None,
            });
        }
        let bin = (!settings.pg_bin.as_os_str().is_empty()).then(|| settings.pg_bin.clone());
        let dir = config.data_dir.join(PRIVATE_DIR);
        let private = PrivatePostgres::start(PostgresOptions { dir, bin }).await?;
        Ok(Self {
            store: Store::connect(private.connect_options(), settings.pool_size),
            private: Some(private),
        })
    }

    /// The store on it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Closes the connections, then stops the private Postgres if nobody else uses it.
    ///
    /// # Errors
    /// [`StopError`] if it does not stop.
    pub async fn close(self) -> Result<(), StopError> {
        self.store.pool().close().await;
        match self.private {
            Some(private) => private.stop().await,
            None => Ok(()),
        }
    }
}
