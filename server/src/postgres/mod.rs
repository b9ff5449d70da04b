//! The private Postgres: what `trailmark serve` runs when it is given no database.
//!
//! It lives in one folder, listens on a Unix socket in a private folder and on nothing else, runs with `fsync` and data
//! checksums on, and survives whatever happens to it or to us: a thread keeps it (`supervise`), a killed one is
//! started again, an orphan is adopted. When we die, however that happens, the kernel asks it to stop.
//!
//! The journey of a start: `layout` of the folder → `find` the binaries → `account` to run them as → `init` when it is
//! new → `settings` → `process` → `ready` when a query is answered.

mod error;
mod layout;
mod find;
mod account;
mod init;
mod settings;
mod process;
mod pidfile;
mod log;
mod backoff;
mod supervise;
mod ready;

use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

pub use error::{StartError, StopError};
pub use find::{Binaries, OLDEST_MAJOR, find_binaries};

use layout::Layout;
use supervise::{Ended, KeeperHandle, Status, Stop};

/// What a fast stop may take (it writes a checkpoint) before an immediate one, which is safe but leaves WAL to replay.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Where a private Postgres lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Its folder: data, socket, password, log. Made when missing.
    pub dir: PathBuf,
    /// `--pg-bin`: the folder with `postgres` and `initdb`, instead of searching the machine.
    pub bin: Option<PathBuf>,
}

/// A running private Postgres, kept running until [`stop`](Self::stop).
///
/// Several processes may have one of the same folder: the first owns it, the others use it, and when the owner goes one
/// of them takes over. Dropping it stops it as `stop` does, but blocks, and waits only 5 s for a fast stop.
#[derive(Debug)]
pub struct PrivatePostgres {
    keeper: KeeperHandle,
    connect: PgConnectOptions,
}

impl PrivatePostgres {
    /// Makes it when the folder is new, adopts it when it runs already, else starts it. Returns when it answers queries,
    /// which after a crash can take minutes: progress is logged. Cancelling the start stops what it started.
    ///
    /// # Errors
    /// [`StartError::NotFound`] without binaries, and all the other reasons that are there.
    pub async fn start(options: PostgresOptions) -> Result<Self, StartError> {
        let layout = Layout::prepare(&options.dir)?;
        let mut keeper = KeeperHandle::launch(layout.clone(), options.bin)?;
        let connect = ready::until_it_answers(&mut keeper, &layout).await?;
        Ok(Self { keeper, connect })
    }

    /// How to connect: through the socket, as superuser `trailmark`, to the database `trailmark`. Stays the same when
    /// Postgres is restarted.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        self.connect.clone()
    }

    /// Whether somebody else started the one that runs now.
    #[must_use]
    pub fn adopted(&self) -> bool {
        matches!(*self.keeper.status.borrow(), Status::Running { adopted: true, .. })
    }

    /// The postmaster's process; `None` while it is being restarted.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match *self.keeper.status.borrow() {
            Status::Running { pid, .. } => Some(pid),
            Status::Down => None,
        }
    }

    /// Stops it: fast (SIGINT), after 60 s at once (SIGQUIT). One that another live process owns is left running.
    ///
    /// # Errors
    /// [`StopError`] when it still runs, or could not be looked after until now.
    pub async fn stop(mut self) -> Result<(), StopError> {
        self.keeper.order(Stop {
            patience: STOP_PATIENCE,
        });
        match self.keeper.ended().await {
            Ended::Stopped(result) => result,
            Ended::Failed(error) => Err(StopError::KeeperEnded(error.to_string())),
        }
    }
}
