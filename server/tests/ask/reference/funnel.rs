//! Funnels: every way is tried.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::query::ask::question::{Funnel, FunnelOrder, FunnelUnit};

use super::{Fact, History};

pub(crate) fn funnel(history: &History, question: &Funnel) -> Value {
    let span = history.span(&question.date_from, question.date_to.as_deref(), &question.timezone);
    let mut units: BTreeMap<String, Vec<&Fact>> = BTreeMap::new();
    for fact in history
        .facts
        .iter()
        .filter(|fact| history.fits_all(fact, question.filters.as_ref()))
    {
        let unit = match question.by {
            FunnelUnit::Person => Some(fact.person.to_string()),
            FunnelUnit::Session => fact.session.clone(),
        };
        if let Some(unit) = unit.filter(|_| fact.at >= span.from) {
            units.entry(unit).or_default().push(fact);
        }
    }
    let ways: Vec<Vec<Timestamp>> = units
        .values()
        .map(|facts| best(history, question, facts, span.to))
        .collect();
    let counts: Vec<usize> = (1..=question.steps.len())
        .map(|steps| ways.iter().filter(|way| way.len() >= steps).count())
        .collect();
    let average = |step: usize| {
        let seconds = |way: &Vec<Timestamp>| Some((way.get(step)?.micros() - way.get(step - 1)?.micros()) as f64 / 1e6);
        let all: Vec<f64> = ways.iter().filter_map(seconds).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    let timed = question.order != FunnelOrder::Unordered;
    let averages: Vec<Option<f64>> = (1..question.steps.len())
        .map(|step| average(step).filter(|_| timed))
        .collect();
    json!({"counts": counts, "averages": averages})
}

/// When the steps of the best way were taken.
fn best(history: &History, question: &Funnel, facts: &[&Fact], until: Timestamp) -> Vec<Timestamp> {
    let mut ways = Vec::new();
    for start in 0..facts.len() {
        if facts[start].at < until {
            match question.order {
                // The window begins with the first event that takes a step.
                FunnelOrder::Unordered => {
                    let way = any_order(history, question, facts, start);
                    ways.extend(Some(way).filter(|way| way.first() == Some(&start)));
                }
                _ if history.is(facts[start], &question.steps[0]) => {
                    extend(history, question, facts, &[start], &mut ways);
                }
                _ => {}
            }
        }
    }
    // Farthest; then who arrives first; then who began last (of one moment: first in order); then the earliest steps.
    let rank = |way: &Vec<usize>| {
        let begun = way.first().map_or(0, |start| facts[*start].at.micros());
        (
            std::cmp::Reverse(way.len()),
            way.last().copied(),
            std::cmp::Reverse(begun),
            way.clone(),
        )
    };
    let best = ways.into_iter().min_by_key(rank).unwrap_or_default();
    best.into_iter().map(|index| facts[index].at).collect()
}

fn extend(history: &History, question: &Funnel, facts: &[&Fact], way: &[usize], ways: &mut Vec<Vec<usize>>) {
    ways.push(way.to_vec());
    let (last, step) = (*way.last().unwrap(), way.len());
    if step == question.steps.len() {
        return;
    }
    let first_at = facts[way[0]].at;
    for next in last + 1..facts.len() {
        let in_time = facts[next].at.micros() - first_at.micros() <= question.window.micros();
        let near = question.order == FunnelOrder::Ordered || next == last + 1;
        let excluded = question.exclusions.iter().any(|exclusion| {
            let between = (exclusion.from_step..exclusion.to_step).contains(&(step - 1));
            between && (last + 1..=next).any(|index| history.is(facts[index], &exclusion.events()))
        });
        if in_time && near && !excluded && history.is(facts[next], &question.steps[step]) {
            let mut longer = way.to_vec();
            longer.push(next);
            extend(history, question, facts, &longer, ways);
        }
    }
}

/// As many steps as possible, each by another event, from this one on.
fn any_order(history: &History, question: &Funnel, facts: &[&Fact], start: usize) -> Vec<usize> {
    let last = facts[start].at.micros() + question.window.micros();
    let events: Vec<usize> = (start..facts.len())
        .filter(|index| facts[*index].at.micros() <= last)
        .collect();
    let takes = |event: usize, step: usize| history.is(facts[event], &question.steps[step]);
    fn most(events: &[usize], free: &[usize], takes: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
        let Some((event, rest)) = events.split_first() else {
            return Vec::new();
        };
        let mut best = Vec::new();
        for (at, step) in free.iter().enumerate() {
            if takes(*event, *step) {
                let mut others = free.to_vec();
                others.remove(at);
                let mut with = vec![*event];
                with.extend(most(rest, &others, takes));
                if with.len() > best.len() {
                    best = with;
                }
            }
        }
        let without = most(rest, free, takes);
        if without.len() > best.len() { without } else { best }
    }
    let steps: Vec<usize> = (0..question.steps.len()).collect();
    most(&events, &steps, &takes)
}
