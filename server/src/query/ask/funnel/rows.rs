//! The events of a funnel, person after person, each in order.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::FromRow;
use trailmark_protocol::{Timestamp, Uuid};

use super::way::Seen;
use crate::query::ask::question::{Event, Exclusion, Funnel, FunnelOrder, FunnelUnit};
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
    pub(super) fn seen(&self, place: u64, until: Timestamp) -> Seen {
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
    let selects = branches(question, parts)
        .iter()
        .map(|branch| branch.select(&mut making, question, pick, only))
        .collect::<Result<Vec<_>, _>>()?;
    let unit = match question.by {
        FunnelUnit::Person => "person_id",
        FunnelUnit::Session => "session_id",
    };
    let select = format!(
        "SELECT * FROM ({}) seen ORDER BY {unit}, timestamp, seq, id",
        selects.join(" UNION ALL ")
    );
    let statement = making.query_as::<Row>(&select);
    Ok(statement.fetch(snapshot.rows()).map_err(QueryError::from).boxed())
}

/// The events of a step or of an exclusion, or all others.
struct Branch<'a> {
    events: Event,
    steps: i32,
    exclusions: i32,
    parts: &'a [Parts],
}

fn branches<'a>(question: &Funnel, parts: &'a [Parts]) -> Vec<Branch<'a>> {
    let others = Branch {
        events: Event::default(),
        steps: 0,
        exclusions: 0,
        parts: &[],
    };
    let step = |(step, events): (usize, &Event)| Branch {
        events: events.clone(),
        steps: 1 << step,
        // Those of the step that a way begins with: without order it may be any.
        parts: if step == 0 || question.order == FunnelOrder::Unordered {
            parts
        } else {
            &[]
        },
        ..others
    };
    let exclusion = |(bit, exclusion): (usize, &Exclusion)| Branch {
        events: exclusion.events(),
        exclusions: 1 << bit,
        ..others
    };
    let steps = question.steps.iter().enumerate().map(step);
    let exclusions = question.exclusions.iter().enumerate().map(exclusion);
    let mut branches: Vec<Branch<'a>> = steps.chain(exclusions).collect();
    if question.order == FunnelOrder::Strict {
        branches.push(others);
    }
    branches
}

impl Branch<'_> {
    fn select(
        &self,
        making: &mut Making,
        question: &Funnel,
        pick: Pick,
        only: Option<Bound>,
    ) -> Result<String, QueryError> {
        let mut events = Events::new(making, &self.events, question.filters.as_ref(), pick)?;
        if let Some(persons) = only {
            events = events.and(&format!("i.person_id = ANY ({persons})"));
        }
        let session = match question.by {
            FunnelUnit::Person => "NULL::text",
            FunnelUnit::Session => {
                events = events.and("e.session_id IS NOT NULL");
                "e.session_id"
            }
        };
        let (part, joins) = Parts::fold(self.parts, making, &question.breakdown)?;
        Ok(format!(
            "SELECT i.person_id, {session} AS session_id, e.timestamp, e.seq, e.id, {} AS steps, {} AS exclusions,
                    {part} AS part {}",
            self.steps,
            self.exclusions,
            events.joined(&joins).from_where()
        ))
    }
}
