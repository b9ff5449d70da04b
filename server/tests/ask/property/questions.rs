//! Random questions, as JSON.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::histories::{FIRST, LIST, SECOND};

/// A filter of conditions on properties, and on cohorts, if it may ask for them.
fn filter() -> BoxedStrategy<Value> {
    let cohort = (
        select(vec!["in_cohort", "not_in_cohort"]),
        select(vec![LIST, FIRST, SECOND]),
    )
        .prop_map(|(op, cohort)| json!({"op": op, "value": cohort}));
    joined(prop_oneof![4 => event_condition(), 1 => cohort].boxed())
}

fn event_condition() -> BoxedStrategy<Value> {
    let person = json!({"type": "person", "property": "plan"});
    condition(vec![json!({"property": "p"}), json!({"property": "q"}), person])
}

/// A condition on one of these.
fn condition(properties: Vec<Value>) -> BoxedStrategy<Value> {
    let property = select(properties);
    let said = select(vec![
        json!({"op": "is", "value": "pro"}),
        json!({"op": "is", "value": [1, null]}),
        json!({"op": "is_not", "value": [1, "1"]}),
        json!({"op": "contains", "value": ["ZO", "r"]}),
        json!({"op": "not_contains", "value": "1"}),
        json!({"op": "gt", "value": 1}),
        json!({"op": "gte", "value": 2.5}),
        json!({"op": "lt", "value": 10}),
        json!({"op": "lte", "value": 3}),
        json!({"op": "between", "value": [1, 3]}),
        json!({"op": "is_set"}),
        json!({"op": "is_not_set"}),
    ]);
    let condition = (property, said).prop_map(|(mut property, said)| {
        property
            .as_object_mut()
            .unwrap()
            .extend(said.as_object().unwrap().clone());
        property
    });
    condition.boxed()
}

/// Conditions joined by `and` and `or`.
fn joined(condition: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let nested = condition.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|all| json!({"and": all})),
            vec(inner, 0..3).prop_map(|any| json!({"or": any})),
        ]
    });
    nested.boxed()
}

/// A definition that may be made of these cohorts.
pub(super) fn definition(cohorts: Vec<i64>) -> BoxedStrategy<Value> {
    let times = prop_oneof![
        Just(json!({"at_least": 1})),
        (1..4_u32, select(vec!["at_least", "exactly", "at_most"])).prop_map(|(times, how)| json!({how: times})),
    ];
    let within = select(vec![
        Value::Null,
        json!({"date_from": "-3d"}),
        json!({"date_from": "2026-11-21", "date_to": "2026-11-22", "timezone": "Asia/Kolkata"}),
    ]);
    let name = select(vec![json!("open"), json!("look"), json!("buy"), Value::Null]);
    let filters = prop_oneof![2 => Just(Value::Null), 1 => joined(event_condition())];
    let done = (name, filters, times, within).prop_map(
        |(event, filters, times, within)| json!({"event": event, "filters": filters, "times": times, "within": within}),
    );
    let person = joined(condition(vec![
        json!({"property": "plan"}),
        json!({"type": "person", "property": "plan"}),
    ]));
    let criterion = prop_oneof![
        (select(vec!["performed", "not_performed"]), done).prop_map(|(what, done)| json!({what: done})),
        person.prop_map(|filter| json!({"person": filter})),
        select(cohorts).prop_map(|cohort| json!({"in_cohort": cohort})),
    ];
    (select(vec!["and", "or"]), vec(criterion, 1..4))
        .prop_map(|(word, criteria)| json!({word: criteria}))
        .boxed()
}

fn maybe_filter() -> impl Strategy<Value = Value> {
    prop_oneof![2 => Just(Value::Null), 1 => filter()]
}

fn event() -> impl Strategy<Value = Value> {
    let name = select(vec![json!("open"), json!("look"), json!("buy"), Value::Null]);
    (name, maybe_filter()).prop_map(|(event, filters)| json!({"event": event, "filters": filters}))
}

fn stretch() -> impl Strategy<Value = Value> {
    let from = select(vec![
        json!({"date_from": "-5d"}),
        json!({"date_from": "-2d"}),
        json!({"date_from": "2026-11-21", "date_to": "2026-11-23"}),
    ]);
    let zone = select(vec!["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"]);
    (from, zone, maybe_filter()).prop_map(|(mut stretch, zone, filters)| {
        stretch["timezone"] = json!(zone);
        stretch["filters"] = filters;
        stretch
    })
}

fn with(mut question: Value, more: Value) -> Value {
    if let (Value::Object(question), Value::Object(more)) = (&mut question, more) {
        question.extend(more);
    }
    question
}

pub(super) fn question() -> impl Strategy<Value = Value> {
    let interval = || select(vec!["hour", "day", "week", "month"]);
    let math = select(vec![
        "total",
        "unique_persons",
        "sessions",
        "sum",
        "avg",
        "min",
        "max",
        "p50",
        "p90",
    ]);
    let series = (event(), math).prop_map(|(mut series, math)| {
        series["math"] = json!(math);
        if !["total", "unique_persons", "sessions"].contains(&math) {
            series["math_property"] = json!("p");
        }
        series
    });
    let breakdown = prop_oneof![
        Just(json!([])),
        (1..4_u32).prop_map(|limit| json!([{"property": "q", "limit": limit}]))
    ];
    let trends =
        (stretch(), interval(), vec(series, 1..3), breakdown).prop_map(|(stretch, interval, series, breakdown)| {
            with(
                stretch,
                json!({"kind": "trends", "interval": interval, "series": series, "breakdown": breakdown}),
            )
        });
    let order = select(vec!["ordered", "strict", "unordered"]);
    let window = select(vec![
        json!({"value": 1, "unit": "hour"}),
        json!({"value": 1, "unit": "day"}),
        json!({"value": 14, "unit": "day"}),
    ]);
    let exclusion =
        (event(), 0..2_usize).prop_map(|(event, from)| with(event, json!({"from_step": from, "to_step": from + 1})));
    let funnel = (stretch(), vec(event(), 3..4), order, window, vec(exclusion, 0..2), select(vec!["person", "session"])).prop_map(
        |(stretch, steps, order, window, exclusions, by)| {
            let exclusions = if order == "unordered" { vec![] } else { without_name(exclusions) };
            let steps = without_name(steps);
            with(stretch, json!({"kind": "funnel", "steps": steps, "order": order, "window": window, "by": by, "exclusions": exclusions}))
        },
    );
    let retention = (
        (maybe_filter(), event(), event(), select(vec!["first_time", "recurring"]), select(vec!["exact", "on_or_after"])),
        (select(vec!["calendar", "24h"]), 1..6_u32, select(vec!["hour", "day", "week"]), select(vec!["UTC", "Europe/Berlin"])),
    )
        .prop_map(|((filters, start, back, kind, mode), (window, intervals, period, zone))| {
            json!({"kind": "retention", "filters": filters, "start_event": start, "return_event": back, "type": kind, "mode": mode,
                   "window_mode": window, "intervals": intervals, "period": period, "timezone": zone})
        });
    let lifecycle = (stretch(), interval(), event()).prop_map(|(stretch, interval, event)| {
        with(
            stretch,
            json!({"kind": "lifecycle", "interval": interval, "event": event}),
        )
    });
    let stickiness = (stretch(), interval(), event()).prop_map(|(stretch, interval, event)| {
        with(
            stretch,
            json!({"kind": "stickiness", "interval": interval, "series": [event]}),
        )
    });
    let ends = select(vec![
        json!({}),
        json!({"start": "/"}),
        json!({"end": "buy"}),
        json!({"start": "open", "end": "buy"}),
    ]);
    let paths = (stretch(), ends, 2..5_u32, 1..3_u32).prop_map(|(stretch, ends, steps, edge)| {
        with(
            with(stretch, ends),
            json!({"kind": "paths", "max_steps": steps, "min_edge": edge}),
        )
    });
    let sessions = (stretch(), interval())
        .prop_map(|(stretch, interval)| with(stretch, json!({"kind": "sessions", "interval": interval})));
    let cohort = prop_oneof![
        definition(vec![LIST, FIRST, SECOND])
            .prop_map(|definition| json!({"kind": "cohort", "definition": definition})),
        select(vec![LIST, FIRST, SECOND]).prop_map(|cohort| json!({"kind": "cohort", "cohort": cohort})),
    ];
    prop_oneof![3 => trends, 4 => funnel, 2 => retention, 1 => lifecycle, 1 => stickiness, 2 => paths, 1 => sessions, 2 => cohort]
}

/// Any event as a step makes brute force slow; the names that are there do as well.
fn without_name(events: Vec<Value>) -> Vec<Value> {
    let named = |mut event: Value| {
        if event["event"].is_null() {
            event["event"] = json!("$pageview");
        }
        event
    };
    events.into_iter().map(named).collect()
}
