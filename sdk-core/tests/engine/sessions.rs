//! Sessions: when one ends, and what keeps it.

use trailmark_core::Properties;

use super::disk::Disk;
use super::harness::{Device, HOUR, SECOND, parsed};

fn session(device: &Device) -> (String, u64) {
    let session = device.engine.session().unwrap();
    (session.id.clone(), session.seq)
}

#[test]
fn a_pause_of_half_an_hour_ends_a_session_and_a_shorter_one_does_not() {
    let mut device = Device::new();
    device.track("one");
    let first = session(&device);
    device.pass(HOUR / 2 - SECOND);
    device.track("two");
    assert_eq!(session(&device), first);
    device.pass(HOUR / 2);
    device.track("three");
    assert_ne!(session(&device).0, first.0);
    assert_eq!(session(&device).1, 2);
}

#[test]
fn no_session_is_longer_than_a_day() {
    let mut device = Device::new();
    for _ in 0..24 * 4 {
        device.track("every quarter of an hour");
        device.pass(HOUR / 4);
    }
    assert_eq!(session(&device).1, 1);
    device.track("a day later");
    assert_eq!(session(&device).1, 2);
}

#[test]
fn a_session_goes_on_after_a_restart_from_its_latest_event() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |_| {});
    device.track("one");
    device.pass(HOUR / 3);
    device.track("two");
    let first = session(&device);
    device.pass(HOUR / 3);
    device.start_on(&disk);
    device.track("three");
    assert_eq!(
        session(&device),
        first,
        "a third of an hour after the latest, two thirds after the first"
    );
    device.pass(HOUR);
    device.start_on(&disk);
    device.track("four");
    assert_eq!(session(&device).1, 2);
}

#[test]
fn another_user_has_another_session_and_events_carry_it() {
    let mut device = Device::with(|config| config.flush_at = 3);
    let nothing = Properties::new();
    device.engine.identify("u_1", &nothing, &nothing, device.now).unwrap();
    device.engine.identify("u_2", &nothing, &nothing, device.now).unwrap();
    device.engine.reset(device.now);
    assert_eq!(device.engine.session(), None);
    device.track("nobody's");
    let events = parsed(&device.request());
    let ids: Vec<&str> = events
        .iter()
        .map(|event| event["session_id"].as_str().unwrap())
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    assert_eq!(events[2]["context"]["session"]["seq"], 3);
}
