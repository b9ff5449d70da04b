//! What a device has around it: randomness that counts, and a storage in memory that outlives a restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trailmark_core::{Entropy, Storage, StorageError};

/// Bytes 0, 1, 2, … 255, 0, …: each byte that is asked for is one more than the one before. Clones count on together,
/// so a restart repeats nothing.
#[derive(Debug, Clone, Default)]
pub struct Counting(Arc<Mutex<u8>>);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        let mut next = locked(&self.0);
        for byte in bytes {
            *byte = *next;
            *next = next.wrapping_add(1);
        }
    }
}

/// Files in memory. Clones are the same storage.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<Files>>);

#[derive(Debug, Default)]
struct Files {
    files: BTreeMap<String, Vec<u8>>,
    /// Every call fails with this.
    failure: Option<StorageError>,
}

impl Disk {
    /// From now on every call fails, with this text; or works again.
    pub fn fail(&self, why: Option<String>) {
        locked(&self.0).failure = why.map(StorageError);
    }

    fn files(&self) -> Result<MutexGuard<'_, Files>, StorageError> {
        let files = locked(&self.0);
        files.failure.clone().map_or(Ok(files), Err)
    }
}

impl Storage for Disk {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        Ok(self.files()?.files.keys().cloned().collect())
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
        let found = self.files()?.files.get(file).cloned();
        found.ok_or_else(|| StorageError(format!("no file {file}")))
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.files()?
            .files
            .entry(file.to_owned())
            .or_default()
            .extend_from_slice(bytes);
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), StorageError> {
        self.files()?.files.remove(file);
        Ok(())
    }
}

/// A panic of another test's thread leaves nothing half-done in these.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
