//! The jobs: what each is called, how often it runs and what it does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use trailmark_protocol::Timestamp;

use super::schedule::Weight;
use super::{Done, Ground, JobError};
use crate::observe::detect::{self, Look};
use crate::observe::watch;
use crate::query::Reader;
use crate::query::ask::question::Question;
use crate::store::StoreError;

type Running = BoxFuture<'static, Result<Done, JobError>>;

/// A kind of job.
#[derive(Debug)]
pub struct Kind {
    /// What it is called. The word is stable.
    pub name: &'static str,
    /// What it does, for people.
    pub what: &'static str,
    /// How often it runs.
    pub every: Duration,
    /// How long a run may take before it is cut off.
    pub longest: Duration,
    /// How heavy it is.
    pub weight: Weight,
    /// Does it.
    pub run: fn(Arc<Ground>) -> Running,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

const fn light(name: &'static str, what: &'static str, every: Duration, run: fn(Arc<Ground>) -> Running) -> Kind {
    let (longest, weight) = (MINUTE, Weight::Light);
    Kind {
        name,
        what,
        every,
        longest,
        weight,
        run,
    }
}

const fn heavy(name: &'static str, what: &'static str, every: Duration, run: fn(Arc<Ground>) -> Running) -> Kind {
    let (longest, weight) = (HOUR, Weight::Heavy);
    Kind {
        name,
        what,
        every,
        longest,
        weight,
        run,
    }
}

/// All of them.
pub const KINDS: [Kind; 10] = [
    light(
        "rollup",
        "takes up what was stored: counts, issues, endpoints",
        SECOND.saturating_mul(2),
        |ground| Box::pin(rollup(ground)),
    ),
    light(
        "detect",
        "looks for what is broken",
        SECOND.saturating_mul(15),
        |ground| Box::pin(detect(ground)),
    ),
    light(
        "erasures",
        "goes on with erasures that a crash has interrupted",
        MINUTE,
        |ground| Box::pin(erasures(ground)),
    ),
    light("partitions", "makes the events' weeks ahead", HOUR, |ground| {
        Box::pin(partitions(ground))
    }),
    light("logins", "forgets sessions that have ended", MINUTE, |ground| {
        Box::pin(logins(ground))
    }),
    heavy(
        "baselines",
        "learns what is usual",
        MINUTE.saturating_mul(15),
        |ground| Box::pin(baselines(ground)),
    ),
    heavy(
        "watch",
        "asks the questions that are watched",
        MINUTE.saturating_mul(15),
        |ground| Box::pin(watched(ground)),
    ),
    heavy(
        "usage",
        "counts the days that have changed",
        MINUTE.saturating_mul(10),
        |ground| Box::pin(usage(ground)),
    ),
    heavy(
        "sessions",
        "closes sessions that are over",
        MINUTE.saturating_mul(30),
        |ground| Box::pin(sessions(ground)),
    ),
    heavy("retention", "forgets what was kept long enough", HOUR, |ground| {
        Box::pin(retention(ground))
    }),
];

/// A server that is far behind goes on at once, others may have a turn in between.
async fn rollup(ground: Arc<Ground>) -> Result<Done, JobError> {
    let done = ground.store.take_up_notes().await?;
    Ok(Done { done, more: done > 0 })
}

async fn detect(ground: Arc<Ground>) -> Result<Done, JobError> {
    let look = Look {
        now: ground.clock.now(),
        watching_since: ground.started_at,
        is_behind: ground.is_behind(),
        nodes: ground.store.nodes().await?,
    };
    let mut done = 0;
    for project in ground.projects().await? {
        done += detect::settle(&ground.store, project, &look).await?;
    }
    Ok(done.into())
}

async fn erasures(ground: Arc<Ground>) -> Result<Done, JobError> {
    ground.store.finish_erasures().await?;
    Ok(Done::default())
}

async fn partitions(ground: Arc<Ground>) -> Result<Done, JobError> {
    ground.store.make_weeks_ahead(ground.clock.now()).await?;
    Ok(Done::default())
}

async fn logins(ground: Arc<Ground>) -> Result<Done, JobError> {
    ground.login.sweep(ground.clock.now()).await?;
    Ok(Done::default())
}

async fn baselines(ground: Arc<Ground>) -> Result<Done, JobError> {
    let mut done = 0;
    for project in ground.projects().await? {
        ground.store.learn_rhythms(project, ground.clock.now()).await?;
        done += 1;
    }
    Ok(done.into())
}

async fn watched(ground: Arc<Ground>) -> Result<Done, JobError> {
    let mut done = 0;
    for project in ground.projects().await? {
        for saved in ground.store.saved_queries(project, None).await? {
            let now = ground.clock.now();
            let question = Question::read(saved.question.0.to_string().as_bytes());
            let (true, Ok(Question::Funnel(funnel))) = (saved.watched, question) else {
                continue;
            };
            let reader = Reader::new(ground.store.pool().clone(), project);
            let recent = reader.passage(&funnel, now).await?;
            let before = reader.passage(&funnel, watch::a_week_before(now)).await?;
            let found = watch::found(saved.id, &saved.name, recent, before, now);
            ground
                .store
                .keep_watched(project, ("funnel", saved.id), found.as_ref(), now)
                .await?;
            done += 1;
        }
    }
    Ok(done.into())
}

async fn usage(ground: Arc<Ground>) -> Result<Done, JobError> {
    let mut done = 0;
    for project in ground.projects().await? {
        done += ground.store.count_usage(project, ground.clock.now()).await?;
    }
    Ok(done.into())
}

async fn sessions(ground: Arc<Ground>) -> Result<Done, JobError> {
    let mut done = 0;
    for project in ground.projects().await? {
        done += ground.store.close_sessions(project, ground.clock.now()).await?;
    }
    Ok(done.into())
}

/// How long runs of jobs are kept: a week. Refusals and servers: 30 days. Problems that are over: 400 days.
const RUNS_KEPT: Duration = HOUR.saturating_mul(24 * 7);
const REFUSALS_KEPT: Duration = HOUR.saturating_mul(24 * 30);
const PROBLEMS_KEPT: Duration = HOUR.saturating_mul(24 * 400);

async fn retention(ground: Arc<Ground>) -> Result<Done, JobError> {
    let (store, now) = (&ground.store, ground.clock.now());
    let mut done = store.forget_event_minutes(now).await?;
    done += store.forget_job_runs(before(now, RUNS_KEPT)).await?;
    done += store.forget_nodes(before(now, REFUSALS_KEPT)).await?;
    done += store.forget_watched(before(now, RUNS_KEPT)).await?;
    done += store.forget_problems(before(now, PROBLEMS_KEPT)).await?;
    if let Some(keep) = ground.keep_events {
        done += store.drop_weeks(before(now, keep)).await?;
    }
    Ok(done.into())
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    now.plus_micros(-i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

impl Ground {
    async fn projects(&self) -> Result<Vec<i32>, StoreError> {
        Ok(self
            .store
            .list_projects()
            .await?
            .into_iter()
            .map(|project| project.id)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_its_own_name() {
        let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KINDS.len());
    }
}
