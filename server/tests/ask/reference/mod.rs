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
use trailmark_server::query::ask::question::{Event, Filter, Of, Op, Path, Question};

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

/// All events in their order, and what is known of persons.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) facts: Vec<Fact>,
    pub(crate) persons: BTreeMap<usize, BTreeMap<String, Value>>,
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
            Question::Cohort(_) => Value::Null,
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

    fn fits(&self, fact: &Fact, filter: &Filter) -> bool {
        if let Some(all) = &filter.and {
            return all.iter().all(|filter| self.fits(fact, filter));
        }
        if let Some(any) = &filter.or {
            return any.iter().any(|filter| self.fits(fact, filter));
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
