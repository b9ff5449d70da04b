//! A Postgres that is not the server's: the test starts and stops it.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tokio::runtime::Runtime;
use trailmark_server::postgres::{PostgresOptions, PrivatePostgres};

use super::home::Home;
use super::wait::until_true;

/// It, in a home of its own. It starts running.
pub(crate) struct OutsidePostgres {
    running: Option<PrivatePostgres>,
    runtime: Runtime,
    home: Home,
}

impl OutsidePostgres {
    /// Makes one.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut postgres = Self {
            running: None,
            runtime,
            home: Home::new(),
        };
        postgres.start_again();
        postgres
    }

    /// Starts it after a stop; returns when it answers.
    pub(crate) fn start_again(&mut self) {
        let options = PostgresOptions {
            dir: self.home.path().join("pg"),
            bin: None,
        };
        self.running = Some(self.runtime.block_on(PrivatePostgres::start(options)).unwrap());
    }

    /// Stops it; returns when it is gone.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop()).unwrap();
        }
    }

    /// Makes an empty database in it, and says where that is.
    pub(crate) fn another_database(&self) -> String {
        let name = format!("another_{}", uuid::Uuid::new_v4().simple());
        let options = PgConnectOptions::from_str(&self.url()).unwrap();
        // Many tests share it, and each of their servers has some of its connections.
        let mut connection = None;
        until_true("a free connection", || {
            connection = self.runtime.block_on(options.connect()).ok();
            connection.is_some()
        });
        let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        self.runtime.block_on(connection.unwrap().execute(sql)).unwrap();
        self.url().replace("/trailmark?", &format!("/{name}?"))
    }

    /// Where it is, running or not.
    pub(crate) fn url(&self) -> String {
        let dir = self.home.path().join("pg");
        let password = std::fs::read_to_string(dir.join("password")).unwrap();
        format!(
            "postgres://trailmark:{}@localhost/trailmark?host={}",
            password.trim(),
            dir.join("socket").display()
        )
    }
}
