//! docs/api.md says what the code does: its tables list every limit, reason and problem code, its requests are taken.
//! docs/operating.md lists every metric.

use serde_json::Value;
use serde_json::value::RawValue;
use trailmark_protocol::{Reason, Receipt, limits};
use trailmark_server::gateway::problem::Code;
use trailmark_server::ingest::decode::{Shapes, decode};
use trailmark_server::ingest::validate::validate;

const MANUAL: &str = include_str!("../../docs/api.md");
const OPERATING: &str = include_str!("../../docs/operating.md");
const METRICS: &str = include_str!("../src/telemetry.rs");
const LIMITS: &str = include_str!("../../protocol/src/limits.rs");

/// The rows of a table, each as its cells.
fn table(name: &str) -> Vec<Vec<&'static str>> {
    let rows = MANUAL.split_once(&format!("<!-- table: {name} -->\n")).expect(name).1;
    let rows = rows.lines().take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

fn column(name: &str, index: usize) -> Vec<&'static str> {
    table(name)
        .into_iter()
        .map(|row| row[index].trim_matches('`'))
        .collect()
}

fn example(name: &str) -> &'static str {
    let block = MANUAL
        .split_once(&format!("<!-- example: {name} -->\n```json\n"))
        .expect(name)
        .1;
    block.split_once("```").unwrap().0
}

#[test]
fn the_reasons_are_all_reasons() {
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(column("reasons", 0), reasons);
}

#[test]
fn the_codes_are_all_codes_with_their_status_and_hint() {
    let row = |code: &Code| {
        vec![
            format!("`{}`", code.as_str()),
            code.status().as_u16().to_string(),
            code.hint().to_owned(),
        ]
    };
    let codes: Vec<_> = Code::ALL.iter().map(row).collect();
    assert_eq!(table("codes"), codes);
}

#[test]
fn the_limits_are_all_limits_with_their_values() {
    let names: Vec<_> = LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(':'))
        .collect();
    let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
    assert_eq!(column("limits", 0), names);
    let values = [
        limits::EVENT_BYTES as i64,
        limits::BATCH_EVENTS as i64,
        limits::BODY_BYTES as i64,
        limits::DECODED_BYTES as i64,
        limits::NAME_CHARS as i64,
        limits::ID_CHARS as i64,
        i64::from(limits::KEYS),
        i64::from(limits::DEPTH),
        limits::NUMBER_CHARS as i64,
        limits::FUTURE_MS,
    ];
    assert_eq!(column("limits", 1), values.map(|value| value.to_string()));
}

#[test]
fn every_event_in_an_example_request_is_accepted() {
    for (name, shapes, count) in [("batch", Shapes::Batch, 3), ("event", Shapes::Any, 1)] {
        let incoming = decode(example(name).as_bytes(), shapes).unwrap();
        assert_eq!(incoming.events.len(), count, "{name}");
        for event in incoming.events {
            assert!(validate(event).is_ok(), "{name}: {event}");
        }
    }
}

#[test]
fn the_example_receipt_is_what_a_receipt_writes() {
    let receipt = Receipt::from_json(example("receipt")).unwrap();
    let shown: Value = serde_json::from_str(example("receipt")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&receipt.to_json()).unwrap(), shown);
    let alias: Box<RawValue> = serde_json::from_str(r#"{"event":"$alias","user_id":"u_7","alias":"null"}"#).unwrap();
    let refused = validate(&alias).unwrap_err();
    assert_eq!(
        (refused.reason.as_str(), refused.detail),
        ("junk_user_id", receipt.results[0].detail.clone())
    );
}

/// The metrics named in a text, in the order of their first mention.
fn metrics(text: &str) -> Vec<&str> {
    let named = text
        .split(['"', '`'])
        .filter(|word| word.starts_with("trailmark_") && !word.contains("::"));
    let mut seen = Vec::new();
    for name in named {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[test]
fn the_metrics_are_all_metrics() {
    let described = METRICS.split_once("fn describe()").unwrap().1;
    assert_eq!(metrics(OPERATING), metrics(described));
}
