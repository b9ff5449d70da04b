//! Super-properties, groups and hooks.

use serde_json::json;
use trailmark_core::{Properties, Reason};

use super::disk::Disk;
use super::harness::{Device, parsed};

fn json_of(text: &str) -> Properties {
    Properties::from_json(text).unwrap()
}

#[test]
fn registered_properties_are_in_every_event_and_those_of_the_call_win() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 3);
    let now = device.now;
    device
        .engine
        .register(&json_of(r#"{"plan":"free","theme":"dark","old":1}"#), now)
        .unwrap();
    device
        .engine
        .register_once(&json_of(r#"{"plan":"pro","source":"ad"}"#), now)
        .unwrap();
    device.engine.unregister("old", now);
    device.track("one");
    device.start_on(&disk);
    device
        .engine
        .track("two", &json_of(r#"{"theme":"light"}"#), now)
        .unwrap();
    device.engine.reset(now);
    device.track("three");
    let events = parsed(&device.request());
    assert_eq!(
        events[0]["properties"],
        json!({"source": "ad", "plan": "free", "theme": "dark"})
    );
    assert_eq!(
        events[1]["properties"],
        json!({"source": "ad", "plan": "free", "theme": "light"})
    );
    assert!(events[2].get("properties").is_none(), "of another epoch");
}

#[test]
fn a_group_is_told_once_and_carried_from_then_on() {
    let mut device = Device::with(|config| config.flush_at = 3);
    let now = device.now;
    device
        .engine
        .group("company", "acme", &json_of(r#"{"seats":5}"#), now)
        .unwrap();
    device.engine.group("team", "red", &Properties::new(), now).unwrap();
    assert_eq!(
        device.engine.group("team", "null", &Properties::new(), now),
        Err(Reason::JunkUserId)
    );
    device.track("one");
    let events = parsed(&device.request());
    assert_eq!(
        (&events[0]["event"], &events[0]["properties"]),
        (
            &json!("$group"),
            &json!({"$group_type": "company", "$group_id": "acme", "$group_set": {"seats": 5}, "$groups": {"company": "acme"}})
        )
    );
    assert_eq!(
        events[2]["properties"]["$groups"],
        json!({"company": "acme", "team": "red"})
    );
}

#[test]
fn too_many_registered_properties_are_refused_as_a_whole() {
    let mut device = Device::new();
    let many = (0..600).fold(Properties::new(), |all, n| all.with(&format!("k{n}"), n));
    assert_eq!(
        device.engine.register(&many, device.now),
        Err(Reason::TooManyProperties)
    );
    device.track("still fits");
}

#[test]
fn a_string_beyond_the_limit_is_cut_and_counted() {
    let mut device = Device::with(|config| config.flush_at = 1);
    let long = Properties::new().with("stack", "é".repeat(9_000)).with("short", "a");
    device.engine.track("crash", &long, device.now).unwrap();
    let events = parsed(&device.request());
    assert_eq!(
        events[0]["properties"]["stack"].as_str().unwrap().chars().count(),
        8_192
    );
    assert_eq!(device.stats().truncated, 1);
}

#[test]
fn a_draft_belongs_to_whoever_it_was_drafted_for() {
    let mut device = Device::with(|config| config.flush_at = 2);
    let (now, nothing) = (device.now, Properties::new());
    device.engine.identify("u_1", &nothing, &nothing, now).unwrap();
    device.engine.register(&json_of(r#"{"plan":"pro"}"#), now).unwrap();
    let mut draft = device.engine.draft("checkout", &nothing);
    device.engine.reset(now);
    draft.properties.insert("hooked", true);
    device.engine.track_draft(&draft, now).unwrap();
    let events = parsed(&device.request());
    assert_eq!(
        (&events[1]["user_id"], &events[1]["anonymous_id"]),
        (&json!("u_1"), &events[0]["anonymous_id"])
    );
    assert_eq!(events[1]["properties"], json!({"plan": "pro", "hooked": true}));
}

#[test]
fn what_a_hook_drops_and_its_panics_are_counted() {
    let mut device = Device::new();
    assert_eq!(device.engine.refuse(device.now), Err(Reason::BeforeSend));
    device.engine.hooks_panicked(2);
    assert_eq!((device.dropped("before_send"), device.stats().hook_panics), (1, 2));
}
