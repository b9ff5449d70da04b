//! What the storage remembers, and what happens when it cannot.

use std::time::Duration;

use trailmark_core::{Notice, Properties, StorageHealth};

use super::disk::Disk;
use super::harness::{Device, HOUR, SECOND, accepted, events, names, parsed, status};

fn patient(disk: &Disk) -> Device {
    Device::on(disk, |config| config.flush_at = 1000)
}

fn flushed(device: &mut Device) -> Vec<String> {
    device.engine.flush();
    let request = device.deliver();
    events(&request)
}

#[test]
fn after_a_kill_the_same_bytes_are_delivered_and_nothing_is_counted_twice() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    device.track_many(3);
    device.engine.flush();
    let before = events(&device.request());
    device.start_on(&disk);
    assert_eq!((device.stats().captured, device.stats().queued), (3, 3));
    assert_eq!(flushed(&mut device), before);
    device.start_on(&disk);
    assert_eq!(
        (device.stats().captured, device.stats().delivered, device.stats().queued),
        (3, 3, 0)
    );
}

#[test]
fn identity_session_and_install_survive_a_restart() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    let nothing = Properties::new();
    device.engine.identify("u_1", &nothing, &nothing, device.now).unwrap();
    let (identity, session) = (device.engine.identity().clone(), device.engine.session().cloned());
    let install = device.engine.install_id().to_owned();
    device.start_on(&disk);
    assert_eq!(
        (device.engine.identity(), device.engine.session()),
        (&identity, session.as_ref())
    );
    assert_eq!(device.engine.install_id(), install);
    assert_eq!(
        device.engine.identify("u_1", &nothing, &nothing, device.now),
        Ok(None),
        "known already"
    );
}

#[test]
fn a_crash_at_any_byte_keeps_every_complete_record() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    device.track_many(2);
    let complete = disk.copy();
    let (name, kept) = complete.files().into_iter().next().unwrap();
    device.track("third");
    let whole = disk.files()[&name].clone();
    for cut in kept.len()..=whole.len() {
        let torn = Disk::default();
        torn.change(|files| drop(files.insert(name.clone(), whole[..cut].to_vec())));
        device.start_on(&torn);
        let expected = if cut == whole.len() { 3 } else { 2 };
        let stats = device.stats();
        assert_eq!((stats.captured, stats.queued), (expected, expected), "cut at {cut}");
        device.track("after");
        assert_eq!(flushed(&mut device).len() as u64, expected + 1, "cut at {cut}");
    }
}

#[test]
fn what_the_storage_lost_is_counted_and_the_rest_is_delivered() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    device.track_many(5);
    disk.change(|files| {
        let segment = files.values_mut().next().unwrap();
        let hit = segment.windows(7).position(|window| window == b"event-2").unwrap();
        segment[hit] ^= 1;
    });
    device.start_on(&disk);
    assert_eq!((device.dropped("storage_lost"), device.stats().queued), (1, 4));
    assert_eq!(flushed(&mut device).len(), 4);
}

#[test]
fn a_full_storage_means_memory_and_is_caught_up_with_when_there_is_room() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    device.track("saved");
    disk.set_room(Some(10));
    device.track("in memory");
    device.track("in memory, too");
    assert_eq!(
        device.stats().storage,
        StorageHealth::Failing("no space left on device".into())
    );
    assert_eq!(
        device.engine.take_notices(),
        [Notice::StorageFailing("no space left on device".into())]
    );
    disk.set_room(None);
    device.pass(10 * SECOND);
    device.track("saved again");
    assert_eq!(device.stats().storage, StorageHealth::Saved);
    assert_eq!(device.engine.take_notices(), [Notice::StorageWorks]);
    device.start_on(&disk);
    device.engine.flush();
    assert_eq!(
        names(&device.deliver()),
        ["saved", "in memory", "in memory, too", "saved again"]
    );
}

#[test]
fn a_storage_that_is_not_there_costs_the_memory_of_restarts_and_nothing_else() {
    let disk = Disk::default();
    disk.set_gone(true);
    let mut device = patient(&disk);
    device.track("one");
    assert_eq!(
        device.stats().storage,
        StorageHealth::Failing("no such directory".into())
    );
    assert_eq!(flushed(&mut device).len(), 1);
    assert!(disk.files().is_empty());
}

#[test]
fn what_was_only_in_memory_is_missed_after_a_restart_by_its_number() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    device.track("saved");
    disk.set_room(Some(0));
    device.track("in memory");
    disk.set_room(None);
    device.start_on(&disk);
    assert_eq!(device.stats().captured, 1, "nothing on the storage tells of the second");
    assert_eq!(flushed(&mut device).len(), 1);
}

#[test]
fn a_long_queue_is_delivered_whole_and_in_order_and_leaves_one_small_file() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = usize::MAX);
    let properties = Properties::new().with("filling", "x".repeat(500));
    for n in 0..10_000 {
        device.engine.track(&format!("e{n}"), &properties, device.now).unwrap();
    }
    assert!(disk.files().len() > 5, "{} segments", disk.files().len());
    device.start_on(&disk);
    let mut seen = Vec::new();
    device.engine.flush();
    while device.stats().queued > 0 {
        let request = device.request();
        seen.extend(parsed(&request).iter().map(|event| event["seq"].as_u64().unwrap()));
        device.end(&request, &accepted(&request));
    }
    assert_eq!(seen, (1..=10_000).collect::<Vec<u64>>());
    assert_eq!(disk.files().len(), 1);
}

#[test]
fn events_captured_during_an_outage_survive_it_and_a_restart_in_the_middle() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| config.flush_at = 1);
    for n in 0..50 {
        device.track(&format!("e{n}"));
        device.pass(HOUR);
        device.exchange(&status(503));
        if n % 7 == 0 {
            device.start_on(&disk);
        }
    }
    assert_eq!(flushed(&mut device).len(), 50);
}

#[test]
fn old_events_expire_but_a_clock_that_jumps_expires_none() {
    let disk = Disk::default();
    let mut device = patient(&disk);
    device.now = trailmark_core::Timestamp::from_millis(0);
    device.start_on(&disk);
    device.track("in 1970");
    device.now = super::harness::START;
    device.poll();
    assert_eq!(device.stats().queued, 1, "the clock was wrong, not the event old");
    for _ in 0..30 {
        device.pass(24 * HOUR);
        device.start_on(&disk);
        device.poll();
    }
    assert_eq!((device.stats().queued, device.dropped("expired")), (0, 1));
}

#[test]
fn a_day_long_outage_costs_a_bounded_number_of_requests() {
    let mut device = Device::with(|config| config.flush_at = 1);
    let end = device.now.plus_micros(86_400_000_000);
    device.track("one");
    while device.now < end {
        match device.poll() {
            trailmark_core::Step::Send(request) => device.end(&request, &status(503)),
            trailmark_core::Step::WakeAt(at) => device.now = at.max(device.now.plus_micros(1)),
            trailmark_core::Step::Idle => panic!("an event waits"),
        }
        device.pass(Duration::from_millis(1));
    }
    let attempts = device.stats().attempts;
    assert!(attempts < 24 * 40, "{attempts} attempts in a day");
    assert_eq!(device.stats().queued, 1);
}

#[test]
fn what_is_delivered_while_its_segment_is_written_leaves_no_segment_behind() {
    let disk = Disk::default();
    let mut device = Device::on(&disk, |config| {
        config.flush_at = 1;
        config.segment_bytes = 2_000;
    });
    for n in 0..100 {
        device.track(&format!("e{n}"));
        device.deliver();
        assert!(disk.files().len() <= 2, "{} files after {n} events", disk.files().len());
    }
}
