//! The background jobs, run at once and waited for: what the first screen shows is made by them.

use std::time::{Duration, Instant};

use trailmark_server::clock::{Clock, SystemClock};

use super::super::Stage;
use crate::failure::Failure;

/// How long the jobs may take on a small, busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Waits until everything that was sent is stored and counted.
pub(super) async fn until_taken_up(stage: &Stage<'_>) -> Result<(), Failure> {
    stage.api.until_all_is_stored().await?;
    let started = Instant::now();
    hurry(stage, "rollup").await?;
    while stage.store.notes_left().await?.0 > 0 {
        wait(started, "what is stored is still not counted").await?;
    }
    Ok(())
}

/// Learns what is usual, counts, asks what is watched, and looks for what is broken: in this order, for each needs what is
/// before it.
pub(super) async fn sum_up(stage: &Stage<'_>) -> Result<(), Failure> {
    until_taken_up(stage).await?;
    run(stage, &["settle", "baselines", "watch", "usage", "sessions"]).await?;
    look_again(stage).await
}

/// Looks for what is broken.
pub(super) async fn look_again(stage: &Stage<'_>) -> Result<(), Failure> {
    run(stage, &["detect"]).await
}

/// Has jobs run, and waits until each has.
async fn run(stage: &Stage<'_>, names: &[&str]) -> Result<(), Failure> {
    let (started, asked) = (Instant::now(), SystemClock.now());
    for name in names {
        hurry(stage, name).await?;
    }
    for name in names {
        while !has_run_since(stage, name, asked.micros()).await? {
            wait(started, &format!("the job {name} has still not run")).await?;
        }
    }
    Ok(())
}

async fn has_run_since(stage: &Stage<'_>, name: &str, micros: i64) -> Result<bool, Failure> {
    let jobs = stage.store.jobs(Some(name)).await?;
    let Some(job) = jobs.into_iter().next() else {
        return Ok(false);
    };
    let began = job.started_at.is_some_and(|at| at.0.micros() >= micros);
    let ended = job.lease_until.is_none() && job.finished_at >= job.started_at;
    match job.error {
        Some(error) if began && ended => Err(Failure::failed(format!("the job {name} failed: {error}"))),
        _ => Ok(began && ended),
    }
}

/// A server that has just started makes its jobs known a moment later.
async fn hurry(stage: &Stage<'_>, name: &str) -> Result<(), Failure> {
    let started = Instant::now();
    while !stage.store.hurry_job(name, SystemClock.now()).await? {
        wait(started, "the server runs no jobs").await?;
    }
    Ok(())
}

async fn wait(started: Instant, late: &str) -> Result<(), Failure> {
    if started.elapsed() > PATIENCE {
        return Err(Failure::failed(format!("{late} after {} s", PATIENCE.as_secs())).hint("trailmark jobs list"));
    }
    tokio::time::sleep(ASK_EVERY).await;
    Ok(())
}
