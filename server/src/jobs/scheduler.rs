//! Takes the jobs that are due, and sees to each until it ends.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trailmark_protocol::Timestamp;

use super::kinds::{KINDS, Kind};
use super::schedule::{Weight, may_begin, next_due, retry_due};
use super::{Done, Ground, JobError};
use crate::store::StoreError;
use crate::store::jobs::{Run, TakenJob};

/// Jobs that a server runs at once: 4. Most wait for Postgres or for others; heavy ones run one at a time.
pub const AT_ONCE: usize = 4;

/// How often a server looks for what is due: 1 s.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often it looks while the database does not answer: 5 s.
const LOOK_EVERY_WITHOUT: Duration = Duration::from_secs(5);

/// For how long a job is taken, and how often that is prolonged: a server that was killed is replaced after half a minute,
/// and one that only hangs has two chances.
const LEASE: Duration = Duration::from_secs(30);
const PROLONG_EVERY: Duration = Duration::from_secs(10);

/// Runs jobs until it is stopped.
#[derive(Debug)]
pub struct Scheduler {
    ground: Arc<Ground>,
    kinds: &'static [Kind],
    running: JoinSet<&'static Kind>,
    /// Those in `running`.
    at_work: Vec<&'static Kind>,
}

impl Scheduler {
    /// A scheduler of all jobs.
    #[must_use]
    pub fn new(ground: Arc<Ground>) -> Self {
        Self::of(ground, &KINDS)
    }

    /// A scheduler of these jobs.
    #[must_use]
    pub fn of(ground: Arc<Ground>, kinds: &'static [Kind]) -> Self {
        Self {
            ground,
            kinds,
            running: JoinSet::new(),
            at_work: Vec::new(),
        }
    }

    /// Runs what is due until `stop`; then what runs is cut off, and given back for another server.
    pub async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
        self.running.shutdown().await;
        if let Err(error) = self.ground.store.give_back_jobs(self.ground.node).await {
            tracing::debug!(%error, "jobs were not given back; their leases run out");
        }
    }

    async fn work(&mut self) {
        // The writer makes the tables.
        while let Err(error) = self.begin().await {
            tracing::debug!(%error, "jobs wait for the database");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        loop {
            let wait = match self.take_what_is_due().await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    tracing::debug!(%error, "no job was taken");
                    LOOK_EVERY_WITHOUT
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                Some(ended) = self.running.join_next() => self.note_ended(&ended),
            }
        }
    }

    async fn begin(&self) -> Result<(), StoreError> {
        let names: Vec<_> = self.kinds.iter().map(|kind| kind.name).collect();
        let ground = &self.ground;
        ground.store.know_jobs(&names, ground.clock.now()).await?;
        ground.store.give_back_jobs(ground.node).await
    }

    /// Takes jobs until nothing is due or enough are running.
    async fn take_what_is_due(&mut self) -> Result<(), StoreError> {
        while let Some(ended) = self.running.try_join_next() {
            self.note_ended(&ended);
        }
        while self.running.len() < AT_ONCE {
            let now = self.ground.clock.now();
            let names = self.may_begin();
            let taken = self
                .ground
                .store
                .take_job(&names, self.ground.node, now, later(now, LEASE));
            let Some(job) = taken.await? else { break };
            let Some(kind) = self.kinds.iter().find(|kind| kind.name == job.name) else {
                break;
            };
            self.at_work.push(kind);
            let ground = Arc::clone(&self.ground);
            self.running.spawn(async move {
                attend(&ground, kind, &job).await;
                kind
            });
        }
        Ok(())
    }

    fn may_begin(&self) -> Vec<&'static str> {
        let heavy = self.at_work.iter().any(|kind| kind.weight == Weight::Heavy);
        let is_behind = self.ground.is_behind();
        let may = |kind: &&Kind| {
            may_begin(kind.weight, heavy, is_behind) && !self.at_work.iter().any(|other| other.name == kind.name)
        };
        self.kinds.iter().filter(may).map(|kind| kind.name).collect()
    }

    /// [`attend`] does not panic, and nobody aborts a task before all of them.
    fn note_ended(&mut self, ended: &Result<&'static Kind, tokio::task::JoinError>) {
        if let Ok(kind) = ended {
            self.at_work.retain(|other| other.name != kind.name);
        }
    }
}

/// Runs a job that was taken, and writes down what became of it.
async fn attend(ground: &Arc<Ground>, kind: &'static Kind, job: &TakenJob) {
    let (started_at, began) = (ground.clock.now(), Instant::now());
    let ran = tokio::select! {
        ran = bounded(ground, kind) => ran,
        lost = prolong(ground, job) => Err(lost),
    };
    let now = ground.clock.now();
    let due_at = match &ran {
        Ok(Done { more: true, .. }) => now,
        Ok(_) => next_due(now, kind.every),
        Err(_) => retry_due(now, kind.every),
    };
    let said = ran.map_err(|error| error.to_string());
    if let Err(error) = &said {
        tracing::warn!(job = kind.name, "a job failed, and is tried again: {error}");
        metrics::counter!("trailmark_job_failures_total", "job" => kind.name).increment(1);
    }
    metrics::histogram!("trailmark_job_seconds", "job" => kind.name).record(began.elapsed().as_secs_f64());
    let run = Run {
        started_at,
        took: began.elapsed(),
        done: said.as_ref().map(|done| done.done).map_err(String::as_str),
        due_at,
    };
    if let Err(error) = ground.store.end_job(job, &run).await {
        tracing::debug!(job = kind.name, %error, "the end of a job was not written down; its lease runs out");
    }
}

async fn bounded(ground: &Arc<Ground>, kind: &'static Kind) -> Result<Done, JobError> {
    let run = AssertUnwindSafe((kind.run)(Arc::clone(ground))).catch_unwind();
    match tokio::time::timeout(kind.longest, run).await {
        Ok(Ok(ran)) => ran,
        Ok(Err(panic)) => Err(JobError::Panicked(said(&*panic))),
        Err(_) => Err(JobError::TooLong(kind.longest)),
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// Prolongs the lease for as long as it is asked to; returns when another server has the job. A database that does not
/// answer is no reason to stop: the work itself will notice.
async fn prolong(ground: &Ground, job: &TakenJob) -> JobError {
    loop {
        tokio::time::sleep(PROLONG_EVERY).await;
        let until = later(ground.clock.now(), LEASE);
        if let Ok(false) = ground.store.prolong_job(job, until).await {
            return JobError::LeaseLost;
        }
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(now.micros() + i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
}
