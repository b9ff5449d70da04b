//! Problems: opened, kept and closed in one transaction with what is told of them.

use sqlx::{FromRow, PgConnection};
use trailmark_protocol::Timestamp;

use super::alerts;
use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use crate::observe::alerts::plan::{Transition, TransitionKind};
use crate::observe::problem::{Found, Kind, Open, settle};

/// Namespace of the advisory lock under which the problems of a project are settled: "tmpr".
const PROBLEMS_LOCK: i32 = 0x746d_7072;

/// A problem as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ProblemRow {
    /// Its number.
    pub id: i64,
    /// What kind of thing is broken.
    pub kind: String,
    /// Which one.
    pub subject: String,
    /// What is broken, for people.
    pub what: String,
    /// Since when.
    pub since: PgTime,
    /// How many people it has met.
    pub people: Option<i64>,
    /// What it is compared with.
    pub compared_with: Option<String>,
    /// Where the evidence is.
    pub evidence: String,
    /// When it was first found.
    pub opened_at: PgTime,
    /// When it was last found.
    pub seen_at: PgTime,
    /// When it was over, if it is.
    pub closed_at: Option<PgTime>,
}

const OPEN: &str = "
    SELECT id, kind, subject, what, since, people, compared_with, evidence, opened_at, seen_at, closed_at FROM problems
    WHERE project_id = $1 AND closed_at IS NULL ORDER BY id";

const OPENED: &str = "
    INSERT INTO problems (project_id, kind, subject, what, since, people, compared_with, evidence, opened_at, seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id";

/// `since` stays as it was: a window that moves on would make an old problem young.
const KEPT: &str = "
    UPDATE problems SET what = $3, people = $4, compared_with = $5, evidence = $6, seen_at = $7, since = least(since, $8)
    WHERE project_id = $1 AND id = $2";

const CLOSED: &str = "UPDATE problems SET closed_at = $3 WHERE project_id = $1 AND id = ANY ($2)";

const PROBLEMS: &str = "
    SELECT id, kind, subject, what, since, people, compared_with, evidence, opened_at, seen_at, closed_at FROM problems
    WHERE project_id = $1 AND ($2::boolean IS NULL OR (closed_at IS NULL) = $2)
      AND ($3::text IS NULL OR kind = $3) AND ($4::bigint IS NULL OR id < $4)
    ORDER BY id DESC LIMIT $5";

/// Which problems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProblemFilter {
    /// Only those that last, or only those that are over.
    pub open: Option<bool>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those with a lesser number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

impl Store {
    /// Brings the problems of a project in line with what detectors found at `now`; `judged` are the kinds whose detectors
    /// did their work. Returns how many were opened or closed.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn settle_problems(
        &self,
        project_id: i32,
        found: &[Found],
        judged: &[Kind],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(PROBLEMS_LOCK)
            .bind(project_id);
        lock.execute(&mut *transaction).await?;
        let open: Vec<ProblemRow> = sqlx::query_as(OPEN)
            .bind(project_id)
            .fetch_all(&mut *transaction)
            .await?;
        let known: Vec<Open> = open.iter().filter_map(ProblemRow::open).collect();
        let settled = settle(&known, found, judged, now);
        let mut told = Vec::new();
        for found in &settled.opened {
            let id = opened(&mut transaction, project_id, found, now).await?;
            told.push(transition(id, found, TransitionKind::Opened));
        }
        for (id, found) in &settled.kept {
            let keep = sqlx::query(KEPT)
                .bind(project_id)
                .bind(id)
                .bind(&found.what)
                .bind(found.people);
            let keep = keep.bind(&found.compared_with).bind(&found.evidence).bind(PgTime(now));
            keep.bind(PgTime(found.since)).execute(&mut *transaction).await?;
            told.push(transition(*id, found, TransitionKind::Reminder));
        }
        if !settled.closed.is_empty() {
            let close = sqlx::query(CLOSED)
                .bind(project_id)
                .bind(&settled.closed)
                .bind(PgTime(now));
            close.execute(&mut *transaction).await?;
        }
        for row in open.iter().filter(|row| settled.closed.contains(&row.id)) {
            let found = row.found();
            told.extend(found.map(|found| transition(row.id, &found, TransitionKind::Closed { at: now })));
        }
        alerts::notify(&mut transaction, project_id, &told, now).await?;
        transaction.commit().await?;
        Ok((settled.opened.len() + settled.closed.len()) as u64)
    }

    /// Problems, newest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn problems(&self, project_id: i32, filter: ProblemFilter) -> Result<Vec<ProblemRow>, StoreError> {
        let read = sqlx::query_as(PROBLEMS).bind(project_id).bind(filter.open);
        let read = read
            .bind(filter.kind.map(Kind::as_str))
            .bind(filter.before)
            .bind(filter.limit);
        Ok(read.fetch_all(&self.pool).await?)
    }

    /// Forgets problems that were over before `before`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_problems(&self, before: Timestamp) -> Result<u64, StoreError> {
        let forget = sqlx::query("DELETE FROM problems WHERE closed_at < $1").bind(PgTime(before));
        Ok(forget.execute(&self.pool).await?.rows_affected())
    }
}

impl ProblemRow {
    /// What settling needs of it; nothing of a kind that this release does not know.
    fn open(&self) -> Option<Open> {
        Some(Open {
            id: self.id,
            kind: Kind::parse(&self.kind)?,
            subject: self.subject.clone(),
            seen_at: self.seen_at.0,
        })
    }

    /// As it was found last.
    fn found(&self) -> Option<Found> {
        Some(Found {
            kind: Kind::parse(&self.kind)?,
            subject: self.subject.clone(),
            what: self.what.clone(),
            since: self.since.0,
            people: self.people,
            compared_with: self.compared_with.clone(),
            evidence: self.evidence.clone(),
        })
    }
}

fn transition(problem_id: i64, found: &Found, kind: TransitionKind) -> Transition {
    Transition {
        problem_id,
        found: found.clone(),
        kind,
    }
}

async fn opened(
    connection: &mut PgConnection,
    project_id: i32,
    found: &Found,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let open = sqlx::query_scalar(OPENED)
        .bind(project_id)
        .bind(found.kind.as_str())
        .bind(&found.subject)
        .bind(&found.what)
        .bind(PgTime(found.since))
        .bind(found.people)
        .bind(&found.compared_with)
        .bind(&found.evidence)
        .bind(PgTime(now));
    Ok(open.fetch_one(connection).await?)
}
