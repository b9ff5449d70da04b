//! A disk in memory that knows what a power loss would leave, for tests and simulations.
//!
//! Writes and names are "live" at once, and "stable" only after a sync. [`FakeDisk::crash`] gives the disk as the next
//! boot would find it: what was synced, plus an arbitrary, torn part of what was not.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{DirLock, Disk, DiskFile, SharedFile};

/// A sector is what a disk writes or does not write as a whole: 512 bytes.
const SECTOR: usize = 512;

/// Operations that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Creating, renaming, linking or removing a name.
    Name,
    /// [`DiskFile::read_at`].
    Read,
    /// [`DiskFile::write_at`].
    Write,
    /// [`DiskFile::allocate`] and [`DiskFile::truncate`].
    Resize,
    /// [`DiskFile::sync_data`] and [`DiskFile::sync_all`]. As on Linux, a failed sync leaves pages that look written.
    Sync,
    /// [`Disk::sync_dir`].
    SyncDir,
}

/// A disk in memory.
#[derive(Debug, Clone, Default)]
pub struct FakeDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<String, u64>,
    stable_names: BTreeMap<String, u64>,
    unsynced_names: Vec<NameChange>,
    next_inode: u64,
    locked: bool,
    failing: BTreeMap<Operation, io::ErrorKind>,
    counts: BTreeMap<Operation, u64>,
    space: Option<u64>,
    power: Power,
}

#[derive(Debug, Default)]
enum Power {
    #[default]
    On,
    /// Goes off in the middle of the change after this many.
    Until(u64),
    Off,
}

#[derive(Debug, Default)]
struct Inode {
    live: Vec<u8>,
    stable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Resize(usize),
}

#[derive(Debug)]
enum NameChange {
    Put(String, u64),
    Rename(String, String),
    Remove(String),
}

impl FakeDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The disk as found after a power loss now: synced bytes, and of the others an arbitrary part that `seed` decides.
    /// This disk is off from now on: whoever still uses it gets errors and changes nothing.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        let mut state = self.state();
        state.power = Power::Off;
        let mut dice = Dice(seed);
        let inodes = state
            .inodes
            .iter()
            .map(|(&id, inode)| (id, inode.after_crash(&mut dice)))
            .collect();
        let mut names = state.stable_names.clone();
        state
            .unsynced_names
            .iter()
            .filter(|_| dice.coin())
            .for_each(|change| change.apply(&mut names));
        let next_inode = state.next_inode;
        let stable_names = names.clone();
        let after = State {
            inodes,
            names,
            stable_names,
            next_inode,
            space: state.space,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(after)))
    }

    /// Lets `changes` more changes happen; in the middle of the next the power goes off.
    pub fn cut_power_after(&self, changes: u64) {
        self.state().power = Power::Until(changes);
    }

    /// Makes every operation of this kind fail, or work again.
    pub fn fail(&self, operation: Operation, error: Option<io::ErrorKind>) {
        let mut state = self.state();
        match error {
            Some(error) => state.failing.insert(operation, error),
            None => state.failing.remove(&operation),
        };
    }

    /// Limits the bytes of all files together; beyond, allocating fails with `StorageFull`.
    pub fn limit_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// How many operations of this kind were asked for.
    #[must_use]
    pub fn count(&self, operation: Operation) -> u64 {
        self.state().counts.get(&operation).copied().unwrap_or(0)
    }

    /// The contents of a file, as seen now.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state
            .names
            .get(name)
            .and_then(|id| state.inodes.get(id))
            .map(|inode| inode.live.clone())
    }

    /// Damages a file behind everyone's back: `bytes` stand at `offset` from now on, and are stable.
    pub fn damage(&self, name: &str, offset: usize, bytes: &[u8]) {
        let mut state = self.state();
        let Some(&id) = state.names.get(name) else { return };
        if let Some(inode) = state.inodes.get_mut(&id) {
            let change = Change::Write(offset, bytes.to_vec());
            change.apply(&mut inode.live);
            change.apply(&mut inode.stable);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, if `operation` may happen. When the power goes off now, `half_done` still reaches the disk's cache.
    fn begin(&self, operation: Operation, half_done: impl FnOnce(&mut State)) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        *state.counts.entry(operation).or_default() += 1;
        match &mut state.power {
            Power::Off => return Err(io::Error::other("the power is off")),
            Power::Until(0) => {
                half_done(&mut state);
                state.power = Power::Off;
                return Err(io::Error::other("the power went off"));
            }
            Power::Until(left) if operation != Operation::Read => *left -= 1,
            Power::Until(_) | Power::On => {}
        }
        match state.failing.get(&operation) {
            Some(&error) => Err(error.into()),
            None => Ok(state),
        }
    }

    fn file(&self, inode: u64) -> SharedFile {
        Arc::new(FakeFile {
            disk: self.clone(),
            inode,
        })
    }
}

impl State {
    fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    fn inode_of(&self, name: &str) -> io::Result<u64> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn used(&self) -> u64 {
        let used: std::collections::BTreeSet<_> = self.names.values().collect();
        used.iter()
            .filter_map(|id| self.inodes.get(id))
            .map(|inode| inode.live.len() as u64)
            .sum()
    }

    fn change(&mut self, inode: u64, change: Change) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            change.apply(&mut inode.live);
            inode.unsynced.push(change);
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Put(name, inode) => {
                names.insert(name.clone(), *inode);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Resize(len) => bytes.resize(*len, 0),
            Self::Write(at, written) => {
                if bytes.len() < at + written.len() {
                    bytes.resize(at + written.len(), 0);
                }
                bytes[*at..at + written.len()].copy_from_slice(written);
            }
        }
    }

    /// The part of a change that reached the disk.
    fn torn(&self, dice: &mut Dice) -> Vec<Self> {
        match (self, dice.below(4)) {
            (_, 0) => Vec::new(),
            (Self::Resize(_), _) | (_, 1) => vec![self.clone()],
            (Self::Write(at, bytes), 2) => vec![Self::Write(*at, bytes[..dice.below(bytes.len() + 1)].to_vec())],
            (Self::Write(at, bytes), _) => sectors(*at, bytes).filter(|_| dice.coin()).collect(),
        }
    }
}

/// A write cut at the borders of the disk's sectors.
fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = Change> {
    let head = (SECTOR - at % SECTOR).min(bytes.len());
    let (head, rest) = bytes.split_at(head);
    let pieces = std::iter::once(head).chain(rest.chunks(SECTOR));
    pieces.scan(at, |at, piece| {
        let change = Change::Write(*at, piece.to_vec());
        *at += piece.len();
        Some(change)
    })
}

impl Inode {
    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.stable);
        }
    }

    fn after_crash(&self, dice: &mut Dice) -> Self {
        let mut stable = self.stable.clone();
        let survivors = self.unsynced.iter().flat_map(|change| change.torn(dice));
        survivors.for_each(|change| change.apply(&mut stable));
        Self {
            live: stable.clone(),
            stable,
            unsynced: Vec::new(),
        }
    }
}

struct FakeFile {
    disk: FakeDisk,
    inode: u64,
}

impl FakeFile {
    fn change(&self, operation: Operation, change: Change) -> io::Result<()> {
        let unsynced = change.clone();
        self.disk
            .begin(operation, |state| state.change(self.inode, unsynced))?
            .change(self.inode, change);
        Ok(())
    }

    fn resized(&self, len: u64) -> Change {
        Change::Resize(usize::try_from(len).unwrap_or(usize::MAX))
    }
}

impl DiskFile for FakeFile {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.begin(Operation::Read, |_| ())?;
        Ok(state.inodes.get(&self.inode).map_or(0, |inode| inode.live.len() as u64))
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.begin(Operation::Read, |_| ())?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = state
            .inodes
            .get(&self.inode)
            .and_then(|inode| inode.live.get(offset..))
            .unwrap_or_default();
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        self.change(Operation::Write, Change::Write(at, bytes.to_vec()))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.change(Operation::Resize, self.resized(len))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let now = self.len()?;
        let more = len.saturating_sub(now);
        let state = self.disk.state();
        if state.space.is_some_and(|space| state.used() + more > space) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        drop(state);
        self.change(Operation::Resize, self.resized(len.max(now)))
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.disk.begin(Operation::Sync, |_| ()) {
            Ok(mut state) => {
                state.inodes.entry(self.inode).and_modify(Inode::sync);
                Ok(())
            }
            Err(error) => {
                let mut state = self.disk.state();
                if !matches!(state.power, Power::Off) {
                    state
                        .inodes
                        .entry(self.inode)
                        .and_modify(|inode| inode.unsynced.clear());
                }
                Err(error)
            }
        }
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn drop_cache(&self) -> io::Result<()> {
        let mut state = self.disk.begin(Operation::Read, |_| ())?;
        if let Some(inode) = state.inodes.get_mut(&self.inode) {
            inode.live = inode.stable.clone();
            inode.unsynced.iter().for_each(|change| change.apply(&mut inode.live));
        }
        Ok(())
    }
}

struct FakeLock(FakeDisk);

impl Drop for FakeLock {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

impl Disk for FakeDisk {
    fn lock(&self) -> io::Result<DirLock> {
        let mut state = self.begin(Operation::Read, |_| ())?;
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(FakeLock(self.clone())))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.begin(Operation::Read, |_| ())?.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<SharedFile> {
        let mut state = self.begin(Operation::Name, |_| ())?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.next_inode += 1;
        let inode = state.next_inode;
        state.inodes.insert(inode, Inode::default());
        state.change_name(NameChange::Put(name.to_owned(), inode));
        Ok(self.file(inode))
    }

    fn open(&self, name: &str) -> io::Result<SharedFile> {
        let inode = self.begin(Operation::Read, |_| ())?.inode_of(name)?;
        Ok(self.file(inode))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.begin(Operation::Name, |_| ())?;
        state.inode_of(from)?;
        state.change_name(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.begin(Operation::Name, |_| ())?;
        if state.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.inode_of(from)?;
        state.change_name(NameChange::Put(to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.begin(Operation::Name, |_| ())?;
        state.inode_of(name)?;
        state.change_name(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.begin(Operation::SyncDir, |_| ())?;
        state.stable_names = state.names.clone();
        state.unsynced_names.clear();
        Ok(())
    }
}

/// Seeded randomness (splitmix64), so that a crash can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit.max(1) as u64).unwrap_or(0)
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}
