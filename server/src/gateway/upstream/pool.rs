//! Connections that wait for their next request.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::config::PoolConfig;
use super::connection::Http1;
use super::lock;

/// The idle connections of one address, the one used last on top: it is the least likely to have been closed.
pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
    most: usize,
    keep: Duration,
}

struct Idle {
    connection: Http1,
    since: Instant,
}

impl Pool {
    pub(super) fn new(config: &PoolConfig) -> Self {
        Self {
            idle: Mutex::default(),
            most: config.max_idle,
            keep: config.idle.0,
        }
    }

    /// Keeps a connection, if there is room.
    pub(super) fn put(&self, connection: Http1) {
        let since = Instant::now();
        let mut idle = lock(&self.idle);
        if idle.len() < self.most {
            idle.push(Idle { connection, since });
        }
    }

    /// A connection that has not been closed so far as anybody knows: each is polled, which reads a close that has come.
    pub(super) fn take(&self, now: Instant) -> Option<Http1> {
        loop {
            // A statement of its own, so that the lock is not held while the connection is polled.
            let idle = lock(&self.idle).pop();
            let Idle { mut connection, since } = idle?;
            if now.duration_since(since) > self.keep {
                // All below it are older.
                self.sweep();
                return None;
            }
            if connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Drops those that are too old or closed; without it a closed one would hold its file descriptor until its turn.
    pub(super) fn sweep(&self) {
        let keep = self.keep;
        lock(&self.idle).retain_mut(|idle| idle.since.elapsed() <= keep && idle.connection.is_usable());
    }

    /// Drops all.
    pub(super) fn clear(&self) {
        lock(&self.idle).clear();
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.idle).len()
    }
}
