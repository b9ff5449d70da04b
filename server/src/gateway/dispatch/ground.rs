//! What a snapshot stands on, and what survives every reload.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::bus::{LocalBus, SharedBus};
use crate::clock::SharedClock;
use crate::gateway::seen::Projects;
use crate::gateway::upstream::Upstream;
use crate::journal::Journal;

/// The upstreams of the present snapshot, for what outlives it.
pub type Upstreams = Arc<ArcSwap<BTreeMap<String, Arc<Upstream>>>>;

/// What a snapshot stands on.
#[derive(Clone)]
pub struct Ground {
    /// Where the file is; paths in it are meant from there.
    pub directory: PathBuf,
    /// Tells the time.
    pub clock: SharedClock,
    /// Carries the messages of hubs.
    pub bus: SharedBus,
    /// The upstreams of the present snapshot.
    pub upstreams: Upstreams,
    /// Ends what goes on in the background, and tunnels, when the server stops.
    pub stop: CancellationToken,
    /// Takes latency facts. Without one the file is only checked: nothing is logged, exported or gathered.
    pub journal: Option<Arc<dyn Journal>>,
    /// Knows for which projects there can be facts.
    pub projects: Option<Arc<dyn Projects>>,
}

impl Ground {
    /// One where nothing is logged, exported or gathered: to check a file, or for a server without one.
    #[must_use]
    pub fn bare(directory: &Path, clock: SharedClock) -> Self {
        Self {
            directory: directory.to_owned(),
            clock,
            bus: Arc::new(LocalBus::default()),
            upstreams: Upstreams::default(),
            stop: CancellationToken::new(),
            journal: None,
            projects: None,
        }
    }

    /// The same place, where what is made reaches nobody.
    pub(super) fn to_check(&self) -> Self {
        Self::bare(&self.directory, Arc::clone(&self.clock))
    }
}
