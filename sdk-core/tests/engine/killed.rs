//! Stories that the simulation found: what a kill, a full storage or a late answer must not do.

use trailmark_core::{Config, Properties};

use super::disk::Disk;
use super::harness::{Device, SECOND, names};

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
