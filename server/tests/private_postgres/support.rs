//! What the tests share: a place, a helper process, conditions to wait for.

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
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A folder that Postgres's account can enter.
pub(crate) struct Place {
    pub(crate) root: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        Self { root }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("pg")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir().join("data")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir().join("postgres.log")).unwrap_or_default()
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions {
            dir: self.dir(),
            bin: None,
        }
    }

    pub(crate) async fn start(&self) -> PrivatePostgres {
        PrivatePostgres::start(self.options())
            .await
            .unwrap_or_else(|e| panic!("{e}\n{}", self.log()))
    }

    #[track_caller]
    pub(crate) fn assert_nothing_runs(&self) {
        let left = processes_of(&self.dir());
        assert!(left.is_empty(), "still there: {left:?}");
    }

    pub(crate) async fn refused(&self) -> StartError {
        PrivatePostgres::start(self.options())
            .await
            .expect_err("it must not start")
    }
}

pub(crate) async fn connect(postgres: &PrivatePostgres) -> PgConnection {
    PgConnection::connect_with(&postgres.connect_options()).await.unwrap()
}

/// A connection, as soon as there is one again.
pub(crate) async fn reconnect(postgres: &PrivatePostgres) -> PgConnection {
    let begun = Instant::now();
    loop {
        match PgConnection::connect_with(&postgres.connect_options()).await {
            Ok(connection) => return connection,
            Err(error) if begun.elapsed() > DEADLINE => panic!("no connection: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) async fn one(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

pub(crate) async fn remember(connection: &mut PgConnection, word: &str) {
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

pub(crate) async fn words(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("SELECT word FROM words ORDER BY word")
        .fetch_all(connection)
        .await
        .unwrap()
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// The living processes that work in or on `dir`.
pub(crate) fn processes_of(dir: &Path) -> Vec<u32> {
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
pub(crate) struct Stray(pub(crate) Child);

impl Stray {
    pub(crate) fn kill(&mut self) {
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
pub(crate) fn launch_helper(place: &Place) -> Stray {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", HELPER, "--nocapture"]);
    command
        .env("HELPER_DIR", place.dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    Stray(command.spawn().unwrap())
}

const HELPER: &str = "support::helper_process_that_runs_a_postgres";

/// The helper's postmaster, once it answers.
pub(crate) fn ready(helper: &mut Stray) -> u32 {
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

/// The data's owner runs a program, as somebody without our keeper would.
pub(crate) fn as_data_owner(place: &Place, program: &Path) -> Command {
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

pub(crate) fn start_by_hand(place: &Place) -> Child {
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
