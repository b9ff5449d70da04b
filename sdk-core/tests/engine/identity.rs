//! Identity on the wire: epochs, and envelopes that nothing changes afterwards.

use serde_json::json;
use trailmark_core::{Properties, Reason};

use super::harness::{Device, events, parsed, status};

fn nothing() -> Properties {
    Properties::new()
}

fn identify(device: &mut Device, user: &str) {
    device
        .engine
        .identify(user, &nothing(), &nothing(), device.now)
        .unwrap();
}

fn anonymous_id(device: &Device) -> String {
    device.engine.identity().anonymous_id().to_owned()
}

#[test]
fn identify_says_who_and_what_is_known_and_later_events_carry_it() {
    let mut device = Device::with(|config| config.flush_at = 3);
    device.track("before");
    let (set, once) = (
        Properties::new().with("plan", "pro"),
        Properties::new().with("first", 1),
    );
    device.engine.identify("u_1", &set, &once, device.now).unwrap();
    device.track("after");
    let events = parsed(&device.request());
    assert!(events[0].get("user_id").is_none());
    assert_eq!(events[1]["event"], "$identify");
    assert_eq!(
        (&events[1]["set"], &events[1]["set_once"]),
        (&json!({"plan": "pro"}), &json!({"first": 1}))
    );
    assert_eq!(events[2]["user_id"], "u_1");
    assert_eq!(
        events[0]["anonymous_id"], events[2]["anonymous_id"],
        "one epoch, one device id"
    );
}

#[test]
fn the_same_user_again_is_free_unless_there_is_something_to_say() {
    let mut device = Device::new();
    identify(&mut device, "u_1");
    assert_eq!(
        device.engine.identify("u_1", &nothing(), &nothing(), device.now),
        Ok(None)
    );
    assert_eq!(device.stats().captured, 1);
    let set = Properties::new().with("plan", "pro");
    assert!(
        device
            .engine
            .identify("u_1", &set, &nothing(), device.now)
            .unwrap()
            .is_some()
    );
    device.engine.flush();
    assert_eq!(parsed(&device.request())[1]["event"], "$set");
}

#[test]
fn another_user_without_a_reset_never_meets_the_first_ones_device_id() {
    let mut device = Device::new();
    identify(&mut device, "u_1");
    let first = anonymous_id(&device);
    identify(&mut device, "u_2");
    assert_ne!(anonymous_id(&device), first);
    device.engine.flush();
    let events = parsed(&device.request());
    assert_eq!(
        (&events[0]["user_id"], &events[0]["anonymous_id"]),
        (&json!("u_1"), &json!(first))
    );
    assert_eq!(
        (&events[1]["event"], &events[1]["user_id"]),
        (&json!("$identify"), &json!("u_2"))
    );
    assert_eq!(events[1]["anonymous_id"], json!(anonymous_id(&device)));
}

#[test]
fn a_reset_opens_an_epoch_and_what_was_queued_keeps_its_own() {
    let mut device = Device::with(|config| config.flush_at = 2);
    identify(&mut device, "u_1");
    device.track("mine");
    let before = events(&device.exchange(&status(503)));
    device.engine.reset(device.now);
    identify(&mut device, "u_2");
    device.pass(super::harness::HOUR);
    assert_eq!(
        events(&device.deliver()),
        before,
        "not one byte of the retry is the next user's"
    );
    assert_eq!(device.engine.identity().epoch(), 1);
}

#[test]
fn a_refused_identify_changes_nothing() {
    let mut device = Device::new();
    identify(&mut device, "u_1");
    let before = device.engine.identity().clone();
    let huge = Properties::new().with("big", vec!["x".repeat(7_000); 10]);
    let mut refused = |user: &str, set: &Properties| device.engine.identify(user, set, &nothing(), device.now);
    assert_eq!(refused("null", &nothing()), Err(Reason::JunkUserId));
    assert_eq!(refused("u_2", &huge), Err(Reason::TooLarge));
    assert_eq!(device.engine.identity(), &before);
    assert_eq!((device.dropped("junk_user_id"), device.dropped("too_large")), (1, 1));
}

#[test]
fn an_alias_needs_a_user_and_another_one() {
    let mut device = Device::with(|config| config.flush_at = 2);
    let alias = |device: &mut Device, other: &str| device.engine.alias(other, device.now).map(drop);
    assert_eq!(alias(&mut device, "u_2"), Err(Reason::IncompleteIdentity));
    identify(&mut device, "u_1");
    assert_eq!(alias(&mut device, "u_1"), Err(Reason::IncompleteIdentity));
    assert_eq!(alias(&mut device, "u_2"), Ok(()));
    let events = parsed(&device.request());
    assert_eq!(
        (&events[1]["user_id"], &events[1]["alias"]),
        (&json!("u_1"), &json!("u_2"))
    );
}
