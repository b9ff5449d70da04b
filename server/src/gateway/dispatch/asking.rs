//! What is told of a request that goes to an upstream.

use tokio::time::Instant;

use crate::gateway::cache::CacheStatus;
use crate::gateway::seen::Seen;
use crate::gateway::upstream::Attempts;

/// Tells what an upstream is asked for a request when that is over, also because the client has left.
pub(super) struct Asking<'s> {
    seen: &'s mut Seen,
    attempts: &'s Attempts,
    since: Instant,
    is_from_store: bool,
}

impl<'s> Asking<'s> {
    /// The upstream is about to be asked, and tells `attempts`.
    pub(super) fn new(seen: &'s mut Seen, attempts: &'s Attempts) -> Self {
        Self {
            seen,
            attempts,
            since: Instant::now(),
            is_from_store: false,
        }
    }

    /// The upstream has answered, or will not.
    pub(super) fn answered(&mut self) {
        self.seen.upstream_answered(self.since.elapsed());
    }

    /// The cache has. What is fetched behind a caller's back is no part of its request.
    pub(super) fn cached(&mut self, status: CacheStatus) {
        self.seen.cache(status);
        self.is_from_store = status == CacheStatus::Stale;
        if !self.is_from_store && self.attempts.asked().is_some() {
            self.answered();
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(asked) = self.attempts.asked().filter(|_| !self.is_from_store) {
            self.seen.asked(asked);
        }
    }
}
