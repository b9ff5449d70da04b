//! The routes of the jobs. They are of the installation and not of a project; whoever may look at a project may see them.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde::Serialize;
use trailmark_protocol::Uuid;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::KINDS;
use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::params::Params;
use crate::query::time::At;
use crate::store::jobs::{JobRow, JobRun};

/// Runs that are told of a job: 50, as many as are always kept.
const RUNS_LISTED: i64 = 50;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(jobs))
        .routes(routes!(job))
        .routes(routes!(run))
}

/// Something that is done in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Job {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub what: String,
    /// How often it runs, in seconds; `null` of one that this release does not know.
    pub every_seconds: Option<u64>,
    /// When it is to run next.
    pub due_at: At,
    /// Whether a server is at it.
    pub running: bool,
    /// The server of the latest run, named by its journal.
    pub runner: Option<Uuid>,
    /// When the latest run began.
    pub started_at: Option<At>,
    /// When a run last ended.
    pub finished_at: Option<At>,
    /// How long that took, in milliseconds.
    pub took_ms: Option<i32>,
    /// Why the latest run failed; `null` if it did not.
    pub error: Option<String>,
    /// When a run last failed.
    pub failed_at: Option<At>,
    /// Runs that ended.
    pub runs: i64,
    /// Of these, those that failed.
    pub failures: i64,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        let kind = KINDS.iter().find(|kind| kind.name == row.name);
        let at = |at: Option<crate::store::PgTime>| at.map(|at| At(at.0));
        Self {
            what: kind.map_or("is of another release", |kind| kind.what).to_owned(),
            every_seconds: kind.map(|kind| kind.every.as_secs()),
            name: row.name,
            due_at: At(row.due_at.0),
            running: row.lease_until.is_some(),
            runner: row.runner,
            started_at: at(row.started_at),
            finished_at: at(row.finished_at),
            took_ms: row.took_ms,
            error: row.error,
            failed_at: at(row.failed_at),
            runs: row.runs,
            failures: row.failures,
        }
    }
}

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JobRun)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started_at: At,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    /// The server, named by its journal.
    pub runner: Uuid,
    /// How much it did, in whatever the job counts.
    pub done: i64,
    /// Why it failed; `null` if it did not.
    pub error: Option<String>,
}

impl From<JobRun> for Run {
    fn from(run: JobRun) -> Self {
        Self {
            id: run.id,
            started_at: At(run.started_at.0),
            took_ms: run.took_ms,
            runner: run.runner,
            done: run.done,
            error: run.error,
        }
    }
}

/// All jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Jobs {
    /// By name.
    jobs: Vec<Job>,
}

/// A job, and its latest runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct JobWithRuns {
    /// The job.
    #[serde(flatten)]
    job: Job,
    /// Its latest runs that did something or failed, newest first; at most 50.
    latest: Vec<Run>,
}

/// What is done in the background, and how it went.
#[utoipa::path(get, path = "/api/v1/jobs", operation_id = "jobs", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "All jobs, by name.", body = Jobs), ReadRefused),
)]
async fn jobs(_: Access, State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Json<Jobs>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let rows = app.store.jobs(None).await.map_err(QueryError::Store)?;
    Ok(Json(Jobs {
        jobs: rows.into_iter().map(Job::from).collect(),
    }))
}

/// A job, and how its latest runs went.
#[utoipa::path(get, path = "/api/v1/jobs/{name}", operation_id = "job", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    params(("name" = String, Path, description = "What it is called.")),
    responses((status = 200, description = "The job.", body = JobWithRuns), OneRefused),
)]
async fn job(
    _: Access,
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<JobWithRuns>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let name = known(name)?;
    let rows = app.store.jobs(Some(&name)).await.map_err(QueryError::Store)?;
    let job = rows.into_iter().next().ok_or_else(|| missing(&name))?.into();
    let latest = app
        .store
        .job_runs(&name, RUNS_LISTED)
        .await
        .map_err(QueryError::Store)?;
    Ok(Json(JobWithRuns {
        job,
        latest: latest.into_iter().map(Run::from).collect(),
    }))
}

/// Has a job run at once, on whichever server takes it; one that runs already runs once more after that.
#[utoipa::path(post, path = "/api/v1/jobs/{name}/run", operation_id = "run_job", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    params(("name" = String, Path, description = "What it is called.")),
    responses((status = 202, description = "It is due."), OneRefused),
)]
async fn run(
    _: Editor,
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let name = known(name)?;
    match app
        .store
        .hurry_job(&name, app.clock.now())
        .await
        .map_err(QueryError::Store)?
    {
        true => Ok(StatusCode::ACCEPTED),
        false => Err(missing(&name)),
    }
}

/// Names of jobs are words: nothing else is asked of the database.
fn known(name: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { Ok(name) } else { Err(missing(&name)) }
}

fn missing(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no job {name:?}"))
}
