//! One private Postgres per test binary, and a fresh database per test.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test binary uses a part of it"
)]

pub mod app;

use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use trailmark_server::postgres::{PostgresOptions, PrivatePostgres};
use trailmark_server::store::Store;
use uuid::Uuid;

const FOLDER: &str = "trailmark-test-postgres-";

/// The binary's Postgres. The kernel stops it when the test process ends; its folder goes when the next run starts.
pub fn postgres() -> &'static PrivatePostgres {
    static POSTGRES: OnceLock<PrivatePostgres> = OnceLock::new();
    POSTGRES.get_or_init(|| {
        sweep(&std::env::temp_dir());
        let dir = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
        };
        let options = PostgresOptions { dir, bin: None };
        thread::spawn(move || runtime().block_on(PrivatePostgres::start(options)))
            .join()
            .unwrap()
            .unwrap()
    })
}

/// Removes the folders of test processes that have ended.
fn sweep(parent: &Path) {
    let folders = std::fs::read_dir(parent).unwrap().flatten();
    for (path, pid) in folders.filter_map(|entry| Some((entry.path(), owner(&entry.path())?))) {
        if !Path::new(&format!("/proc/{pid}")).exists() {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

fn owner(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix(FOLDER)?.parse().ok()
}

/// How to connect to a new, empty database.
pub async fn empty_database() -> PgConnectOptions {
    let options = postgres().connect_options();
    let name = format!("test_{}", Uuid::now_v7().simple());
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
    )))
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    options.database(&name)
}

/// A store over a new, migrated database.
pub async fn store() -> Store {
    let store = Store::connect(empty_database().await, 4);
    store.migrate().await.unwrap();
    store
}
