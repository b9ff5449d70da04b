//! What became of the messages of alerts.

use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// How long messages and attempts are kept: 30 days, in microseconds.
const KEPT_MICROS: i64 = 30 * 86_400 * 1_000_000;

/// How long openings are kept: 400 days, in microseconds. While a problem lasts, they say who is to hear of its end.
const OPENINGS_KEPT_MICROS: i64 = 400 * 86_400 * 1_000_000;

/// Rows that are forgotten in one statement: 2,000 take some 20 ms, and nobody waits for their locks.
const FORGOTTEN_AT_ONCE: i64 = 2_000;

/// Attempts of one message that are shown: 50. A day of failures makes ten; more are of people who asked to try again.
const ATTEMPTS_SHOWN: i64 = 50;

/// Which messages of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which<'a> {
    /// Only those that were written before this one.
    pub before: Option<Uuid>,
    /// Only those of which this became.
    pub state: Option<&'a str>,
    /// Only these.
    pub only: Option<&'a [Uuid]>,
    /// At most so many, the newest.
    pub limit: i64,
}

/// A message, as the log shows it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct DeliveryRow {
    /// Its id.
    pub id: Uuid,
    /// Why it was written.
    pub transition: String,
    /// The problem; none for a test.
    pub problem_id: Option<i64>,
    /// The problem's kind.
    pub kind: Option<String>,
    /// Which one of its kind.
    pub subject: Option<String>,
    /// What was told.
    pub what: String,
    /// The e-mail address; empty for a webhook.
    pub recipient: String,
    /// What became of it.
    pub state: String,
    /// When it was written.
    pub created_at: PgTime,
    /// When the next attempt is due, while there is one.
    pub due_at: PgTime,
}

/// An attempt to send a message.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AttemptRow {
    /// The message.
    pub message_id: Uuid,
    /// The how-manieth, from 1.
    pub attempt: i32,
    /// When it was begun.
    pub started_at: PgTime,
    /// Whether the receiver took it; none: under way, or its server died.
    pub delivered: Option<bool>,
    /// The receiver's status.
    pub status: Option<i32>,
    /// Why it was not delivered.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<i64>,
    /// How the answer begins.
    pub body: Option<String>,
}

/// What became of the wish to try a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It is due.
    Due,
    /// There is no such message.
    Unknown,
    /// It was withdrawn: there is nothing to tell any more.
    Withdrawn,
    /// Its alert is disabled.
    Disabled,
}

const DELIVERIES: &str = "
    SELECT id, transition, problem_id, kind, subject, what, recipient, state, created_at, due_at FROM alert_messages
    WHERE project_id = $1 AND alert_id = $2 AND ($3::uuid IS NULL OR id < $3) AND ($4::text IS NULL OR state = $4)
      AND ($5::uuid[] IS NULL OR id = ANY ($5))
    ORDER BY id DESC LIMIT $6";

const ATTEMPTS: &str = "
    SELECT shown.* FROM unnest($2::uuid[]) AS asked (id), LATERAL (
        SELECT message_id, attempt, started_at, delivered, status, error, took_ms, body FROM alert_attempts
        WHERE project_id = $1 AND message_id = asked.id ORDER BY attempt DESC LIMIT $3) AS shown
    ORDER BY shown.attempt";

/// An attempt that is under way goes on; what is asked for comes after it.
const RETRY: &str = "
    WITH asked AS (
        SELECT m.state, a.enabled FROM alert_messages m JOIN alerts a ON a.project_id = m.project_id AND a.id = m.alert_id
        WHERE m.project_id = $1 AND m.alert_id = $2 AND m.id = $3),
    due AS (
        UPDATE alert_messages SET state = 'waiting', due_at = $4, first_attempt_at = NULL
        WHERE project_id = $1 AND alert_id = $2 AND id = $3 AND state <> 'withdrawn' AND (SELECT enabled FROM asked))
    SELECT state, enabled FROM asked";

const FORGET_ATTEMPTS: &str = "
    DELETE FROM alert_attempts WHERE (project_id, message_id, attempt) IN (
        SELECT project_id, message_id, attempt FROM alert_attempts WHERE started_at < $1 LIMIT $2)";

const FORGET_MESSAGES: &str = "
    DELETE FROM alert_messages WHERE (project_id, id) IN (
        SELECT project_id, id FROM alert_messages
        WHERE created_at < $1 AND state <> 'waiting' AND (created_at < $2 OR transition <> 'opened' OR state = 'withdrawn')
        ORDER BY created_at LIMIT $3)";

impl Store {
    /// Messages of an alert with their attempts, newest first.
    ///
    /// # Errors
    /// What stands in the way. This is so for every method here.
    pub async fn deliveries(
        &self,
        project_id: i32,
        alert_id: i64,
        which: Which<'_>,
    ) -> Result<(Vec<DeliveryRow>, Vec<AttemptRow>), StoreError> {
        let messages = sqlx::query_as(DELIVERIES)
            .bind(project_id)
            .bind(alert_id)
            .bind(which.before)
            .bind(which.state)
            .bind(which.only)
            .bind(which.limit);
        let messages: Vec<DeliveryRow> = messages.fetch_all(&self.pool).await?;
        let ids: Vec<Uuid> = messages.iter().map(|message| message.id).collect();
        let attempts = sqlx::query_as(ATTEMPTS).bind(project_id).bind(ids).bind(ATTEMPTS_SHOWN);
        Ok((messages, attempts.fetch_all(&self.pool).await?))
    }

    /// Makes a message due that was given up, waits for its next attempt or is to be sent once more.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    pub async fn retry_delivery(
        &self,
        project_id: i32,
        alert_id: i64,
        message: Uuid,
        now: Timestamp,
    ) -> Result<Retried, StoreError> {
        let asked = sqlx::query_as(RETRY)
            .bind(project_id)
            .bind(alert_id)
            .bind(message)
            .bind(PgTime(now));
        let found: Option<(String, bool)> = asked.fetch_optional(&self.pool).await?;
        Ok(match found {
            None => Retried::Unknown,
            Some((state, _)) if state == "withdrawn" => Retried::Withdrawn,
            Some((_, false)) => Retried::Disabled,
            Some(_) => Retried::Due,
        })
    }

    /// Forgets old messages and attempts, in small steps.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    pub async fn forget_deliveries(&self, now: Timestamp) -> Result<(), StoreError> {
        let (old, very_old) = (now.plus_micros(-KEPT_MICROS), now.plus_micros(-OPENINGS_KEPT_MICROS));
        loop {
            let attempts = sqlx::query(FORGET_ATTEMPTS).bind(PgTime(old)).bind(FORGOTTEN_AT_ONCE);
            let messages = sqlx::query(FORGET_MESSAGES)
                .bind(PgTime(old))
                .bind(PgTime(very_old))
                .bind(FORGOTTEN_AT_ONCE);
            let forgotten = attempts.execute(&self.pool).await?.rows_affected()
                + messages.execute(&self.pool).await?.rows_affected();
            if forgotten == 0 {
                return Ok(());
            }
        }
    }
}
