//! A directory as a client's [`Storage`], and when its bytes survive what.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::storage::{Storage, StorageError};

/// What a captured event survives.
///
/// Whatever is chosen, it survives the death of the process (a crash, `kill -9`, the system's own cleaning up) from the
/// moment the call returns: the bytes are the system's by then. The choice is about the loss of power and a crash of the
/// whole system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Never asks the system to hurry: what it has not written by itself (Linux: within 30 s) is lost.
    Process,
    /// Asks in the background, this long after an event at the latest. The default, with [`SYNC_WITHIN`].
    Within(Duration),
    /// Asks before the call returns, which takes milliseconds: for a till, not for a screen.
    EveryEvent,
}

/// How long an event may be at the mercy of the power, by default: 1 s. One `fdatasync` a second at most.
pub const SYNC_WITHIN: Duration = Duration::from_secs(1);

impl Default for Durability {
    fn default() -> Self {
        Self::Within(SYNC_WITHIN)
    }
}

const LOCK_FILE: &str = "lock";

/// A directory that one client at a time keeps its files in.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    /// The file that was appended to last, kept open.
    open: Option<(String, Arc<File>)>,
    durability: Durability,
    unsynced: Arc<Unsynced>,
    /// Held for as long as this is.
    _lock: File,
}

/// Why a directory cannot be used.
#[derive(Debug)]
pub(super) enum OpenError {
    /// Another client, perhaps of another process, has it.
    InUse,
    /// What the system says.
    Io(io::Error),
}

impl Files {
    /// Takes the directory, which is made if it is not there.
    pub(super) fn open(dir: &Path, durability: Durability, unsynced: Arc<Unsynced>) -> Result<Self, OpenError> {
        fs::create_dir_all(dir).map_err(OpenError::Io)?;
        let lock = appending(&dir.join(LOCK_FILE)).map_err(OpenError::Io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
            // A file system without locks: better no guard than no storage.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(error)),
        }
        Ok(Self {
            dir: dir.to_owned(),
            open: None,
            durability,
            unsynced,
            _lock: lock,
        })
    }

    /// The file to append to, opened once for all appends in a row.
    fn file(&mut self, name: &str) -> io::Result<Arc<File>> {
        match &self.open {
            Some((open, file)) if open == name => Ok(Arc::clone(file)),
            _ => {
                let file = Arc::new(appending(&self.dir.join(name))?);
                self.open = Some((name.to_owned(), Arc::clone(&file)));
                // Its name in the directory must be as safe as its bytes.
                #[cfg(unix)]
                self.needs_sync(&Arc::new(File::open(&self.dir)?));
                Ok(file)
            }
        }
    }

    fn needs_sync(&self, file: &Arc<File>) {
        if self.durability != Durability::Process {
            self.unsynced.add(file);
        }
    }
}

/// Only the app itself may read what its users do.
fn appending(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Storage for Files {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        let names = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        let names: io::Result<Vec<String>> = names.filter_map(Result::transpose).collect();
        Ok(names?)
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
        Ok(fs::read(self.dir.join(file))?)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let file = self.file(name)?;
        (&*file).write_all(bytes)?;
        self.needs_sync(&file);
        if self.durability == Durability::EveryEvent {
            self.unsynced.sync()?;
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        if self.open.as_ref().is_some_and(|(open, _)| open == name) {
            self.open = None;
        }
        Ok(fs::remove_file(self.dir.join(name))?)
    }
}

/// A directory that cannot be used at all, and why.
#[derive(Debug)]
pub(super) struct Unusable(pub(super) StorageError);

impl Storage for Unusable {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        Err(self.0.clone())
    }

    fn read(&mut self, _: &str) -> Result<Vec<u8>, StorageError> {
        Err(self.0.clone())
    }

    fn append(&mut self, _: &str, _: &[u8]) -> Result<(), StorageError> {
        Err(self.0.clone())
    }

    fn remove(&mut self, _: &str) -> Result<(), StorageError> {
        Err(self.0.clone())
    }
}

/// Files with bytes that only the system has, not the disk.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    files: Mutex<Vec<Arc<File>>>,
    /// Wakes whoever syncs, when the first file comes.
    some: Notify,
}

impl Unsynced {
    fn add(&self, file: &Arc<File>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.is_empty() {
            self.some.notify_one();
        }
        // At most a closed segment, the next one and their directory.
        if !files.iter().any(|known| Arc::ptr_eq(known, file)) {
            files.push(Arc::clone(file));
        }
    }

    /// Syncs them all; the app's calls do not wait for it.
    pub(super) fn sync(&self) -> io::Result<()> {
        let files = std::mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner));
        files.iter().try_for_each(|file| file.sync_data())
    }

    /// Syncs for ever, `within` after the first byte that needs it. Errors go to `failed`.
    pub(super) async fn keep_synced(&self, within: Duration, failed: impl Fn(io::Error)) {
        loop {
            self.some.notified().await;
            tokio::time::sleep(within).await;
            if let Err(error) = self.sync() {
                failed(error);
            }
        }
    }
}
