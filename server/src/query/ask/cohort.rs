//! Cohorts: which are asked for, what they are, and their persons as a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sqlx::types::Json;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::calendar::FIRST_MOMENT;
use super::question::{Breakdown, Cohort, Criterion, Definition, Filter, Frequency, Of, Performed};
use super::sql::{Events, Making, Pick, condition};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// How many persons a cohort has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CohortAnswer {
    /// How many.
    pub persons: i64,
}

/// The cohorts of a project, as far as a question needs them.
#[derive(Debug, Clone)]
pub struct Cohorts {
    /// When the question was asked.
    now: Timestamp,
    /// What is to be so of each one's persons; `None`: there is a list.
    kept: Arc<BTreeMap<i64, Option<Definition>>>,
}

impl Cohorts {
    /// None are known.
    #[must_use]
    pub fn none(now: Timestamp) -> Self {
        Self {
            now,
            kept: Arc::default(),
        }
    }

    /// When the question was asked.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What is to be so of a cohort's persons; `None`: there is a list.
    ///
    /// # Errors
    /// There is none of this number.
    pub fn definition(&self, number: i64) -> Result<Option<Definition>, QueryError> {
        let missing = || QueryError::parameter("cohort", format!("{number} is not there"));
        self.kept.get(&number).cloned().ok_or_else(missing)
    }

    /// All that the project has: they are few, and small.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn read(snapshot: &mut Snapshot, now: Timestamp) -> Result<Self, QueryError> {
        let rows = snapshot
            .select::<(i64, Option<Json<Definition>>)>("SELECT id, definition FROM cohorts WHERE project_id = $1")
            .fetch_all(snapshot.rows())
            .await?;
        let kept = rows
            .into_iter()
            .map(|(number, definition)| (number, definition.map(|Json(definition)| definition)));
        Ok(Self {
            now,
            kept: Arc::new(kept.collect()),
        })
    }
}

/// The persons of a cohort that is kept, as a table of `person_id`.
///
/// # Errors
/// There is none of this number; else see [`Making::new`].
pub fn table(making: &mut Making, number: i64) -> Result<String, QueryError> {
    let definition = making.cohorts().definition(number)?;
    making.cohort_table(number, |making| match &definition {
        None => list(making, number),
        Some(definition) => persons(making, definition),
    })
}

fn list(making: &mut Making, number: i64) -> Result<String, QueryError> {
    let number = making.bind(number)?;
    Ok(format!(
        "SELECT who.person_id FROM cohort_members m
         JOIN identities who ON who.project_id = $1 AND who.id = m.identity_id
         WHERE m.project_id = $1 AND m.cohort_id = {number}"
    ))
}

/// `SELECT person_id …`, each person at least once.
pub(super) fn persons(making: &mut Making, definition: &Definition) -> Result<String, QueryError> {
    let parts: Result<Vec<String>, QueryError> = definition
        .criteria()
        .iter()
        .map(|criterion| Ok(format!("({})", one(making, criterion)?)))
        .collect();
    let word = match definition {
        Definition::And(_) => " INTERSECT ",
        Definition::Or(_) => " UNION ",
    };
    Ok(parts?.join(word))
}

fn one(making: &mut Making, criterion: &Criterion) -> Result<String, QueryError> {
    match criterion {
        Criterion::Performed(done) => performed(making, done),
        Criterion::NotPerformed(done) => Ok(format!(
            "SELECT person_id FROM identities WHERE project_id = $1 EXCEPT ({})",
            performed(making, done)?
        )),
        Criterion::Person(filter) => {
            let mut joins = String::new();
            let condition = condition(making, &of_persons(filter), &mut joins)?;
            Ok(format!(
                "SELECT i.person_id FROM (SELECT DISTINCT person_id FROM identities WHERE project_id = $1) i{joins} WHERE {condition}"
            ))
        }
        Criterion::InCohort(number) => Ok(format!("SELECT person_id FROM {}", table(making, *number)?)),
    }
}

impl Performed {
    /// When it is to have been done, if it is asked `now`.
    ///
    /// # Errors
    /// The time makes no sense.
    pub(super) fn pick(&self, now: Timestamp) -> Result<Pick, QueryError> {
        Ok(match &self.within {
            None => Pick {
                from: FIRST_MOMENT,
                to: now,
            },
            Some(within) => Pick::from(&within.span(now)?),
        })
    }
}

fn performed(making: &mut Making, done: &Performed) -> Result<String, QueryError> {
    let pick = done.pick(making.cohorts().now)?;
    let events = Events::new(making, &done.events(), None, pick)?;
    let (op, times) = match done.times {
        Frequency::AtLeast(times) => (">=", times),
        Frequency::Exactly(times) => ("=", times),
        Frequency::AtMost(times) => ("<=", times),
    };
    let times = making.bind(i64::from(times))?;
    Ok(format!(
        "SELECT i.person_id {} GROUP BY 1 HAVING count(*) {op} {times}",
        events.from_where()
    ))
}

/// In a criterion about persons, a condition that does not say whose property it means, means theirs.
pub(super) fn of_persons(filter: &Filter) -> Filter {
    let all = |filters: &Option<Vec<Filter>>| filters.as_ref().map(|filters| filters.iter().map(of_persons).collect());
    Filter {
        and: all(&filter.and),
        or: all(&filter.or),
        of: filter.op.map(|_| Of::Person),
        ..filter.clone()
    }
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(snapshot: &mut Snapshot, question: &Cohort) -> Result<CohortAnswer, QueryError> {
    let mut making = Making::new(snapshot)?;
    let who = who(&mut making, question)?;
    let select = format!("SELECT count(DISTINCT person_id) FROM {who}");
    let (persons,): (i64,) = making.query_as(&select).fetch_one(snapshot.rows()).await?;
    Ok(CohortAnswer { persons })
}

/// A cohort's persons, as a table of `person_id`.
pub(super) fn who(making: &mut Making, question: &Cohort) -> Result<String, QueryError> {
    match (&question.definition, question.cohort) {
        (Some(definition), _) => {
            let persons = persons(making, definition)?;
            Ok(making.with(&persons))
        }
        (None, number) => table(making, number.unwrap_or_default()),
    }
}

/// The number of a cohort that a breakdown names.
pub(super) fn number(breakdown: &Breakdown) -> i64 {
    breakdown.property.parse().unwrap_or_default()
}
