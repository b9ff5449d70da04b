//! Paths and sessions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trailmark_server::query::ask::question::{Event, Path, Paths, Sessions};

use super::{Fact, History};

pub(super) fn paths(history: &History, question: &Paths) -> Value {
    let span = history.span(&question.date_from, question.date_to.as_deref(), &question.timezone);
    let facts = history.events(&Event::default(), question.filters.as_ref(), span.from, span.to);
    let wanted = |fact: &&Fact| match question.events.as_slice() {
        [] => !fact.name.starts_with('$') || fact.name == "$pageview" || fact.name == "$screen",
        events => events.iter().any(|event| history.is(fact, event)),
    };
    let mut by_person: BTreeMap<usize, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.into_iter().filter(wanted) {
        by_person.entry(fact.person).or_default().push(fact);
    }
    let mut edges: BTreeMap<(usize, String, String), (BTreeSet<usize>, usize)> = BTreeMap::new();
    for (person, facts) in by_person {
        for way in facts.chunk_by(|a, b| same_visit(a, b)) {
            let mut points: Vec<String> = way.iter().map(|fact| point(fact)).collect();
            points.dedup();
            let points = stretch(question, points);
            for (index, pair) in points.windows(2).enumerate() {
                let edge = edges.entry((index + 1, pair[0].clone(), pair[1].clone())).or_default();
                edge.0.insert(person);
                edge.1 += 1;
            }
        }
    }
    let mut results: Vec<_> = edges
        .into_iter()
        .filter(|(_, (persons, _))| persons.len() >= question.min_edge as usize)
        .collect();
    results.sort_by_key(|(edge, (persons, _))| (std::cmp::Reverse(persons.len()), edge.clone()));
    results.truncate(question.limit as usize);
    let edge = |((step, from, to), (persons, count)): ((usize, String, String), (BTreeSet<usize>, usize))| json!({"step": step, "from": from, "to": to, "persons": persons.len(), "count": count});
    json!({"results": results.into_iter().map(edge).collect::<Vec<_>>()})
}

fn same_visit(a: &Fact, b: &Fact) -> bool {
    match (&a.session, &b.session) {
        (None, None) => b.at.micros() - a.at.micros() < 30 * 60 * 1_000_000,
        (a, b) => a == b,
    }
}

fn point(fact: &Fact) -> String {
    let property = match fact.name.as_str() {
        "$pageview" => "$pathname",
        "$screen" => "$screen_name",
        _ => return fact.name.clone(),
    };
    match fact.properties.get(property) {
        None | Some(Value::Null) => fact.name.clone(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn stretch(question: &Paths, mut points: Vec<String>) -> Vec<String> {
    let max = question.max_steps as usize;
    if let Some(start) = &question.start {
        let Some(first) = points.iter().position(|point| point == start) else {
            return Vec::new();
        };
        points.drain(..first);
    }
    let Some(end) = &question.end else {
        points.truncate(max);
        return points;
    };
    let Some(last) = points.iter().position(|point| point == end) else {
        return Vec::new();
    };
    points.truncate(last + 1);
    if points.len() > max && question.start.is_some() {
        return Vec::new();
    }
    points.split_off(points.len().saturating_sub(max))
}

pub(super) fn sessions(history: &History, question: &Sessions) -> Value {
    let span = history.span(&question.date_from, question.date_to.as_deref(), &question.timezone);
    let periods = span.periods(question.interval, &Path::root()).unwrap();
    let mut sessions: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    // What is farther away than a day is not looked at: no session of our SDKs is longer.
    let day = 24 * 3_600 * 1_000_000;
    let near = |fact: &&Fact| fact.at >= span.from.plus_micros(-day) && fact.at < span.to.plus_micros(day);
    for fact in history.facts.iter().filter(near) {
        if let Some(session) = &fact.session {
            sessions.entry(session).or_default().push(fact);
        }
    }
    let fits = |facts: &&Vec<&Fact>| {
        let inside = facts[0].at >= span.from && facts[0].at < span.to;
        inside
            && facts
                .iter()
                .any(|fact| history.fits_all(fact, question.filters.as_ref()))
    };
    let sessions: Vec<&Vec<&Fact>> = sessions.values().filter(fits).collect();
    let values: Vec<Value> = (0..periods.len())
        .map(|period| {
            facts_of(
                sessions
                    .iter()
                    .copied()
                    .filter(|facts| periods.index_of(facts[0].at) == Some(period)),
            )
        })
        .collect();
    json!({"labels": periods.labels, "results": [{"values": values, "total": facts_of(sessions.iter().copied())}]})
}

fn facts_of<'a>(sessions: impl Iterator<Item = &'a Vec<&'a Fact>>) -> Value {
    let sessions: Vec<_> = sessions.collect();
    let mut seconds: Vec<f64> = sessions
        .iter()
        .map(|facts| (facts.last().unwrap().at.micros() - facts[0].at.micros()) as f64 / 1e6)
        .collect();
    seconds.sort_by(f64::total_cmp);
    let mean = |numbers: Vec<f64>| (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64);
    let middle = |numbers: &[f64]| {
        let last = numbers.len().checked_sub(1)?;
        Some((numbers[last / 2] + numbers[last.div_ceil(2)]) / 2.0)
    };
    json!({
        "sessions": sessions.len(),
        "median_seconds": middle(&seconds),
        "average_seconds": mean(seconds),
        "events_per_session": mean(sessions.iter().map(|facts| facts.len() as f64).collect()),
        "bounce_rate": mean(sessions.iter().map(|facts| f64::from(u8::from(facts.len() == 1))).collect()),
    })
}
