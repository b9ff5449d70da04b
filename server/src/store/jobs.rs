//! The rows of the background jobs: who does what until when. A job that is due is taken by one server, which prolongs its
//! lease while it works. A server that dies lets its lease run out, and another begins again.

use std::time::Duration;

use sqlx::FromRow;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// Runs of each job that are kept however old they are: 50, enough to see what it used to do.
const RUNS_KEPT: i64 = 50;

/// A job that this server has taken.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TakenJob {
    /// Which.
    pub name: String,
    /// Of this run.
    pub lease_token: Uuid,
    /// When it should have run: long ago if nobody could.
    pub due_at: PgTime,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run<'a> {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// How much it did, or why it failed.
    pub done: Result<u64, &'a str>,
    /// When the job is to run next.
    pub due_at: Timestamp,
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct JobRow {
    /// Which.
    pub name: String,
    /// When it is to run next.
    pub due_at: PgTime,
    /// Until when a server works at it, unless it says so again.
    pub lease_until: Option<PgTime>,
    /// The server of the latest run.
    pub runner: Option<Uuid>,
    /// When the latest run began.
    pub started_at: Option<PgTime>,
    /// When a run last ended.
    pub finished_at: Option<PgTime>,
    /// How long that took, in milliseconds.
    pub took_ms: Option<i32>,
    /// Why the latest run failed, if it did.
    pub error: Option<String>,
    /// When a run last failed.
    pub failed_at: Option<PgTime>,
    /// Runs that ended.
    pub runs: i64,
    /// Of these, those that failed.
    pub failures: i64,
    /// Failures since the last run that went well.
    pub failed_in_a_row: i32,
}

/// A run that did something, or failed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct JobRun {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started_at: PgTime,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    /// The server.
    pub runner: Uuid,
    /// How much it did.
    pub done: i64,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Only names that this release knows: in the middle of an update an older server leaves newer jobs alone.
const TAKE: &str = "
    UPDATE jobs SET lease_until = $2, lease_token = gen_random_uuid(), runner = $3, started_at = $1
    WHERE name = (
        SELECT name FROM jobs
        WHERE name = ANY ($4) AND due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
        ORDER BY due_at, name LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING name, lease_token, due_at";

const END: &str = "
    WITH ended AS (
        UPDATE jobs SET lease_until = NULL, lease_token = NULL,
            -- Somebody may have asked for a run in the meantime.
            due_at = CASE WHEN due_at > started_at THEN least(due_at, $3) ELSE $3 END,
            finished_at = $4, took_ms = $5, error = $6, runs = runs + 1,
            failures = failures + CASE WHEN $6::text IS NULL THEN 0 ELSE 1 END,
            failed_in_a_row = CASE WHEN $6::text IS NULL THEN 0 ELSE failed_in_a_row + 1 END,
            failed_at = CASE WHEN $6::text IS NULL THEN failed_at ELSE $4 END
        WHERE name = $1 AND lease_token = $2
        RETURNING name, runner, started_at)
    INSERT INTO job_runs (job, started_at, took_ms, runner, done, error)
    SELECT name, started_at, $5, runner, $7, $6 FROM ended WHERE $7 > 0 OR $6::text IS NOT NULL";

const JOBS: &str = "
    SELECT name, due_at, lease_until, runner, started_at, finished_at, took_ms, error, failed_at, runs, failures, failed_in_a_row
    FROM jobs WHERE $1::text IS NULL OR name = $1 ORDER BY name";

const FORGET: &str = "
    DELETE FROM job_runs r WHERE started_at < $1
      AND id < (SELECT min(id) FROM (SELECT id FROM job_runs n WHERE n.job = r.job ORDER BY id DESC LIMIT $2) AS newest)";

impl Store {
    /// Makes a row for each of `names` that has none, due at once.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn know_jobs(&self, names: &[&str], now: Timestamp) -> Result<(), StoreError> {
        let know = "INSERT INTO jobs (name, due_at) SELECT name, $2 FROM unnest($1::text[]) AS name ORDER BY name
                    ON CONFLICT (name) DO NOTHING";
        sqlx::query(know)
            .bind(names)
            .bind(PgTime(now))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Gives back what `runner` had taken before it was killed: a server that starts has no job yet.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn give_back_jobs(&self, runner: Uuid) -> Result<(), StoreError> {
        let give_back =
            "UPDATE jobs SET lease_until = NULL, lease_token = NULL WHERE runner = $1 AND lease_until IS NOT NULL";
        sqlx::query(give_back).bind(runner).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes the job that has been due longest, of `names`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn take_job(
        &self,
        names: &[&str],
        runner: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<TakenJob>, StoreError> {
        let take = sqlx::query_as(TAKE).bind(PgTime(now)).bind(PgTime(lease_until));
        Ok(take.bind(runner).bind(names).fetch_optional(&self.pool).await?)
    }

    /// Prolongs a lease. False: it ran out, and another server may be at the job.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn prolong_job(&self, job: &TakenJob, lease_until: Timestamp) -> Result<bool, StoreError> {
        let prolong = sqlx::query("UPDATE jobs SET lease_until = $3 WHERE name = $1 AND lease_token = $2");
        let prolong = prolong.bind(&job.name).bind(job.lease_token).bind(PgTime(lease_until));
        Ok(prolong.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Ends a run; one whose lease another server has taken over leaves no trace.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn end_job(&self, job: &TakenJob, run: &Run<'_>) -> Result<(), StoreError> {
        let took_micros = i64::try_from(run.took.as_micros()).unwrap_or(i64::MAX);
        let end = sqlx::query(END)
            .bind(&job.name)
            .bind(job.lease_token)
            .bind(PgTime(run.due_at))
            .bind(PgTime(Timestamp::from_micros(run.started_at.micros() + took_micros)))
            .bind(i32::try_from(run.took.as_millis()).unwrap_or(i32::MAX))
            .bind(run.done.err())
            .bind(run.done.map_or(0, u64::cast_signed));
        end.execute(&self.pool).await?;
        Ok(())
    }

    /// Has a job run at once. False: there is no such job.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn hurry_job(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let hurry = sqlx::query(
            "UPDATE jobs SET due_at = CASE WHEN lease_until IS NULL THEN least(due_at, $2) ELSE $2 END WHERE name = $1",
        );
        Ok(hurry
            .bind(name)
            .bind(PgTime(now))
            .execute(&self.pool)
            .await?
            .rows_affected()
            > 0)
    }

    /// All jobs, or one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn jobs(&self, name: Option<&str>) -> Result<Vec<JobRow>, StoreError> {
        Ok(sqlx::query_as(JOBS).bind(name).fetch_all(&self.pool).await?)
    }

    /// The latest runs of a job that did something or failed, newest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn job_runs(&self, name: &str, limit: i64) -> Result<Vec<JobRun>, StoreError> {
        let read = "SELECT id, started_at, took_ms, runner, done, error FROM job_runs WHERE job = $1 ORDER BY id DESC LIMIT $2";
        Ok(sqlx::query_as(read)
            .bind(name)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Forgets runs that began before `before`, but for the newest of each job.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_job_runs(&self, before: Timestamp) -> Result<u64, StoreError> {
        let forget = sqlx::query(FORGET).bind(PgTime(before)).bind(RUNS_KEPT);
        Ok(forget.execute(&self.pool).await?.rows_affected())
    }
}
