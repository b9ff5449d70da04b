//! Trends.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailmark_server::query::ask::question::{Math, Path, Series, Trends};

use super::{Fact, History, in_period, persons};

pub(super) fn trends(history: &History, question: &Trends) -> Value {
    let span = history.span(&question.date_from, question.date_to.as_deref(), &question.timezone);
    let periods = span.periods(question.interval, &Path::root()).unwrap();
    let mut results = Vec::new();
    for (index, series) in question.series.iter().enumerate() {
        let facts = history.events(&series.events(), question.filters.as_ref(), span.from, span.to);
        for (breakdown, facts) in parts(question, &facts) {
            let values: Vec<Value> = (0..periods.len())
                .map(|period| reduced(series, &in_period(&facts, &periods, period)))
                .collect();
            let mut line = json!({
                "series": char::from(b'A' + index as u8), "name": series.events().label(),
                "values": values, "total": reduced(series, &facts),
            });
            if !breakdown.is_empty() {
                line["breakdown"] = json!(breakdown);
            }
            results.push(line);
        }
    }
    json!({"labels": periods.labels, "results": results})
}

/// The events of each part, for one breakdown by a property of the event or none.
fn parts<'a>(question: &Trends, facts: &[&'a Fact]) -> Vec<(Vec<Value>, Vec<&'a Fact>)> {
    let Some(breakdown) = question.breakdown.first() else {
        return vec![(Vec::new(), facts.to_vec())];
    };
    let value = |fact: &Fact| fact.properties.get(&breakdown.property).cloned();
    let mut counts: BTreeMap<String, (Value, usize)> = BTreeMap::new();
    for value in facts.iter().filter_map(|fact| value(fact)) {
        counts.entry(value.to_string()).or_insert((value, 0)).1 += 1;
    }
    let mut known: Vec<(Value, usize)> = counts.into_values().collect();
    known.sort_by(|a, b| {
        b.1.cmp(&a.1)
            .then_with(|| jsonb(&a.0).partial_cmp(&jsonb(&b.0)).unwrap())
    });
    known.truncate(breakdown.limit as usize);
    let part = |fact: &Fact| match value(fact) {
        None => json!({"missing": true}),
        Some(value) if known.iter().any(|(known, _)| *known == value) => json!({"value": value}),
        Some(_) => json!({"other": true}),
    };
    let mut by_part: BTreeMap<String, (Vec<Value>, Vec<&Fact>)> = BTreeMap::new();
    for fact in facts {
        let part = part(fact);
        by_part
            .entry(part.to_string())
            .or_insert_with(|| (vec![part], Vec::new()))
            .1
            .push(fact);
    }
    by_part.into_values().collect()
}

/// How Postgres sorts the values that the histories have: null, texts, numbers, false, true.
fn jsonb(value: &Value) -> (u8, f64, String) {
    match value {
        Value::Null => (0, 0.0, String::new()),
        Value::String(text) => (1, 0.0, text.clone()),
        Value::Number(number) => (2, number.as_f64().unwrap(), String::new()),
        Value::Bool(is) => (3, f64::from(u8::from(*is)), String::new()),
        _ => unreachable!("not in the histories"),
    }
}

fn reduced(series: &Series, facts: &[&Fact]) -> Value {
    let property = series.math_property.as_deref().unwrap_or_default();
    let mut numbers: Vec<f64> = facts
        .iter()
        .filter_map(|fact| fact.properties.get(property)?.as_f64())
        .collect();
    numbers.sort_by(f64::total_cmp);
    let sum: f64 = numbers.iter().sum();
    let percentile = |share: f64| {
        let place = share * (numbers.len().checked_sub(1)? as f64);
        let (low, high) = (numbers[place.floor() as usize], numbers[place.ceil() as usize]);
        Some(low + (high - low) * place.fract())
    };
    let sessions = || {
        facts
            .iter()
            .filter_map(|fact| fact.session.as_ref())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let number = match series.math {
        Math::Total => Some(facts.len() as f64),
        Math::UniquePersons => Some(persons(facts.iter().copied()).len() as f64),
        Math::Sessions => Some(sessions().len() as f64),
        Math::Sum => Some(sum),
        Math::Avg => (!numbers.is_empty()).then(|| sum / numbers.len() as f64),
        Math::Min => numbers.first().copied(),
        Math::Max => numbers.last().copied(),
        Math::P50 => percentile(0.5),
        Math::P90 => percentile(0.9),
        Math::P95 => percentile(0.95),
        Math::P99 => percentile(0.99),
    };
    json!(number)
}
