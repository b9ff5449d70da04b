//! The story, whenever it is told.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn look() {
    let now = Timestamp::parse("2026-11-22T09:00:00Z").unwrap();
    let story = Story::new(now);
    let started = std::time::Instant::now();
    let mut days = Vec::new();
    let mut names = BTreeMap::<&str, usize>::new();
    let mut people = BTreeSet::new();
    let mut at = story.begins();
    let mut lately = BTreeMap::<String, usize>::new();
    while at < now {
        let until = at.plus_micros(DAY).min(now);
        let events = story.events(at, until);
        days.push(events.len());
        for event in &events {
            *names.entry(event.name).or_default() += 1;
            people.insert(event.anonymous_id.clone());
            if event.at > now.plus_micros(-15 * MINUTE) {
                let name = match event.name {
                    "$request" => format!("{} {}", event.properties["path"], event.properties["status"]),
                    name => name.to_owned(),
                };
                *lately.entry(name).or_default() += 1;
            }
        }
        at = until;
    }
    println!(
        "{:?} {} events {} devices\n{days:?}\n{names:#?}\n{lately:#?}",
        started.elapsed(),
        days.iter().sum::<usize>(),
        people.len()
    );
}

#[test]
fn incidents_look() {
    for hour in [0, 5, 11, 17, 40, 71, 100, 130] {
        let now = Timestamp::parse("2026-11-22T09:00:00Z")
            .unwrap()
            .plus_micros(hour * HOUR);
        let story = Story::new(now);
        let events = story.events(now.plus_micros(-30 * HOUR), now);
        let count = |since: i64, is: &dyn Fn(&Event) -> bool| {
            events
                .iter()
                .filter(|event| event.at >= now.plus_micros(-since) && is(event))
                .count()
        };
        let checkout = |event: &Event| event.name == "$request" && event.properties["path"] == "/api/checkout";
        let failed = |event: &Event| checkout(event) && event.properties["status"].as_u64() > Some(499);
        let thrown = |kind: &'static str| {
            move |event: &Event| event.name == "$exception" && event.properties["$exception_list"][0]["type"] == kind
        };
        println!(
            "{hour}: failed {} of {}; TypeError {} RangeError {} signup {} of {}; exceptions 15 min {}; events 15 min {}",
            count(15 * MINUTE, &failed),
            count(15 * MINUTE, &checkout),
            count(5 * HOUR, &thrown("TypeError")),
            count(9 * HOUR, &thrown("RangeError")),
            count(DAY, &|event| event.name == "signup"),
            count(DAY, &|event| event.name == "signup_started"),
            count(15 * MINUTE, &|event| event.name == "$exception"),
            count(15 * MINUTE, &|_| true)
        );
    }
}
