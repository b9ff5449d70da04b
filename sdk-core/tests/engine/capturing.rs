//! What is written at capture, and what is refused there.

use serde_json::json;
use trailmark_core::{Capture, Properties, Reason, Uuid};

use super::harness::{Device, START, events, parsed};

#[test]
fn an_event_carries_its_number_its_time_and_the_devices_identity() {
    let mut device = Device::with(|config| {
        config.anonymous_id = Some("device-1".into());
        config.context = Properties::new().with("locale", "de-DE");
        config.flush_at = 2;
    });
    let cart = Properties::new().with("total", 12.5);
    let id = device.engine.track("checkout", &cart, device.now).unwrap();
    device.track("plain");
    let events = parsed(&device.request());
    let session = device.engine.session().unwrap().id.clone();
    assert_eq!(
        events[0],
        json!({"id": id.to_string(), "seq": 1, "event": "checkout", "anonymous_id": "device-1", "session_id": session,
            "timestamp": START.to_string(), "properties": {"total": 12.5},
            "context": {"locale": "de-DE", "library": {"name": "trailmark-rust", "version": env!("CARGO_PKG_VERSION")},
                "session": {"seq": 1}}})
    );
    assert_eq!(events[1]["seq"], 2);
    assert!(events[1].get("properties").is_none());
}

#[test]
fn a_capture_says_itself_who_and_when() {
    let mut device = Device::with(|config| config.flush_at = 1);
    let id = Uuid::from_u128(0x0193_4f3e_8a00_7000_8000_0000_0000_0001);
    let capture = Capture::new("$request")
        .id(id)
        .anonymous_id("visitor-9")
        .session_id("s1")
        .timestamp(START.plus_micros(-1))
        .properties(Properties::new().with("status", 200))
        .set_once(Properties::new().with("first", true));
    assert_eq!(device.engine.capture(capture, device.now), Ok(id));
    assert_eq!(
        parsed(&device.request()),
        [
            json!({"id": id.to_string(), "seq": 1, "event": "$request", "anonymous_id": "visitor-9", "session_id": "s1",
            "timestamp": START.plus_micros(-1).to_string(), "properties": {"status": 200}, "set_once": {"first": true}})
        ]
    );
}

#[test]
fn what_no_server_would_take_is_refused_at_capture_with_its_reason() {
    let new = |name: &str| Capture::new(name);
    let known = || new("x").anonymous_id("a");
    let wide = (0..600).fold(Properties::new(), |wide, n| wide.with(&format!("k{n}"), n));
    let deep = (0..40).fold(Properties::new(), |inner, _| Properties::new().with("in", inner));
    let table = [
        (new("").anonymous_id("a"), Reason::MissingName),
        (new(" \t").anonymous_id("a"), Reason::MissingName),
        (new("a\0b").anonymous_id("a"), Reason::InvalidEvent),
        (new("x").user_id("u\0"), Reason::InvalidEvent),
        (new(&"é".repeat(201)).anonymous_id("a"), Reason::NameTooLong),
        (new("x"), Reason::MissingIdentity),
        (new("x").user_id("u".repeat(201)), Reason::IdTooLong),
        (new("x").user_id("undefined"), Reason::JunkUserId),
        (new("x").anonymous_id("null"), Reason::JunkAnonymousId),
        (new("$identify").anonymous_id("a"), Reason::IncompleteIdentity),
        (Capture::alias("u_1", "u_1"), Reason::IncompleteIdentity),
        (Capture::alias("u_1", "none"), Reason::JunkUserId),
        (Capture::identify("a", "0"), Reason::JunkUserId),
        (known().timestamp(START.plus_micros(i64::MAX)), Reason::InvalidTimestamp),
        (known().properties(wide), Reason::TooManyProperties),
        (known().context(deep), Reason::TooDeep),
        (
            known().set(Properties::new().with("big", vec!["x".repeat(7_000); 10])),
            Reason::TooLarge,
        ),
    ];
    let mut device = Device::new();
    for (capture, reason) in table {
        assert_eq!(device.engine.capture(capture, device.now), Err(reason), "{reason}");
    }
    let stats = device.stats();
    assert_eq!((stats.captured, stats.dropped_total(), stats.queued), (17, 17, 0));
    assert_eq!(device.dropped("junk_user_id"), 3);
}

#[test]
fn what_is_beyond_a_limit_is_refused_also_below_registered_properties_and_as_a_screen() {
    let wide = (0..600).fold(Properties::new(), |wide, n| wide.with(&format!("k{n}"), n));
    let deep = (0..40).fold(Properties::new(), |inner, _| Properties::new().with("in", inner));
    let mut device = Device::new();
    let now = device.now;
    let refused = Some(Reason::TooManyProperties);
    assert_eq!(device.engine.screen("s", &wide, now).err(), refused);
    assert_eq!(device.engine.screen("s", &deep, now).err(), Some(Reason::TooDeep));
    assert_eq!(device.engine.register(&wide, now).err(), refused);
    device.engine.register(&Properties::new().with("a", 1), now).unwrap();
    assert_eq!(device.engine.track("t", &wide, now).err(), refused);
    assert_eq!(device.engine.track("t", &deep, now).err(), Some(Reason::TooDeep));
    assert_eq!(device.engine.group("company", "acme", &wide, now).err(), refused);
    assert_eq!(device.stats().queued, 0);
}

#[test]
fn after_the_close_events_are_counted_as_shut_down() {
    let mut device = Device::new();
    device.track("before");
    device.engine.close();
    assert_eq!(
        device.engine.track("after", &Properties::new(), device.now),
        Err(Reason::ShutDown)
    );
    assert_eq!((device.dropped("shut_down"), device.stats().queued), (1, 1));
}

#[test]
fn a_full_queue_drops_its_oldest_and_counts_it() {
    let mut device = Device::with(|config| {
        config.max_queue_events = 3;
        config.flush_at = 3;
    });
    device.track_many(5);
    assert_eq!(
        super::harness::names(&device.request()),
        ["event-2", "event-3", "event-4"]
    );
    assert_eq!(device.dropped("queue_full"), 2);
}

#[test]
fn a_record_is_sent_as_it_was_handed_in_with_its_number_after_its_id() {
    let mut device = Device::with(|config| config.flush_at = 2);
    let record = r#"{"id":"01934f3e-8a00-7000-8000-000000000001","event":"say \"hi\"","anonymous_id":"a","user_id":"ü","session_id":"s","timestamp":"2026-11-20T21:13:05.123Z","properties":{"n": 1.50,"url":"https:\/\/x"},"context":{"library":{"name":"trailmark-web"}},"set":{"a":[]},"set_once":{"b":null}}"#;
    device.engine.adopt("no record", device.now).unwrap_err();
    device.engine.adopt(record, device.now).unwrap();
    device.track("plain");
    let numbered = record.replacen("0001\",", "0001\",\"seq\":2,", 1);
    assert_eq!(events(&device.request())[0], numbered);
    assert_eq!(device.dropped("invalid_event"), 1);
}

#[test]
fn what_was_refused_elsewhere_has_a_number_and_is_counted_unless_the_person_has_opted_out() {
    let mut device = Device::with(|config| config.flush_at = 1);
    let refuse = |device: &mut Device| device.engine.refuse_as(Reason::JunkUserId, device.now).err();
    assert_eq!(refuse(&mut device), Some(Reason::JunkUserId));
    assert_eq!((device.stats().captured, device.dropped("junk_user_id")), (1, 1));
    device.engine.opt_out(device.now);
    assert_eq!(refuse(&mut device), Some(Reason::OptedOut));
    assert_eq!((device.stats().captured, device.stats().ignored), (1, 1));
}
