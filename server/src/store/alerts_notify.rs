//! Writes down what is to be told, in the transaction that opens or closes a problem.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use trailmark_protocol::{Timestamp, Uuid};

use super::error::StoreError;
use super::pg_time::PgTime;
use super::random::uuid_v7;
use crate::observe::Kind;
use crate::observe::alerts::plan::{
    self, FLAPPING_MICROS, History, Listener, Planned, Told, Transition, TransitionKind,
};
use crate::observe::alerts::{Channel, On};

const LISTENERS: &str = "
    SELECT id, listens_to, channel, recover, remind_every_minutes, silenced_until FROM alerts
    WHERE project_id = $1 AND enabled ORDER BY id";

/// An opening that nobody has heard of yet, and a reminder that has not left, have nothing to say once the problem is over. What
/// is just being claimed is waited for, and then counts as told.
const WITHDRAW: &str = "
    UPDATE alert_messages SET state = 'withdrawn'
    WHERE project_id = $1 AND problem_id = ANY ($2) AND state = 'waiting'
      AND (transition = 'opened' AND attempts = 0 OR transition = 'reminder' AND leased_until IS NULL)";

const TOLD: &str = "
    SELECT alert_id, problem_id, recipient,
           (array_agg(id) FILTER (WHERE transition = 'opened'))[1] AS opening,
           min(not_before) FILTER (WHERE transition = 'opened') AS opened_at,
           max(turn) AS last_turn,
           bool_or(state = 'delivered' OR state = 'waiting' AND attempts > 0) AS reached,
           bool_or(state = 'waiting') AS waiting
    FROM alert_messages WHERE project_id = $1 AND problem_id = ANY ($2) AND state <> 'withdrawn'
    GROUP BY alert_id, problem_id, recipient";

const OPENINGS: &str = "
    SELECT alert_id, kind, subject, recipient, max(not_before) AS at
    FROM alert_messages JOIN unnest($2::text[], $3::text[]) AS opened (kind, subject) USING (kind, subject)
    WHERE project_id = $1 AND transition = 'opened' AND state <> 'withdrawn' AND not_before > $4
    GROUP BY alert_id, kind, subject, recipient";

const WRITE: &str = "
    INSERT INTO alert_messages (project_id, id, alert_id, problem_id, transition, turn, recipient, follows, kind, subject, what,
        since, people, compared_with, evidence, closed_at, created_at, not_before, due_at, state)
    SELECT $1, id, alert_id, problem_id, transition, turn, recipient, follows, kind, subject, what, since, people, compared_with,
        evidence, closed_at, $3, not_before, not_before, 'waiting'
    FROM jsonb_to_recordset($2) AS message (id uuid, alert_id bigint, problem_id bigint, transition text, turn bigint,
        recipient text, follows uuid, kind text, subject text, what text, since timestamptz, people bigint, compared_with text,
        evidence text, closed_at timestamptz, not_before timestamptz)
    ON CONFLICT (project_id, alert_id, problem_id, transition, turn, recipient) DO NOTHING";

type ListenerRow = (i64, Json<On>, Json<Channel>, bool, Option<i32>, Option<PgTime>);

#[derive(Debug, sqlx::FromRow)]
struct ToldRow {
    alert_id: i64,
    problem_id: i64,
    recipient: String,
    opening: Option<Uuid>,
    opened_at: Option<PgTime>,
    last_turn: i64,
    reached: bool,
    waiting: bool,
}

/// A message as it is written. Times are RFC 3339, which Postgres reads.
#[derive(Debug, Serialize)]
pub(super) struct NewMessage<'a> {
    pub(super) id: Uuid,
    pub(super) alert_id: i64,
    pub(super) problem_id: Option<i64>,
    pub(super) transition: &'static str,
    pub(super) turn: i64,
    pub(super) recipient: &'a str,
    pub(super) follows: Option<Uuid>,
    pub(super) kind: Option<&'static str>,
    pub(super) subject: Option<String>,
    pub(super) what: String,
    pub(super) since: String,
    pub(super) people: Option<i64>,
    pub(super) compared_with: Option<String>,
    pub(super) evidence: String,
    pub(super) closed_at: Option<String>,
    pub(super) not_before: String,
}

/// Writes a message for everybody who is to hear of what became of some problems, and returns how many. Call it in the
/// transaction that opens or closes them: then nothing that happened is left untold, and nothing is told that did not happen.
/// The same again writes nothing new.
///
/// # Errors
/// What stands in the way.
pub async fn notify(
    connection: &mut PgConnection,
    project_id: i32,
    transitions: &[Transition],
    now: Timestamp,
) -> Result<u64, StoreError> {
    if transitions.is_empty() {
        return Ok(0);
    }
    let is_closed = |transition: &&Transition| matches!(transition.kind, TransitionKind::Closed { .. });
    let closed: Vec<i64> = transitions
        .iter()
        .filter(is_closed)
        .map(|closed| closed.problem_id)
        .collect();
    if !closed.is_empty() {
        let withdrawn = sqlx::query(WITHDRAW).bind(project_id).bind(&closed);
        withdrawn.execute(&mut *connection).await?;
    }
    let listeners = listeners(connection, project_id, now).await?;
    if listeners.is_empty() {
        return Ok(0);
    }
    let history = History {
        problems: told(connection, project_id, transitions).await?,
        openings: openings(connection, project_id, transitions, now).await?,
    };
    let planned = plan::plan(&listeners, &history, transitions, now);
    let messages: Result<Vec<_>, _> = planned.iter().map(|planned| new_message(planned, now)).collect();
    let messages = messages?;
    write(connection, project_id, &messages, now).await
}

/// Writes messages that are not there yet, and returns how many.
pub(super) async fn write(
    connection: &mut PgConnection,
    project_id: i32,
    messages: &[NewMessage<'_>],
    now: Timestamp,
) -> Result<u64, StoreError> {
    if messages.is_empty() {
        return Ok(0);
    }
    let written = sqlx::query(WRITE)
        .bind(project_id)
        .bind(Json(messages))
        .bind(PgTime(now));
    Ok(written.execute(connection).await?.rows_affected())
}

async fn listeners(
    connection: &mut PgConnection,
    project_id: i32,
    now: Timestamp,
) -> Result<Vec<Listener>, StoreError> {
    let rows: Vec<ListenerRow> = sqlx::query_as(LISTENERS).bind(project_id).fetch_all(connection).await?;
    let listener = |(alert_id, on, channel, recover, minutes, silenced_until): ListenerRow| Listener {
        alert_id,
        on: on.0,
        recipients: channel.0.recipients(),
        recover,
        remind_every: minutes.map(|minutes| i64::from(minutes) * 60_000_000),
        silenced: silenced_until.is_some_and(|until| until.0 > now),
    };
    Ok(rows.into_iter().map(listener).collect())
}

async fn told(
    connection: &mut PgConnection,
    project_id: i32,
    transitions: &[Transition],
) -> Result<HashMap<plan::AboutProblem, Told>, StoreError> {
    let problems: Vec<i64> = transitions.iter().map(|transition| transition.problem_id).collect();
    let rows = sqlx::query_as(TOLD).bind(project_id).bind(problems);
    let rows: Vec<ToldRow> = rows.fetch_all(connection).await?;
    let told = |row: ToldRow| {
        let told = Told {
            opening: row.opening.zip(row.opened_at.map(|at| at.0)),
            last_turn: row.last_turn,
            reached: row.reached,
            waiting: row.waiting,
        };
        ((row.alert_id, row.problem_id, row.recipient), told)
    };
    Ok(rows.into_iter().map(told).collect())
}

async fn openings(
    connection: &mut PgConnection,
    project_id: i32,
    transitions: &[Transition],
    now: Timestamp,
) -> Result<HashMap<plan::AboutSubject, Timestamp>, StoreError> {
    let opened = transitions
        .iter()
        .filter(|transition| transition.kind == TransitionKind::Opened);
    let (kinds, subjects): (Vec<&str>, Vec<String>) = opened
        .map(|opened| (opened.found.kind.as_str(), storable(&opened.found.subject)))
        .unzip();
    if kinds.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query_as(OPENINGS)
        .bind(project_id)
        .bind(kinds)
        .bind(subjects)
        .bind(PgTime(now.plus_micros(-FLAPPING_MICROS)));
    let rows: Vec<(i64, String, String, String, PgTime)> = rows.fetch_all(connection).await?;
    let known = rows.into_iter().filter_map(|(alert, kind, subject, recipient, at)| {
        Some(((alert, Kind::parse(&kind)?, subject, recipient), at.0))
    });
    Ok(known.collect())
}

fn new_message<'a>(planned: &Planned<'a>, now: Timestamp) -> Result<NewMessage<'a>, StoreError> {
    let found = &planned.transition.found;
    let closed_at = match planned.transition.kind {
        TransitionKind::Closed { at } => Some(at.to_string()),
        TransitionKind::Opened | TransitionKind::Reminder => None,
    };
    Ok(NewMessage {
        id: uuid_v7(now)?,
        alert_id: planned.alert_id,
        problem_id: Some(planned.transition.problem_id),
        transition: planned.occasion.as_str(),
        turn: planned.turn,
        recipient: planned.recipient,
        follows: planned.follows,
        kind: Some(found.kind.as_str()),
        subject: Some(storable(&found.subject)),
        what: storable(&found.what),
        since: found.since.to_string(),
        people: found.people,
        compared_with: found.compared_with.as_deref().map(storable),
        evidence: storable(&found.evidence),
        closed_at,
        not_before: planned.not_before.to_string(),
    })
}

/// Without the NUL that Postgres' text cannot hold.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
