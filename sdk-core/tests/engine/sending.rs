//! When requests go out, what they carry, and what each answer does.

use std::time::Duration;

use serde_json::json;
use trailmark_core::config::{BACKOFF_CAP, FLUSH_INTERVAL, PROBE_INTERVAL, RETRY_AFTER_CAP};
use trailmark_core::{Outcome, Step};

use super::harness::{
    Device, HOUR, SECOND, START, accepted, answer, events, header, names, receipt, retry_after, status,
};

/// A device that sends each event at once.
fn eager() -> Device {
    Device::with(|config| config.flush_at = 1)
}

#[test]
fn nothing_to_send_is_idle() {
    assert_eq!(Device::new().poll(), Step::Idle);
}

#[test]
fn events_wait_for_company_and_then_go_together() {
    let mut device = Device::new();
    device.track("one");
    assert_eq!(device.waits(), FLUSH_INTERVAL);
    device.pass(FLUSH_INTERVAL);
    device.track("two");
    assert_eq!(names(&device.deliver()), ["one", "two"]);
    assert_eq!(device.poll(), Step::Idle);
}

#[test]
fn a_request_carries_the_key_the_sdk_the_install_and_its_counters() {
    let mut device = Device::with(|config| {
        config.flush_at = 1;
        config.max_batch_events = 1;
        config.install_id = Some("install-1".into());
        config.sdk_name = "trailmark-dart/9.9.9".into();
    });
    let _ = device.engine.track("", &Default::default(), device.now);
    device.track("one");
    device.track("stays behind");
    let request = device.request();
    assert_eq!(request.path, "/v1/batch");
    assert_eq!(header(&request, "authorization"), "Bearer tm_pk_test");
    assert_eq!(header(&request, "content-type"), "application/json");
    assert_eq!(header(&request, "trailmark-sdk"), "trailmark-dart/9.9.9");
    assert_eq!(header(&request, "trailmark-request-id"), request.id.to_string());
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["install_id"], "install-1");
    assert_eq!(
        body["counters"],
        json!({"captured": 3, "queued": 1, "dropped": {"missing_name": 1}})
    );
}

#[test]
fn one_request_is_open_at_a_time() {
    let mut device = eager();
    device.track("one");
    let request = device.request();
    device.track("two");
    assert_eq!(device.poll(), Step::Idle);
    device.end(&request, &accepted(&request));
    assert_eq!(names(&device.request()), ["two"]);
}

#[test]
fn a_retry_is_the_same_request_with_the_next_attempt_and_the_time_of_sending() {
    let mut device = eager();
    device.track("one");
    let first = device.exchange(&Outcome::Unreachable("reset".into()));
    device.track("two");
    device.pass(HOUR);
    let second = device.deliver();
    assert_eq!((first.id, &first.body), (second.id, &second.body));
    assert_eq!(
        (
            header(&first, "trailmark-attempt"),
            header(&second, "trailmark-attempt")
        ),
        ("1", "2")
    );
    assert_eq!(header(&first, "trailmark-sent-at"), START.to_string());
    assert_eq!(header(&second, "trailmark-sent-at"), device.now.to_string());
    assert_eq!(device.stats().attempts, 2);
}

#[test]
fn what_may_pass_is_tried_again_until_it_does() {
    for outcome in [
        Outcome::Unreachable("refused".into()),
        Outcome::TimedOut,
        status(408),
        status(429),
        status(500),
        status(503),
        status(302),
        answer(200, "<html>Welcome to our Wi-Fi</html>"),
        answer(200, r#"{"status":"ok"}"#),
    ] {
        let mut device = eager();
        device.track("one");
        for _ in 0..20 {
            device.exchange(&outcome);
            assert!(device.stats().last_error.is_some());
            device.pass(HOUR);
        }
        device.deliver();
        let stats = device.stats();
        assert_eq!(
            (stats.delivered, stats.attempts, stats.last_error),
            (1, 21, None),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_day_without_the_server_costs_few_requests_and_no_event() {
    let mut device = eager();
    device.track_many(100);
    let day = START.plus_micros(24 * 3600 * 1_000_000);
    while device.now < day {
        match device.poll() {
            Step::Send(request) => device.end(&request, &status(503)),
            Step::WakeAt(at) => device.now = at,
            Step::Idle => panic!("an open queue is never idle"),
        }
    }
    let per_hour = device.stats().attempts / 24;
    assert!(
        (15..=30).contains(&per_hour),
        "{per_hour} requests an hour; 22 are expected"
    );
    device.pass(HOUR);
    device.deliver();
    assert_eq!(device.stats().delivered, 100);
}

#[test]
fn retry_after_is_obeyed_and_capped() {
    for (text, expected) in [
        ("120", 120 * SECOND),
        ("86400", RETRY_AFTER_CAP),
        ("Thu, 20 Nov 2025 00:55:20 GMT", 120 * SECOND),
    ] {
        let mut device = eager();
        device.track("one");
        device.exchange(&retry_after(503, text));
        assert_eq!(device.waits(), expected, "{text}");
        device.pass(expected);
        device.deliver();
    }
}

#[test]
fn a_clock_set_back_does_not_stretch_a_wait() {
    let mut device = eager();
    device.track("one");
    device.exchange(&retry_after(503, "60"));
    device.now = device.now.plus_micros(-365 * 24 * 3600 * 1_000_000);
    assert_eq!(device.waits(), 60 * SECOND);
    device.pass(60 * SECOND);
    device.deliver();
}

#[test]
fn the_server_sets_the_pace() {
    let mut device = eager();
    device.track("one");
    device.exchange(&receipt(1, "", 5_000));
    device.track("two");
    assert_eq!(device.waits(), 5 * SECOND);
}

#[test]
fn too_much_at_once_is_halved_until_it_fits_and_then_grows_again() {
    let mut device = Device::with(|config| {
        config.flush_at = 8;
        config.max_batch_events = 8;
    });
    device.track_many(24);
    assert_eq!(events(&device.exchange(&status(413))).len(), 8);
    assert_eq!(events(&device.exchange(&status(413))).len(), 4);
    let small = device.deliver();
    assert_eq!(names(&small), ["event-0", "event-1"], "the order is kept");
    assert_eq!(
        header(&small, "trailmark-attempt"),
        "1",
        "another body is another request"
    );
    assert_eq!(events(&device.deliver()).len(), 4);
    assert_eq!(events(&device.deliver()).len(), 8);
    assert_eq!(device.stats().dropped_total(), 0);
}

#[test]
fn one_event_that_is_too_large_alone_is_lost_alone() {
    let mut device = Device::with(|config| config.flush_at = 4);
    device.track_many(4);
    let mut delivered = Vec::new();
    device.engine.flush();
    while let Step::Send(request) = device.poll() {
        let outcome = if names(&request).contains(&"event-2".to_owned()) {
            status(413)
        } else {
            delivered.extend(names(&request));
            accepted(&request)
        };
        device.end(&request, &outcome);
    }
    assert_eq!(delivered, ["event-0", "event-1", "event-3"]);
    assert_eq!((device.dropped("too_large"), device.stats().queued), (1, 0));
}

#[test]
fn a_refused_key_pauses_and_keeps_everything_and_a_good_one_resumes() {
    for code in [401, 403] {
        let mut device = eager();
        device.track("one");
        device.exchange(&answer(code, r#"{"code":"unknown_key","detail":"no such key"}"#));
        assert!(device.stats().paused);
        assert_eq!(
            device.stats().last_error.as_deref(),
            Some(&*format!("status {code}: unknown_key: no such key"))
        );
        device.track("two");
        assert_eq!(device.waits(), PROBE_INTERVAL);
        device.pass(PROBE_INTERVAL);
        device.exchange(&status(503));
        assert!(device.stats().paused, "a 503 says nothing of the key");
        device.pass(HOUR);
        device.deliver();
        assert!(!device.stats().paused);
        device.deliver();
        assert_eq!((device.stats().delivered, device.stats().dropped_total()), (2, 0));
    }
}

#[test]
fn a_refused_request_costs_its_events_and_no_more() {
    for code in [400, 404, 415, 422] {
        let mut device = eager();
        device.track("one");
        let request = device.request();
        device.track("two");
        device.end(&request, &status(code));
        assert_eq!(
            (device.dropped("request_rejected"), device.stats().queued),
            (1, 1),
            "{code}"
        );
        device.deliver();
        assert_eq!(device.stats().delivered, 1);
    }
}

#[test]
fn verdicts_are_obeyed_event_by_event() {
    let mut device = Device::with(|config| config.flush_at = 4);
    device.track_many(4);
    let results = r#"{"index":1,"result":"drop","reason":"junk_user_id","detail":""},
        {"index":2,"result":"retry","reason":"","detail":""},{"index":3,"result":"drop","reason":"new_word","detail":""}"#;
    let first = device.exchange(&receipt(1, results, 0));
    let stats = device.stats();
    assert_eq!((stats.delivered, stats.queued), (1, 1));
    assert_eq!((device.dropped("junk_user_id"), device.dropped("new_word")), (1, 1));
    assert!(device.waits() <= SECOND);
    device.pass(FLUSH_INTERVAL);
    let second = device.deliver();
    assert_eq!(
        events(&second),
        [events(&first)[2].clone()],
        "only that one again, with the same bytes"
    );
    assert_ne!(first.id, second.id);
}

#[test]
fn an_event_that_the_server_never_wants_does_not_stop_the_others() {
    let mut device = eager();
    device.track("poison");
    for round in 0..50 {
        device.pass(SECOND);
        device.track("fine");
        let request = device.request();
        let all = names(&request);
        let fine = all.iter().filter(|name| *name == "fine").count();
        let results = if fine < all.len() {
            r#"{"index":0,"result":"retry"}"#
        } else {
            ""
        };
        device.end(&request, &receipt(fine, results, 0));
        assert_eq!(device.stats().delivered, round + 1);
    }
    assert_eq!(device.stats().queued, 1);
    assert!(device.waits() <= BACKOFF_CAP);
}

#[test]
fn a_server_that_wants_everything_again_is_not_asked_at_once() {
    let mut device = eager();
    device.track("one");
    for _ in 0..10 {
        let request = device.request();
        device.end(&request, &receipt(0, r#"{"index":0,"result":"retry"}"#, 0));
        assert!(device.waits() >= Duration::from_millis(100));
        device.pass(BACKOFF_CAP);
    }
    assert_eq!(device.stats().attempts, 10);
}

#[test]
fn a_late_or_double_answer_is_ignored() {
    let mut device = eager();
    device.track("one");
    let request = device.exchange(&status(503));
    device.end(&request, &accepted(&request));
    assert_eq!(device.stats().delivered, 0, "the attempt had ended already");
    device.pass(HOUR);
    device.deliver();
    device.end(&request, &accepted(&request));
    assert_eq!(device.stats().delivered, 1);
}

#[test]
fn a_driver_that_sleeps_is_woken_for_the_first_event_and_for_a_full_batch_only() {
    let mut device = Device::with(|config| config.flush_at = 3);
    let wakes: Vec<bool> = (0..3)
        .map(|_| {
            device.track("x");
            device.engine.wants_poll()
        })
        .collect();
    assert_eq!(wakes, [true, false, true]);
    device.request();
    device.track("y");
    assert!(!device.engine.wants_poll(), "the open request's end wakes it anyway");
}

#[test]
fn a_last_request_has_copies_of_the_oldest_events_that_fit_and_changes_nothing() {
    let mut device = Device::with(|config| config.flush_at = 2);
    device.track_many(2);
    let open = device.request();
    device.track_many(40);
    let before = device.stats();
    let parting = |device: &Device, bytes| device.engine.parting(bytes);
    let body = parting(&device, 4096).unwrap();
    assert!(body.len() <= 4096 && body.len() > 4096 - 300, "{}", body.len());
    let batch: serde_json::Value = serde_json::from_str(&body).unwrap();
    let seqs: Vec<u64> = batch["batch"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let stay = 42 - seqs.len();
    assert_eq!(
        batch["counters"],
        json!({"captured": 42, "queued": stay, "dropped": {}})
    );
    assert_eq!(batch["install_id"], device.engine.install_id());
    assert_eq!((device.stats(), device.poll()), (before, Step::Idle));
    device.end(&open, &accepted(&open));
    assert_eq!(device.stats().delivered, 2);
    assert_eq!((parting(&device, 100), parting(&Device::new(), 4096)), (None, None));
}
