//! What really is in the database: plain SQL past the server.

use std::path::Path;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::server::Server;
use super::wait::until;

/// One project's rows, over a connection of their own.
pub(crate) struct Rows {
    connection: PgConnection,
    runtime: Runtime,
    project: i32,
}

impl Rows {
    /// Connects, waiting until the database takes connections.
    pub(crate) fn of(server: &Server, project: i64) -> Self {
        let options = match server.database_url() {
            Some(url) => PgConnectOptions::from_str(url).unwrap(),
            None => private_options(&server.postgres_dir()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connection = until("a database connection", || runtime.block_on(options.connect()).ok());
        Self {
            connection,
            runtime,
            project: i32::try_from(project).unwrap(),
        }
    }

    /// How many events are stored.
    pub(crate) fn count(&mut self) -> usize {
        self.ids().len()
    }

    /// The ids of all stored events, in order. The same id twice would be there twice.
    pub(crate) fn ids(&mut self) -> Vec<Uuid> {
        self.list("SELECT id FROM events WHERE project_id = $1 ORDER BY id")
    }

    /// One integer for each event: its property `n`.
    pub(crate) fn numbers(&mut self) -> Vec<i64> {
        self.list("SELECT (properties->>'n')::bigint FROM events WHERE project_id = $1 ORDER BY 1")
    }

    /// One text for each event, in the order of ids.
    pub(crate) fn texts(&mut self, expression: &str) -> Vec<String> {
        let sql = format!("SELECT ({expression})::text FROM events WHERE project_id = $1 ORDER BY id");
        self.fetch(AssertSqlSafe(sql))
    }

    /// How many accepted events the database refused.
    pub(crate) fn dead_letters(&mut self) -> usize {
        self.list::<Uuid>("SELECT event_id FROM dead_letters WHERE project_id = $1")
            .len()
    }

    /// Runs a statement that changes the database under the server.
    pub(crate) fn execute(&mut self, sql: &'static str) {
        self.runtime
            .block_on(sqlx::raw_sql(sql).execute(&mut self.connection))
            .unwrap();
    }

    fn list<T>(&mut self, sql: &'static str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        self.fetch(sql)
    }

    fn fetch<T>(&mut self, sql: impl sqlx::SqlSafeStr) -> Vec<T>
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let query = sqlx::query_scalar(sql)
            .bind(self.project)
            .fetch_all(&mut self.connection);
        self.runtime.block_on(query).unwrap()
    }
}

/// The way into a private Postgres, as an operator would take it.
fn private_options(dir: &Path) -> PgConnectOptions {
    let password = std::fs::read_to_string(dir.join("password")).unwrap();
    let options = PgConnectOptions::new_without_pgpass().socket(dir.join("socket"));
    options
        .username("trailmark")
        .password(password.trim())
        .database("trailmark")
}
