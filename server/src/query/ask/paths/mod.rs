//! Paths: what follows what.
//!
//! One statement gives each person's points in order; they are cut into ways, and each step of a way counts for an edge,
//! for a person once.

pub mod way;

use std::collections::HashMap;
use std::hash::Hash;

use futures_util::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use super::calendar::Span;
use super::persons::Page;
use super::question::{Event, Paths};
use super::sql::{Events, Making, Pick, meant};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;
use way::{Passed, Stretch, goes_on};

/// Most different edges that are counted: 200,000, some 50 MB. Points that are never the same (an id in an address) make so
/// many; then there is nothing to see.
const EDGES_COUNTED: usize = 200_000;

/// The edges that most persons took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PathsAnswer {
    /// The edges.
    pub results: Vec<Edge>,
}

/// From one point to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PathsEdge)]
pub struct Edge {
    /// Its place in the path, from 1.
    pub step: usize,
    /// The point.
    pub from: String,
    /// The next.
    pub to: String,
    /// How many persons took it.
    pub persons: u64,
    /// How often it was taken.
    pub count: u64,
}

#[derive(Debug, FromRow)]
struct Row {
    person_id: i64,
    session_id: Option<String>,
    timestamp: PgTime,
    point: String,
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(snapshot: &mut Snapshot, question: &Paths, span: &Span) -> Result<PathsAnswer, QueryError> {
    let mut edges = Edges::default();
    walk(snapshot, question, span, |person, way| edges.add(person, way)).await?;
    Ok(edges.answer(question, |point| point))
}

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PathsPlace)]
pub struct Spot {
    /// The edge's place in the path, from 1; any, if there is none.
    #[serde(default)]
    pub step: Option<usize>,
    /// The point.
    pub from: String,
    /// The next.
    pub to: String,
}

/// Who took an edge.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Paths,
    spot: &Spot,
    span: &Span,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let mut found = Vec::new();
    walk(snapshot, question, span, |person, way| {
        let is_it = |(index, pair): (usize, &[String])| {
            spot.step.is_none_or(|step| step == index + 1)
                && matches!(pair, [from, to] if *from == spot.from && *to == spot.to)
        };
        let wanted = person > page.after && found.len() < page.wanted() && found.last() != Some(&person);
        if wanted && way.windows(2).enumerate().any(is_it) {
            found.push(person);
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Tells the stretches that everybody went, person after person.
async fn walk(
    snapshot: &mut Snapshot,
    question: &Paths,
    span: &Span,
    mut told: impl FnMut(i64, &[String]) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let mut making = Making::new(snapshot)?;
    let select = statement(&mut making, question, span)?;
    let stretch = Stretch {
        start: question.start.clone(),
        end: question.end.clone(),
        max: question.max_steps as usize,
    };
    let statement = making.query_as::<Row>(&select);
    let mut rows = statement.fetch(snapshot.rows()).map_err(QueryError::from).boxed();
    let mut person = None;
    let mut last: Option<Passed<String, String>> = None;
    let mut way: Vec<String> = Vec::new();
    while let Some(row) = rows.next().await.transpose()? {
        let next = Passed {
            at: row.timestamp.0.micros(),
            session: row.session_id,
            point: row.point,
        };
        let same_way = person == Some(row.person_id) && last.as_ref().is_some_and(|last| goes_on(last, &next));
        if let (false, Some(person)) = (same_way, person) {
            told(person, stretch.of(&way))?;
            way.clear();
        }
        if way.last() != Some(&next.point) {
            way.push(next.point.clone());
        }
        person = Some(row.person_id);
        last = Some(next);
    }
    person.map_or(Ok(()), |person| told(person, stretch.of(&way)))
}

fn statement(making: &mut Making, question: &Paths, span: &Span) -> Result<String, QueryError> {
    let pick = Pick::from(span);
    let mut joins = " JOIN event_names name ON name.project_id = $1 AND name.id = e.event_name_id".to_owned();
    let mut wanted = Vec::new();
    for event in &question.events {
        wanted.push(meant(making, event, &mut joins)?);
    }
    let wanted = match wanted.as_slice() {
        [] => "(name.name NOT LIKE '$%' OR name.name IN ('$pageview', '$screen'))".to_owned(),
        wanted => format!("({})", wanted.join(" OR ")),
    };
    let events = Events::new(making, &Event::default(), question.filters.as_ref(), pick)?;
    let events = events.joined(&joins).and(&wanted);
    Ok(format!(
        "SELECT i.person_id, e.session_id, e.timestamp,
                COALESCE(CASE name.name WHEN '$pageview' THEN e.properties ->> '$pathname'
                                        WHEN '$screen' THEN e.properties ->> '$screen_name' END, name.name) AS point
         {} ORDER BY i.person_id, e.timestamp, e.seq, e.id",
        events.from_where()
    ))
}

/// Edges, counted; points are texts, or numbers that stand for them.
#[derive(Debug)]
pub(super) struct Edges<P>(HashMap<(usize, P, P), Taken>);

impl<P> Default for Edges<P> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[derive(Debug, Default)]
struct Taken {
    count: u64,
    persons: u64,
    /// The last person who took it: they come one after the other.
    last: Option<i64>,
}

impl<P: Clone + Eq + Hash> Edges<P> {
    /// # Errors
    /// There are too many.
    pub(super) fn add(&mut self, person: i64, way: &[P]) -> Result<(), QueryError> {
        for (index, pair) in way.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            let taken = self.0.entry((index + 1, from.clone(), to.clone())).or_default();
            taken.count += 1;
            if taken.last != Some(person) {
                taken.last = Some(person);
                taken.persons += 1;
            }
        }
        self.check()
    }

    /// Adds edges of other persons.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), QueryError> {
        for (edge, taken) in other.0 {
            let here = self.0.entry(edge).or_default();
            here.count += taken.count;
            here.persons += taken.persons;
        }
        self.check()
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.0.len() > EDGES_COUNTED {
            return Err(QueryError::parameter(
                "events",
                "has too many different points; name fewer events, or a shorter stretch",
            ));
        }
        Ok(())
    }

    /// The answer, of which `name` says what the points are called.
    pub(super) fn answer(self, question: &Paths, name: impl Fn(P) -> String) -> PathsAnswer {
        let enough = |(_, taken): &(_, Taken)| taken.persons >= u64::from(question.min_edge);
        let edge = |((step, from, to), taken): ((usize, P, P), Taken)| Edge {
            step,
            from: name(from),
            to: name(to),
            persons: taken.persons,
            count: taken.count,
        };
        let mut results: Vec<Edge> = self.0.into_iter().filter(enough).map(edge).collect();
        results.sort_by(|a, b| {
            let name = |edge: &Edge| (edge.step, edge.from.clone(), edge.to.clone());
            b.persons.cmp(&a.persons).then_with(|| name(a).cmp(&name(b)))
        });
        results.truncate(question.limit as usize);
        PathsAnswer { results }
    }
}
