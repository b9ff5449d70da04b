//! What kills it, what blocks it, and what is said when it cannot start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::{Signal, geteuid};
use trailmark_server::postgres::{PostgresOptions, PrivatePostgres, StartError};

use crate::support::*;

#[tokio::test]
async fn a_killed_postmaster_is_restarted_with_every_committed_row() {
    let place = Place::new();
    let postgres = place.start().await;
    remember(&mut connect(&postgres).await, "committed").await;
    for round in 0..2 {
        let killed = postgres.pid().unwrap();
        signal(killed, Signal::KILL);
        eventually("a new postmaster", || postgres.pid().is_some_and(|pid| pid != killed)).await;
        assert_eq!(
            words(&mut reconnect(&postgres).await).await,
            ["committed"],
            "round {round}"
        );
    }
    postgres.stop().await.unwrap();
    place.assert_nothing_runs();
}

#[tokio::test]
async fn lock_files_with_the_id_of_another_program_do_not_block_a_start() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    let sleep = as_data_owner(&place, Path::new("/bin/sleep")).arg("300").spawn();
    let other = Stray(sleep.unwrap());
    let content = format!("{}\n{}\n", other.0.id(), place.data().display());
    fs::write(place.data().join("postmaster.pid"), &content).unwrap();
    fs::write(place.dir().join("socket/.s.PGSQL.5432.lock"), &content).unwrap();
    place.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_initdb_does_not_look_initialised() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    eventually("initdb has begun", || place.dir().join("data.init/PG_VERSION").exists()).await;
    helper.kill();
    assert!(!place.data().exists(), "killed too late to test anything");
    place.start().await.stop().await.unwrap();
    assert!(!place.dir().join("data.init").exists());
}

#[tokio::test]
async fn a_start_that_is_cancelled_leaves_no_process() {
    let place = Place::new();
    let begun = || place.dir().join("data.init/PG_VERSION").exists();
    tokio::select! {
        _ = place.start() => panic!("too fast to cancel"),
        () = eventually("initdb has begun", begun) => {}
    }
    eventually("what was killed is gone", || processes_of(&place.dir()).is_empty()).await;
    place.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_postgres_cannot_enter_is_named() {
    if !geteuid().is_root() {
        return; // only root runs Postgres as somebody else
    }
    let place = Place::new();
    fs::set_permissions(place.root.path(), Permissions::from_mode(0o700)).unwrap();
    let error = place.refused().await;
    assert!(
        matches!(&error, StartError::Unreachable { directory, .. } if directory == place.root.path()),
        "{error}"
    );
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_are_left_alone() {
    let place = Place::new();
    fs::create_dir_all(place.data()).unwrap();
    fs::write(place.data().join("PG_VERSION"), "99\n").unwrap();
    let error = place.refused().await;
    assert!(
        matches!(error, StartError::VersionMismatch { wanted: 99, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_without_binaries_says_how_to_get_some() {
    let place = Place::new();
    let options = PostgresOptions {
        bin: Some(place.root.path().to_owned()),
        ..place.options()
    };
    let error = PrivatePostgres::start(options).await.unwrap_err();
    assert!(matches!(error, StartError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_postgres_that_never_starts_is_given_up_with_its_own_words() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    fs::write(place.data().join("postgresql.auto.conf"), "no_such_setting = 1\n").unwrap();
    let error = place.refused().await;
    assert!(matches!(error, StartError::Exited { .. }), "{error}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
    place.assert_nothing_runs();
}
