//! The wire, frozen: the files in `golden/` may be added to, never changed.

use std::borrow::Cow;

use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{
    Batch, Event, RawBatch, RawEvent, Reason, Receipt, Timestamp, Uuid, Verdict,
    batch::{RawCounters, counters_json},
};

/// Compares with a golden file. `GOLDEN_ADD=1` writes a file that is missing; one that is there is never changed.
fn assert_golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GOLDEN_ADD").is_some() && !std::fs::exists(&path).unwrap() {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap().trim_end());
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0193_4f3e_8a00_7000_8000_0000_0000_0000 + n)
}

fn checkout() -> String {
    let at = Timestamp::parse("2026-11-20T21:13:05.123Z").unwrap();
    Event {
        name: "checkout",
        anonymous_id: Some("0193-device"),
        user_id: Some("u_7"),
        session_id: Some("s_1"),
        properties: Some(r#"{"total":12.5,"note":"a \"quote\", ünïcödé 🦀"}"#),
        context: Some(r#"{"locale":"de-DE","timezone":"Europe/Berlin"}"#),
        ..Event::new(id(1), 41, at)
    }
    .to_json()
}

fn identify() -> String {
    let at = Timestamp::parse("2026-11-20T21:13:06.5Z").unwrap();
    Event {
        name: "$identify",
        anonymous_id: Some("0193-device"),
        user_id: Some("u_7"),
        set: Some(r#"{"plan":"pro"}"#),
        set_once: Some(r#"{"first_seen_at":"2026-11-20"}"#),
        ..Event::new(id(2), 42, at)
    }
    .to_json()
}

fn alias() -> String {
    let at = Timestamp::parse("2026-11-20T21:13:07Z").unwrap();
    Event {
        name: "$alias",
        user_id: Some("u_7"),
        alias: Some("u_8"),
        ..Event::new(id(3), 43, at)
    }
    .to_json()
}

#[test]
fn events_are_written_as_frozen() {
    assert_golden("event-checkout.json", &checkout());
    assert_golden("event-identify.json", &identify());
    assert_golden("event-alias.json", &alias());
}

#[test]
fn a_batch_is_written_as_frozen_and_read_event_by_event() {
    let (a, b) = (checkout(), identify());
    let counters = counters_json(42, 3, [("too_large", 1)]);
    let text = Batch {
        install_id: Some("i_1"),
        events: &[&a, &b],
        counters: Some(&counters),
    }
    .to_json();
    assert_golden("batch-queued.json", &text);
    assert_eq!(counted_in(&text), (42, 3, 1));

    let raw: RawBatch<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(raw.install_id.as_deref(), Some("i_1"));
    assert_eq!(raw.batch[0].get(), a);
    let event: RawEvent<'_> = serde_json::from_str(raw.batch[1].get()).unwrap();
    assert_eq!((event.event.as_deref(), event.seq), (Some("$identify"), Some(42)));
    assert_eq!(event.set.unwrap().get(), r#"{"plan":"pro"}"#);
}

/// The counters of a batch: captured, queued, and dropped as too large.
fn counted_in(batch: &str) -> (u64, u64, u64) {
    let raw: RawBatch<'_> = serde_json::from_str(batch).unwrap();
    let counters: RawCounters = serde_json::from_str(raw.counters.unwrap().get()).unwrap();
    (counters.captured, counters.queued, counters.dropped["too_large"])
}

#[test]
fn a_batch_that_does_not_say_what_stayed_behind_is_still_read() {
    let (a, b) = (checkout(), identify());
    let text = Batch {
        install_id: Some("i_1"),
        events: &[&a, &b],
        counters: Some(r#"{"captured":42,"dropped":{"too_large":1}}"#),
    }
    .to_json();
    assert_golden("batch.json", &text);
    assert_eq!(counted_in(&text), (42, 0, 1));
}

#[test]
fn one_bad_event_does_not_sink_its_batch() {
    let raw: RawBatch<'_> = serde_json::from_str(r#"{"batch":[7,{"event":5},{"event":"ok"}]}"#).unwrap();
    let readable = raw
        .batch
        .iter()
        .filter(|event| serde_json::from_str::<RawEvent<'_>>(event.get()).is_ok());
    assert_eq!(readable.count(), 1);
}

#[test]
fn a_receipt_is_written_as_frozen_and_reads_back() {
    let refused = |index, id, verdict, reason: Reason, detail: &str| Refused {
        index,
        id,
        verdict,
        reason: Cow::Borrowed(reason.as_str()),
        detail: detail.to_owned(),
    };
    let receipt = Receipt {
        accepted: 1,
        results: vec![
            refused(
                1,
                Some(id(2)),
                Verdict::Dropped,
                Reason::JunkUserId,
                "`null` is no user",
            ),
            refused(2, None, Verdict::Retry, Reason::InvalidEvent, "line 1\n\"x\""),
        ],
        next_send_after_ms: 250,
    };
    assert_golden("receipt.json", &receipt.to_json());
    assert_eq!(Receipt::from_json(&receipt.to_json()), Ok(receipt));
}

#[test]
fn a_receipt_of_a_newer_server_is_understood() {
    let receipt = Receipt::from_json(r#"{"accepted":3,"new":{"a":[1]},"results":[{"index":0,"result":"quarantined","reason":"new_reason","detail":""}]}"#).unwrap();
    assert_eq!(
        (
            receipt.accepted,
            receipt.results[0].verdict,
            &*receipt.results[0].reason
        ),
        (3, Verdict::Dropped, "new_reason")
    );
}
