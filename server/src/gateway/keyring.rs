//! Which keys open what. Held in memory, refreshed from the database, and saved beside the journal so that a server
//! that starts while Postgres is away still knows its clients.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::problem::{Code, Problem};
use crate::store::{KeyKind, KeyRow, Store, StoreError, hash_key};

/// How often the keys are read again: a revoked key stops working within this time.
pub const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// How soon after a look into the database an unknown key may cause another: a flood of wrong keys costs at most four
/// queries a second, and a refusal takes at most this long.
const LOOK_ON_MISS_EVERY: Duration = Duration::from_millis(250);

/// What a known key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The project.
    pub project_id: i32,
    /// The key's number within the project.
    pub key_id: i32,
    /// Events or reads.
    pub kind: KeyKind,
}

type Keys = HashMap<[u8; 32], Grant>;

/// A look into the database.
#[derive(Debug, Clone, Copy)]
struct Look {
    began: Instant,
    answered: bool,
}

/// The keys this server knows.
#[derive(Debug)]
pub struct Keyring {
    keys: ArcSwap<Keys>,
    /// The last look into the database.
    looked: Mutex<Option<Look>>,
    snapshot: PathBuf,
}

impl Keyring {
    /// The keys saved at `snapshot`, or none yet.
    #[must_use]
    pub fn open(snapshot: &Path) -> Self {
        let saved = std::fs::read(snapshot)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Vec<([u8; 32], Grant)>>(&bytes).ok());
        let keys: Keys = saved.unwrap_or_default().into_iter().collect();
        Self {
            keys: ArcSwap::from_pointee(keys),
            looked: Mutex::new(None),
            snapshot: snapshot.to_owned(),
        }
    }

    /// Reads the keys from the database, and saves them if they changed.
    ///
    /// # Errors
    /// What stands in the way; the keys known so far stay.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let mut looked = self.looked.lock().await;
        self.look(store, &mut looked).await
    }

    async fn look(&self, store: &Store, looked: &mut Option<Look>) -> Result<(), StoreError> {
        let began = Instant::now();
        let rows = store.load_keyring().await;
        *looked = Some(Look {
            began,
            answered: rows.is_ok(),
        });
        let keys: Keys = rows?.into_iter().map(entry).collect();
        if **self.keys.load() != keys {
            self.save(&keys);
            self.keys.store(keys.into());
        }
        Ok(())
    }

    /// A lost snapshot costs a start during an outage, so a failure to write it is only logged.
    fn save(&self, keys: &Keys) {
        let entries: Vec<_> = keys.iter().collect();
        let partial = self.snapshot.with_extension("partial");
        let saved = serde_json::to_vec(&entries)
            .map_err(std::io::Error::other)
            .and_then(|bytes| std::fs::write(&partial, bytes))
            .and_then(|()| std::fs::rename(&partial, &self.snapshot));
        if let Err(error) = saved {
            tracing::warn!(%error, "the keyring was not saved");
        }
    }

    /// What `key` opens; asks the database about a key not known yet.
    ///
    /// # Errors
    /// [`Code::UnknownKey`]; [`Code::KeyringUnavailable`] while the database cannot say.
    pub async fn grant(&self, key: &str, store: &Store) -> Result<Grant, Problem> {
        let hash = hash_key(key);
        if let Some(grant) = self.keys.load().get(&hash) {
            return Ok(*grant);
        }
        let answered = self.look_after(Instant::now(), store).await;
        match self.keys.load().get(&hash) {
            Some(grant) => Ok(*grant),
            None if answered => Err(Problem::new(Code::UnknownKey, "this key opens nothing here")),
            None => Err(Problem::new(
                Code::KeyringUnavailable,
                "the database that knows the keys does not answer",
            )),
        }
    }

    /// Makes sure that the last look began after `asked`, and tells whether the database answered it. An older one says
    /// nothing about a key that may have been made since; all who wait share one.
    async fn look_after(&self, asked: Instant, store: &Store) -> bool {
        let mut looked = self.looked.lock().await;
        if looked.is_none_or(|look| look.began < asked) {
            if let Some(look) = *looked {
                tokio::time::sleep_until(look.began + LOOK_ON_MISS_EVERY).await;
            }
            // What went wrong shows in `answered`.
            let _ = self.look(store, &mut looked).await;
        }
        looked.is_some_and(|look| look.answered)
    }
}

fn entry(row: KeyRow) -> ([u8; 32], Grant) {
    (
        row.hash,
        Grant {
            project_id: row.project_id,
            key_id: row.id,
            kind: row.kind,
        },
    )
}
