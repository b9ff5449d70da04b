//! A device's storage: dies in the middle of a write, forgets what was not synced, is full, read-only, damaged, gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use trailmark_core::{Storage, StorageError, Uuid};

use crate::dice::Dice;

/// How the storage feels about writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fine,
    /// Nothing can be written or removed.
    ReadOnly,
    /// Of each append an arbitrary part is written before it fails.
    Full,
}

/// The files of one install. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct DeviceDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    files: BTreeMap<String, File>,
    /// Removed since the last sync: a power loss may bring them back.
    removed: Vec<(String, File)>,
    /// Each append is synced before it returns.
    syncs: bool,
    weather: Weather,
    unlistable: bool,
    unreadable: bool,
    /// Changes until the process dies in the middle of one.
    dies_in: Option<usize>,
    dead: bool,
    /// Events that were appended whole since the last look.
    saved: Vec<(Uuid, String)>,
    /// Events appended since the last sync.
    at_risk: Vec<Uuid>,
    unsynced: bool,
    /// A file could not be removed since the process began.
    stuck: bool,
    dice: Dice,
}

#[derive(Debug, Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
}

impl DeviceDisk {
    pub(crate) fn new(syncs: bool, dice: Dice) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            removed: Vec::new(),
            syncs,
            weather: Weather::Fine,
            unlistable: false,
            unreadable: false,
            dies_in: None,
            dead: false,
            saved: Vec::new(),
            at_risk: Vec::new(),
            unsynced: false,
            stuck: false,
            dice,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process will die in the middle of the change after so many.
    pub(crate) fn die_in(&self, changes: usize) {
        self.state().dies_in = Some(changes);
    }

    /// The process has died: it changes nothing any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    pub(crate) fn kill(&self) {
        self.state().dead = true;
    }

    /// The next process finds the files as they are.
    pub(crate) fn revive(&self) {
        let mut state = self.state();
        (state.dead, state.stuck) = (false, false);
        state.dies_in = None;
    }

    /// The process will not die after all.
    pub(crate) fn spare(&self) {
        self.state().dies_in = None;
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// Whether listing, or reading, fails.
    pub(crate) fn hide(&self, unlistable: bool, unreadable: bool) {
        let mut state = self.state();
        (state.unlistable, state.unreadable) = (unlistable, unreadable);
    }

    /// Whether listing or reading fails.
    pub(crate) fn is_hidden(&self) -> bool {
        let state = self.state();
        state.unlistable || state.unreadable
    }

    /// Whether a file that was to be removed is still there.
    pub(crate) fn is_stuck(&self) -> bool {
        self.state().stuck
    }

    /// The events that were appended whole since the last call.
    pub(crate) fn take_saved(&self) -> Vec<(Uuid, String)> {
        std::mem::take(&mut self.state().saved)
    }

    pub(crate) fn sync(&self) {
        let mut state = self.state();
        state.files.values_mut().for_each(|file| file.synced = file.bytes.len());
        state.removed.clear();
        state.at_risk.clear();
        state.unsynced = false;
    }

    /// The power fails. Returns the events that may be lost; `None` if every append was synced. Files whose removal was
    /// not may be there again in any case.
    pub(crate) fn lose_power(&self) -> Option<Vec<Uuid>> {
        let mut state = self.state();
        state.dead = true;
        let State {
            files, removed, dice, ..
        } = &mut *state;
        for (name, file) in removed.drain(..).filter(|(_, file)| file.synced > 0) {
            if dice.percent(50) {
                files.entry(name).or_insert(file);
            }
        }
        files.values_mut().for_each(|file| file.lose_tail(dice));
        files.retain(|_, file| !file.bytes.is_empty());
        let at_risk = std::mem::take(&mut state.at_risk);
        std::mem::take(&mut state.unsynced).then_some(at_risk)
    }

    /// A byte turns, or a file vanishes. False if there is nothing to damage.
    pub(crate) fn damage(&self) -> bool {
        let State {
            files, removed, dice, ..
        } = &mut *self.state();
        // No file comes back after this: it would be taken for a later one.
        removed.clear();
        let names: Vec<String> = files.keys().cloned().collect();
        if names.is_empty() {
            return false;
        }
        let name = &names[dice.below(names.len())];
        if dice.percent(20) {
            files.remove(name);
        } else if let Some(file) = files.get_mut(name) {
            let (at, bit) = (dice.below(file.bytes.len()), dice.below(8));
            file.bytes
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= 1 << bit);
        }
        true
    }

    /// The ids of all events that can be found on it.
    pub(crate) fn events(&self) -> Vec<Uuid> {
        let state = self.state();
        let found = state.files.values().flat_map(|file| events_in(&file.bytes));
        found.map(|(id, _)| id).collect()
    }
}

impl File {
    /// Of what was not synced an arbitrary part is there, and perhaps zeros for the rest.
    fn lose_tail(&mut self, dice: &mut Dice) {
        let whole = self.bytes.len();
        let kept = self.synced + dice.below(whole - self.synced + 1);
        self.bytes.truncate(kept);
        if dice.percent(30) {
            self.bytes.resize(whole, 0);
        }
        self.synced = self.bytes.len();
    }
}

impl State {
    /// Whether this change is made: wholly, or only up to where the process dies in it.
    fn begin(&mut self) -> Result<bool, StorageError> {
        if self.dead {
            return Err(fails("the process is dead"));
        }
        match &mut self.dies_in {
            Some(0) => {
                self.dead = true;
                Ok(false)
            }
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => Ok(true),
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) {
        let syncs = self.syncs;
        let file = self.files.entry(name.to_owned()).or_default();
        file.bytes.extend_from_slice(bytes);
        if syncs {
            file.synced = file.bytes.len();
        } else {
            self.unsynced = true;
        }
    }

    fn write_some(&mut self, name: &str, bytes: &[u8]) {
        let some = self.dice.below(bytes.len() + 1);
        self.write(name, &bytes[..some]);
        if some == bytes.len() {
            self.note_saved(bytes);
        }
    }

    fn note_saved(&mut self, bytes: &[u8]) {
        let events = events_in(bytes);
        if !self.syncs {
            self.at_risk.extend(events.iter().map(|(id, _)| *id));
        }
        self.saved.extend(events);
    }
}

impl Storage for DeviceDisk {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        let state = self.state();
        if state.unlistable {
            return Err(fails("no such directory today"));
        }
        Ok(state.files.keys().cloned().collect())
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
        let state = self.state();
        if state.unreadable {
            return Err(fails("input/output error"));
        }
        let bytes = state.files.get(file).map(|file| file.bytes.clone());
        bytes.ok_or_else(|| fails("no such file"))
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.state();
        if !state.begin()? {
            state.write_some(file, bytes);
            return Err(fails("killed"));
        }
        match state.weather {
            Weather::Fine => {
                state.write(file, bytes);
                state.note_saved(bytes);
                Ok(())
            }
            Weather::ReadOnly => Err(fails("read-only file system")),
            Weather::Full => {
                state.write_some(file, bytes);
                Err(fails("no space left on device"))
            }
        }
    }

    fn remove(&mut self, file: &str) -> Result<(), StorageError> {
        let mut state = self.state();
        let done = state.begin()? || state.dice.percent(50);
        if state.weather == Weather::ReadOnly {
            state.stuck = true;
            return Err(fails("read-only file system"));
        }
        if done && let Some(gone) = state.files.remove(file) {
            state.removed.push((file.to_owned(), gone));
        }
        Ok(())
    }
}

fn fails(why: &str) -> StorageError {
    StorageError(why.to_owned())
}

/// What makes an object an event, and not a session in a checkpoint.
#[derive(Deserialize)]
struct Named {
    id: Uuid,
    #[serde(rename = "event")]
    _event: serde::de::IgnoredAny,
}

/// The events in these bytes. Found by how they begin, so that no knowledge of the log's layout is shared with it.
fn events_in(bytes: &[u8]) -> Vec<(Uuid, String)> {
    const BEGIN: &[u8] = br#"{"id":""#;
    let begins = bytes
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, window)| *window == BEGIN);
    let event = |at: usize| {
        let mut values = serde_json::Deserializer::from_slice(&bytes[at..]).into_iter::<&RawValue>();
        let json = values.next()?.ok()?.get();
        let named: Named = serde_json::from_str(json).ok()?;
        Some((named.id, json.to_owned()))
    };
    begins.filter_map(|(at, _)| event(at)).collect()
}
