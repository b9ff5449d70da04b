//! The events of a funnel as one array for each identity: what most funnels need to know of them stands in the index by
//! name, and fits into one number.
//!
//! What does not is the order of two events of one moment, which their rows alone know. Persons with such a tie are asked
//! for again, in full ([`super::rows`]).

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::FromRow;
use trailmark_protocol::Timestamp;

use super::way::Seen;
use crate::query::ask::question::{Event, Exclusion, Funnel, FunnelOrder, FunnelUnit};
use crate::query::ask::sql::{Events, Making, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;

/// An event's timestamp is moved by so many hours times the number of what it is, the first step being 0: 4,563 years, so
/// that the stretches (20 years and the window at most) lie apart, and 12 steps with 5 exclusions (16 times 4,563 is 73,008)
/// below Postgres' last year, 294,276.
const APART_HOURS: i64 = 40_000_000;

const APART: i64 = APART_HOURS * 3_600_000_000;

/// Some events of one person; more rows of the same may follow.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) person_id: i64,
    moved: Vec<PgTime>,
}

/// Events of one person: when, in microseconds, and the number of what it is.
#[derive(Debug, Default)]
pub(super) struct Packed(Vec<(i64, i64)>);

impl Packed {
    /// Adds the events of a row, of which none is before `from`.
    pub(super) fn add(&mut self, row: &Row, from: Timestamp) {
        let unpacked = row.moved.iter().map(|moved| {
            let what = moved.0.micros().saturating_sub(from.micros()).div_euclid(APART);
            (moved.0.micros() - what * APART, what)
        });
        self.0.extend(unpacked);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Puts them in order. `false`: two different ones happened at the same moment, so this cannot be done here.
    pub(super) fn sort(&mut self) -> bool {
        self.0.sort_unstable();
        self.0.windows(2).all(|pair| match pair {
            [(at, what), (next_at, next_what)] => at != next_at || what == next_what,
            _ => true,
        })
    }

    /// The events, as a funnel of so many steps sees them.
    pub(super) fn seen(&self, steps: usize, until: Timestamp) -> impl Iterator<Item = Seen> {
        let bit = |number: usize| {
            u32::try_from(number)
                .ok()
                .and_then(|number| 1_u32.checked_shl(number))
                .unwrap_or(0)
        };
        self.0.iter().enumerate().map(move |(place, (at, what))| {
            let what = usize::try_from(*what).unwrap_or_default();
            Seen {
                place: place as u64,
                at: *at,
                steps: if what < steps { bit(what) } else { 0 },
                exclusions: what.checked_sub(steps).map_or(0, bit),
                part: 0,
                may_begin: *at < until.micros(),
            }
        })
    }
}

/// Whether this will do: persons go through the funnel, nothing is broken down, and no event can be two of its steps.
pub(super) fn will_do(question: &Funnel) -> bool {
    let names: Option<Vec<String>> = all(question).into_iter().map(|events| events.event).collect();
    let told_apart = names.is_some_and(|mut names| {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        names.len() == count
    });
    told_apart
        && question.by == FunnelUnit::Person
        && question.order != FunnelOrder::Strict
        && question.breakdown.is_empty()
}

fn all(question: &Funnel) -> Vec<Event> {
    let exclusions = question.exclusions.iter().map(Exclusion::events);
    question.steps.iter().cloned().chain(exclusions).collect()
}

/// The events of all steps and exclusions, person after person.
pub(super) fn stream<'c>(
    snapshot: &'c mut Snapshot,
    question: &Funnel,
    pick: Pick,
) -> Result<BoxStream<'c, Result<Row, QueryError>>, QueryError> {
    let mut making = Making::new(snapshot)?;
    let mut branches = Vec::new();
    for (number, events) in (0_i64..).zip(all(question)) {
        let events = Events::new(&mut making, &events, question.filters.as_ref(), pick)?;
        branches.push(format!(
            "SELECT e.identity_id, e.timestamp + interval '{} hours' AS moved {}",
            number * APART_HOURS,
            events.from_where_by_identity("")
        ));
    }
    let select = format!(
        "SELECT i.person_id, moved FROM (
             SELECT identity_id, array_agg(moved) AS moved FROM ({}) seen GROUP BY identity_id) identity
         JOIN identities i ON i.project_id = $1 AND i.id = identity.identity_id
         ORDER BY i.person_id",
        branches.join(" UNION ALL ")
    );
    let statement = making.query_as::<Row>(&select);
    Ok(statement.fetch(snapshot.rows()).map_err(QueryError::from).boxed())
}
