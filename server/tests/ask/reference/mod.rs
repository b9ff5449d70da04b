//! The answers, once more: slow and obvious, over vectors. Nothing is shared with the server but the types of the
//! questions and the calendar.

mod trends;
mod funnel;
mod activity;
mod visits;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailmark_protocol::Timestamp;
use trailmark_server::query::ask::calendar::{Periods, Span};
use trailmark_server::query::ask::question::{
    Cohort, Criterion, Definition, Event, Filter, Frequency, Of, Op, Path, Performed, Question,
};

pub(crate) use funnel::funnel;

/// An event, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) person: usize,
    pub(crate) at: Timestamp,
    pub(crate) session: Option<String>,
    pub(crate) properties: BTreeMap<String, Value>,
}

/// A cohort that is kept.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    List(BTreeSet<usize>),
    Defined(Definition),
}

/// All events in their order, and what is known of persons.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) facts: Vec<Fact>,
    pub(crate) persons: BTreeMap<usize, BTreeMap<String, Value>>,
    /// Everybody of whom an id was seen.
    pub(crate) everybody: BTreeSet<usize>,
    pub(crate) cohorts: BTreeMap<i64, Kept>,
    pub(crate) now: Timestamp,
}

impl History {
    /// What the server should say, as JSON without `kind`, `meta` and `query`.
    pub(crate) fn answer(&self, question: &Question) -> Value {
        match question {
            Question::Trends(question) => trends::trends(self, question),
            Question::Funnel(question) => funnel(self, question),
            Question::Retention(question) => activity::retention(self, question),
            Question::Lifecycle(question) => activity::lifecycle(self, question),
            Question::Stickiness(question) => activity::stickiness(self, question),
            Question::Paths(question) => visits::paths(self, question),
            Question::Sessions(question) => visits::sessions(self, question),
            Question::Cohort(question) => serde_json::json!({"persons": self.cohort(question).len()}),
        }
    }

    fn span(&self, from: &str, to: Option<&str>, zone: &str) -> Span {
        Span::resolve(from, to, zone, self.now, &Path::root()).unwrap()
    }

    /// The events of this kind that the filters let through, between two moments.
    fn events(&self, event: &Event, filters: Option<&Filter>, from: Timestamp, to: Timestamp) -> Vec<&Fact> {
        let wanted =
            |fact: &&Fact| fact.at >= from && fact.at < to && self.is(fact, event) && self.fits_all(fact, filters);
        self.facts.iter().filter(wanted).collect()
    }

    fn is(&self, fact: &Fact, event: &Event) -> bool {
        event.event.as_ref().is_none_or(|name| *name == fact.name) && self.fits_all(fact, event.filters.as_ref())
    }

    fn fits_all(&self, fact: &Fact, filters: Option<&Filter>) -> bool {
        filters.is_none_or(|filter| self.fits(fact, filter))
    }

    fn cohort(&self, question: &Cohort) -> BTreeSet<usize> {
        match &question.definition {
            Some(definition) => self.described(definition),
            None => self.members(question.cohort.unwrap()),
        }
    }

    fn members(&self, cohort: i64) -> BTreeSet<usize> {
        match &self.cohorts[&cohort] {
            Kept::List(persons) => persons.clone(),
            Kept::Defined(definition) => self.described(definition),
        }
    }

    fn described(&self, definition: &Definition) -> BTreeSet<usize> {
        let meets = |person: &usize| match definition {
            Definition::And(all) => all.iter().all(|criterion| self.meets(*person, criterion)),
            Definition::Or(any) => any.iter().any(|criterion| self.meets(*person, criterion)),
        };
        self.everybody.iter().copied().filter(meets).collect()
    }

    fn meets(&self, person: usize, criterion: &Criterion) -> bool {
        match criterion {
            Criterion::Performed(done) => self.performed(person, done),
            Criterion::NotPerformed(done) => !self.performed(person, done),
            Criterion::Person(filter) => self.is_known_as(person, filter),
            Criterion::InCohort(cohort) => self.members(*cohort).contains(&person),
        }
    }

    fn performed(&self, person: usize, done: &Performed) -> bool {
        let span = done
            .within
            .as_ref()
            .map(|within| self.span(&within.date_from, within.date_to.as_deref(), &within.timezone));
        let inside = |at: Timestamp| match &span {
            Some(span) => span.from <= at && at < span.to,
            None => at < self.now,
        };
        let facts = self.facts.iter();
        let count = facts
            .filter(|fact| fact.person == person && inside(fact.at) && self.is(fact, &done.events()))
            .count();
        match done.times {
            Frequency::AtLeast(times) => count >= times as usize,
            Frequency::Exactly(times) => count == times as usize,
            Frequency::AtMost(times) => (1..=times as usize).contains(&count),
        }
    }

    fn is_known_as(&self, person: usize, filter: &Filter) -> bool {
        if let Some(all) = &filter.and {
            return all.iter().all(|filter| self.is_known_as(person, filter));
        }
        if let Some(any) = &filter.or {
            return any.iter().any(|filter| self.is_known_as(person, filter));
        }
        let known = self.persons.get(&person);
        said(
            filter,
            known.and_then(|known| known.get(filter.property.as_deref().unwrap())),
        )
    }

    fn fits(&self, fact: &Fact, filter: &Filter) -> bool {
        if let Some(all) = &filter.and {
            return all.iter().all(|filter| self.fits(fact, filter));
        }
        if let Some(any) = &filter.or {
            return any.iter().any(|filter| self.fits(fact, filter));
        }
        if let Some(op @ (Op::InCohort | Op::NotInCohort)) = filter.op {
            let cohort = filter.values()[0].as_i64().unwrap();
            return self.members(cohort).contains(&fact.person) == (op == Op::InCohort);
        }
        let name = filter.property.as_deref().unwrap();
        let value = match filter.of {
            Some(Of::Person) => self.persons.get(&fact.person).and_then(|known| known.get(name)),
            _ => fact.properties.get(name),
        };
        said(filter, value)
    }
}

fn said(filter: &Filter, value: Option<&Value>) -> bool {
    let values = filter.values();
    let number = |value: &Value| value.as_f64();
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.to_lowercase()),
        other => Some(other.to_string()),
    };
    let contains = |value: &Value| {
        text(value).is_some_and(|text| {
            values
                .iter()
                .any(|part| text.contains(&part.as_str().unwrap().to_lowercase()))
        })
    };
    let compared = |is: fn(f64, f64) -> bool| {
        value
            .and_then(number)
            .zip(values.first().and_then(|value| number(value)))
            .is_some_and(|(a, b)| is(a, b))
    };
    match filter.op.unwrap() {
        Op::Is => value.is_some_and(|value| values.contains(&value)),
        Op::IsNot => !value.is_some_and(|value| values.contains(&value)),
        Op::Contains => value.is_some_and(contains),
        Op::NotContains => !value.is_some_and(contains),
        Op::Gt => compared(|a, b| a > b),
        Op::Gte => compared(|a, b| a >= b),
        Op::Lt => compared(|a, b| a < b),
        Op::Lte => compared(|a, b| a <= b),
        Op::Between => value.and_then(number).is_some_and(|value| {
            let bound = |at: usize| number(values[at]).unwrap();
            bound(0) <= value && value <= bound(1)
        }),
        Op::IsSet => value.is_some(),
        Op::IsNotSet => value.is_none(),
        Op::Regex | Op::InCohort | Op::NotInCohort => unreachable!("not asked for here"),
    }
}

fn persons<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> BTreeSet<usize> {
    facts.into_iter().map(|fact| fact.person).collect()
}

fn in_period<'a>(facts: &[&'a Fact], periods: &Periods, period: usize) -> Vec<&'a Fact> {
    let inside = |fact: &&&Fact| periods.index_of(fact.at) == Some(period);
    facts.iter().filter(inside).copied().collect()
}
