//! Random histories, random questions: what the server answers is what the reference answers.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::query::ask::question::{Definition, Question};
use trailmark_server::store::Store;

use crate::reference::{Fact, History, Kept};
use crate::support;
use crate::world::{World, at, id_at};

const HOUR: i64 = 60 * 60 * 1_000;
/// Five days after the beginning, which is a Friday noon.
const NOW: i64 = 5 * 24 * HOUR;

/// One thing that happens.
#[derive(Debug, Clone)]
struct Happening {
    /// Hours, so that many are at one moment, and minutes.
    at: i64,
    who: Who,
    name: &'static str,
    session: Option<&'static str>,
    properties: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Device(&'static str),
    User(&'static str),
}

/// Who becomes whom, at which event.
#[derive(Debug, Clone)]
enum Tie {
    Identify(&'static str, &'static str),
    Alias(&'static str, &'static str),
    Set(&'static str, Value),
}

fn happening() -> impl Strategy<Value = Happening> {
    let who = prop_oneof![
        select(vec!["phone", "tablet"]).prop_map(Who::Device),
        select(vec!["ann", "bob", "cho", "dan"]).prop_map(Who::User),
    ];
    let at = prop_oneof![3 => (0..96_i64).prop_map(|hour| hour * HOUR), 1 => (0..96 * 60_i64).prop_map(|minute| minute * 60_000)];
    let value = select(vec![
        json!(1),
        json!(2.5),
        json!(10),
        json!("1"),
        json!("Zoë"),
        json!("pro"),
        json!(null),
        json!(true),
    ]);
    let path = select(vec![json!("/"), json!("/cart")]);
    let properties =
        (proptest::option::of(value.clone()), proptest::option::of(value), path).prop_map(|(p, q, path)| {
            let pairs = [("p", p), ("q", q), ("$pathname", Some(path))];
            pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect()
        });
    let name = select(vec!["open", "look", "buy", "$pageview"]);
    let session = proptest::option::of(select(vec!["s1", "s2", "s3"]));
    (at, who, name, session, properties).prop_map(|(at, who, name, session, properties)| Happening {
        at,
        who,
        name,
        session,
        properties,
    })
}

fn tie() -> impl Strategy<Value = (i64, Tie)> {
    let user = || select(vec!["ann", "bob", "cho", "dan"]);
    let tie = prop_oneof![
        (select(vec!["phone", "tablet"]), user()).prop_map(|(device, user)| Tie::Identify(device, user)),
        (user(), user()).prop_map(|(a, b)| Tie::Alias(a, b)),
        (user(), select(vec![json!("pro"), json!(3)])).prop_map(|(user, plan)| Tie::Set(user, plan)),
    ];
    (0..96 * 60_i64, tie).prop_map(|(minute, tie)| (minute * 60_000, tie))
}

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

/// Numbers of the cohorts of every history: a list, one with a definition, and one that may be made of both.
const LIST: i64 = 1;
const FIRST: i64 = 2;
const SECOND: i64 = 3;

/// The cohorts of a history.
#[derive(Debug, Clone)]
struct Told {
    list: Vec<&'static str>,
    first: Value,
    second: Value,
}

fn cohorts() -> impl Strategy<Value = Told> {
    let ids = proptest::sample::subsequence(vec!["phone", "ann", "bob", "nobody"], 0..4);
    (ids, definition(vec![LIST]), definition(vec![LIST, FIRST])).prop_map(|(list, first, second)| Told {
        list,
        first,
        second,
    })
}

/// A definition that may be made of these cohorts.
fn definition(cohorts: Vec<i64>) -> BoxedStrategy<Value> {
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

fn question() -> impl Strategy<Value = Value> {
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

/// Stores a history and tells it to the reference.
async fn tell(store: Store, happenings: &[Happening], ties: &[(i64, Tie)], told: &Told) -> (World, History) {
    let world = World::beside(store).await;
    let texts: Vec<String> = happenings
        .iter()
        .map(|happening| json!(happening.properties).to_string())
        .collect();
    let sets: Vec<String> = ties
        .iter()
        .map(|(_, tie)| {
            if let Tie::Set(_, plan) = tie {
                json!({"plan": plan}).to_string()
            } else {
                String::new()
            }
        })
        .collect();
    let mut events = Vec::new();
    for (index, (happening, text)) in happenings.iter().zip(&texts).enumerate() {
        events.push(AcceptedEvent {
            id: id_at(index as i64),
            seq: (index % 3 != 0).then_some(index as i64 % 7),
            session_id: happening.session,
            properties: Some(text),
            ..event_of(happening.at, happening.name, &happening.who)
        });
    }
    for (index, ((ms, tie), set)) in ties.iter().zip(&sets).enumerate() {
        let id = id_at((happenings.len() + index) as i64);
        let base = |name, who: &Who| AcceptedEvent {
            id,
            seq: None,
            session_id: None,
            ..event_of(*ms, name, who)
        };
        events.push(match tie {
            Tie::Identify(device, user) => AcceptedEvent {
                anonymous_id: Some(device),
                ..base("$identify", &Who::User(user))
            },
            Tie::Alias(a, b) if a == b => base("$set", &Who::User(a)),
            Tie::Alias(a, b) => AcceptedEvent {
                alias: Some(b),
                ..base("$alias", &Who::User(a))
            },
            Tie::Set(user, _) => AcceptedEvent {
                set: Some(set),
                ..base("$set", &Who::User(user))
            },
        });
    }
    world.send(&events).await;
    keep(&world, told).await;
    let history = history(&events, ties, told);
    (world, history)
}

/// Stores the cohorts, under numbers that are known beforehand.
async fn keep(world: &World, told: &Told) {
    for (number, definition) in [(LIST, None), (FIRST, Some(&told.first)), (SECOND, Some(&told.second))] {
        let insert =
            "INSERT INTO cohorts (project_id, id, name, definition) OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'c', $3)";
        let inserted = sqlx::query(insert)
            .bind(world.project)
            .bind(number)
            .bind(definition.map(sqlx::types::Json));
        inserted.execute(world.store.pool()).await.unwrap();
    }
    let ids: Vec<String> = told.list.iter().map(|id| (*id).to_owned()).collect();
    let mut held = world.store.hold_cohorts(world.project).await.unwrap();
    held.list(LIST, &ids).await.unwrap();
    held.commit().await.unwrap();
}

fn event_of<'a>(ms: i64, name: &'a str, who: &Who) -> AcceptedEvent<'a> {
    match who {
        Who::Device(device) => crate::world::anonymous(ms, name, device),
        Who::User(user) => crate::world::user(ms, name, user),
    }
}

fn history(events: &[AcceptedEvent<'_>], ties: &[(i64, Tie)], told: &Told) -> History {
    let users = ["ann", "bob", "cho", "dan"];
    // Users joined by aliases have one number, the least; a device that of the user who was first, or its own.
    let mut person: BTreeMap<&str, usize> = users.into_iter().zip(0..).collect();
    for (_, tie) in ties {
        if let Tie::Alias(a, b) = tie {
            let (a, b) = (person[a], person[b]);
            person
                .values_mut()
                .filter(|person| **person == a.max(b))
                .for_each(|person| *person = a.min(b));
        }
    }
    for (device, own) in [("phone", 10), ("tablet", 11)] {
        let links = events
            .iter()
            .filter(|event| event.name == "$identify" && event.anonymous_id == Some(device));
        let owner = links
            .min_by_key(|event| (event.timestamp, event.id))
            .and_then(|event| event.user_id);
        let number = owner.map_or(own, |owner| person[owner]);
        person.insert(device, number);
    }
    let mut sorted: Vec<&AcceptedEvent<'_>> = events.iter().collect();
    sorted.sort_by_key(|event| (event.timestamp, event.seq.is_none(), event.seq, event.id));
    let facts = sorted.iter().map(|event| Fact {
        name: event.name.to_owned(),
        person: person[event.user_id.or(event.anonymous_id).unwrap()],
        at: event.timestamp,
        session: event.session_id.map(str::to_owned),
        properties: event
            .properties
            .map_or_else(BTreeMap::new, |text| serde_json::from_str(text).unwrap()),
    });
    let mut persons: BTreeMap<usize, BTreeMap<String, Value>> = BTreeMap::new();
    let mut sets: Vec<_> = events.iter().filter(|event| event.set.is_some()).collect();
    sets.sort_by_key(|event| (event.timestamp, event.id));
    for event in sets {
        let set: BTreeMap<String, Value> = serde_json::from_str(event.set.unwrap()).unwrap();
        persons.entry(person[event.user_id.unwrap()]).or_default().extend(set);
    }
    let seen = events
        .iter()
        .flat_map(|event| [event.anonymous_id, event.user_id, event.alias].into_iter().flatten());
    let seen: BTreeMap<&str, usize> = seen.map(|id| (id, person[id])).collect();
    let listed = told.list.iter().filter_map(|id| seen.get(id).copied()).collect();
    let defined = |definition: &Value| Kept::Defined(serde_json::from_value::<Definition>(definition.clone()).unwrap());
    History {
        facts: facts.collect(),
        persons,
        everybody: seen.into_values().collect(),
        cohorts: BTreeMap::from([
            (LIST, Kept::List(listed)),
            (FIRST, defined(&told.first)),
            (SECOND, defined(&told.second)),
        ]),
        now: at(NOW),
    }
}

/// The part of the server's answer that the reference gives, in its form.
fn comparable(question: &Question, mut answer: Value) -> Value {
    if matches!(question, Question::Funnel(_)) {
        let steps = answer["results"][0]["steps"].as_array().unwrap().clone();
        let counts: Vec<_> = steps.iter().map(|step| step["count"].clone()).collect();
        let unordered = answer["query"]["order"] == "unordered";
        let averages: Vec<_> = steps[1..]
            .iter()
            .map(|step| {
                if unordered {
                    Value::Null
                } else {
                    step["average_seconds"].clone()
                }
            })
            .collect();
        return json!({"counts": counts, "averages": averages});
    }
    let object = answer.as_object_mut().unwrap();
    for extra in ["kind", "meta", "query"] {
        object.remove(extra);
    }
    if let Some(results) = answer.get_mut("results").and_then(Value::as_array_mut) {
        for row in results.iter_mut() {
            row.as_object_mut().unwrap().remove("incomplete_from");
        }
    }
    answer
}

/// The same, with lines of trends in one order and numbers rounded: sums are made in another order.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!((number.as_f64().unwrap() * 1e6).round() / 1e6),
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(rounded).collect();
            if values.iter().any(|value| value.get("total").is_some()) {
                values.sort_by_key(|line| line["series"].to_string() + &line["breakdown"].to_string());
            }
            Value::Array(values)
        }
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), rounded(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Where two answers differ first.
fn difference(answered: &Value, expected: &Value, path: &str) -> Option<String> {
    match (answered, expected) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (a, b))| difference(a, b, &format!("{path}[{index}]")))
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => a
            .iter()
            .find_map(|(key, value)| difference(value, &b[key], &format!("{path}.{key}"))),
        (a, b) => (a != b).then(|| format!("{path} is {a}, expected {b}")),
    }
}

#[test]
fn the_server_answers_what_the_reference_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = runtime.block_on(support::store());
    let mut runner = TestRunner::new(Config {
        cases: 48,
        max_shrink_iters: 400,
        ..Config::default()
    });
    let story = (
        vec(happening(), 1..14),
        vec(tie(), 0..4),
        cohorts(),
        vec(question(), 14),
    );
    runner
        .run(&story, |(happenings, ties, told, questions)| {
            let (world, history) = runtime.block_on(tell(store.clone(), &happenings, &ties, &told));
            for json in questions {
                let question = Question::read(json.to_string().as_bytes())
                    .map_err(|invalid| TestCaseError::fail(format!("{json}: {invalid}")))?;
                let answer = runtime.block_on(world.reader().ask(&question, at(NOW)));
                let answer = answer.map_err(|error| TestCaseError::fail(format!("{json}: {error}")))?;
                let answered = rounded(&comparable(&question, crate::world::json(&answer)));
                let expected = rounded(&history.answer(&question));
                if let Some(difference) = difference(&answered, &expected, "") {
                    return Err(TestCaseError::fail(format!("{json}: {difference}")));
                }
            }
            Ok(())
        })
        .unwrap();
}
