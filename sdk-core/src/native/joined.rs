//! The clients of this process by their directories, for those that may be joined.
//!
//! A directory's lock belongs to the process, so who has it is the process's to know.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::BuildError;
use super::client::{Client, WeakClient};

/// Whose client is on which directory.
static OPEN: Mutex<BTreeMap<PathBuf, (String, WeakClient)>> = Mutex::new(BTreeMap::new());

/// The client that is on the directory, if it is `whose` and still works; otherwise the one that `open` opens.
pub(super) fn or_open(
    directory: PathBuf,
    whose: String,
    open: impl FnOnce() -> Result<Client, BuildError>,
) -> Result<Client, BuildError> {
    // Held while a client opens: who comes second finds it.
    let mut known = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let there = known.get(&directory).filter(|(owner, _)| *owner == whose);
    if let Some(client) = there.and_then(|(_, client)| client.upgrade()) {
        return Ok(client);
    }
    let client = open()?;
    known.retain(|_, (_, client)| client.upgrade().is_some());
    known.insert(directory, (whose, client.downgrade()));
    Ok(client)
}
