//! A storage in memory that outlives the engine, and breaks when told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use trailmark_core::{Storage, StorageError};

/// Clones are the same storage.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// Appends take only so many bytes more, then fail.
    room: Option<usize>,
    /// Nothing can be listed.
    gone: bool,
    /// No file can be read.
    unreadable: bool,
}

impl Disk {
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.0.lock().unwrap().room = room;
    }

    pub(crate) fn set_gone(&self, gone: bool) {
        self.0.lock().unwrap().gone = gone;
    }

    pub(crate) fn set_unreadable(&self, unreadable: bool) {
        self.0.lock().unwrap().unreadable = unreadable;
    }

    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap().files.clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        change(&mut self.0.lock().unwrap().files);
    }

    /// A copy as a crash at this moment would leave it.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        copy.change(|files| *files = self.files());
        copy
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        let found = |bytes: &Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        self.files().values().any(found)
    }
}

impl Storage for Disk {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        let state = self.0.lock().unwrap();
        if state.gone {
            return Err(StorageError("no such directory".into()));
        }
        Ok(state.files.keys().cloned().collect())
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
        let state = self.0.lock().unwrap();
        if state.unreadable {
            return Err(StorageError("operation not permitted".into()));
        }
        state
            .files
            .get(file)
            .cloned()
            .ok_or_else(|| StorageError("no such file".into()))
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.0.lock().unwrap();
        let room = state.room.unwrap_or(usize::MAX);
        let fits = &bytes[..bytes.len().min(room)];
        state.files.entry(file.to_owned()).or_default().extend(fits);
        state.room = state.room.map(|room| room - fits.len());
        if fits.len() < bytes.len() {
            return Err(StorageError("no space left on device".into()));
        }
        Ok(())
    }

    fn remove(&mut self, file: &str) -> Result<(), StorageError> {
        self.0.lock().unwrap().files.remove(file);
        Ok(())
    }
}
