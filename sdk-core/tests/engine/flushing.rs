//! Flushing: sends now, claims only what the server has, and always ends.

use trailmark_core::engine::Step;
use trailmark_core::stats::Dropped;
use trailmark_core::{FlushReport, Outcome};

use super::disk::Disk;
use super::harness::{Device, HOUR, accepted, names, receipt, status};

fn report(delivered: u64, pending: u64) -> FlushReport {
    FlushReport {
        delivered,
        dropped: Dropped::new(),
        pending,
    }
}

#[test]
fn an_empty_flush_is_finished_at_once() {
    let mut device = Device::new();
    let flush = device.engine.flush();
    assert_eq!(device.engine.take_flush(flush), Some(report(0, 0)));
    assert_eq!(device.engine.take_flush(flush), None, "a report is fetched once");
    assert_eq!(device.poll(), Step::Idle);
}

#[test]
fn a_flush_sends_everything_of_its_time_in_as_many_requests_as_it_takes() {
    let mut device = Device::with(|config| config.max_batch_events = 2);
    device.track_many(5);
    let flush = device.engine.flush();
    device.track("later");
    device.deliver();
    device.deliver();
    assert_eq!(device.engine.take_flush(flush), None, "the fifth is still there");
    assert_eq!(names(&device.deliver()), ["event-4", "later"]);
    assert_eq!(device.engine.take_flush(flush), Some(report(5, 0)));
}

#[test]
fn a_flush_skips_a_wait_once() {
    let mut device = Device::with(|config| config.flush_at = 1);
    device.track("one");
    device.exchange(&status(503));
    assert!(device.waits() > std::time::Duration::ZERO);
    let flush = device.engine.flush();
    device.exchange(&status(503));
    assert_eq!(device.engine.take_flush(flush), Some(report(0, 1)));
    assert!(device.waits() > std::time::Duration::ZERO, "and only once");
}

#[test]
fn an_attempt_from_before_the_flush_is_not_its_own() {
    let mut device = Device::with(|config| config.flush_at = 1);
    device.track("one");
    let earlier = device.request();
    let flush = device.engine.flush();
    device.end(&earlier, &Outcome::TimedOut);
    assert_eq!(device.engine.take_flush(flush), None);
    device.deliver();
    assert_eq!(device.engine.take_flush(flush), Some(report(1, 0)));
}

#[test]
fn one_failed_request_stands_for_everything_behind_it() {
    let mut device = Device::with(|config| config.max_batch_events = 2);
    device.track_many(5);
    let flush = device.engine.flush();
    device.deliver();
    device.exchange(&Outcome::Unreachable("gone".into()));
    assert_eq!(device.engine.take_flush(flush), Some(report(2, 3)));
}

#[test]
fn a_paused_client_asks_once_for_a_flush() {
    let mut device = Device::with(|config| config.flush_at = 1);
    device.track("one");
    device.exchange(&status(401));
    let flush = device.engine.flush();
    device.deliver();
    assert_eq!(device.engine.take_flush(flush), Some(report(1, 0)));
    assert!(!device.stats().paused);
}

#[test]
fn events_wanted_again_are_pending_and_those_refused_are_named() {
    let mut device = Device::new();
    device.track_many(3);
    let flush = device.engine.flush();
    let results = r#"{"index":0,"result":"retry"},{"index":1,"result":"drop","reason":"too_deep"}"#;
    device.exchange(&receipt(1, results, 0));
    let report = device.engine.take_flush(flush).unwrap();
    assert_eq!((report.delivered, report.pending, report.dropped_total()), (1, 1, 1));
    assert_eq!(report.dropped["too_deep"], 1);
}

#[test]
fn a_flush_tries_held_events_again_at_once() {
    let mut device = Device::with(|config| config.flush_at = 1);
    device.track("one");
    device.exchange(&receipt(0, r#"{"index":0,"result":"retry"}"#, 0));
    let flush = device.engine.flush();
    assert_eq!(names(&device.deliver()), ["one"]);
    assert_eq!(device.engine.take_flush(flush), Some(report(1, 0)));
}

#[test]
fn flushes_overlap_and_each_counts_its_own() {
    let mut device = Device::with(|config| config.max_batch_events = 1);
    device.track("one");
    let first = device.engine.flush();
    device.track("two");
    let second = device.engine.flush();
    device.deliver();
    assert_eq!(device.engine.take_flush(first), Some(report(1, 0)));
    assert_eq!(device.engine.take_flush(second), None);
    device.deliver();
    assert_eq!(device.engine.take_flush(second), Some(report(2, 0)));
}

#[test]
fn a_flush_ended_early_says_what_is_known() {
    let mut device = Device::with(|config| config.max_batch_events = 1);
    device.track_many(3);
    let flush = device.engine.flush();
    device.deliver();
    let open = device.request();
    assert_eq!(device.engine.end_flush(flush), Some(report(1, 2)));
    device.end(&open, &accepted(&open));
    assert_eq!(device.stats().delivered, 2);
}

#[test]
fn a_hurried_queue_does_not_wait_for_company_but_for_the_server() {
    let mut device = Device::new();
    device.track("one");
    device.engine.hurry();
    device.exchange(&status(503));
    device.engine.hurry();
    assert!(device.waits() > std::time::Duration::ZERO);
    device.pass(HOUR);
    device.deliver();
}

#[test]
fn a_flush_is_not_over_while_events_are_on_the_storage_alone() {
    let mut device = Device::on(&Disk::default(), |config| config.max_batch_events = 1_000);
    device.track_many(2_500);
    let flush = device.engine.flush();
    for delivered in [1_000, 2_000] {
        device.deliver();
        assert_eq!(
            (device.engine.take_flush(flush), device.stats().delivered),
            (None, delivered)
        );
    }
    device.deliver();
    assert_eq!(device.engine.take_flush(flush).unwrap().delivered, 2_500);
}
