//! `trailmark jobs`

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::jobs::http::{Job, Run};
use trailmark_server::store::Store;

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

/// Runs that are shown of a job.
const RUNS_SHOWN: i64 = 20;

#[derive(Serialize)]
struct List {
    jobs: Vec<Job>,
}

#[derive(Serialize)]
struct Runs {
    job: String,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Due {
    job: String,
}

impl Report for List {
    fn text(&self, out: &mut String) {
        if self.jobs.is_empty() {
            out.push_str("no server has run on this database yet\n");
            return;
        }
        let heading = ["JOB", "EVERY", "LAST RUN", "TOOK", "RESULT", "NEXT", "WHAT IT DOES"].map(str::to_owned);
        let rows = self.jobs.iter().map(|job| {
            let next = if job.running {
                "running".to_owned()
            } else {
                job.due_at.0.to_string()
            };
            [
                job.name.clone(),
                job.every_seconds.map_or_else(|| "-".to_owned(), span),
                job.finished_at
                    .map_or_else(|| "never".to_owned(), |at| at.0.to_string()),
                job.took_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
                job.error.clone().unwrap_or_else(|| "ok".to_owned()),
                next,
                job.what.clone(),
            ]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

impl Report for Runs {
    fn text(&self, out: &mut String) {
        if self.runs.is_empty() {
            out.push_str("no run of it has done anything yet, or failed\n");
            return;
        }
        let heading = ["STARTED", "TOOK", "DONE", "RESULT"].map(str::to_owned);
        let rows = self.runs.iter().map(|run| {
            let result = run.error.clone().unwrap_or_else(|| "ok".to_owned());
            [
                run.started_at.0.to_string(),
                format!("{} ms", run.took_ms),
                run.done.to_string(),
                result,
            ]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

impl Report for Due {
    fn text(&self, out: &mut String) {
        out.push_str(&format!(
            "{} is due: a running server takes it within a second or two\n",
            self.job
        ));
    }
}

pub(super) async fn run(config: &Config, command: &args::Jobs, output: Output) -> Result<(), Failure> {
    match command {
        args::Jobs::List => {
            let list = async |store: &Store| Ok(store.jobs(None).await?);
            let jobs = database::with(config, list).await?;
            output.print(&List {
                jobs: jobs.into_iter().map(Job::from).collect(),
            })
        }
        args::Jobs::Runs { job } => {
            let read = async |store: &Store| {
                known(store, job).await?;
                Ok(store.job_runs(job, RUNS_SHOWN).await?)
            };
            let runs = database::with(config, read).await?;
            output.print(&Runs {
                job: job.clone(),
                runs: runs.into_iter().map(Run::from).collect(),
            })
        }
        args::Jobs::Run { job } => {
            let hurry = async |store: &Store| {
                known(store, job).await?;
                Ok(store.hurry_job(job, SystemClock.now()).await?)
            };
            database::with(config, hurry).await?;
            output.print(&Due { job: job.clone() })
        }
    }
}

async fn known(store: &Store, job: &str) -> Result<(), Failure> {
    match store.jobs(Some(job)).await?.is_empty() {
        true => Err(Failure::failed(format!("there is no job {job:?}")).hint("trailmark jobs list names them")),
        false => Ok(()),
    }
}

/// `15 s`, `10 min`, `1 h`.
fn span(seconds: u64) -> String {
    match seconds {
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
