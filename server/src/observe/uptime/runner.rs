//! Checks what is due: claims it, asks, writes down what came of it.
//!
//! A claim moves the time at which the monitor is due to when the check must be over, and puts a token on it. The result is
//! only written by who has the token, while it counts. So two servers never check one monitor at once; one that is killed
//! loses that one check, which another makes up for; and one that comes back too late writes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::check::{Outcome, check};
use super::schedule::next_due;
use super::target::Target;
use crate::clock::SharedClock;
use crate::observe::outbound::Outbound;
use crate::store::{CheckResult, ClaimedMonitor, Store, StoreError};

/// Checks under way at once: 64. Of the usual 0.2 s each that is 300 a second; if each waits for its 30 s, two.
pub const CHECKS_AT_ONCE: usize = 64;

/// Monitors that are claimed together. A project with so many under way waits until there are fewer, so that one whose
/// monitors all hang leaves half of the places to others: 31 are its most.
const CLAIMED_AT_ONCE: usize = 16;

/// Results written at once: 2, so that the writer of events never waits for a connection behind a row of them.
const WRITTEN_AT_ONCE: usize = 2;

/// What came of asking for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckedNow {
    /// It is done.
    Done,
    /// There is no such monitor, or it is paused.
    NotDue,
}

/// Checks monitors. Cheap to clone: clones share the places.
#[derive(Debug, Clone)]
pub struct Runner {
    store: Store,
    outbound: Outbound,
    clock: SharedClock,
    places: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    tasks: TaskTracker,
    under_way: Arc<Mutex<BTreeMap<i32, usize>>>,
}

impl Runner {
    /// Checks by way of `outbound`.
    #[must_use]
    pub fn new(store: Store, outbound: Outbound, clock: SharedClock) -> Self {
        Self {
            store,
            outbound,
            clock,
            places: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            writing: Arc::new(Semaphore::new(WRITTEN_AT_ONCE)),
            tasks: TaskTracker::new(),
            under_way: Arc::default(),
        }
    }

    /// Starts the checks that are due, as far as there are places, and does not wait for them. To be called every second or
    /// so: one look at an index where nothing is due. Returns how many it started.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let mut started = 0;
        loop {
            let wanted = self.places.available_permits().min(CLAIMED_AT_ONCE);
            if wanted == 0 {
                return Ok(started);
            }
            let claimed = self.claim(wanted).await?;
            let is_last = claimed.len() < wanted;
            started += claimed.len();
            for monitor in claimed {
                // Only ours are taken: there is no one who closes it.
                let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                    return Ok(started);
                };
                let turn = self.begin(monitor.project_id, place);
                let runner = self.clone();
                self.tasks.spawn(async move {
                    let _turn = turn;
                    runner.check(monitor).await;
                });
            }
            if is_last {
                return Ok(started);
            }
        }
    }

    /// Checks one monitor now, whenever it is due.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check_now(&self, project_id: i32, id: i64) -> Result<CheckedNow, StoreError> {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return Ok(CheckedNow::NotDue);
        };
        let _turn = self.begin(project_id, place);
        match self.store.claim_monitor(project_id, id, self.clock.now()).await? {
            None => Ok(CheckedNow::NotDue),
            Some(monitor) => {
                self.check(monitor).await;
                Ok(CheckedNow::Done)
            }
        }
    }

    /// Waits until no check is under way.
    pub async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    async fn claim(&self, wanted: usize) -> Result<Vec<ClaimedMonitor>, StoreError> {
        let busy: Vec<i32> = {
            let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            let busy = under_way.iter().filter(|(_, count)| **count >= CLAIMED_AT_ONCE);
            busy.map(|(project_id, _)| *project_id).collect()
        };
        self.store.claim_due_monitors(self.clock.now(), &busy, wanted).await
    }

    fn begin(&self, project_id: i32, place: OwnedSemaphorePermit) -> Turn {
        let under_way = Arc::clone(&self.under_way);
        *under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(project_id)
            .or_default() += 1;
        Turn {
            project_id,
            under_way,
            _place: place,
        }
    }

    async fn check(&self, monitor: ClaimedMonitor) {
        let checked = self.outcome(&monitor).await;
        if let Err(error) = checked {
            tracing::debug!(%error, monitor = monitor.id, "a check was lost");
        }
    }

    async fn outcome(&self, monitor: &ClaimedMonitor) -> Result<(), StoreError> {
        let began = self.clock.now();
        // What was stored was checked before, by this release or an older one.
        let Ok(target) = serde_json::from_value::<Target>(monitor.target.clone()) else {
            tracing::warn!(monitor = monitor.id, "a monitor that this release cannot read");
            return Ok(());
        };
        let timeout = Duration::from_millis(monitor.timeout_ms.max(0).unsigned_abs().into());
        let outcome = Box::pin(check(&self.outbound, &self.store, &target, timeout)).await?;
        let Outcome {
            took,
            failure,
            certificate_not_after,
        } = outcome;
        let (standing, step) = monitor.standing.checked(failure.is_some(), began);
        let result = CheckResult {
            began,
            took,
            failure: failure.as_ref().map(|failure| (failure.kind, failure.text.as_str())),
            certificate_not_after,
            standing,
            step,
            due_at: next_due(monitor.id, monitor.interval_s, &standing, began),
        };
        let _turn = self.writing.acquire().await;
        self.store.write_check(monitor, &result, self.clock.now()).await?;
        Ok(())
    }
}

/// A check's place.
struct Turn {
    project_id: i32,
    under_way: Arc<Mutex<BTreeMap<i32, usize>>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.project_id) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.project_id);
            }
        }
    }
}
