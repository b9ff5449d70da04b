//! Which keys open what. Held in memory, refreshed from the database, and saved beside the journal so that a server
//! that starts while Postgres is away still knows its clients.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::problem::{Code, Problem};
use crate::store::{KeyKind, KeyRow, Store, StoreError, hash_key};

/// How often the keys are read again: a revoked key stops working within this time.
pub const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// How soon after a look into the database an unknown key may cause another: a flood of wrong keys is at most four
/// queries a second, and a wrong key waits at most this long for its refusal.
const REFRESH_ON_MISS_EVERY: Duration = Duration::from_millis(250);

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

/// A key, and whether it was used since that was last noted.
#[derive(Debug)]
struct Entry {
    grant: Grant,
    used: AtomicBool,
}

impl From<Grant> for Entry {
    fn from(grant: Grant) -> Self {
        Self {
            grant,
            used: AtomicBool::new(false),
        }
    }
}

type Keys = HashMap<[u8; 32], Entry>;

/// The keys this server knows.
#[derive(Debug)]
pub struct Keyring {
    keys: ArcSwap<Keys>,
    freshness: Mutex<Freshness>,
    /// Whether the database answered when it was last asked; readable while somebody waits for its answer.
    answers: AtomicBool,
    snapshot: PathBuf,
}

/// When the database was last asked, and whether it answered.
#[derive(Debug, Default)]
struct Freshness {
    asked: Option<Instant>,
    answered: bool,
}

impl Keyring {
    /// The keys saved at `snapshot`, or none yet.
    #[must_use]
    pub fn open(snapshot: &Path) -> Self {
        let saved = std::fs::read(snapshot).ok();
        let saved: Option<Vec<([u8; 32], Grant)>> = saved.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let keys: Keys = saved
            .unwrap_or_default()
            .into_iter()
            .map(|(hash, grant)| (hash, grant.into()))
            .collect();
        Self {
            keys: ArcSwap::from_pointee(keys),
            freshness: Mutex::default(),
            answers: AtomicBool::new(false),
            snapshot: snapshot.to_owned(),
        }
    }

    /// Reads the keys from the database, and saves them if they changed.
    ///
    /// # Errors
    /// What stands in the way; the keys known so far stay.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let mut freshness = self.freshness.lock().await;
        self.load(store, &mut freshness).await
    }

    async fn load(&self, store: &Store, freshness: &mut Freshness) -> Result<(), StoreError> {
        let asked = Some(Instant::now());
        let loaded = store.load_keyring().await;
        self.answers.store(loaded.is_ok(), Ordering::Relaxed);
        *freshness = Freshness {
            asked,
            answered: loaded.is_ok(),
        };
        let grants: HashMap<[u8; 32], Grant> = loaded?.into_iter().map(|row| (row.hash, Grant::from(row))).collect();
        if !is_same(&self.keys.load(), &grants) {
            self.save(&grants);
            let keys: Keys = grants.into_iter().map(|(hash, grant)| (hash, grant.into())).collect();
            self.keys.store(keys.into());
        }
        Ok(())
    }

    /// A lost snapshot costs a start during an outage, so a failure to write it is only logged.
    fn save(&self, grants: &HashMap<[u8; 32], Grant>) {
        let entries: Vec<_> = grants.iter().collect();
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
        if let Some(grant) = self.known(&hash) {
            return Ok(grant);
        }
        let answered = self.refresh_since(Instant::now(), store).await;
        self.known(&hash).ok_or_else(|| unknown(answered))
    }

    /// Makes sure that the database was last asked after `moment`, and tells whether it answered. What it said before
    /// says nothing about a key that was made since; all who wait share one refresh.
    async fn refresh_since(&self, moment: Instant, store: &Store) -> bool {
        let mut freshness = self.freshness.lock().await;
        if freshness.asked.is_none_or(|asked| asked < moment) {
            if let Some(asked) = freshness.asked {
                tokio::time::sleep_until(asked + REFRESH_ON_MISS_EVERY).await;
            }
            // Whether it went wrong is in `answered`.
            let _ = self.load(store, &mut freshness).await;
        }
        freshness.answered
    }

    /// Whether the database answered when it was last asked, at most [`REFRESH_EVERY`] and a connection's timeout ago.
    pub fn database_answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    fn known(&self, hash: &[u8; 32]) -> Option<Grant> {
        let keys = self.keys.load();
        let entry = keys.get(hash)?;
        entry.used.store(true, Ordering::Relaxed);
        Some(entry.grant)
    }

    /// The keys (project, number) used since this was last asked.
    pub fn take_used(&self) -> Vec<(i32, i32)> {
        let keys = self.keys.load();
        let used = keys.values().filter(|entry| entry.used.swap(false, Ordering::Relaxed));
        used.map(|entry| (entry.grant.project_id, entry.grant.key_id)).collect()
    }
}

fn is_same(keys: &Keys, grants: &HashMap<[u8; 32], Grant>) -> bool {
    keys.len() == grants.len()
        && grants
            .iter()
            .all(|(hash, grant)| keys.get(hash).is_some_and(|key| key.grant == *grant))
}

fn unknown(answered: bool) -> Problem {
    if answered {
        Problem::new(Code::UnknownKey, "this key opens nothing here")
    } else {
        Problem::new(
            Code::KeyringUnavailable,
            "the database that knows the keys does not answer",
        )
    }
}

impl From<KeyRow> for Grant {
    fn from(row: KeyRow) -> Self {
        Self {
            project_id: row.project_id,
            key_id: row.id,
            kind: row.kind,
        }
    }
}
