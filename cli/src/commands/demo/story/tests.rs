//! The story, whenever it is told.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Hours after a Sunday noon: by day and night, on several days of the week.
/// (All 168 hours of a week were tried once.)
const HOURS: [i64; 4] = [0, 11, 71, 142];

fn told(hours: i64) -> (Timestamp, Story) {
    let noon = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
    let at = noon.plus_micros(hours * HOUR);
    (at, Story::new(at))
}

fn whole(at: Timestamp, story: &Story) -> Vec<Event> {
    story.events(story.begins(), at)
}

fn ids(events: &[Event]) -> Vec<uuid::Uuid> {
    events.iter().map(|event| event.id).collect()
}

/// How many persons did something, and how many of them something else later.
fn way(events: &[Event], names: [&str; 2]) -> (usize, usize) {
    let people = |name: &str| -> BTreeSet<_> {
        let did = events.iter().filter(|event| event.name == name);
        did.map(|event| event.anonymous_id.clone()).collect()
    };
    let began = people(names[0]);
    (began.len(), began.intersection(&people(names[1])).count())
}

fn path(event: &Event) -> Option<&str> {
    event.properties["path"].as_str()
}

fn status(event: &Event) -> Option<u64> {
    event.properties["status"].as_u64()
}

fn is_of(event: &Event, thrown: Thrown) -> bool {
    event.properties["$exception_list"][0]["type"] == thrown.title().0
}

#[test]
fn a_month_is_some_200_000_events_of_some_5_000_people() {
    let (at, story) = told(0);
    let events = whole(at, &story);
    assert!((180_000..240_000).contains(&events.len()), "{}", events.len());
    let devices: BTreeSet<_> = events.iter().map(|event| &event.anonymous_id).collect();
    assert!((3_000..5_600).contains(&devices.len()), "{}", devices.len());
    assert_eq!(ids(&events).into_iter().collect::<BTreeSet<_>>().len(), events.len());
    let mut by_device = BTreeMap::<_, usize>::new();
    events
        .iter()
        .for_each(|event| *by_device.entry(&event.anonymous_id).or_default() += 1);
    let mut counts: Vec<usize> = by_device.into_values().collect();
    counts.sort_unstable();
    assert!(
        counts[counts.len() / 2] * 10 < counts[counts.len() * 99 / 100],
        "heavy-tailed"
    );
}

#[test]
fn what_is_told_in_parts_is_what_is_told_at_once() {
    let (at, story) = told(5);
    let from = at.plus_micros(-7 * HOUR);
    let later = at.plus_micros(3 * HOUR);
    // Seven minutes and a bit: most cuts are in the middle of somebody's visit.
    let cuts: Vec<Timestamp> = (0..)
        .map(|part| from.plus_micros(part * (7 * MINUTE + 13)).min(later))
        .take(90)
        .collect();
    assert_eq!(cuts[89], later);
    let parts: Vec<Event> = cuts
        .windows(2)
        .flat_map(|part| story.events(part[0], part[1]))
        .collect();
    assert_eq!(ids(&parts), ids(&story.events(from, later)));
    assert!(parts.is_sorted_by_key(|event| event.at) && parts[0].at >= from);
}

#[test]
fn an_event_is_json_that_a_server_reads() {
    let (at, story) = told(0);
    for event in story.events(at.plus_micros(-2 * HOUR), at) {
        let mut text = String::new();
        event.write(&mut text);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["timestamp"], event.at.to_string());
        assert!(read["context"]["app"]["version"].is_string(), "{text}");
    }
}

#[test]
fn people_go_from_looks_to_purchases_and_fewer_at_each_step() {
    let (at, story) = told(0);
    let events = whole(at.plus_micros(-DAY), &story);
    let share = |names| {
        let (began, through) = way(&events, names);
        through as f64 / began as f64
    };
    assert!((0.3..0.9).contains(&share(["product_viewed", "added_to_cart"])));
    assert!((0.3..0.9).contains(&share(["added_to_cart", "checkout_started"])));
    assert!((0.4..0.9).contains(&share(["checkout_started", "purchase"])));
}

#[test]
fn whenever_it_is_told_the_checkout_fails_and_nothing_else_does() {
    for hours in HOURS {
        let (at, story) = told(hours);
        let events = story.events(at.plus_micros(-14 * MINUTE), at);
        let requests = || events.iter().filter(|event| event.name == "$request");
        let failed = |event: &&Event| status(event) >= Some(500);
        let checkout = |event: &&Event| path(event) == Some("/api/checkout");
        let (bad, all) = (
            requests().filter(checkout).filter(failed).count(),
            requests().filter(checkout).count(),
        );
        // The detector takes ten, and three times what is usual.
        assert!(bad >= 15 && bad * 10 > all * 6, "{hours}: {bad} of {all}");
        assert!(
            requests().filter(|event| !checkout(event)).filter(failed).count() < 3,
            "{hours}"
        );
        let errors = events.iter().filter(|event| event.name == "$exception").count();
        assert!(
            errors < 9,
            "{hours}: {errors} errors in a quarter of an hour are nearly a spike"
        );
    }
}

#[test]
fn whenever_it_is_told_one_error_is_new_one_is_back_and_the_others_are_old() {
    for hours in HOURS {
        let (at, story) = told(hours);
        let events: Vec<Event> = whole(at, &story)
            .into_iter()
            .filter(|event| event.name == "$exception")
            .collect();
        let of = |thrown: Thrown| events.iter().filter(move |event| is_of(event, thrown));
        let incidents = &story.incidents;
        assert!(
            of(Thrown::Checkout).all(|event| event.at >= incidents.web_2_4_0),
            "{hours}"
        );
        let people: BTreeSet<_> = of(Thrown::Checkout).map(|event| &event.anonymous_id).collect();
        assert!(people.len() >= 4, "{hours}: {}", people.len());
        let (before, later): (Vec<_>, Vec<_>) =
            of(Thrown::Orders).partition(|event| event.at < incidents.orders_resolved);
        assert!(
            before.len() > 20 && later.len() >= 2,
            "{hours}: {} {}",
            before.len(),
            later.len()
        );
        assert!(later.iter().all(|event| event.at >= incidents.app_3_2_0), "{hours}");
        for usual in [
            Thrown::Gallery,
            Thrown::ResizeObserver,
            Thrown::NoNetwork,
            Thrown::Overflow,
        ] {
            let first = of(usual).map(|event| event.at).min().unwrap();
            assert!(first < at.plus_micros(-25 * DAY), "{hours}: {usual:?}");
        }
    }
}

#[test]
fn whenever_it_is_told_fewer_than_half_as_many_sign_up_as_a_week_ago() {
    for hours in HOURS {
        let (at, story) = told(hours);
        let day = |until: Timestamp| {
            way(
                &story.events(until.plus_micros(-DAY), until),
                ["signup_started", "signup"],
            )
        };
        let (now, before) = (day(at), day(at.plus_micros(-7 * DAY)));
        assert!(now.0 >= 80 && before.0 >= 80, "{hours}: {now:?} {before:?}");
        assert!(now.1 * before.0 * 2 < before.1 * now.0, "{hours}: {now:?} {before:?}");
    }
}

/// What `observe::stopped` would say after a quarter of an hour, if nobody watched before.
#[test]
fn whenever_it_is_told_no_event_seems_to_have_stopped() {
    for hours in HOURS {
        let (at, story) = told(hours);
        let events = story.events(at.plus_micros(-8 * DAY), at);
        let mut heard = BTreeMap::<&str, Vec<Timestamp>>::new();
        events
            .iter()
            .for_each(|event| heard.entry(event.name).or_default().push(event.at));
        for (name, times) in heard {
            let days: BTreeSet<i64> = times.iter().map(|at| at.micros().div_euclid(DAY)).collect();
            let gaps = times.windows(2).map(|two| two[1].micros() - two[0].micros());
            let (longest, silent) = (gaps.max().unwrap_or(DAY), at.micros() - times[times.len() - 1].micros());
            let allowed = (2 * longest).max(15 * MINUTE);
            assert!(
                days.len() < 8 || silent <= allowed,
                "{hours}: {name} {silent} {longest}"
            );
        }
    }
}
