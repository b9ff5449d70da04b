//! Cohorts from segments: who did something so often, put together with who is known to be so.

use futures_util::future::BoxFuture;
use trailmark_segments::NOBODY;
use trailmark_segments::frequency::frequency;
use trailmark_segments::people::Persons;
use trailmark_segments::scan::Source;

use super::Asking;
use super::filter::Filters;
use crate::query::ask::cohort::{CohortAnswer, of_persons};
use crate::query::ask::question::{Cohort, Criterion, Definition, Frequency, Performed};
use crate::query::columns::{Look, Plan};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// A cohort may be made of others, so what reads them is boxed.
type Reading<'a, T> = BoxFuture<'a, Result<T, QueryError>>;

/// The answer; nothing, if segments have none.
pub(super) async fn answer(asking: &mut Asking<'_>, question: &Cohort) -> Result<Option<CohortAnswer>, QueryError> {
    let mut wanted = Plan::default();
    match (&question.definition, question.cohort) {
        (Some(definition), _) => plan_definition(asking.snapshot, &mut wanted, definition).await?,
        (None, number) => plan(asking.snapshot, &mut wanted, number.unwrap_or_default()).await?,
    }
    let Some(look) = asking.look(&wanted).await? else {
        return Ok(None);
    };
    let persons = match (&question.definition, question.cohort) {
        (Some(definition), _) => of_definition(asking, &look, definition).await?,
        (None, number) => members(asking, &look, number.unwrap_or_default()).await?,
    };
    Ok(Some(CohortAnswer {
        persons: i64::try_from(persons.len()).unwrap_or(i64::MAX),
    }))
}

/// Plans what a cohort that is kept looks at.
///
/// # Errors
/// There is none of this number; else what stands in the way.
pub(super) fn plan<'a>(snapshot: &'a mut Snapshot, plan: &'a mut Plan, number: i64) -> Reading<'a, ()> {
    Box::pin(async move {
        match snapshot.cohorts().definition(number)? {
            Some(definition) => plan_definition(snapshot, plan, &definition).await,
            None => Ok(()),
        }
    })
}

async fn plan_definition(snapshot: &mut Snapshot, plan: &mut Plan, definition: &Definition) -> Result<(), QueryError> {
    for criterion in definition.criteria() {
        match criterion {
            Criterion::Performed(done) | Criterion::NotPerformed(done) => {
                let pick = done.pick(snapshot.cohorts().now())?;
                plan.filter(done.filters.as_ref());
                plan.events(snapshot, &done.events(), pick).await?;
            }
            Criterion::InCohort(number) => self::plan(snapshot, plan, *number).await?,
            Criterion::Person(_) => {}
        }
    }
    Ok(())
}

/// The persons of a cohort that is kept.
///
/// # Errors
/// There is none of this number; else what stands in the way.
pub(super) fn members<'a>(asking: &'a mut Asking<'_>, look: &'a Look, number: i64) -> Reading<'a, Persons> {
    Box::pin(async move {
        match asking.snapshot.cohorts().definition(number)? {
            Some(definition) => of_definition(asking, look, &definition).await,
            None => listed(asking, look, number).await,
        }
    })
}

async fn listed(asking: &mut Asking<'_>, look: &Look, number: i64) -> Result<Persons, QueryError> {
    let members: Vec<(i64,)> = asking
        .snapshot
        .select("SELECT identity_id FROM cohort_members WHERE project_id = $1 AND cohort_id = $2")
        .bind(number)
        .fetch_all(asking.snapshot.rows())
        .await?;
    let mut persons = Persons::none(look.people.slots());
    let found = members.into_iter().map(|(identity,)| look.people.person(identity));
    found
        .filter(|person| *person != NOBODY)
        .for_each(|person| persons.insert(person));
    Ok(persons)
}

async fn of_definition(asking: &mut Asking<'_>, look: &Look, definition: &Definition) -> Result<Persons, QueryError> {
    let mut all = Vec::new();
    for criterion in definition.criteria() {
        all.push(match criterion {
            Criterion::Performed(done) => performed(asking, look, done).await?,
            Criterion::NotPerformed(done) => {
                let done = performed(asking, look, done).await?;
                look.people.everybody().filter(|person| !done.has(person))
            }
            Criterion::Person(of) => {
                let of = of_persons(of);
                let filters = Filters::resolve(asking, look, &[Some(&of)]).await?;
                look.people.everybody().filter(|person| filters.holds(&of, person))
            }
            Criterion::InCohort(number) => members(asking, look, *number).await?,
        });
    }
    let is_in = |person: u32| match definition {
        Definition::And(_) => all.iter().all(|persons| persons.has(person)),
        Definition::Or(_) => all.iter().any(|persons| persons.has(person)),
    };
    Ok(look.people.everybody().filter(is_in))
}

async fn performed(asking: &mut Asking<'_>, look: &Look, done: &Performed) -> Result<Persons, QueryError> {
    let pick = done.pick(asking.snapshot.cohorts().now())?;
    let events = done.events();
    // Planned before, so it is there.
    let want = Plan::default().events(asking.snapshot, &events, pick).await?;
    let filters = Filters::resolve(asking, look, &[events.filters.as_ref()]).await?;
    let sources: Vec<Source> = look
        .sources(&want)
        .map(|(_, mut source)| {
            source.keep = filters.keep([events.filters.as_ref(), None], &source.segment);
            source
        })
        .collect();
    let people = std::sync::Arc::clone(&look.people);
    let counts = asking.count(move |work| frequency(work, &sources, &people)).await?;
    let so = |count: u32| match done.times {
        Frequency::AtLeast(times) => count >= times,
        Frequency::Exactly(times) => count == times,
        Frequency::AtMost(times) => count > 0 && count <= times,
    };
    let count = |person: u32| counts.get(person as usize).copied().unwrap_or_default();
    Ok(look.people.everybody().filter(|person| so(count(person))))
}
