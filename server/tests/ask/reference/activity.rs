//! Retention, lifecycle and stickiness.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::query::ask::calendar::{FIRST_MOMENT, Periods};
use trailmark_server::query::ask::question::{
    Lifecycle, Path, Retention, RetentionMode, RetentionType, Stickiness, WindowMode,
};

use super::{Fact, History, in_period, persons};

pub(super) fn retention(history: &History, question: &Retention) -> Value {
    let from = question.date_from.as_deref();
    let mut span = history.span(from.unwrap_or("-1y"), question.date_to.as_deref(), &question.timezone);
    if from.is_none() {
        span = span.back(question.period, question.intervals);
    }
    let periods = span.periods(question.period, &Path::root()).unwrap();
    let (first, last) = (periods.bounds[0], *periods.bounds.last().unwrap());
    let rolling = question.window_mode == WindowMode::Rolling;
    let filters = question.filters.as_ref();
    let starts = history.events(&question.start_event, filters, FIRST_MOMENT, last);
    let returns = history.events(&question.return_event, filters, first, Timestamp::from_micros(i64::MAX));
    let intervals = question.intervals as usize;
    let results: Vec<Value> = (0..periods.len())
        .map(|began| {
            let beginners = beginners(question, &starts, &periods, began);
            let values: Vec<Option<usize>> = (0..intervals)
                .map(|interval| {
                    let begins = if rolling {
                        periods.bounds[began].plus_micros(question.period.micros() * interval as i64)
                    } else {
                        *periods.bounds.get(began + interval)?
                    };
                    let back = |(person, at): &(&usize, &Timestamp)| {
                        interval == 0
                            || returns.iter().any(|fact| {
                                let later = later(question, &periods, began, **at, fact);
                                let fits = match question.mode {
                                    RetentionMode::Exact => later == Some(interval),
                                    RetentionMode::OnOrAfter => {
                                        later.is_some_and(|later| later >= interval && later < intervals)
                                    }
                                };
                                fact.person == **person && fits
                            })
                    };
                    (begins <= history.now).then(|| beginners.iter().filter(back).count())
                })
                .collect();
            json!({"label": periods.labels[began], "size": beginners.len(), "values": values})
        })
        .collect();
    json!({"results": results})
}

/// Who began in a period, and when first in it.
fn beginners(question: &Retention, starts: &[&Fact], periods: &Periods, began: usize) -> BTreeMap<usize, Timestamp> {
    let mut found = BTreeMap::new();
    for fact in starts.iter().filter(|fact| periods.index_of(fact.at) == Some(began)) {
        let ever = starts
            .iter()
            .filter(|other| other.person == fact.person)
            .map(|other| other.at)
            .min()
            .unwrap();
        let counts = question.kind == RetentionType::Recurring || periods.index_of(ever) == Some(began);
        if counts {
            let at: &mut Timestamp = found.entry(fact.person).or_insert(fact.at);
            *at = (*at).min(fact.at);
        }
    }
    found
}

/// So many periods after the beginning.
fn later(question: &Retention, periods: &Periods, began: usize, at: Timestamp, fact: &Fact) -> Option<usize> {
    if question.window_mode == WindowMode::Rolling {
        let since = fact.at.micros() - at.micros();
        return (since >= 0).then(|| (since / question.period.micros()) as usize);
    }
    periods.index_of(fact.at)?.checked_sub(began)
}

pub(super) fn lifecycle(history: &History, question: &Lifecycle) -> Value {
    let span = history.span(&question.date_from, question.date_to.as_deref(), &question.timezone);
    let periods = span.periods(question.interval, &Path::root()).unwrap();
    let before = periods.before(question.interval).unwrap();
    let filters = question.filters.as_ref();
    let end = *periods.bounds.last().unwrap();
    let all = history.events(&question.event, filters, FIRST_MOMENT, end);
    let there =
        |from: Timestamp, to: Timestamp| persons(all.iter().filter(|fact| fact.at >= from && fact.at < to).copied());
    let mut states: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for period in 0..periods.len() {
        let begin = periods.bounds[period];
        let previous = if period == 0 {
            before
        } else {
            periods.bounds[period - 1]
        };
        let now = there(begin, periods.bounds[period + 1]);
        let then = there(previous, begin);
        let earlier = there(FIRST_MOMENT, begin);
        let count = |set: BTreeSet<&usize>| set.len();
        let new = now.difference(&earlier).collect::<BTreeSet<_>>();
        let returning = now.intersection(&then).collect::<BTreeSet<_>>();
        states
            .entry("resurrecting")
            .or_default()
            .push(now.len() - new.len() - returning.len());
        states.entry("new").or_default().push(count(new));
        states.entry("returning").or_default().push(count(returning));
        states.entry("dormant").or_default().push(then.difference(&now).count());
    }
    let mut answer = json!(states);
    answer["labels"] = json!(periods.labels);
    answer
}

pub(super) fn stickiness(history: &History, question: &Stickiness) -> Value {
    let span = history.span(&question.date_from, question.date_to.as_deref(), &question.timezone);
    let periods = span.periods(question.interval, &Path::root()).unwrap();
    let line = |series| {
        let facts = history.events(series, question.filters.as_ref(), span.from, span.to);
        let mut values = vec![0; periods.len()];
        for person in persons(facts.iter().copied()) {
            let often =
                (0..periods.len()).filter(|period| persons(in_period(&facts, &periods, *period)).contains(&person));
            values[often.count() - 1] += 1;
        }
        json!({"name": series.label(), "values": values})
    };
    let results: Vec<Value> = question.series.iter().map(line).collect();
    json!({"labels": (1..=periods.len()).collect::<Vec<_>>(), "results": results})
}
