//! The border between the engine and a page, in a browser: what goes over it arrives, on both sides.
#![cfg(target_arch = "wasm32")]

use trailmark_wasm::{Engine, Host};
use wasm_bindgen::prelude::{JsCast, wasm_bindgen};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = "
export class Sevens {
  constructor() { this.asked = 0; }
  random(bytes) { this.asked += bytes.length; bytes.fill(7); }
}
")]
extern "C" {
    type Sevens;
    #[wasm_bindgen(constructor)]
    fn new() -> Sevens;
    #[wasm_bindgen(method, getter)]
    fn asked(this: &Sevens) -> f64;
}

const NOW: f64 = 1_763_600_000_000.0;
const SECOND: f64 = 1_000.0;
const BETWEEN: char = '\u{1e}';
const REQUEST_READY: f64 = -1.0;
const SETTINGS: &str = r#"{"write_key":"tm_pk_test","sdk_name":"trailmark-web/0.1.0","flush_at":2}"#;

impl Sevens {
    fn host(&self) -> &Host {
        self.unchecked_ref()
    }

    fn open(&self, kept: &str) -> Engine {
        Engine::open(self.host(), SETTINGS, kept, NOW).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The checkpoint and the rows of a first change, as a host hands them in.
fn kept(changes: &str) -> String {
    let (checkpoint, rest) = changes.split_once(BETWEEN).unwrap_or_default();
    let (gone, rows) = rest.split_once(BETWEEN).unwrap_or((rest, ""));
    assert_eq!(gone, "[]");
    format!("{checkpoint}{BETWEEN}{rows}")
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
    let mut engine = Sevens::new().open("");
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
    let mut engine = Sevens::new().open("");
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
        let mut engine = Sevens::new().open("");
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
    let mut engine = Sevens::new().open("");
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
fn another_engine_goes_on_from_what_was_kept() {
    let host = Sevens::new();
    let mut first = host.open("");
    first.capture(&record(1), NOW);
    let changes = first.changes().unwrap_or_default();
    assert_eq!(first.changes(), None);
    first.close(NOW);
    assert_eq!(first.capture(&record(2), NOW).as_deref(), Some("shut_down"));
    let mut second = host.open(&kept(&changes));
    assert_eq!(second.install_id(), first.install_id());
    assert_eq!(second.capture(&record(3), NOW), None);
    assert_eq!(second.poll(NOW), REQUEST_READY);
    assert!(
        second
            .body()
            .contains(&format!("[{},{}]", numbered(1, 1), numbered(3, 2)))
    );
    answer(&mut second, 202, r#"{"accepted":2,"results":[]}"#, None);
    let changes = second.changes().unwrap_or_default();
    let gone = format!("{BETWEEN}[[1,1]]");
    assert!(changes.ends_with(&gone), "the second never had a row: {changes}");
}

#[wasm_bindgen_test]
fn a_host_that_cannot_write_is_told_of_once() {
    let mut engine = Sevens::new().open("");
    engine.kept(Some("QuotaExceededError".to_owned()));
    engine.kept(Some("QuotaExceededError".to_owned()));
    assert!(engine.stats().contains(r#""storage":"failing: QuotaExceededError""#));
    let told = r#"[{"kind":"storage_failing","detail":"QuotaExceededError"}]"#;
    assert_eq!(engine.notices(), told);
    engine.kept(None);
    assert!(engine.stats().contains(r#""storage":"saved""#));
    assert!(engine.notices().contains("storage_works"));
}

#[wasm_bindgen_test]
fn a_page_that_ends_takes_copies_that_fit() {
    let mut engine = Sevens::new().open("");
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
    let mut engine = Sevens::new().open("");
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
    let host = Sevens::new();
    let refused = |settings: &str| Engine::open(host.host(), settings, "", NOW).err().unwrap_or_default();
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
    let host = Sevens::new();
    let engine = host.open("");
    assert_eq!(host.asked(), 20.0, "ten bytes for each of two ids");
    assert!(
        engine.install_id().ends_with("7707-8707-070707070707"),
        "{}",
        engine.install_id()
    );
}

#[wasm_bindgen_test]
fn ten_thousand_events_go_through_the_allocator_and_back() {
    let host = Sevens::new();
    let mut engine = host.open("");
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
