//! What filters mean for segments. A condition on a property of events becomes one truth for each value in a dictionary, one on a
//! property of persons or on a cohort a set of persons.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use trailmark_segments::people::Persons;
use trailmark_segments::scan::Keep;
use trailmark_segments::{NOBODY, People, Segment};

use super::Asking;
use super::cohort;
use crate::query::ask::question::{Filter, Of, Op};
use crate::query::ask::sql::{Making, condition};
use crate::query::columns::{Look, Plan};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// The conditions of a question, looked up.
#[derive(Debug, Default)]
pub(super) struct Filters(HashMap<String, Leaf>);

#[derive(Debug)]
enum Leaf {
    /// Whether it is so of a value, and of events without one.
    Values(HashMap<String, bool>, bool),
    /// Whether it is so of these persons, or of all others.
    Persons(Arc<Persons>, bool),
}

/// Plans what these filters look at.
///
/// # Errors
/// What stands in the way.
pub(super) async fn plan(
    snapshot: &mut Snapshot,
    plan: &mut Plan,
    filters: [Option<&Filter>; 2],
) -> Result<(), QueryError> {
    for leaf in leaves(&filters) {
        plan.filter(Some(leaf));
        if let Some(number) = cohort_of(leaf) {
            cohort::plan(snapshot, plan, number).await?;
        }
    }
    Ok(())
}

impl Filters {
    /// Looks the conditions of these filters up.
    ///
    /// # Errors
    /// What stands in the way.
    pub(super) async fn resolve(
        asking: &mut Asking<'_>,
        look: &Look,
        filters: &[Option<&Filter>],
    ) -> Result<Self, QueryError> {
        let mut resolved = Self::default();
        for leaf in leaves(filters) {
            let key = key(leaf);
            if resolved.0.contains_key(&key) {
                continue;
            }
            let found = match (cohort_of(leaf), leaf.of) {
                (Some(number), _) => {
                    let persons = cohort::members(asking, look, number).await?;
                    Leaf::Persons(Arc::new(persons), leaf.op != Some(Op::NotInCohort))
                }
                (None, Some(Of::Person)) => persons(asking.snapshot, &look.people, leaf).await?,
                (None, _) => values(asking.snapshot, look, leaf).await?,
            };
            resolved.0.insert(key, found);
        }
        Ok(resolved)
    }

    /// What both filters let through of a segment's events.
    pub(super) fn keep(&self, filters: [Option<&Filter>; 2], segment: &Segment) -> Keep {
        let mut all: Vec<Keep> = filters
            .into_iter()
            .flatten()
            .map(|filter| self.one(filter, segment))
            .collect();
        match all.len() {
            0 => Keep::All,
            1 => all.remove(0),
            _ => Keep::And(all),
        }
    }

    /// Whether a filter about persons is so of one.
    pub(super) fn holds(&self, filter: &Filter, person: u32) -> bool {
        match (&filter.and, &filter.or) {
            (Some(and), _) => and.iter().all(|filter| self.holds(filter, person)),
            (_, Some(or)) => or.iter().any(|filter| self.holds(filter, person)),
            _ => match self.0.get(&key(filter)) {
                Some(Leaf::Persons(persons, so)) => persons.has(person) == *so,
                _ => filter.op.is_none(),
            },
        }
    }

    fn one(&self, filter: &Filter, segment: &Segment) -> Keep {
        let all = |filters: &[Filter]| filters.iter().map(|filter| self.one(filter, segment)).collect();
        match (&filter.and, &filter.or) {
            (Some(and), _) => return Keep::And(all(and)),
            (_, Some(or)) => return Keep::Or(all(or)),
            _ => {}
        }
        match self.0.get(&key(filter)) {
            Some(Leaf::Persons(persons, true)) => Keep::Persons(Arc::clone(persons)),
            Some(Leaf::Persons(persons, false)) => Keep::Not(Box::new(Keep::Persons(Arc::clone(persons)))),
            Some(Leaf::Values(so, missing)) => {
                let column = filter.property.as_deref().and_then(|property| segment.column(property));
                let Some(column) = column else {
                    return Keep::Or(Vec::new());
                };
                let values = segment.values(column).unwrap_or_default();
                let so = values.iter().map(|value| so.get(value).copied().unwrap_or(false));
                Keep::Values(column, [*missing].into_iter().chain(so).collect())
            }
            None => Keep::All,
        }
    }
}

fn leaves<'f>(filters: &[Option<&'f Filter>]) -> Vec<&'f Filter> {
    filters.iter().flatten().flat_map(|filter| filter.leaves()).collect()
}

fn key(leaf: &Filter) -> String {
    serde_json::to_string(leaf).unwrap_or_default()
}

fn cohort_of(leaf: &Filter) -> Option<i64> {
    leaf.op.filter(|op| op.of_cohort())?;
    leaf.values().first()?.as_i64()
}

/// The name under which a statement sees the value in question.
const VALUE: &str = "v";

async fn values(snapshot: &mut Snapshot, look: &Look, leaf: &Filter) -> Result<Leaf, QueryError> {
    let property = leaf.property.as_deref().unwrap_or_default();
    let mut values: BTreeSet<&str> = BTreeSet::new();
    for held in look.held() {
        let column = held.segment.column(property);
        let known = column
            .and_then(|column| held.segment.values(column))
            .unwrap_or_default();
        values.extend(known.iter().map(String::as_str));
    }
    let values: Vec<Option<String>> = [None]
        .into_iter()
        .chain(values.into_iter().map(|value| Some(value.to_owned())))
        .collect();
    let mut making = Making::new(snapshot)?;
    let leaf = Filter {
        of: None,
        property: Some(VALUE.to_owned()),
        ..leaf.clone()
    };
    let so = condition(&mut making, &leaf, &mut String::new())?;
    let values = making.bind(values)?;
    let name = making.bind(VALUE)?;
    let select = format!(
        "SELECT given.value, {so} FROM unnest({values}::text[]) AS given (value)
         CROSS JOIN LATERAL (SELECT CASE WHEN given.value IS NOT NULL THEN jsonb_build_object({name}::text, given.value::jsonb) END AS properties) e"
    );
    let rows: Vec<(Option<String>, bool)> = making.query_as(&select).fetch_all(snapshot.rows()).await?;
    let missing = rows.iter().any(|(value, so)| value.is_none() && *so);
    let so = rows.into_iter().filter_map(|(value, so)| Some((value?, so)));
    Ok(Leaf::Values(so.collect(), missing))
}

/// Persons of whom the opposite is said are more than those of whom it is not, so these are asked for.
async fn persons(snapshot: &mut Snapshot, people: &People, leaf: &Filter) -> Result<Leaf, QueryError> {
    let (op, so) = match leaf.op {
        Some(Op::IsNot) => (Some(Op::Is), false),
        Some(Op::NotContains) => (Some(Op::Contains), false),
        Some(Op::IsNotSet) => (Some(Op::IsSet), false),
        op => (op, true),
    };
    let leaf = Filter { op, ..leaf.clone() };
    let mut making = Making::new(snapshot)?;
    let mut joins = String::new();
    let condition = condition(&mut making, &leaf, &mut joins)?;
    let key = making.bind(leaf.property.clone().unwrap_or_default())?;
    let select = format!(
        "SELECT i.person_id FROM (
             SELECT DISTINCT w.person_id FROM person_properties q
             JOIN identities w ON w.project_id = $1 AND w.id = q.identity_id
             WHERE q.project_id = $1 AND q.key = {key}) i{joins} WHERE {condition}"
    );
    let rows: Vec<(i64,)> = making.query_as(&select).fetch_all(snapshot.rows()).await?;
    let mut persons = Persons::none(people.slots());
    for (person,) in rows {
        let person = people.person(person);
        if person != NOBODY {
            persons.insert(person);
        }
    }
    Ok(Leaf::Persons(Arc::new(persons), so))
}
