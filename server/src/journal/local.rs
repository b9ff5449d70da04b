//! The journal on this machine's disk.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use super::core::{Bounds, Core};
use super::disk::{DirLock, Disk};
use super::os_disk::OsDisk;
use super::recovery::{self, Recovery};
use super::tail::Tail;
use super::{Append, Journal, JournalStats, ReadError, Record, Seq, committer, housekeeper};

const MIB: u64 = 1024 * 1024;
/// Smallest segment: 64 KiB. Below it most of a journal would be headers and unused ends.
const LEAST_SEGMENT_BYTES: u64 = 64 * 1024;
/// Fewest segments within the disk bound: one that is read, one that is written, one spare, one to breathe.
const LEAST_SEGMENTS: u64 = 4;

/// How large a journal may be.
#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// Most bytes of disk, the spare segment included. Default 8 GiB: hours of 300 compressed batches a second.
    pub max_bytes: u64,
    /// Bytes of one segment. Default 64 MiB. At most a quarter of `max_bytes` is used, which also bounds a payload.
    pub segment_bytes: u64,
    /// Most bytes waiting in memory for the disk. Default 32 MiB.
    pub pending_bytes: usize,
    /// The identity given to a journal that starts from an empty directory. Default: random.
    pub new_id: Uuid,
}

impl Default for JournalOptions {
    fn default() -> Self {
        let (max_bytes, segment_bytes) = (8 * 1024 * MIB, 64 * MIB);
        Self {
            max_bytes,
            segment_bytes,
            pending_bytes: 32 * 1024 * 1024,
            new_id: Uuid::new_v4(),
        }
    }
}

impl JournalOptions {
    fn bounds(&self) -> Result<Bounds, OpenError> {
        let least = LEAST_SEGMENTS * LEAST_SEGMENT_BYTES;
        if self.max_bytes < least {
            return Err(OpenError::TooSmall {
                max_bytes: self.max_bytes,
                least,
            });
        }
        let segment_bytes = self
            .segment_bytes
            .min(self.max_bytes / LEAST_SEGMENTS)
            .max(LEAST_SEGMENT_BYTES);
        Ok(Bounds {
            max_bytes: self.max_bytes,
            segment_bytes,
            pending_bytes: self.pending_bytes,
        })
    }
}

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another journal of this one, holds the directory.
    #[error("another server is using this journal directory; each server needs its own")]
    Locked,
    /// Written by a later version.
    #[error(
        "segment {0} was written by a later version of trailmark; use that version, or let it drain the journal first"
    )]
    Format(String),
    /// The bound leaves no room to work.
    #[error("the journal may take {max_bytes} bytes of disk, but needs {least} at least")]
    TooSmall {
        /// The bound given.
        max_bytes: u64,
        /// The least that works.
        least: u64,
    },
    /// The disk said no.
    #[error("cannot open the journal: {0}")]
    Io(#[from] io::Error),
}

/// What serves the journal.
enum Servant {
    /// Two threads: committer and housekeeper.
    Threads(Vec<JoinHandle<()>>),
    /// Whoever calls [`LocalJournal::step`].
    Caller(Box<Tail>),
}

/// A journal in a directory. See the [module](super) for the format and the rules.
pub struct LocalJournal {
    core: Arc<Core>,
    servant: Mutex<Servant>,
    lock: Mutex<Option<DirLock>>,
}

impl LocalJournal {
    /// Opens the journal in `dir`, making the directory if needed, and starts its threads.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(dir: &Path, options: &JournalOptions) -> Result<(Self, Recovery), OpenError> {
        Self::open_on(Arc::new(OsDisk::at(dir)?), options)
    }

    /// The same on any disk.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_on(disk: Arc<dyn Disk>, options: &JournalOptions) -> Result<(Self, Recovery), OpenError> {
        let (journal, recovery) = Self::build(disk, options, true)?;
        journal.start_threads()?;
        Ok((journal, recovery))
    }

    /// The same without threads: nothing happens but in [`LocalJournal::step`] and [`Journal::close`], so that a
    /// simulation decides the order of everything.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_stepped(disk: Arc<dyn Disk>, options: &JournalOptions) -> Result<(Self, Recovery), OpenError> {
        Self::build(disk, options, false)
    }

    fn build(disk: Arc<dyn Disk>, options: &JournalOptions, attended: bool) -> Result<(Self, Recovery), OpenError> {
        let bounds = options.bounds()?;
        let lock = disk.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => OpenError::Io(error),
        })?;
        let opened = recovery::recover(&*disk, bounds.segment_bytes, options.new_id)?;
        let recovery = opened.recovery.clone();
        let last = opened
            .segments
            .last()
            .cloned()
            .ok_or_else(|| io::Error::other("no segment to write to"))?;
        let tail = Tail::new(last, recovery.id, opened.offset, opened.next);
        let core = Arc::new(Core::new(disk, &bounds, opened, attended));
        let servant = Mutex::new(Servant::Caller(Box::new(tail)));
        Ok((
            Self {
                core,
                servant,
                lock: Mutex::new(Some(lock)),
            },
            recovery,
        ))
    }

    fn start_threads(&self) -> io::Result<()> {
        let mut servant = self.servant();
        let Servant::Caller(tail) = std::mem::replace(&mut *servant, Servant::Threads(Vec::new())) else {
            return Ok(());
        };
        let Servant::Threads(threads) = &mut *servant else {
            return Ok(());
        };
        let core = Arc::clone(&self.core);
        threads.push(named("journal-commit").spawn(move || committer::run(&core, *tail))?);
        let core = Arc::clone(&self.core);
        threads.push(named("journal-keep").spawn(move || housekeeper::run(&core))?);
        Ok(())
    }

    /// Without threads: housekeeping, then one group. Returns whether something still waits.
    pub fn step(&self) -> bool {
        if let Servant::Caller(tail) = &mut *self.servant() {
            self.core.keep_house();
            self.core.commit(tail);
        }
        !self.core.inbox.is_empty()
    }

    /// This journal's identity, made when its directory was empty. Sequence numbers mean nothing in another journal, so a
    /// cursor kept elsewhere belongs to this id.
    pub fn id(&self) -> Uuid {
        self.core.id
    }

    fn servant(&self) -> MutexGuard<'_, Servant> {
        self.servant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}

impl Journal for LocalJournal {
    fn append(&self, payload: Bytes) -> Append {
        self.core.append(payload)
    }

    fn read(&self, after: Seq, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        self.core.read(after, max_bytes)
    }

    fn durable(&self) -> watch::Receiver<Seq> {
        self.core.durable.subscribe()
    }

    fn ack(&self, through: Seq) {
        self.core.ack(through);
    }

    fn stats(&self) -> JournalStats {
        self.core.stats()
    }

    fn close(&self) {
        self.core.inbox.close();
        while self.step_if_unthreaded() {}
        let mut servant = self.servant();
        if let Servant::Threads(threads) = &mut *servant {
            let mut threads = threads.drain(..);
            // The committer first: it may still need a spare from the housekeeper.
            join(threads.next());
            self.core.spares.leave();
            threads.for_each(|thread| join(Some(thread)));
        }
        drop(servant);
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl LocalJournal {
    fn step_if_unthreaded(&self) -> bool {
        let unthreaded = matches!(&*self.servant(), Servant::Caller(_));
        unthreaded && self.step()
    }
}

/// A thread that panicked has poisoned the journal already.
fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread {
        let _ = thread.join();
    }
}

impl Drop for LocalJournal {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for LocalJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalJournal")
            .field("id", &self.id())
            .field("stats", &self.core.stats())
            .finish()
    }
}
