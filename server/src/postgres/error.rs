//! Why the private Postgres did not start, or did not stop.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why there is no private Postgres. Every message says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No usable Postgres binaries on this machine: an operator's choice to make, so the command line exits with 2.
    #[error(
        "no PostgreSQL server (version {oldest} or newer) found; looked in: {}\n\
         There are three ways to get one:\n\
         1. install it: `apt install postgresql` on Debian and Ubuntu\n\
         2. point to one, for example an unpacked bundle: `--pg-bin DIR`, the folder that holds `postgres` and `initdb`\n\
         3. use a Postgres that you run yourself: `--database-url` or DATABASE_URL",
        list(.looked),
        oldest = super::find::OLDEST_MAJOR
    )]
    NotFound {
        /// The places that were tried, in order.
        looked: Vec<String>,
    },
    /// The data were written by another major version than any that is installed.
    #[error(
        "the data in {} were written by PostgreSQL {wanted}, but only {} found; install version {wanted} \
         (`apt install postgresql-{wanted}`) or point to it with `--pg-bin DIR`",
        .data.display(),
        list(.found)
    )]
    VersionMismatch {
        /// The data directory.
        data: PathBuf,
        /// Its major version.
        wanted: u32,
        /// What was found instead.
        found: Vec<String>,
    },
    /// Postgres runs as another user than we do, and that user cannot enter a folder on the way.
    #[error(
        "PostgreSQL runs as user `{user}`, who cannot enter {}: allow it with `chmod o+x {}`, or choose another folder",
        .directory.display(),
        .directory.display()
    )]
    Unreachable {
        /// The first folder on the way, from the root, that is closed.
        directory: PathBuf,
        /// Who cannot enter it.
        user: String,
    },
    /// The folder belongs to a user as whom we cannot run Postgres.
    #[error("{} {problem}", .path.display())]
    WrongOwner {
        /// The data or socket folder.
        path: PathBuf,
        /// What is wrong and how to repair it.
        problem: String,
    },
    /// We are root, and there is no other user to run Postgres as.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has neither a user `postgres` nor `nobody` to run it as"
    )]
    NoAccount,
    /// A file or a process could not be handled.
    #[error("could not {doing} {}: {source}", .path.display())]
    Io {
        /// The verb of the sentence.
        doing: &'static str,
        /// Its object.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed ({status}); the end of its output:\n{output}")]
    Init {
        /// Its exit status.
        status: String,
        /// The last lines it wrote.
        output: String,
    },
    /// Postgres ended again and again instead of starting.
    #[error("PostgreSQL does not start ({how}); the end of its log:\n{log}")]
    Exited {
        /// How it ended the last time.
        how: String,
        /// The last lines of its log.
        log: String,
    },
    /// Postgres runs but refuses us for a reason that waiting does not change.
    #[error("PostgreSQL refuses the connection: {0}")]
    Refused(#[source] sqlx::Error),
    /// Postgres runs but does not answer.
    #[error("PostgreSQL did not answer within {} s; last answer: {last}", .waited.as_secs())]
    TimedOut {
        /// How long we waited.
        waited: Duration,
        /// What the last try to connect said.
        last: String,
    },
    /// The start was cancelled, or its thread died.
    #[error("the start of PostgreSQL was interrupted")]
    Interrupted,
}

impl StartError {
    /// For `map_err`: an I/O error with its sentence.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// Why the private Postgres still runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// It outlived the fast stop and the immediate one.
    #[error("PostgreSQL (pid {pid}) still runs after SIGINT and SIGQUIT")]
    StillRunning {
        /// Its process.
        pid: u32,
    },
    /// It could not be signalled.
    #[error("could not signal PostgreSQL (pid {pid}): {source}")]
    Signal {
        /// Its process.
        pid: u32,
        /// The reason.
        source: io::Error,
    },
    /// Its keeper had failed before.
    #[error("PostgreSQL's keeper had already ended: {0}")]
    KeeperEnded(String),
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "nothing".to_owned()
    } else {
        items.join(", ")
    }
}
