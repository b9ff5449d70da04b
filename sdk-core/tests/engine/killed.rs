//! Stories that the simulation found: what a kill, a full storage or a late answer must not do.

use trailmark_core::{Config, Properties, Reason, Step};

use super::disk::Disk;
use super::harness::{Device, SECOND, names, receipt, status};

fn nothing() -> Properties {
    Properties::new()
}

/// Each record in a segment of its own.
fn tiny(config: &mut Config) {
    config.segment_bytes = 1;
    config.flush_at = 1000;
}

fn identified(disk: &Disk) -> Device {
    let mut device = Device::on(disk, tiny);
    device
        .engine
        .identify("u_1", &nothing(), &nothing(), device.now)
        .unwrap();
    device.engine.flush();
    device.deliver();
    device
}

#[test]
fn a_full_segment_without_undecided_events_is_not_removed_before_the_next_begins() {
    let disk = Disk::default();
    let mut device = identified(&disk);
    for start in 0..3 {
        device.start_on(&disk);
        assert_eq!(device.engine.identity().user_id(), Some("u_1"), "start {start}");
    }
}

#[test]
fn a_file_that_a_failed_append_left_empty_takes_nothings_place() {
    let disk = Disk::default();
    let mut device = identified(&disk);
    disk.set_room(Some(0));
    device.track("in memory");
    disk.set_room(None);
    for start in 0..3 {
        device.start_on(&disk);
        assert_eq!(device.engine.identity().user_id(), Some("u_1"), "start {start}");
        device.track("more");
    }
}

#[test]
fn what_was_saved_late_is_found_after_a_restart() {
    let disk = Disk::default();
    let mut device = identified(&disk);
    device.track("before");
    disk.set_room(Some(0));
    device.track("late");
    disk.set_room(None);
    device.pass(10 * SECOND);
    device.track("after");
    device.start_on(&disk);
    assert_eq!(device.engine.identity().user_id(), Some("u_1"));
    device.engine.flush();
    assert_eq!(names(&device.deliver()), ["before", "late", "after"]);
    assert_eq!(device.dropped("storage_lost"), 0);
}

#[test]
fn a_storage_that_cannot_be_read_is_left_as_it_is() {
    let disk = Disk::default();
    let mut device = identified(&disk);
    device.track("safe");
    let files = disk.files();
    disk.set_unreadable(true);
    device.start_on(&disk);
    device.track("in memory");
    assert_eq!(disk.files(), files);
    disk.set_unreadable(false);
    device.start_on(&disk);
    device.engine.flush();
    assert_eq!(names(&device.deliver()), ["safe"]);
}

#[test]
fn a_kill_at_any_byte_of_a_refused_identify_leaves_nobody_identified() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| {
        config.flush_at = 1;
        config.max_queue_events = 1;
    });
    for room in 0..3_000 {
        let copy = disk.copy();
        device.start_on(&copy);
        device.track("on its way");
        device.request();
        copy.set_room(Some(room));
        let refused = device.engine.identify("u_1", &nothing(), &nothing(), device.now);
        assert_eq!(refused, Err(Reason::QueueFull));
        device.start_on(&copy);
        assert_eq!(device.engine.identity().user_id(), None, "killed after {room} bytes");
    }
}

#[test]
fn a_kill_at_any_byte_of_a_deletion_leaves_the_opt_out() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, tiny);
    device.track("secret");
    device.engine.opt_out(device.now);
    for room in 0..3_000 {
        let copy = disk.copy();
        device.start_on(&copy);
        copy.set_room(Some(room));
        device.engine.delete_my_data(device.now);
        copy.set_room(None);
        device.start_on(&copy);
        assert!(device.engine.is_opted_out(), "killed after {room} bytes");
    }
}

#[test]
fn what_was_on_its_way_at_the_opt_out_is_not_sent_again_after_a_kill() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1);
    device.track("secret");
    device.request();
    device.engine.opt_out(device.now);
    device.start_on(&disk);
    assert_eq!((device.poll(), device.dropped("opted_out")), (Step::Idle, 1));
    assert!(!disk.contains("secret"));
}

#[test]
fn what_was_too_large_at_once_is_not_sent_in_halves_after_the_opt_out() {
    let mut device = Device::with(|config| config.flush_at = 2);
    device.track_many(2);
    let request = device.request();
    device.engine.opt_out(device.now);
    device.end(&request, &status(413));
    assert_eq!((device.poll(), device.dropped("opted_out")), (Step::Idle, 2));
}

#[test]
fn nothing_stays_on_the_storage_beside_a_request_to_erase() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1000);
    device.track("secret");
    device.engine.delete_my_data(device.now);
    assert!(!disk.contains("secret"));
    device.engine.opt_in(device.now);
    device.track("another secret");
    let request = device.request();
    device.engine.opt_out(device.now);
    device.end(&request, &status(503));
    assert!(!disk.contains("secret"));
    device.start_on(&disk);
    device.engine.flush();
    assert_eq!(names(&device.deliver()), ["$erase"]);
}

#[test]
fn nothing_stays_beside_a_request_to_erase_that_was_saved_again_before_a_kill() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1000);
    device.engine.delete_my_data(device.now);
    device.engine.opt_in(device.now);
    device.track("secret");
    let before = disk.files();
    device.engine.delete_my_data(device.now);
    // Killed before the old segment was removed.
    disk.change(|files| files.extend(before));
    device.start_on(&disk);
    assert!(!disk.contains("secret"));
    device.engine.flush();
    assert_eq!(names(&device.deliver()), ["$erase", "$erase"]);
}

#[test]
fn an_install_ends_when_the_last_request_to_erase_is_delivered() {
    let mut device = Device::new();
    let install = device.engine.install_id().to_owned();
    device.engine.delete_my_data(device.now);
    device.engine.opt_in(device.now);
    device.engine.delete_my_data(device.now);
    device.engine.flush();
    let request = device.request();
    device.end(&request, &receipt(1, r#"{"index":0,"result":"retry"}"#, 0));
    assert_eq!((device.stats().captured, device.stats().queued), (2, 1));
    device.pass(3600 * SECOND);
    device.deliver();
    assert_ne!(device.engine.install_id(), install);
    assert_eq!(device.stats().captured, 0);
    assert_eq!(device.engine.track("no", &nothing(), device.now), Err(Reason::OptedOut));
}
