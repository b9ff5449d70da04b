//! The keeper: one thread that sees to it that a Postgres runs, for as long as this process wants one.
//!
//! Whoever holds the lock on `owner.lock` owns the Postgres: starts it, restarts it when it died, stops it. Everybody
//! else is a guest who uses it, and tries for the lock: when the owner goes, stopping its Postgres or leaving an orphan,
//! a guest becomes the owner and starts or adopts it. All children are spawned here, because Postgres is told to end
//! when the thread that spawned it does.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::account::Account;
use super::backoff::Backoff;
use super::error::{StartError, StopError};
use super::layout::Layout;
use super::pidfile::{self, Found, Phase};
use super::process::{self, Postmaster};
use super::{find, init, log, settings};

/// How often the keeper looks: the longest time until a death or a free lock is noticed. A look is a few system calls.
const TICK: Duration = Duration::from_millis(200);

/// How often while something is expected: to start, to stop, to answer.
const EAGER_TICK: Duration = Duration::from_millis(20);

/// How long a Postgres that never came up is started anew: time for the backends of a killed one, which keep its shared
/// memory in use, to notice and end. (They look whenever they wait; one that computes takes longer.)
const FIRST_START_PATIENCE: Duration = Duration::from_secs(15);

/// How often the size of the log is looked at.
const LOG_CHECK: Duration = Duration::from_secs(10);

/// What is running, as the keeper last saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Nothing that takes connections.
    Down,
    /// A postmaster: soon or already taking connections.
    Running {
        /// Its process.
        pid: u32,
        /// Whether somebody else started it.
        adopted: bool,
    },
}

/// An order to stop: how long the fast stop may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) patience: Duration,
}

/// Where the keeper hears orders. The end of its handle is one, too.
#[derive(Debug)]
pub(super) struct Orders {
    inbox: Receiver<Stop>,
    heard: Option<Stop>,
}

impl Orders {
    /// Waits up to `pause` for the order to stop. Once heard it is not forgotten.
    pub(super) fn stop_within(&mut self, pause: Duration) -> Option<Stop> {
        if self.heard.is_none() {
            self.heard = match self.inbox.recv_timeout(pause) {
                Ok(stop) => Some(stop),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Stop {
                    patience: KeeperHandle::DROP_PATIENCE,
                }),
            };
        }
        self.heard
    }
}

/// How a keeper ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It could not start a Postgres.
    Failed(StartError),
    /// As ordered.
    Stopped(Result<(), StopError>),
}

/// The other end of a keeper. Dropping it stops what the keeper owns, and waits for that.
#[derive(Debug)]
pub(super) struct KeeperHandle {
    orders: Sender<Stop>,
    thread: Option<JoinHandle<Ended>>,
    pub(super) status: watch::Receiver<Status>,
}

impl KeeperHandle {
    /// How long a drop, which blocks, waits for a fast stop before an immediate one.
    const DROP_PATIENCE: Duration = Duration::from_secs(5);

    /// Starts a keeper.
    pub(super) fn launch(layout: Layout, bin: Option<PathBuf>) -> Result<Self, StartError> {
        let (orders, inbox) = channel();
        let (sender, status) = watch::channel(Status::Down);
        let dir = layout.dir.clone();
        let keeper = Keeper::new(layout, bin, Orders { inbox, heard: None }, sender);
        let thread = std::thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keeper.run());
        let thread = thread.map_err(StartError::io("start a thread for", &dir))?;
        Ok(Self {
            orders,
            thread: Some(thread),
            status,
        })
    }

    /// Orders it to stop; it may have ended before.
    pub(super) fn order(&self, stop: Stop) {
        let _ = self.orders.send(stop);
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> Ended {
        while self.status.changed().await.is_ok() {}
        self.join()
    }

    /// Its end; blocks until then.
    pub(super) fn join(&mut self) -> Ended {
        let ended = self.thread.take().and_then(|thread| thread.join().ok());
        ended.unwrap_or(Ended::Failed(StartError::Interrupted))
    }
}

impl Drop for KeeperHandle {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.order(Stop {
                patience: Self::DROP_PATIENCE,
            });
            self.join();
        }
    }
}

/// The keeper's state.
struct Keeper {
    layout: Layout,
    bin: Option<PathBuf>,
    orders: Orders,
    status: watch::Sender<Status>,
    /// Held by the owner.
    lock: Option<File>,
    /// Owned, and running when last looked at.
    postmaster: Option<Postmaster>,
    backoff: Backoff,
    /// Whether a Postgres of this folder was ever ready: from then on no failure is final.
    was_ready: bool,
    first_failure: Option<Instant>,
    log_checked: Instant,
}

impl Keeper {
    fn new(layout: Layout, bin: Option<PathBuf>, orders: Orders, status: watch::Sender<Status>) -> Self {
        let (lock, postmaster, first_failure) = (None, None, None);
        let (backoff, was_ready, log_checked) = (Backoff::default(), false, Instant::now());
        Self {
            layout,
            bin,
            orders,
            status,
            lock,
            postmaster,
            backoff,
            was_ready,
            first_failure,
            log_checked,
        }
    }

    fn run(mut self) -> Ended {
        loop {
            let pause = match self.step() {
                Ok(pause) => pause,
                Err(error) if self.was_ready => self.survive(&error),
                Err(error) => return Ended::Failed(error),
            };
            if let Some(stop) = self.orders.stop_within(pause) {
                return Ended::Stopped(self.postmaster.take().map_or(Ok(()), |owned| owned.stop(stop.patience)));
            }
        }
    }

    /// One look at the world; says when to look again.
    fn step(&mut self) -> Result<Duration, StartError> {
        if self.lock.is_none() {
            self.lock = self.try_to_own()?;
        }
        match (&self.lock, self.postmaster.take()) {
            (None, _) => Ok(self.look_as_guest()),
            (Some(_), None) => self.bring_up(),
            (Some(_), Some(postmaster)) => self.look_after(postmaster),
        }
    }

    fn try_to_own(&self) -> Result<Option<File>, StartError> {
        let at = &self.layout.lock;
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(at);
        let file = opened.map_err(StartError::io("open", at))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StartError::io("lock", at)(error)),
        }
    }

    fn look_as_guest(&mut self) -> Duration {
        match pidfile::look(&self.layout.data) {
            Found::Postmaster {
                pid,
                phase: Phase::Ready,
            } => {
                self.was_ready = true;
                self.tell(Status::Running { pid, adopted: true });
                TICK
            }
            _ => {
                self.tell(Status::Down);
                EAGER_TICK
            }
        }
    }

    /// The owner has no postmaster: takes over the one that runs, or starts one.
    fn bring_up(&mut self) -> Result<Duration, StartError> {
        match pidfile::look(&self.layout.data) {
            Found::Postmaster {
                phase: Phase::Stopping, ..
            } => return Ok(EAGER_TICK),
            Found::Postmaster { pid, .. } => {
                tracing::info!(pid, "adopting the private Postgres that runs already");
                return Ok(self.have(Postmaster::adopt(pid)));
            }
            Found::Stale => self.layout.remove_stale_locks(),
            Found::Nothing => {}
        }
        self.tell(Status::Down);
        let postmaster = self.start()?;
        tracing::info!(pid = postmaster.pid(), dir = %self.layout.dir.display(), "started the private Postgres");
        Ok(self.have(postmaster))
    }

    fn start(&mut self) -> Result<Postmaster, StartError> {
        let binaries = find::find_for_data(self.bin.as_deref(), &self.layout.data)?;
        let account = Account::for_data(&self.layout.data)?;
        account.reaches(&self.layout.dir)?;
        account.reaches(&binaries.bin_dir)?;
        self.layout.prepare_socket_dir(&account)?;
        self.keep_log_bounded();
        if !self.layout.data.exists() {
            tracing::info!(version = binaries.major, dir = %self.layout.data.display(), "making a new Postgres");
            init::create(&binaries, &self.layout, &account, &mut self.orders)?;
        }
        settings::write(&self.layout, process::has_lz4(&binaries, &self.layout, &account))?;
        Postmaster::spawn(&binaries, &self.layout, &account)
    }

    fn have(&mut self, postmaster: Postmaster) -> Duration {
        self.tell(Status::Running {
            pid: postmaster.pid(),
            adopted: postmaster.is_adopted(),
        });
        self.postmaster = Some(postmaster);
        EAGER_TICK
    }

    /// The owner's usual look.
    fn look_after(&mut self, mut postmaster: Postmaster) -> Result<Duration, StartError> {
        if let Some(how) = postmaster.ended() {
            self.tell(Status::Down);
            return self.after_its_end(&how, &postmaster);
        }
        if self.log_checked.elapsed() >= LOG_CHECK {
            self.keep_log_bounded();
        }
        let ready = matches!(
            pidfile::look(&self.layout.data),
            Found::Postmaster {
                phase: Phase::Ready,
                ..
            }
        );
        self.was_ready |= ready;
        self.postmaster = Some(postmaster);
        Ok(if ready { TICK } else { EAGER_TICK })
    }

    /// It ended without an order of ours: says when to start it again.
    fn after_its_end(&mut self, how: &str, postmaster: &Postmaster) -> Result<Duration, StartError> {
        let since = *self.first_failure.get_or_insert_with(Instant::now);
        if !self.was_ready && since.elapsed() >= FIRST_START_PATIENCE {
            return Err(StartError::Exited {
                how: how.to_owned(),
                log: log::tail(&self.layout.log),
            });
        }
        let pause = self.backoff.after_failure(postmaster.since.elapsed());
        tracing::warn!(pid = postmaster.pid(), how, restart_in = ?pause, "the private Postgres ended by itself");
        Ok(pause)
    }

    /// A failure after a first success: the next look may be luckier.
    fn survive(&mut self, error: &StartError) -> Duration {
        self.tell(Status::Down);
        let pause = self.backoff.after_failure(Duration::ZERO);
        tracing::error!(%error, retry_in = ?pause, "the private Postgres cannot be started");
        pause
    }

    fn tell(&self, status: Status) {
        self.status
            .send_if_modified(|old| std::mem::replace(old, status) != status);
    }

    fn keep_log_bounded(&mut self) {
        self.log_checked = Instant::now();
        if let Err(error) = log::keep_bounded(&self.layout.log) {
            tracing::warn!(%error, log = %self.layout.log.display(), "could not shorten Postgres's log");
        }
    }
}
