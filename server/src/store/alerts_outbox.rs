//! Messages of alerts on their way: claimed, sent by others, and how that went.

use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Transaction};
use trailmark_protocol::{Timestamp, Uuid};

use super::alerts;
use super::alerts_notify::{self, NewMessage};
use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::random::uuid_v7;
use crate::observe::alerts::Channel;
use crate::observe::alerts::outcome::{Next, Outcome, Verdict};
use crate::observe::alerts::plan::Occasion;

/// How long an attempt may take before others may send the message again: 2 minutes, in microseconds. Sending takes 20 seconds
/// at the most, so whoever has not written by then how it went is dead, or cut off from the database.
const LEASE_MICROS: i64 = 120 * 1_000_000;

/// What is told.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Message {
    /// The project's number.
    pub project_id: i32,
    /// The project's name.
    pub project: String,
    /// The alert's number.
    pub alert_id: i64,
    /// The alert's name.
    pub alert: String,
    /// Its id, the same with every attempt.
    pub id: Uuid,
    /// The e-mail address; empty for a webhook.
    pub recipient: String,
    /// The message that told of the opening.
    pub follows: Option<Uuid>,
    /// Why it is sent.
    #[sqlx(rename = "transition", try_from = "String")]
    pub occasion: Occasion,
    /// The problem's number.
    pub problem_id: Option<i64>,
    /// The problem's kind.
    pub kind: Option<String>,
    /// Which one of its kind.
    pub subject: Option<String>,
    /// What is broken.
    pub what: String,
    /// Since when.
    pub since: PgTime,
    /// How many people it has met.
    pub people: Option<i64>,
    /// What it is compared with.
    pub compared_with: Option<String>,
    /// Where the evidence is: a path.
    pub evidence: String,
    /// When it ended.
    pub closed_at: Option<PgTime>,
    /// When the message was written.
    pub created_at: PgTime,
}

/// A message that was claimed to be sent. It holds secrets, hence no `Debug`.
#[derive(Clone, PartialEq, sqlx::FromRow)]
pub struct Due {
    /// What is told.
    #[sqlx(flatten)]
    pub message: Message,
    /// Where to.
    pub channel: Json<Channel>,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// When the first was begun.
    pub first_attempt_at: PgTime,
    secret: Option<String>,
    old_secret: Option<String>,
    old_secret_until: Option<PgTime>,
}

impl Due {
    /// What signs a webhook: the secret, and the one before it for a while.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let is_good = self.old_secret_until.is_some_and(|until| now < until.0);
        let old = self.old_secret.as_deref().filter(|_| is_good);
        self.secret.as_deref().into_iter().chain(old)
    }
}

/// What is due, of each alert the first, unless something of it is on its way already: one look into an index for each alert, and
/// one for all where nothing is due. Who has not been told of an opening hears of nothing else about that problem. (That it is the older one is said
/// so that Postgres looks for it, and does not hash all that wait.)
const CLAIM: &str = "
    WITH first AS (
        SELECT a.project_id, m.id, m.due_at
        FROM alerts a CROSS JOIN LATERAL (
            SELECT m.id, m.due_at FROM alert_messages m
            WHERE m.project_id = a.project_id AND m.alert_id = a.id AND m.state = 'waiting' AND m.due_at <= $1
              AND (m.leased_until IS NULL OR m.leased_until <= $1)
              AND (m.transition NOT IN ('closed', 'reminder') OR NOT EXISTS (
                  SELECT FROM alert_messages o
                  WHERE o.project_id = m.project_id AND o.problem_id = m.problem_id AND o.alert_id = m.alert_id
                    AND o.recipient = m.recipient AND o.state = 'waiting' AND o.transition = 'opened'
                    AND o.created_at <= m.created_at))
            ORDER BY m.due_at, m.id LIMIT 1) AS m
        WHERE a.enabled AND (a.silenced_until IS NULL OR a.silenced_until <= $1)
          AND EXISTS (SELECT FROM alert_messages WHERE state = 'waiting' AND due_at <= $1)
          AND NOT EXISTS (
              SELECT FROM alert_messages o
              WHERE o.project_id = a.project_id AND o.alert_id = a.id AND o.state = 'waiting' AND o.leased_until > $1)
        ORDER BY m.due_at, m.id LIMIT $3),
    due AS (
        SELECT m.project_id, m.id FROM alert_messages m
        WHERE (m.project_id, m.id) IN (SELECT project_id, id FROM first)
          AND m.state = 'waiting' AND m.due_at <= $1 AND (m.leased_until IS NULL OR m.leased_until <= $1)
        FOR UPDATE SKIP LOCKED)
    UPDATE alert_messages m
    SET attempts = m.attempts + 1, leased_until = $2, first_attempt_at = COALESCE(m.first_attempt_at, $1)
    FROM due WHERE m.project_id = due.project_id AND m.id = due.id
    RETURNING m.project_id, m.id";

const LEASE: &str = "
    UPDATE alert_messages SET attempts = attempts + 1, leased_until = $2, first_attempt_at = $1
    WHERE project_id = $3 AND id = ANY ($4) RETURNING project_id, id";

const BEGIN_LOG: &str = "
    INSERT INTO alert_attempts (project_id, message_id, attempt, started_at)
    SELECT m.project_id, m.id, m.attempts, $3
    FROM alert_messages m JOIN unnest($1::integer[], $2::uuid[]) AS claimed (project_id, id) USING (project_id, id)";

const DUE: &str = "
    SELECT m.project_id, p.name AS project, m.alert_id, a.name AS alert, m.id, m.recipient, m.follows, m.transition, m.problem_id,
           m.kind, m.subject, m.what, m.since, m.people, m.compared_with, m.evidence, m.closed_at, m.created_at,
           a.channel, a.secret, a.old_secret, a.old_secret_until, m.attempts AS attempt, m.first_attempt_at
    FROM alert_messages m JOIN unnest($1::integer[], $2::uuid[]) AS claimed (project_id, id) USING (project_id, id)
    JOIN alerts a ON a.project_id = m.project_id AND a.id = m.alert_id
    JOIN projects p ON p.id = m.project_id
    ORDER BY m.due_at, m.id";

const LOG: &str = "
    UPDATE alert_attempts SET delivered = $4, status = $5, error = $6, took_ms = $7, body = $8
    WHERE project_id = $1 AND message_id = $2 AND attempt = $3";

/// Only the latest attempt says what becomes of its message, and only of one that nobody has withdrawn.
const FINISH: &str = "
    UPDATE alert_messages SET state = $4, due_at = COALESCE($5, due_at), leased_until = NULL
    WHERE project_id = $1 AND id = $2 AND attempts = $3 AND (state = 'waiting' OR $4 = 'delivered')";

/// Who was not told of an opening is told nothing else about that problem.
const WITHDRAW_REST: &str = "
    UPDATE alert_messages SET state = 'withdrawn'
    WHERE project_id = $1 AND alert_id = $2 AND problem_id = $3 AND recipient = $4 AND state = 'waiting'";

type Claimed = (i32, Uuid);

impl Store {
    /// Claims at most `most` messages that are due, and begins their attempts.
    ///
    /// # Errors
    /// What stands in the way. This is so for every method here.
    pub async fn claim_messages(&self, now: Timestamp, most: usize) -> Result<Vec<Due>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let claimed = sqlx::query_as(CLAIM)
            .bind(PgTime(now))
            .bind(PgTime(now.plus_micros(LEASE_MICROS)))
            .bind(i64::try_from(most).unwrap_or(i64::MAX));
        let claimed: Vec<Claimed> = claimed.fetch_all(&mut *transaction).await?;
        let due = begin(&mut transaction, claimed, now).await?;
        transaction.commit().await?;
        Ok(due)
    }

    /// Writes messages that try an alert out, one for each recipient, and claims them.
    ///
    /// # Errors
    /// See [`Self::claim_messages`].
    pub async fn begin_test(
        &self,
        project_id: i32,
        alert_id: i64,
        recipients: &[String],
        now: Timestamp,
    ) -> Result<Vec<Due>, StoreError> {
        let messages: Result<Vec<_>, _> = recipients
            .iter()
            .map(|recipient| test_message(alert_id, recipient, now))
            .collect();
        let messages = messages?;
        let ids: Vec<Uuid> = messages.iter().map(|message| message.id).collect();
        let mut transaction = self.pool.begin().await?;
        alerts_notify::write(&mut transaction, project_id, &messages, now).await?;
        let claimed = sqlx::query_as(LEASE)
            .bind(PgTime(now))
            .bind(PgTime(now.plus_micros(LEASE_MICROS)))
            .bind(project_id)
            .bind(ids);
        let claimed: Vec<Claimed> = claimed.fetch_all(&mut *transaction).await?;
        let due = begin(&mut transaction, claimed, now).await?;
        transaction.commit().await?;
        Ok(due)
    }

    /// Writes down how an attempt went and what becomes of its message. A test is not tried again.
    ///
    /// # Errors
    /// See [`Self::claim_messages`].
    pub async fn finish_attempt(&self, due: &Due, outcome: &Outcome, next: Next) -> Result<(), StoreError> {
        let message = &due.message;
        let (state, due_at) = match next {
            Next::Delivered => ("delivered", None),
            Next::Again(_) if message.occasion == Occasion::Test => ("dead", None),
            Next::Again(at) => ("waiting", Some(PgTime(at))),
            Next::Dead => ("dead", None),
        };
        let mut transaction = self.pool.begin().await?;
        log(&mut transaction, due, outcome).await?;
        let finished = sqlx::query(FINISH)
            .bind(message.project_id)
            .bind(message.id)
            .bind(due.attempt)
            .bind(state)
            .bind(due_at);
        finished.execute(&mut *transaction).await?;
        if state == "dead" && message.occasion == Occasion::Opened {
            withdraw_rest(&mut transaction, message).await?;
        }
        if outcome.verdict == Verdict::Gone {
            let reason = outcome.error.as_deref().unwrap_or_default();
            alerts::disable(&mut transaction, message.project_id, message.alert_id, reason).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// Begins the log of attempts, and reads what is to be sent.
async fn begin(
    transaction: &mut Transaction<'static, Postgres>,
    claimed: Vec<Claimed>,
    now: Timestamp,
) -> Result<Vec<Due>, StoreError> {
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let (projects, ids): (Vec<i32>, Vec<Uuid>) = claimed.into_iter().unzip();
    let logged = sqlx::query(BEGIN_LOG).bind(&projects).bind(&ids).bind(PgTime(now));
    logged.execute(&mut **transaction).await?;
    let due = sqlx::query_as(DUE).bind(projects).bind(ids);
    Ok(due.fetch_all(&mut **transaction).await?)
}

async fn log(connection: &mut PgConnection, due: &Due, outcome: &Outcome) -> Result<(), StoreError> {
    let logged = sqlx::query(LOG)
        .bind(due.message.project_id)
        .bind(due.message.id)
        .bind(due.attempt)
        .bind(outcome.verdict == Verdict::Delivered)
        .bind(outcome.status)
        .bind(outcome.error.as_deref())
        .bind(i64::try_from(outcome.took.as_millis()).unwrap_or(i64::MAX))
        .bind(outcome.body.as_deref());
    logged.execute(connection).await?;
    Ok(())
}

async fn withdraw_rest(connection: &mut PgConnection, opening: &Message) -> Result<(), StoreError> {
    let withdrawn = sqlx::query(WITHDRAW_REST)
        .bind(opening.project_id)
        .bind(opening.alert_id)
        .bind(opening.problem_id)
        .bind(&opening.recipient);
    withdrawn.execute(connection).await?;
    Ok(())
}

fn test_message(alert_id: i64, recipient: &str, now: Timestamp) -> Result<NewMessage<'_>, StoreError> {
    Ok(NewMessage {
        id: uuid_v7(now)?,
        alert_id,
        problem_id: None,
        transition: Occasion::Test.as_str(),
        turn: 0,
        recipient,
        follows: None,
        kind: None,
        subject: None,
        what: "somebody tries this alert, and nothing is broken".to_owned(),
        since: now.to_string(),
        people: None,
        compared_with: None,
        evidence: format!("/api/v1/alerts/{alert_id}/deliveries"),
        closed_at: None,
        not_before: now.to_string(),
    })
}
