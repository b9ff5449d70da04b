//! The private Postgres on this machine's real one: what survives, what is adopted, and that nothing is left behind.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use trailmark_server::postgres::{PostgresOptions, PrivatePostgres, StartError, find_binaries};

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A folder that Postgres's account can enter.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        Self { root }
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("pg")
    }

    fn data(&self) -> PathBuf {
        self.dir().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir().join("postgres.log")).unwrap_or_default()
    }

    fn options(&self) -> PostgresOptions {
        PostgresOptions {
            dir: self.dir(),
            bin: None,
        }
    }

    async fn start(&self) -> PrivatePostgres {
        PrivatePostgres::start(self.options())
            .await
            .unwrap_or_else(|e| panic!("{e}\n{}", self.log()))
    }

    #[track_caller]
    fn assert_nothing_runs(&self) {
        let left = processes_of(&self.dir());
        assert!(left.is_empty(), "still there: {left:?}");
    }

    async fn refused(&self) -> StartError {
        PrivatePostgres::start(self.options())
            .await
            .expect_err("it must not start")
    }
}

async fn connect(postgres: &PrivatePostgres) -> PgConnection {
    PgConnection::connect_with(&postgres.connect_options()).await.unwrap()
}

/// A connection, as soon as there is one again.
async fn reconnect(postgres: &PrivatePostgres) -> PgConnection {
    let begun = Instant::now();
    loop {
        match PgConnection::connect_with(&postgres.connect_options()).await {
            Ok(connection) => return connection,
            Err(error) if begun.elapsed() > DEADLINE => panic!("no connection: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn one(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

async fn remember(connection: &mut PgConnection, word: &str) {
    sqlx::query("CREATE TABLE IF NOT EXISTS words (word text)")
        .execute(&mut *connection)
        .await
        .unwrap();
    sqlx::query("INSERT INTO words VALUES ($1)")
        .bind(word)
        .execute(connection)
        .await
        .unwrap();
}

async fn words(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("SELECT word FROM words ORDER BY word")
        .fetch_all(connection)
        .await
        .unwrap()
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// The living processes that work in or on `dir`.
fn processes_of(dir: &Path) -> Vec<u32> {
    let works_there = |pid: &u32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let named = String::from_utf8_lossy(&arguments).contains(dir.to_str().unwrap());
        named || (!arguments.is_empty() && cwd.starts_with(dir))
    };
    let pids = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok());
    pids.filter(works_there).collect()
}

/// A process that is killed at the end of its test.
struct Stray(Child);

impl Stray {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Another process with a Postgres of its own: this test program, running one test.
fn launch_helper(place: &Place) -> Stray {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", HELPER, "--nocapture"]);
    command
        .env("HELPER_DIR", place.dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    Stray(command.spawn().unwrap())
}

const HELPER: &str = "helper_process_that_runs_a_postgres";

/// The helper's postmaster, once it answers.
fn ready(helper: &mut Stray) -> u32 {
    let lines = BufReader::new(helper.0.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let said = lines
        .filter_map(|line| line.strip_prefix("READY ")?.parse().ok())
        .next();
    said.expect("the helper starts its Postgres")
}

#[tokio::test]
#[ignore = "the helper process of other tests, which start it with HELPER_DIR"]
async fn helper_process_that_runs_a_postgres() {
    let Some(dir) = std::env::var_os("HELPER_DIR") else {
        return;
    };
    let postgres = PrivatePostgres::start(PostgresOptions {
        dir: dir.into(),
        bin: None,
    })
    .await
    .unwrap();
    remember(&mut connect(&postgres).await, "helper").await;
    println!("\nREADY {}", postgres.pid().unwrap());
    std::io::stdin().lines().next(); // until we are killed, or our parent is
}

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
async fn when_its_owner_is_killed_postgres_stops_in_order() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    ready(&mut helper);
    helper.kill();
    eventually("all processes end", || processes_of(&place.dir()).is_empty()).await;
    assert!(
        place.log().contains("received fast shutdown request"),
        "{}",
        place.log()
    );
    assert!(
        place.log().trim_end().ends_with("database system is shut down"),
        "{}",
        place.log()
    );
    assert!(!place.data().join("postmaster.pid").exists());
}

#[tokio::test]
async fn after_its_owner_was_killed_the_next_start_has_the_data_at_once() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    ready(&mut helper);
    helper.kill();
    let postgres = place.start().await; // while the old one is still stopping
    assert_eq!(words(&mut reconnect(&postgres).await).await, ["helper"]);
    postgres.stop().await.unwrap();
    place.assert_nothing_runs();
}

#[tokio::test]
async fn when_owner_and_postmaster_are_both_killed_the_next_start_recovers() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    signal(ready(&mut helper), Signal::KILL);
    helper.kill();
    let postgres = place.start().await;
    assert_eq!(words(&mut reconnect(&postgres).await).await, ["helper"]);
    assert!(
        place.log().contains("automatic recovery in progress"),
        "{}",
        place.log()
    );
}

#[tokio::test]
async fn a_guest_leaves_the_owners_postgres_running() {
    let place = Place::new();
    let owner = place.start().await;
    let guest = place.start().await;
    assert!(guest.adopted() && guest.pid() == owner.pid());
    remember(&mut connect(&guest).await, "guest").await;
    guest.stop().await.unwrap();
    assert_eq!(words(&mut connect(&owner).await).await, ["guest"]);
}

#[tokio::test]
async fn a_guest_starts_its_own_when_the_owner_stops() {
    let place = Place::new();
    let owner = place.start().await;
    let guest = place.start().await;
    remember(&mut connect(&owner).await, "owner").await;
    owner.stop().await.unwrap();
    eventually("the guest's own postmaster", || {
        guest.pid().is_some() && !guest.adopted()
    })
    .await;
    assert_eq!(words(&mut reconnect(&guest).await).await, ["owner"]);
    guest.stop().await.unwrap();
    place.assert_nothing_runs();
}

#[tokio::test]
async fn two_that_start_a_new_folder_at_once_share_one_postgres() {
    let place = Place::new();
    let (one, other) = tokio::join!(place.start(), place.start());
    assert_eq!(one.pid(), other.pid());
    assert_eq!([&one, &other].iter().filter(|p| p.adopted()).count(), 1);
}

#[tokio::test]
async fn an_orphan_is_adopted_and_from_then_on_owned() {
    let place = Place::new();
    let first = place.start().await;
    remember(&mut connect(&first).await, "before").await;
    first.stop().await.unwrap();

    let mut orphan = Stray(start_by_hand(&place));
    eventually("its pid file", || place.data().join("postmaster.pid").exists()).await;
    let postgres = place.start().await;
    assert!(postgres.adopted());
    assert_eq!(postgres.pid(), Some(orphan.0.id()));
    assert_eq!(words(&mut connect(&postgres).await).await, ["before"]);
    postgres.stop().await.unwrap();
    assert!(orphan.0.wait().unwrap().success(), "stopped in order");
    place.assert_nothing_runs();
}

/// The data's owner runs a program, as somebody without our keeper would.
fn as_data_owner(place: &Place, program: &Path) -> Command {
    let owner = fs::metadata(place.data()).unwrap();
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
}

fn start_by_hand(place: &Place) -> Child {
    let mut command = as_data_owner(place, &find_binaries(None).unwrap().bin_dir.join("postgres"));
    command
        .arg("-D")
        .arg(place.data())
        .args(["-c", "listen_addresses=", "-c"]);
    command.arg(format!(
        "unix_socket_directories={}",
        place.dir().join("socket").display()
    ));
    command.spawn().unwrap()
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
