//! The jobs: what each is called, how often it runs and what it does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use trailmark_protocol::Timestamp;

use super::schedule::Weight;
use super::{Done, Ground, JobError, sealing};
use crate::observe::detect::{self, Look};
use crate::observe::{alerts, errors, latency, threshold, uptime, watch};
use crate::query::Reader;
use crate::query::ask::question::Question;
use crate::store::StoreError;
use crate::store::alerts::ThresholdRow;

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

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Runs every so many seconds, for a minute at the most.
const fn light(name: &'static str, what: &'static str, every: u64, run: fn(Arc<Ground>) -> Running) -> Kind {
    Kind {
        name,
        what,
        every: Duration::from_secs(every),
        longest: Duration::from_secs(MINUTE),
        weight: Weight::Light,
        run,
    }
}

/// Runs every so many minutes, for an hour at the most.
const fn heavy(name: &'static str, what: &'static str, every: u64, run: fn(Arc<Ground>) -> Running) -> Kind {
    Kind {
        every: Duration::from_secs(every * MINUTE),
        longest: Duration::from_secs(HOUR),
        weight: Weight::Heavy,
        ..light(name, what, every, run)
    }
}

/// All of them.
#[rustfmt::skip]
pub const KINDS: [Kind; 15] = [
    light("rollup", "takes up what was stored: counts, issues, endpoints", 2, |ground| Box::pin(rollup(ground))),
    light("monitors", "starts the checks of monitors that are due", 1, |ground| Box::pin(monitors(ground))),
    light("detect", "looks for what is broken", 15, |ground| Box::pin(detect(ground))),
    light("deliver", "tells whom alerts name", 5, |ground| Box::pin(deliver(ground))),
    light("settle", "moves issues on as time passes", MINUTE, |ground| Box::pin(settle(ground))),
    light("hours", "makes hours of the monitors' minutes", 5 * MINUTE, |ground| Box::pin(hours(ground))),
    light("erasures", "goes on with erasures that a crash has interrupted", MINUTE, |ground| Box::pin(erasures(ground))),
    light("logins", "forgets sessions that have ended", MINUTE, |ground| Box::pin(logins(ground))),
    light("partitions", "makes the events' weeks ahead", HOUR, |ground| Box::pin(partitions(ground))),
    heavy("baselines", "learns what is usual", 15, |ground| Box::pin(baselines(ground))),
    heavy("watch", "asks the questions that are watched", 15, |ground| Box::pin(watched(ground))),
    heavy("usage", "counts the days that have changed", 10, |ground| Box::pin(usage(ground))),
    heavy("sessions", "closes sessions that are over", 30, |ground| Box::pin(sessions(ground))),
    heavy("seal", "makes segments of what is quiet, for fast answers", 5, |ground| Box::pin(seal(ground))),
    heavy("retention", "forgets what was kept long enough", 60, |ground| Box::pin(retention(ground))),
];

/// A server that is far behind goes on at once, others may have a turn in between.
async fn rollup(ground: Arc<Ground>) -> Result<Done, JobError> {
    let done = ground.store.take_up_notes().await?;
    Ok(Done { done, more: done > 0 })
}

/// Checks go on beside it.
async fn monitors(ground: Arc<Ground>) -> Result<Done, JobError> {
    let started = ground.uptime.run_due().await?;
    Ok((started as u64).into())
}

async fn deliver(ground: Arc<Ground>) -> Result<Done, JobError> {
    let sent = alerts::deliver_due(&ground.store, &ground.senders, &ground.clock).await?;
    Ok((sent.delivered + sent.failed + sent.dead).into())
}

async fn settle(ground: Arc<Ground>) -> Result<Done, JobError> {
    errors::settle::settle(&ground.store, ground.clock.now()).await?;
    Ok(Done::default())
}

async fn hours(ground: Arc<Ground>) -> Result<Done, JobError> {
    uptime::roll(&ground.store, ground.clock.now()).await?;
    Ok(Done::default())
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
    ground.login.forget_ended(&ground.store, ground.clock.now()).await?;
    Ok(Done::default())
}

async fn baselines(ground: Arc<Ground>) -> Result<Done, JobError> {
    let mut done = 0;
    latency::detect::baselines(&ground.store, ground.clock.now()).await?;
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
            let question = Question::read(saved.question.0.to_string().as_bytes());
            let (true, Ok(Question::Funnel(funnel))) = (saved.watched, question) else {
                continue;
            };
            let (reader, now) = (ground.reader(project), ground.clock.now());
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
    for alert in ground.store.alert_thresholds().await? {
        done += u64::from(compare(&ground, &alert).await?);
    }
    Ok(done.into())
}

/// Asks what an alert has set a bound for. False: its question is gone, or has no number.
async fn compare(ground: &Ground, alert: &ThresholdRow) -> Result<bool, JobError> {
    let (threshold, now) = (&alert.threshold.0, ground.clock.now());
    let saved = ground
        .store
        .saved_queries(alert.project_id, Some(threshold.saved_query))
        .await?;
    let Some(saved) = saved.into_iter().next() else {
        return Ok(false);
    };
    let Ok(question) = Question::read(saved.question.0.to_string().as_bytes()) else {
        return Ok(false);
    };
    let answered = ground.reader(alert.project_id).ask(&question, now).await?;
    let Some(number) = threshold::number(&answered.answer, threshold.series.as_deref()) else {
        return Ok(false);
    };
    let found = threshold::found((alert.alert_id, &alert.name), &saved.name, threshold, number, now);
    let kept = ground
        .store
        .keep_watched(alert.project_id, ("threshold", alert.alert_id), found.as_ref(), now);
    kept.await?;
    Ok(true)
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

async fn seal(ground: Arc<Ground>) -> Result<Done, JobError> {
    sealing::run(&ground).await
}

/// How long runs of jobs are kept: a week. Refusals and servers: 30 days. Problems that are over: 400 days.
const RUNS_KEPT: Duration = Duration::from_secs(7 * DAY);
const REFUSALS_KEPT: Duration = Duration::from_secs(30 * DAY);
const PROBLEMS_KEPT: Duration = Duration::from_secs(400 * DAY);

async fn retention(ground: Arc<Ground>) -> Result<Done, JobError> {
    let (store, now) = (&ground.store, ground.clock.now());
    let mut done = store.forget_event_minutes(now).await?;
    done += store.forget_job_runs(before(now, RUNS_KEPT)).await?;
    done += store.forget_nodes(before(now, REFUSALS_KEPT)).await?;
    done += store.forget_watched(before(now, RUNS_KEPT)).await?;
    done += store.forget_problems(before(now, PROBLEMS_KEPT)).await?;
    errors::settle::forget(store, now).await?;
    uptime::forget(store, now).await?;
    store.forget_endpoints(now).await?;
    store.forget_deliveries(now).await?;
    if let Some(keep) = ground.keep_events {
        done += store.drop_weeks(before(now, keep)).await?;
    }
    Ok(done.into())
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    now.plus_micros(-i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

impl Ground {
    fn reader(&self, project_id: i32) -> Reader {
        Reader::new(self.store.pool().clone(), project_id).with_columns(Arc::clone(&self.columns))
    }

    pub(super) async fn projects(&self) -> Result<Vec<i32>, StoreError> {
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
