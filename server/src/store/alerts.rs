//! Alerts: who is told of what is broken. What is told is in `alerts_notify`, how it leaves in `alerts_outbox`, what became of
//! it in `alerts_log`.

use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Transaction};
use trailmark_protocol::Timestamp;

pub use super::alerts_log::{AttemptRow, DeliveryRow, Retried, Which};
pub use super::alerts_notify::notify;
pub use super::alerts_outbox::{Due, Message};
use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
pub use crate::observe::alerts::plan::{Transition, TransitionKind};
use crate::observe::alerts::{Channel, On, Threshold};

/// An alert as it is stored; not its secret.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AlertRow {
    /// Its number.
    pub id: i64,
    /// Its name for people.
    pub name: String,
    /// Which problems.
    pub listens_to: Json<On>,
    /// Where to.
    pub channel: Json<Channel>,
    /// Whether the end is told.
    pub recover: bool,
    /// After how many minutes it is told again.
    pub remind_every_minutes: Option<i32>,
    /// Whether anything is told.
    pub enabled: bool,
    /// Why the server disabled it.
    pub disabled_reason: Option<String>,
    /// Until when nothing is sent.
    pub silenced_until: Option<PgTime>,
    /// When it was made.
    pub created_at: PgTime,
    /// Who made it.
    pub created_by: String,
    /// How many of its messages wait to be sent.
    pub waiting: i64,
    /// How many of the last 30 days were given up.
    pub dead: i64,
}

/// An alert to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert<'a> {
    /// Its name.
    pub name: &'a str,
    /// Which problems.
    pub on: &'a On,
    /// Where to.
    pub channel: &'a Channel,
    /// What signs webhooks.
    pub secret: Option<&'a str>,
    /// Whether the end is told.
    pub recover: bool,
    /// After how many minutes it is told again.
    pub remind_every_minutes: Option<i32>,
    /// Whether anything is told.
    pub enabled: bool,
    /// Who makes it.
    pub created_by: &'a str,
}

/// What of an alert is to be another; `None`: stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Which problems.
    pub on: Option<&'a On>,
    /// Where to.
    pub channel: Option<&'a Channel>,
    /// Whether the end is told.
    pub recover: Option<bool>,
    /// After how many minutes it is told again; inner `None`: never.
    pub remind_every_minutes: Option<Option<i32>>,
    /// Whether anything is told.
    pub enabled: Option<bool>,
}

/// An alert that looks at a saved question.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ThresholdRow {
    /// Its project.
    pub project_id: i32,
    /// Its number: the subject of its problem, as text.
    pub alert_id: i64,
    /// Its name for people.
    pub name: String,
    /// What it looks at.
    pub threshold: Json<Threshold>,
}

const ROWS: &str = "
    SELECT a.id, a.name, a.listens_to, a.channel, a.recover, a.remind_every_minutes, a.enabled, a.disabled_reason,
           a.silenced_until, a.created_at, a.created_by,
           (SELECT count(*) FROM alert_messages m
            WHERE m.project_id = $1 AND m.alert_id = a.id AND m.state = 'waiting' AND m.transition <> 'test') AS waiting,
           (SELECT count(*) FROM alert_messages m
            WHERE m.project_id = $1 AND m.alert_id = a.id AND m.state = 'dead' AND m.transition <> 'test') AS dead
    FROM alerts a WHERE a.project_id = $1 AND ($2::bigint IS NULL OR a.id = $2) ORDER BY a.id";

/// Those who add one at the same moment may exceed the limit by one each, which hurts nobody.
const ADD: &str = "
    INSERT INTO alerts (project_id, name, listens_to, channel, secret, recover, remind_every_minutes, enabled, created_at, created_by)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
    WHERE (SELECT count(*) FROM alerts WHERE project_id = $1) < $11
    RETURNING id";

const CHANGE: &str = "
    UPDATE alerts SET name = COALESCE($3, name), listens_to = COALESCE($4, listens_to), channel = COALESCE($5, channel),
           recover = COALESCE($6, recover), enabled = COALESCE($7, enabled),
           disabled_reason = CASE WHEN $7 IS NULL THEN disabled_reason END,
           remind_every_minutes = CASE WHEN $8 THEN $9 ELSE remind_every_minutes END
    WHERE project_id = $1 AND id = $2";

/// What waits for somebody who is not to be told any more; `NULL`: for everybody. Those on their way arrive or not.
const WITHDRAW: &str = "
    UPDATE alert_messages SET state = 'withdrawn', leased_until = NULL
    WHERE project_id = $1 AND alert_id = $2 AND state = 'waiting' AND ($3::text[] IS NULL OR recipient <> ALL ($3))";

const REMOVE: &str = "
    WITH messages AS (DELETE FROM alert_messages WHERE project_id = $1 AND alert_id = $2 RETURNING id),
    attempts AS (DELETE FROM alert_attempts WHERE project_id = $1 AND message_id IN (SELECT id FROM messages))
    DELETE FROM alerts WHERE project_id = $1 AND id = $2";

const ROTATE: &str = "
    UPDATE alerts SET old_secret = secret, old_secret_until = $4, secret = $3
    WHERE project_id = $1 AND id = $2 AND secret IS NOT NULL";

const THRESHOLDS: &str = "
    SELECT project_id, id AS alert_id, name, listens_to -> 'threshold' AS threshold FROM alerts
    WHERE enabled AND listens_to ? 'threshold' ORDER BY project_id, id";

impl Store {
    /// The alerts of a project, oldest first.
    ///
    /// # Errors
    /// What stands in the way. This is so for every method here.
    pub async fn alerts(&self, project_id: i32) -> Result<Vec<AlertRow>, StoreError> {
        let rows = sqlx::query_as(ROWS).bind(project_id).bind(None::<i64>);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// One alert.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn alert(&self, project_id: i32, id: i64) -> Result<Option<AlertRow>, StoreError> {
        let row = sqlx::query_as(ROWS).bind(project_id).bind(Some(id));
        Ok(row.fetch_optional(&self.pool).await?)
    }

    /// Makes an alert and returns its number; `None` if the project has `most` already.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn add_alert(
        &self,
        project_id: i32,
        alert: &NewAlert<'_>,
        most: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let added = sqlx::query_scalar(ADD)
            .bind(project_id)
            .bind(alert.name)
            .bind(Json(alert.on))
            .bind(Json(alert.channel))
            .bind(alert.secret)
            .bind(alert.recover)
            .bind(alert.remind_every_minutes)
            .bind(alert.enabled)
            .bind(PgTime(now))
            .bind(alert.created_by)
            .bind(most);
        Ok(added.fetch_optional(&self.pool).await?)
    }

    /// Changes an alert, and returns whether there is one. What waits for recipients that it had is not sent any more; when it
    /// is enabled or disabled, nothing that waits is.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn change_alert(&self, project_id: i32, id: i64, change: &AlertChange<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let changed = sqlx::query(CHANGE)
            .bind(project_id)
            .bind(id)
            .bind(change.name)
            .bind(change.on.map(Json))
            .bind(change.channel.map(Json))
            .bind(change.recover)
            .bind(change.enabled)
            .bind(change.remind_every_minutes.is_some())
            .bind(change.remind_every_minutes.flatten());
        let found = changed.execute(&mut *transaction).await?.rows_affected() > 0;
        if found && change.enabled.is_some() {
            withdraw(&mut transaction, project_id, id, None).await?;
        } else if let Some(channel) = change.channel.filter(|_| found) {
            withdraw(&mut transaction, project_id, id, Some(channel.recipients())).await?;
        }
        transaction.commit().await?;
        Ok(found)
    }

    /// Removes an alert with its messages and their log, and returns whether there was one.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn remove_alert(&self, project_id: i32, id: i64) -> Result<bool, StoreError> {
        let removed = sqlx::query(REMOVE).bind(project_id).bind(id);
        Ok(removed.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Silences an alert until then, or ends its silence, and returns whether there is one.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn silence_alert(&self, project_id: i32, id: i64, until: Option<Timestamp>) -> Result<bool, StoreError> {
        let silenced = sqlx::query("UPDATE alerts SET silenced_until = $3 WHERE project_id = $1 AND id = $2")
            .bind(project_id)
            .bind(id)
            .bind(until.map(PgTime));
        Ok(silenced.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Gives a webhook another secret; the one before signs beside it until then. Returns whether there is such an alert.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn rotate_alert_secret(
        &self,
        project_id: i32,
        id: i64,
        secret: &str,
        old_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let rotated = sqlx::query(ROTATE)
            .bind(project_id)
            .bind(id)
            .bind(secret)
            .bind(PgTime(old_until));
        Ok(rotated.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// The enabled alerts of all projects that look at saved questions.
    ///
    /// # Errors
    /// See [`Self::alerts`].
    pub async fn alert_thresholds(&self) -> Result<Vec<ThresholdRow>, StoreError> {
        Ok(sqlx::query_as(THRESHOLDS).fetch_all(&self.pool).await?)
    }
}

/// Disables an alert whose receiver is gone; nothing that waits is sent any more.
pub(super) async fn disable(
    transaction: &mut Transaction<'static, Postgres>,
    project_id: i32,
    id: i64,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE alerts SET enabled = false, disabled_reason = $3 WHERE project_id = $1 AND id = $2")
        .bind(project_id)
        .bind(id)
        .bind(reason)
        .execute(&mut **transaction)
        .await?;
    withdraw(transaction, project_id, id, None).await
}

async fn withdraw(
    connection: &mut PgConnection,
    project_id: i32,
    id: i64,
    but_for: Option<Vec<String>>,
) -> Result<(), StoreError> {
    let withdrawn = sqlx::query(WITHDRAW).bind(project_id).bind(id).bind(but_for);
    withdrawn.execute(connection).await?;
    Ok(())
}
