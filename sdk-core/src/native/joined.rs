//! The clients of this process by their directories, for those that may be joined.
//!
//! A directory's lock belongs to the process, so who has it is the process's to know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::BuildError;
use super::client::{Client, WeakClient};

/// Whose client is on which directory.
static OPEN: Mutex<BTreeMap<PathBuf, (String, WeakClient)>> = Mutex::new(BTreeMap::new());

/// The client that is on the directory, if it is `whose` and still works; otherwise the one that `open` opens.
pub(super) fn or_open(
    directory: &Path,
    whose: String,
    open: impl FnOnce() -> Result<Client, BuildError>,
) -> Result<Client, BuildError> {
    let directory = one_name_of(directory);
    // Held while a client opens: who comes second finds it.
    let mut known = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let there = known.get(&directory).filter(|(owner, _)| *owner == whose);
    let there = there.and_then(|(_, client)| client.upgrade());
    if let Some(client) = there.as_ref().filter(|client| client.shared().is_running()) {
        return Ok(client.clone());
    }
    let opened = open();
    known.retain(|_, (_, client)| client.is_there());
    if let Ok(client) = &opened {
        known.insert(directory, (whose, client.downgrade()));
    }
    drop(known);
    // Perhaps the last of it, whose end the app is told of: by a callback, which may open a client.
    drop(there);
    opened
}

/// The same for all paths that lead to it, as far as that can be known.
fn one_name_of(directory: &Path) -> PathBuf {
    // What is wrong with it is said by whoever opens it.
    let _ = std::fs::create_dir_all(directory);
    std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned())
}
