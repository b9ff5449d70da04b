//! Open segments, as many as fit, and who is whom in each project.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailmark_segments::Segment;

use super::mirror::Mirror;

/// What the segments in memory take, unless the configuration says otherwise: 640 MiB, which is a hundred million events.
pub const CACHE_BYTES: u64 = 640 << 20;

/// What the numbers of one answer may take, beside the segments: 128 MiB. More are made in several goes.
pub const WORK_BYTES: usize = 128 << 20;

/// Answers that are counted at once: two. Each has all cores, and its [`WORK_BYTES`].
const COUNTS_AT_ONCE: usize = 2;

/// A segment has its own header and directory beside its bytes.
const OVERHEAD: usize = 512;

/// Most questions whose properties wait to be written down: 1,000 in ten seconds say enough.
const USES_MAX: usize = 1_000;

/// Which segment: project, event name, week and version. The same version means the same bytes.
pub(super) type Key = (i32, i32, i32, i64);

/// Where a project's mirror is: nowhere until somebody has asked. Whoever brings it up to date holds the lock.
pub(super) type MirrorPlace = Arc<tokio::sync::Mutex<Option<Arc<Mirror>>>>;

/// What a server keeps in memory of all projects' segments.
pub struct Columns {
    pub(super) segments: Cache<Key, Arc<Segment>>,
    mirrors: Mutex<HashMap<i32, MirrorPlace>>,
    corrupt: Mutex<Vec<Key>>,
    uses: Mutex<Vec<(i32, Vec<String>)>>,
    threads: usize,
    counts: Arc<Semaphore>,
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Columns")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self::new(CACHE_BYTES)
    }
}

impl Columns {
    /// Nothing is in memory yet; segments may take so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let weight = |_: &Key, segment: &Arc<Segment>| u32::try_from(segment.bytes() + OVERHEAD).unwrap_or(u32::MAX);
        Self {
            segments: Cache::builder().max_capacity(bytes).weigher(weight).build(),
            mirrors: Mutex::default(),
            corrupt: Mutex::default(),
            uses: Mutex::default(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            counts: Arc::new(Semaphore::new(COUNTS_AT_ONCE)),
        }
    }

    /// Threads that count for one answer.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Waits for a turn at counting, which ends when it is dropped.
    pub(in crate::query) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.counts).acquire_owned().await.ok()
    }

    /// Where a project's mirror is, once somebody has asked.
    pub(super) fn mirror_of(&self, project_id: i32) -> MirrorPlace {
        let mut mirrors = self.mirrors.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(mirrors.entry(project_id).or_default())
    }

    /// A segment could not be opened.
    pub(super) fn found_corrupt(&self, key: Key) {
        metrics::counter!("trailmark_segments_corrupt_total").increment(1);
        tracing::warn!(
            project = key.0,
            name = key.1,
            week = key.2,
            "a segment is corrupt; its rows answer, and it is made anew"
        );
        self.corrupt.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }

    /// The segments that could not be opened since this was last asked: project, event name, week and version.
    #[must_use]
    pub fn take_corrupt(&self) -> Vec<(i32, i32, i32, i64)> {
        std::mem::take(&mut self.corrupt.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A question of this project looked at these properties of events.
    pub fn used(&self, project_id: i32, properties: Vec<String>) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if !properties.is_empty() && uses.len() < USES_MAX {
            uses.push((project_id, properties));
        }
    }

    /// The projects and properties of the questions since this was last asked.
    #[must_use]
    pub fn take_uses(&self) -> Vec<(i32, Vec<String>)> {
        std::mem::take(&mut self.uses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
