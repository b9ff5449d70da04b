//! The measured server's database, seen from beside: keys, counts, and an empty table before each measurement.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPool};
use trailmark_server::store::{KeyKind, Store};

use crate::Outcome;
use crate::child::get;
use crate::connection::Connection;

/// Everything accepted must be stored within this time.
const DRAIN: Duration = Duration::from_secs(60);

/// How often the server is asked whether its journal is drained.
const POLL: Duration = Duration::from_millis(5);

/// A way into the private Postgres of a server.
#[derive(Debug)]
pub struct Admin {
    /// Its connections.
    pub pool: PgPool,
    /// Its files.
    pub postgres_dir: PathBuf,
    /// The postmaster's process.
    pub postmaster: u32,
    /// A key that may send.
    pub write_key: String,
    /// A key that may read.
    pub secret_key: String,
}

impl Admin {
    /// Connects to the Postgres below `data_dir`, which is running, and makes a project with its keys.
    ///
    /// # Errors
    /// The database's.
    pub async fn connect(data_dir: &Path) -> Outcome<Self> {
        let dir = data_dir.canonicalize()?.join("postgres");
        let pid_file = std::fs::read_to_string(dir.join("data/postmaster.pid"))?;
        // https://www.postgresql.org/docs/15/storage-file-layout.html: process id first, socket directory fifth.
        let line = |index| pid_file.lines().nth(index).unwrap_or_default().trim().to_owned();
        let options = PgConnectOptions::new_without_pgpass()
            .socket(line(4))
            .port(line(3).parse()?)
            .username("trailmark")
            .password(std::fs::read_to_string(dir.join("password"))?.trim())
            .database("trailmark");
        let store = Store::connect(options, 2);
        // The server does this too, after it has begun to listen; whoever comes second waits and finds it done.
        store.migrate().await?;
        let project = store.create_project("bench").await?.id;
        Ok(Self {
            pool: store.pool().clone(),
            postgres_dir: dir,
            postmaster: line(0).parse()?,
            write_key: store.create_key(project, KeyKind::Write, "bench").await?.text,
            secret_key: store.create_key(project, KeyKind::Secret, "bench").await?.text,
        })
    }

    /// Empties the events and leaves no checkpoint to be written during the next measurement.
    ///
    /// # Errors
    /// The database's.
    pub async fn empty(&self) -> Outcome<()> {
        sqlx::query("TRUNCATE events").execute(&self.pool).await?;
        sqlx::query("CHECKPOINT").execute(&self.pool).await?;
        Ok(())
    }

    /// Rows in the events table.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(&self) -> Outcome<usize> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM events")
            .fetch_one(&self.pool)
            .await?;
        Ok(usize::try_from(count)?)
    }

    /// The version of Postgres.
    ///
    /// # Errors
    /// The database's.
    pub async fn version(&self) -> Outcome<String> {
        Ok(sqlx::query_scalar("SHOW server_version").fetch_one(&self.pool).await?)
    }
}

/// Waits until everything in the server's journal is stored and acknowledged. The server's word is checked afterwards,
/// by counting.
///
/// # Errors
/// The server failed, or took too long.
pub fn wait_until_drained(connection: &mut Connection) -> Outcome<()> {
    let began = Instant::now();
    loop {
        let (_, body) = connection.ask(&get("/readyz", None))?;
        let ready: serde_json::Value = serde_json::from_slice(&body)?;
        if ready["journal"]["backlog_records"] == 0 {
            return Ok(());
        }
        if began.elapsed() > DRAIN {
            return Err(format!("not stored within {DRAIN:?}: {ready}").into());
        }
        std::thread::sleep(POLL);
    }
}
