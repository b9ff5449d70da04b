//! The events of a funnel, person after person, each in order.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::FromRow;
use trailmark_protocol::Uuid;

use super::way::Seen;
use crate::query::ask::question::{Event, Funnel, FunnelOrder, FunnelUnit};
use crate::query::ask::sql::{Bound, Events, Making, Parts, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;

/// One event that may take steps.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) person_id: i64,
    /// The session, where those are what goes through the funnel.
    pub(super) session_id: Option<String>,
    timestamp: PgTime,
    id: Uuid,
    steps: i32,
    exclusions: i32,
    part: i32,
}

impl Row {
    pub(super) fn seen(&self, place: u64, until: trailmark_protocol::Timestamp) -> Seen {
        Seen {
            place,
            at: self.timestamp.0.micros(),
            steps: self.steps.cast_unsigned(),
            exclusions: self.exclusions.cast_unsigned(),
            part: self.part.cast_unsigned(),
            may_begin: self.timestamp.0 < until,
        }
    }

    /// Whether it is the same event, which several steps ask for.
    pub(super) fn is_again(&self, next: &Self) -> bool {
        self.id == next.id
    }

    /// Whether the other's events belong to the same way: a session's, or a person's.
    pub(super) fn goes_with(&self, next: &Self) -> bool {
        match (&self.session_id, &next.session_id) {
            (None, None) => self.person_id == next.person_id,
            (session, next) => session == next,
        }
    }

    /// Both, as one.
    pub(super) fn add(&mut self, again: &Self) {
        self.steps |= again.steps;
        self.exclusions |= again.exclusions;
        self.part = self.part.max(again.part);
    }
}

/// The events of all steps and exclusions; for a strict funnel, all others as well. Those of `only` these persons, if there
/// are any.
pub(super) fn stream<'c>(
    snapshot: &'c mut Snapshot,
    question: &Funnel,
    parts: &[Parts],
    pick: Pick,
    only: Option<Vec<i64>>,
) -> Result<BoxStream<'c, Result<Row, QueryError>>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let only = only.map(|persons| making.bind(persons)).transpose()?;
    let mut branches = Vec::new();
    for (step, events) in question.steps.iter().enumerate() {
        let broken_down = if step == 0 || question.order == FunnelOrder::Unordered {
            parts
        } else {
            &[]
        };
        branches.push(branch(
            (&mut making, only),
            question,
            events,
            (1 << step, 0),
            broken_down,
            pick,
        )?);
    }
    for (bit, exclusion) in question.exclusions.iter().enumerate() {
        branches.push(branch(
            (&mut making, only),
            question,
            &exclusion.events(),
            (0, 1 << bit),
            &[],
            pick,
        )?);
    }
    if question.order == FunnelOrder::Strict {
        branches.push(branch(
            (&mut making, only),
            question,
            &Event::default(),
            (0, 0),
            &[],
            pick,
        )?);
    }
    let unit = match question.by {
        FunnelUnit::Person => "person_id",
        FunnelUnit::Session => "session_id",
    };
    let select = format!(
        "SELECT * FROM ({}) seen ORDER BY {unit}, timestamp, seq, id",
        branches.join(" UNION ALL ")
    );
    let statement = making.query_as::<Row>(&select);
    Ok(statement.fetch(snapshot.rows()).map_err(QueryError::from).boxed())
}

fn branch(
    (making, only): (&mut Making, Option<Bound>),
    question: &Funnel,
    events: &Event,
    (step, exclusion): (i32, i32),
    parts: &[Parts],
    pick: Pick,
) -> Result<String, QueryError> {
    let mut relation = Events::new(making, events, question.filters.as_ref(), pick)?;
    if let Some(persons) = only {
        relation = relation.and(&format!("i.person_id = ANY ({persons})"));
    }
    let (part, joins) = Parts::fold(parts, making, &question.breakdown)?;
    let relation = relation.joined(&joins);
    let (session, only) = match question.by {
        FunnelUnit::Person => ("NULL::text", ""),
        FunnelUnit::Session => ("e.session_id", " AND e.session_id IS NOT NULL"),
    };
    Ok(format!(
        "SELECT i.person_id, {session} AS session_id, e.timestamp, e.seq, e.id, {step} AS steps, {exclusion} AS exclusions,
                {part} AS part {}{only}",
        relation.from_where()
    ))
}
