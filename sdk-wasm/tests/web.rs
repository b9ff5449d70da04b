//! The border between the engine and a page, in a browser: what goes over it arrives, on both sides.
#![cfg(target_arch = "wasm32")]

use trailmark_wasm::{Engine, Host};
use wasm_bindgen::prelude::{JsCast, wasm_bindgen};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = "
export class Files {
  constructor() { this.files = new Map(); this.asked = 0; this.failure = undefined; }
  random(bytes) { this.asked += bytes.length; bytes.fill(7); }
  list() { return [...this.files.keys()]; }
  read(file) { return this.files.get(file); }
  append(file, bytes) {
    if (this.failure) return this.failure;
    const before = this.files.get(file) ?? new Uint8Array();
    const after = new Uint8Array(before.length + bytes.length);
    after.set(before);
    after.set(bytes, before.length);
    this.files.set(file, after);
  }
  remove(file) { this.files.delete(file); }
}
")]
extern "C" {
    type Files;
    #[wasm_bindgen(constructor)]
    fn new() -> Files;
    #[wasm_bindgen(method, getter)]
    fn asked(this: &Files) -> f64;
    #[wasm_bindgen(method, setter)]
    fn set_failure(this: &Files, text: Option<String>);
}

const NOW: f64 = 1_763_600_000_000.0;
const SECOND: f64 = 1_000.0;
const REQUEST_READY: f64 = -1.0;
const SETTINGS: &str = r#"{"write_key":"tm_pk_test","sdk_name":"trailmark-web/0.1.0","flush_at":2}"#;

impl Files {
    fn host(&self) -> &Host {
        self.unchecked_ref()
    }

    fn open(&self) -> Engine {
        Engine::open(self.host(), SETTINGS, NOW).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn record(number: u8) -> String {
    format!(
        r#"{{"id":"01934f3e-8a00-7000-8000-0000000000{number:02}","event":"größer \"als\" 🚲","anonymous_id":"a","timestamp":"2026-11-20T21:13:05.123Z","properties":{{"total": 12.50}}}}"#
    )
}

/// The same event as it is sent.
fn numbered(number: u8, seq: u64) -> String {
    record(number).replacen("\",", &format!("\",\"seq\":{seq},"), 1)
}

fn field(json: &str, name: &str) -> String {
    let (_, rest) = json
        .split_once(&format!("\"{name}\":\""))
        .unwrap_or_else(|| panic!("no {name} in {json}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn answer(engine: &mut Engine, status: u16, body: &str, retry_after: Option<&str>) {
    let id = field(&engine.request(), "id");
    engine.answered(&id, status, body.to_owned(), retry_after.map(str::to_owned), None, NOW);
}

#[wasm_bindgen_test]
fn records_are_numbered_sent_and_settled() {
    let mut engine = Files::new().open();
    assert_eq!(engine.poll(NOW), f64::INFINITY);
    assert_eq!(engine.capture(&record(1), NOW), None);
    assert_eq!(engine.poll(NOW), NOW + 10.0 * SECOND, "it waits for company");
    assert_eq!(engine.capture(&record(2), NOW), None);
    let ticket = engine.flush(NOW);
    assert_eq!(engine.poll(NOW), REQUEST_READY);
    assert!(
        engine
            .body()
            .contains(&format!("[{},{}]", numbered(1, 1), numbered(2, 2)))
    );
    assert_eq!(field(&engine.request(), "path"), "/v1/batch");
    assert_eq!(field(&engine.request(), "authorization"), "Bearer tm_pk_test");
    assert_eq!(field(&engine.request(), "trailmark-sdk"), "trailmark-web/0.1.0");
    assert_eq!(engine.report(ticket), None);
    answer(&mut engine, 202, r#"{"accepted":2,"results":[]}"#, None);
    assert_eq!(
        engine.report(ticket).as_deref(),
        Some(r#"{"delivered":2,"dropped":{},"pending":0}"#)
    );
    assert_eq!(engine.report(ticket), None);
}

#[wasm_bindgen_test]
fn an_answer_says_when_to_try_again_and_none_is_no_answer() {
    let mut engine = Files::new().open();
    engine.capture(&record(1), NOW);
    engine.hurry();
    assert_eq!(engine.poll(NOW), REQUEST_READY);
    let body = engine.body();
    answer(&mut engine, 503, "", Some("120"));
    assert_eq!(engine.poll(NOW), NOW + 120.0 * SECOND);
    assert_eq!(engine.poll(NOW + 120.0 * SECOND), REQUEST_READY);
    assert_eq!(engine.body(), body, "the same bytes on each attempt");
    let id = field(&engine.request(), "id");
    engine.failed("no id", "offline".to_owned(), false, NOW);
    assert!(!engine.stats().contains("offline"));
    engine.failed(&id, "offline".to_owned(), false, NOW + 120.0 * SECOND);
    assert!(engine.stats().contains(r#""last_error":"offline""#));
}

#[wasm_bindgen_test]
fn all_forms_of_a_date_say_when_to_try_again() {
    let wait = |retry_after: &str, date: Option<&str>| {
        let mut engine = Files::new().open();
        engine.capture(&record(1), NOW);
        engine.hurry();
        engine.poll(NOW);
        let id = field(&engine.request(), "id");
        let (retry_after, date) = (Some(retry_after.to_owned()), date.map(str::to_owned));
        engine.answered(&id, 503, String::new(), retry_after, date, NOW);
        (engine.poll(NOW) - NOW) / SECOND
    };
    // NOW is 2025-11-20T00:53:20Z.
    assert_eq!(wait("Thu, 20 Nov 2025 00:54:50 GMT", None), 90.0);
    assert_eq!(wait("Thursday, 20-Nov-25 00:54:50 GMT", None), 90.0);
    assert_eq!(wait("Thu Nov 20 00:54:50 2025", None), 90.0);
    let date = Some("Mon, 01 Jan 2001 00:00:00 GMT");
    assert_eq!(wait("Mon, 01 Jan 2001 00:00:45 GMT", date), 45.0);
    assert!(wait("Mon, 01 Jan 2001 00:00:45 GMT", None) <= 1.0, "long ago");
    assert!(wait("soon", None) <= 1.0);
}

#[wasm_bindgen_test]
fn what_is_refused_is_counted_and_told() {
    let mut engine = Files::new().open();
    assert_eq!(engine.capture("{", NOW).as_deref(), Some("invalid_event"));
    engine.refuse("junk_user_id", NOW);
    engine.refuse("a word of a later stub", NOW);
    assert!(
        engine
            .stats()
            .starts_with(r#"{"captured":3,"delivered":0,"dropped":{"invalid_event":2,"junk_user_id":1},"queued":0,"#)
    );
    let told = engine.notices();
    assert!(
        told.starts_with(r#"[{"kind":"dropped","detail":"invalid_event"},"#),
        "{told}"
    );
    assert_eq!(engine.notices(), "[]");
}

#[wasm_bindgen_test]
fn another_engine_over_the_same_files_goes_on() {
    let files = Files::new();
    let mut first = files.open();
    first.capture(&record(1), NOW);
    let install = first.install_id();
    first.close(NOW);
    assert_eq!(first.capture(&record(2), NOW).as_deref(), Some("shut_down"));
    let mut second = files.open();
    assert_eq!(second.install_id(), install);
    assert_eq!(second.capture(&record(3), NOW), None);
    assert_eq!(second.poll(NOW), REQUEST_READY);
    assert!(
        second
            .body()
            .contains(&format!("[{},{}]", numbered(1, 1), numbered(3, 2)))
    );
}

#[wasm_bindgen_test]
fn a_host_that_cannot_append_costs_no_event() {
    let files = Files::new();
    let mut engine = files.open();
    files.set_failure(Some("QuotaExceededError".to_owned()));
    assert_eq!(engine.capture(&record(1), NOW), None);
    assert!(engine.stats().contains(r#""storage":"failing: QuotaExceededError""#));
    assert!(
        engine
            .notices()
            .contains(r#"{"kind":"storage_failing","detail":"QuotaExceededError"}"#)
    );
    files.set_failure(None);
    engine.poll(NOW + 10.0 * SECOND);
    assert!(engine.stats().contains(r#""storage":"saved""#));
    let mut second = files.open();
    second.hurry();
    assert_eq!(second.poll(NOW), REQUEST_READY);
    assert!(second.body().contains(&numbered(1, 1)));
}

#[wasm_bindgen_test]
fn a_page_that_ends_takes_copies_that_fit() {
    let mut engine = Files::new().open();
    assert_eq!(engine.parting(60_000), None);
    engine.capture(&record(1), NOW);
    engine.capture(&record(2), NOW);
    let both = engine.parting(60_000).unwrap_or_default();
    assert!(both.contains(&numbered(1, 1)) && both.contains(&numbered(2, 2)));
    let one = engine.parting(both.len() - 1).unwrap_or_default();
    assert!(one.contains(&numbered(1, 1)) && !one.contains(&numbered(2, 2)));
    assert_eq!(engine.parting(100), None);
    assert!(engine.stats().contains(r#""queued":2"#));
}

#[wasm_bindgen_test]
fn who_opts_out_is_not_observed_and_who_wants_to_be_forgotten_is_asked_for() {
    let mut engine = Files::new().open();
    engine.capture(&record(1), NOW);
    engine.set_opted_out(true, NOW);
    assert_eq!(engine.capture(&record(2), NOW).as_deref(), Some("opted_out"));
    engine.set_opted_out(false, NOW);
    engine.capture(&record(3), NOW);
    engine.delete_my_data(r#"{"anonymous_id":"device \"9\"","user_id":"u_9"}"#, NOW);
    assert_eq!(engine.poll(NOW), REQUEST_READY);
    let body = engine.body();
    assert!(
        body.contains(r#""event":"$erase","anonymous_id":"device \"9\"","user_id":"u_9""#),
        "{body}"
    );
    assert!(body.contains(r#""dropped":{"deleted":1,"opted_out":1}"#), "{body}");
}

#[wasm_bindgen_test]
fn settings_that_make_no_sense_are_refused_in_words() {
    let files = Files::new();
    let refused = |settings: &str| Engine::open(files.host(), settings, NOW).err().unwrap_or_default();
    assert_eq!(refused("{"), "the settings are no JSON object");
    assert!(refused("{}").starts_with("not a write key"));
    assert!(refused(r#"{"write_key":"tm_sk_1"}"#).starts_with("this is a secret key"));
    assert_eq!(
        refused(r#"{"write_key":"tm_pk_1","anonymous_id":"null"}"#),
        "the anonymous_id is refused: junk_anonymous_id"
    );
}

#[wasm_bindgen_test]
fn randomness_is_the_pages() {
    let files = Files::new();
    let engine = files.open();
    assert_eq!(files.asked(), 20.0, "ten bytes for each of two ids");
    assert!(
        engine.install_id().ends_with("7707-8707-070707070707"),
        "{}",
        engine.install_id()
    );
}

#[wasm_bindgen_test]
fn ten_thousand_events_go_through_the_allocator_and_back() {
    let files = Files::new();
    let mut engine = files.open();
    for round in 0..100 {
        for event in 0..100 {
            engine.capture(&record(event).replace("8000", &format!("8{round:03}")), NOW);
        }
        engine.hurry();
        assert_eq!(engine.poll(NOW), REQUEST_READY);
        answer(&mut engine, 202, r#"{"accepted":100,"results":[]}"#, None);
    }
    assert!(
        engine
            .stats()
            .starts_with(r#"{"captured":10000,"delivered":10000,"dropped":{},"queued":0,"#)
    );
}
