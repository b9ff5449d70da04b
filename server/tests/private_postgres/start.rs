//! What a start gives, and what a stop leaves.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use sqlx::{Connection as _, PgConnection};
use trailmark_server::postgres::{PostgresOptions, PrivatePostgres};

use crate::support::*;

#[tokio::test]
async fn a_cold_start_is_durable_private_and_not_root() {
    let place = Place::new();
    let postgres = place.start().await;
    let mut connection = connect(&postgres).await;
    let mut shown = Vec::new();
    for (query, expected) in [
        ("SHOW fsync", "on"),
        ("SHOW data_checksums", "on"),
        ("SHOW full_page_writes", "on"),
        ("SHOW synchronous_commit", "on"),
        ("SHOW listen_addresses", ""),
        ("SHOW max_wal_size", "4GB"),
        ("SHOW jit", "off"),
        ("SHOW timezone", "UTC"),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW password_encryption", "scram-sha-256"),
        (
            "SELECT datcollate FROM pg_database WHERE datname = 'trailmark'",
            "C.UTF-8",
        ),
        (
            "SELECT current_user::text || '@' || current_database()",
            "trailmark@trailmark",
        ),
        (
            "SELECT string_agg(DISTINCT auth_method, ' ' ORDER BY auth_method) FROM pg_hba_file_rules",
            "reject scram-sha-256",
        ),
        ("SELECT count(*)::text FROM pg_settings WHERE pending_restart", "0"),
    ] {
        shown.push((query, one(&mut connection, query).await, expected));
    }
    for (query, got, expected) in shown {
        assert_eq!(got, expected, "{query}");
    }
    let mode = |name: &str| fs::metadata(place.dir().join(name)).unwrap().mode() & 0o777;
    assert_eq!(
        (mode("socket"), mode("data"), mode("password"), mode("postgres.log")),
        (0o700, 0o700, 0o600, 0o600)
    );
    assert_ne!(
        fs::metadata(format!("/proc/{}", postgres.pid().unwrap()))
            .unwrap()
            .uid(),
        0
    );
    assert!(!postgres.adopted());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn without_the_password_nobody_connects() {
    let place = Place::new();
    let postgres = place.start().await;
    let wrong = postgres.connect_options().password("guess");
    let error = PgConnection::connect_with(&wrong).await.unwrap_err();
    assert_eq!(
        error.as_database_error().and_then(|e| e.code()).as_deref(),
        Some("28P01")
    );
}

#[tokio::test]
async fn a_warm_restart_keeps_the_data_and_a_stop_leaves_no_process() {
    let place = Place::new();
    let first = place.start().await;
    remember(&mut connect(&first).await, "first").await;
    assert!(!processes_of(&place.dir()).is_empty());
    first.stop().await.unwrap();
    place.assert_nothing_runs();
    assert!(
        place.log().trim_end().ends_with("database system is shut down"),
        "{}",
        place.log()
    );

    let second = place.start().await;
    assert_eq!(words(&mut connect(&second).await).await, ["first"]);
    drop(second);
    place.assert_nothing_runs(); // a drop stops it too
}

#[tokio::test]
async fn a_folder_with_a_long_and_odd_name_works() {
    let place = Place::new();
    let long = place.root.path().join(format!("it's, \"a\" {}", "long ".repeat(30)));
    fs::create_dir(&long).unwrap();
    fs::set_permissions(&long, Permissions::from_mode(0o755)).unwrap();
    let options = PostgresOptions {
        dir: long.join("pg"),
        bin: None,
    };
    let postgres = PrivatePostgres::start(options.clone()).await.unwrap();
    let socket_dir = one(&mut connect(&postgres).await, "SHOW unix_socket_directories").await;
    postgres.stop().await.unwrap();
    let socket_dir = PathBuf::from(socket_dir.trim_matches('"'));
    assert!(socket_dir.as_os_str().len() < 50, "{socket_dir:?}");
    assert_eq!(fs::metadata(&socket_dir).unwrap().mode() & 0o777, 0o700);
    fs::remove_dir_all(socket_dir).unwrap();
}

#[tokio::test]
async fn what_an_operator_sets_with_alter_system_wins() {
    let place = Place::new();
    let postgres = place.start().await;
    let alter = "ALTER SYSTEM SET checkpoint_timeout = '7min'";
    sqlx::query(alter).execute(&mut connect(&postgres).await).await.unwrap();
    postgres.stop().await.unwrap();
    let again = place.start().await;
    assert_eq!(one(&mut connect(&again).await, "SHOW checkpoint_timeout").await, "7min");
}
