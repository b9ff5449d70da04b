//! Consent: what no means, and what deleting leaves.

use serde_json::json;
use trailmark_core::identity::Identity;
use trailmark_core::{Properties, Reason, Step};

use super::disk::Disk;
use super::harness::{Device, names, parsed, status};

fn nothing() -> Properties {
    Properties::new()
}

#[test]
fn opted_out_means_nothing_captured_stored_or_sent_also_after_a_restart() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1000);
    device.engine.track("secret-before", &nothing(), device.now).unwrap();
    device.engine.opt_out(device.now);
    assert_eq!(device.dropped("opted_out"), 1);
    device.start_on(&disk);
    let refused = device.engine.track("secret-after", &nothing(), device.now);
    assert_eq!(refused, Err(Reason::OptedOut));
    assert_eq!(
        device
            .engine
            .identify("secret-user", &nothing(), &nothing(), device.now),
        Err(Reason::OptedOut)
    );
    assert_eq!(
        device.engine.register(&nothing().with("secret", 1), device.now),
        Err(Reason::OptedOut)
    );
    assert_eq!((device.stats().captured, device.stats().ignored), (1, 2));
    device.engine.flush();
    assert_eq!(device.poll(), Step::Idle);
    assert!(!disk.contains("secret"), "not a byte of it is left");
    device.engine.opt_in(device.now);
    device.track("welcome");
    device.engine.flush();
    assert_eq!(names(&device.deliver()), ["welcome"]);
}

#[test]
fn what_is_on_its_way_when_the_person_opts_out_is_not_sent_again() {
    let mut device = Device::with(|config| config.flush_at = 1);
    device.track("one");
    let request = device.request();
    device.engine.opt_out(device.now);
    assert_eq!(device.stats().queued, 1, "its fate is open");
    device.end(&request, &status(503));
    assert_eq!((device.dropped("opted_out"), device.stats().queued), (1, 0));
    device.engine.flush();
    assert_eq!(device.poll(), Step::Idle);
}

#[test]
fn deleting_empties_the_device_asks_the_server_and_forgets_the_install() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1000);
    device
        .engine
        .identify("u_secret", &nothing(), &nothing(), device.now)
        .unwrap();
    device.track("secret");
    let (install, identity) = (device.engine.install_id().to_owned(), device.engine.identity().clone());
    device.engine.delete_my_data(device.now);
    assert_eq!(device.dropped("deleted"), 2);
    device.start_on(&disk);
    let request = device.exchange(&status(503));
    device.pass(std::time::Duration::from_secs(600));
    device.start_on(&disk);
    let events = parsed(&device.deliver());
    assert_eq!(parsed(&request), events);
    assert_eq!(
        (
            &events[0]["event"],
            &events[0]["anonymous_id"],
            &events[0]["user_id"],
            &events[0]["properties"]
        ),
        (
            &json!("$erase"),
            &json!(identity.anonymous_id()),
            &json!("u_secret"),
            &json!({"install_id": install})
        )
    );
    assert!(device.engine.is_opted_out());
    assert_ne!(device.engine.install_id(), install);
    assert_ne!(device.engine.identity().anonymous_id(), identity.anonymous_id());
    assert_eq!(
        (device.stats().captured, device.stats().delivered),
        (0, 0),
        "a new install"
    );
    for trace in ["secret", &install, identity.anonymous_id()] {
        assert!(!disk.contains(trace), "{trace} is left");
    }
}

#[test]
fn the_data_of_somebody_else_is_deleted_under_their_own_ids() {
    let mut device = Device::with(|config| config.flush_at = 1000);
    device.track("of a tab");
    let mut visitor = Identity::new("visitor-9".into());
    visitor.identify("u_9", String::new).unwrap();
    device.engine.delete_data_of(&visitor, device.now);
    let events = parsed(&device.deliver());
    let asked = (&events[0]["event"], &events[0]["anonymous_id"], &events[0]["user_id"]);
    assert_eq!(asked, (&json!("$erase"), &json!("visitor-9"), &json!("u_9")));
    assert_eq!((events.len(), device.stats().captured), (1, 0), "a new install");
}

#[test]
fn deleting_twice_or_opting_out_afterwards_loses_no_request_to_erase() {
    let mut device = Device::with(|config| config.flush_at = 1000);
    device.track("first life");
    let first = device.engine.identity().anonymous_id().to_owned();
    device.engine.delete_my_data(device.now);
    device.engine.opt_in(device.now);
    device.track("second life");
    let second = device.engine.identity().anonymous_id().to_owned();
    device.engine.delete_my_data(device.now);
    device.engine.opt_out(device.now);
    let events = parsed(&device.deliver());
    let asked: Vec<&str> = events
        .iter()
        .map(|event| event["anonymous_id"].as_str().unwrap())
        .collect();
    assert_eq!(asked, [first, second]);
    assert_eq!(device.stats().queued, 0);
}

#[test]
fn deleting_on_a_closed_client_empties_the_device_and_claims_no_request() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1000);
    device.engine.track("secret", &nothing(), device.now).unwrap();
    device.engine.close();
    device.engine.delete_my_data(device.now);
    device.start_on(&disk);
    assert!(device.engine.is_opted_out() && !disk.contains("secret"));
    assert_eq!((device.dropped("deleted"), device.stats().queued), (1, 0));
    device.engine.opt_in(device.now);
    device.track("later");
    device.engine.opt_out(device.now);
    assert_eq!(device.dropped("opted_out"), 1, "it is no request to erase");
}
