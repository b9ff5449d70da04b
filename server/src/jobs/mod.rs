//! What is done in the background, for all servers of a database together and for each thing by one of them at a time.
//!
//! A job is a row in Postgres ([`store::jobs`](crate::store::jobs)); [`kinds`] lists them with what they do. The
//! [`scheduler`] takes what is due under a lease that it prolongs while the job runs, so there is no leader, a killed server's
//! job is begun again by another, and what was missed is caught up once ([`schedule`]). Every job can be cut off anywhere and
//! begun again: what belongs together is one transaction. Jobs have connections of their own, and heavy ones wait while the
//! writer is behind: they never take time from events.

pub mod schedule;
mod sealing;
pub mod kinds;
pub mod scheduler;
pub mod http;

use std::sync::Arc;
use std::time::Duration;

use trailmark_protocol::{Timestamp, Uuid};

use crate::clock::SharedClock;
use crate::gateway::login::Login;
use crate::observe::alerts::Senders;
use crate::observe::uptime;
use crate::query::QueryError;
use crate::query::columns::Columns;
use crate::store::{Store, StoreError};
use crate::writer::WriterStats;

pub use kinds::{KINDS, Kind};
pub use scheduler::Scheduler;

/// Connections of the jobs: one for each that runs at once, and one for the scheduler.
pub const CONNECTIONS: u32 = scheduler::AT_ONCE as u32 + 1;

/// From when on the writer counts as behind: when a batch has waited for 2 s. Usually it waits for 25 ms.
const BEHIND: Duration = Duration::from_secs(2);

/// What jobs work with.
pub struct Ground {
    /// The database, over connections of their own.
    pub store: Store,
    /// The wall clock.
    pub clock: SharedClock,
    /// This server, named by its journal.
    pub node: Uuid,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// Checks monitors.
    pub uptime: uptime::Runner,
    /// How alerts leave.
    pub senders: Senders,
    /// Who logs in.
    pub login: Arc<Login>,
    /// How its writer fares.
    pub writer: Arc<WriterStats>,
    /// How long events are kept.
    pub keep_events: Option<Duration>,
    /// What questions keep in memory.
    pub columns: Arc<Columns>,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Ground {
    /// Whether events wait for longer than they should.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.writer.status().lag_age.is_some_and(|age| age > BEHIND)
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// How much, in whatever the job counts. A run that did nothing is not listed.
    pub done: u64,
    /// Whether there is more to do at once.
    pub more: bool,
}

impl From<u64> for Done {
    fn from(done: u64) -> Self {
        Self { done, more: false }
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A question.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// It took longer than its kind may.
    #[error("took longer than {} s", .0.as_secs())]
    TooLong(Duration),
    /// Another server has taken over: this one was too slow to say that it was at it.
    #[error("the lease ran out")]
    LeaseLost,
    /// A bug of ours.
    #[error("panicked: {0}")]
    Panicked(String),
}
