//! Alerts and their log, as the API shows them.

use std::collections::HashMap;

use serde::Serialize;
use trailmark_protocol::Uuid;
use utoipa::ToSchema;

use super::channel::Channel;
use super::on::On;
use crate::query::time::At;
use crate::store::alerts::{AlertRow, AttemptRow, DeliveryRow};

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// Its name for people; not unique.
    pub name: String,
    /// Which problems it tells of.
    pub on: On,
    /// Where to. Of a URL only the host is shown.
    pub to: Channel,
    /// Whether the end of a problem is told too.
    pub recover: bool,
    /// After how many minutes it is told again that a problem is still there; null: never.
    pub remind_every_minutes: Option<i32>,
    /// Whether anything is told.
    pub enabled: bool,
    /// Why the server itself disabled it; null if it did not.
    pub disabled_reason: Option<String>,
    /// Until when nothing is sent; null: not silenced.
    pub silenced_until: Option<At>,
    /// When it was made.
    pub created_at: At,
    /// Who made it.
    pub created_by: String,
    /// How many of its messages wait to be sent, or to be tried again.
    pub waiting: i64,
    /// How many of the last 30 days were given up.
    pub dead: i64,
}

impl From<AlertRow> for Alert {
    fn from(row: AlertRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            on: row.listens_to.0,
            to: row.channel.0.masked(),
            recover: row.recover,
            remind_every_minutes: row.remind_every_minutes,
            enabled: row.enabled,
            disabled_reason: row.disabled_reason,
            silenced_until: row.silenced_until.map(|at| At(at.0)),
            created_at: At(row.created_at.0),
            created_by: row.created_by,
            waiting: row.waiting,
            dead: row.dead,
        }
    }
}

/// All alerts of a project.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Alerts {
    /// The alerts, by their numbers; at most 100.
    pub alerts: Vec<Alert>,
}

/// An alert that was just made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MadeAlert {
    /// The alert.
    pub alert: Alert,
    /// What signs its webhooks. It is shown here and never again; null for e-mail.
    pub secret: Option<String>,
}

/// A secret that replaces another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RotatedSecret {
    /// What signs from now on. It is shown here and never again.
    pub secret: String,
    /// Until when the one before signs beside it.
    pub old_until: At,
}

/// How trying an alert went.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Tried {
    /// Whether all recipients took the message.
    pub delivered: bool,
    /// How it went, for each recipient.
    pub deliveries: Vec<Delivery>,
}

/// A message, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = AlertDelivery)]
pub struct Delivery {
    /// Its id: `webhook-id` is `msg_` and this without hyphens.
    pub message: Uuid,
    /// Why it was written.
    #[schema(value_type = DeliveryOccasion)]
    pub occasion: String,
    /// The number of the problem; null for a test.
    pub problem: Option<i64>,
    /// The problem's kind; null for a test.
    pub kind: Option<String>,
    /// Which one of its kind; null for a test.
    pub subject: Option<String>,
    /// What was told.
    pub what: String,
    /// The e-mail address; null for a webhook.
    pub recipient: Option<String>,
    /// What became of it.
    #[schema(value_type = DeliveryState)]
    pub state: String,
    /// When it was written.
    pub created_at: At,
    /// When it is tried next; null if it is not.
    pub next_attempt_at: Option<At>,
    /// The attempts so far, oldest first; the last 50.
    pub attempts: Vec<Attempt>,
}

/// Why a message was written.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum DeliveryOccasion {
    /// A problem opened.
    Opened,
    /// It is over.
    Closed,
    /// It is still there.
    Reminder,
    /// Somebody tried the alert.
    Test,
}

/// What became of a message: `waiting` for its first or next attempt, `delivered`, `dead` (given up), or `withdrawn`: there was
/// nothing to tell any more, or nobody to tell.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum DeliveryState {
    /// For its first or next attempt.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Dead,
    /// Not sent.
    Withdrawn,
}

/// The states, as they are written.
pub const DELIVERY_STATES: [&str; 4] = ["waiting", "delivered", "dead", "withdrawn"];

/// An attempt to send a message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub struct Attempt {
    /// The how-manieth, from 1.
    pub attempt: i32,
    /// When it was begun.
    pub at: At,
    /// Whether the receiver took the message; null: under way, or its server died.
    pub delivered: Option<bool>,
    /// The receiver's status, of HTTP or SMTP; null without one.
    pub status: Option<i32>,
    /// Why it was not delivered; null if it was.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<i64>,
    /// How the answer begins; null without one.
    pub body: Option<String>,
}

/// A page of messages, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = AlertDeliveries)]
pub struct Deliveries {
    /// The messages.
    pub deliveries: Vec<Delivery>,
    /// What to ask the next page with; null at the end.
    pub next_cursor: Option<Uuid>,
}

/// Messages with their attempts.
#[must_use]
pub fn deliveries(messages: Vec<DeliveryRow>, attempts: Vec<AttemptRow>) -> Vec<Delivery> {
    let mut by_message: HashMap<Uuid, Vec<Attempt>> = HashMap::new();
    for row in attempts {
        by_message.entry(row.message_id).or_default().push(Attempt {
            attempt: row.attempt,
            at: At(row.started_at.0),
            delivered: row.delivered,
            status: row.status,
            error: row.error,
            took_ms: row.took_ms,
            body: row.body,
        });
    }
    let shown = |row: DeliveryRow| Delivery {
        attempts: by_message.remove(&row.id).unwrap_or_default(),
        message: row.id,
        occasion: row.transition,
        problem: row.problem_id,
        kind: row.kind,
        subject: row.subject,
        what: row.what,
        recipient: Some(row.recipient).filter(|recipient| !recipient.is_empty()),
        next_attempt_at: (row.state == "waiting").then_some(At(row.due_at.0)),
        state: row.state,
        created_at: At(row.created_at.0),
    };
    messages.into_iter().map(shown).collect()
}
