//! One bad event costs only itself: it gets a verdict, the rest of its batch is stored.

use serde_json::Value;

use crate::support::events::{batch, good, with_properties};
use crate::support::{Project, Server};

/// Sends a good event, this one, and a good one; the reason of the verdict, if there is one.
fn verdict(project: &Project<'_>, event: &str) -> Option<String> {
    let response = project.server.send(&project.batch(batch(&[&good(), event, &good()])));
    let told = format!("{:.120}: {} {}", event, response.status, response.text());
    assert_eq!(response.status, 202, "{told}");
    let receipt = response.json();
    let Some(refused) = receipt["results"].get(0) else {
        assert_eq!(receipt["accepted"], 3, "{told}");
        return None;
    };
    assert_eq!(
        (&receipt["accepted"], &refused["index"], &refused["result"]),
        (&2.into(), &1.into(), &"drop".into()),
        "{told}"
    );
    assert!(
        refused["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
        "{told}"
    );
    Some(refused["reason"].as_str().unwrap().to_owned())
}

fn object(keys: usize) -> String {
    let fields = (0..keys).map(|key| format!(r#""{key}":0"#)).collect::<Vec<_>>();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn a_bad_event_gets_its_reason_and_the_rest_of_its_batch_is_stored() {
    let project = Project::create(Server::shared());
    let long = "x".repeat(201);
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let named = |name: &str| format!(r#"{{"event":"{name}","user_id":"u_7"}}"#);
    let by = |user: &str| format!(r#"{{"event":"e","user_id":"{user}"}}"#);
    let at = |time: &str| format!(r#"{{"event":"e","user_id":"u_7","timestamp":{time}}}"#);
    let cases = [
        ("7".to_owned(), "invalid_event"),
        ("null".to_owned(), "invalid_event"),
        ("[]".to_owned(), "invalid_event"),
        ("{}".to_owned(), "missing_name"),
        (named(""), "missing_name"),
        (named(&long), "name_too_long"),
        (named(r"a\u0000b"), "invalid_event"),
        (named(r"\ud800"), "invalid_event"),
        (named(r"\udc00\ud800"), "invalid_event"),
        (r#"{"event":5,"user_id":"u_7"}"#.to_owned(), "invalid_event"),
        (r#"{"event":"e"}"#.to_owned(), "missing_identity"),
        (by(&long), "id_too_long"),
        (by(r"a\u0000b"), "invalid_event"),
        (by(r"\udfff"), "invalid_event"),
        (by("undefined"), "junk_user_id"),
        (by("00000000-0000-0000-0000-000000000000"), "junk_user_id"),
        (
            r#"{"event":"e","anonymous_id":"[object Object]"}"#.to_owned(),
            "junk_anonymous_id",
        ),
        (
            r#"{"event":"$identify","anonymous_id":"d_1"}"#.to_owned(),
            "incomplete_identity",
        ),
        (
            r#"{"event":"$alias","user_id":"u_7","alias":"u_7"}"#.to_owned(),
            "incomplete_identity",
        ),
        (at(r#""-001-01-01T00:00:00Z""#), "invalid_timestamp"),
        (at(r#""-1""#), "invalid_timestamp"),
        (at(r#""10000-01-01T00:00:00Z""#), "invalid_timestamp"),
        (at(r#""2026-02-30T00:00:00Z""#), "invalid_timestamp"),
        (at("1763673185"), "invalid_event"),
        (with_properties("[]"), "invalid_event"),
        (with_properties(&deep), "too_deep"),
        (with_properties(&object(513)), "too_many_properties"),
        (with_properties(&object(100_000)), "too_large"),
        (
            with_properties(&format!(r#"{{"a":"{}"}}"#, "x".repeat(64 * 1024))),
            "too_large",
        ),
        (with_properties(r#"{"a":1e999}"#), "number_out_of_range"),
        (with_properties(r#"{"a":[-1e999]}"#), "number_out_of_range"),
    ];
    for (event, reason) in &cases {
        assert_eq!(verdict(&project, event).as_deref(), Some(*reason), "{event:.120}");
    }
    project.server.until_drained();
    let mut rows = project.rows();
    assert_eq!((rows.count(), rows.dead_letters()), (2 * cases.len(), 0));
    project.server.assert_sound();
}

/// At and just below every limit, and what jsonb or timestamptz would refuse if the server did not know better.
#[test]
fn what_is_accepted_is_stored_and_never_a_dead_letter() {
    let project = Project::create(Server::shared());
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(31), "]".repeat(31));
    let name = |name: &str| format!(r#"{{"event":"{name}","user_id":"{name}","session_id":"{name}"}}"#);
    let at = |time: &str| format!(r#"{{"event":"e","user_id":"u_7","timestamp":"{time}"}}"#);
    let id = |id: &str| format!(r#"{{"id":"{id}","event":"e","user_id":"u_7"}}"#);
    let digits = "9".repeat(300);
    let mut events = vec![
        name(&"x".repeat(200)),
        name(&"ü".repeat(200)),
        name(&"😀".repeat(200)),
        name("'; DROP TABLE events; --"),
        name("\u{202e}\u{feff}\\n\\t\\\"\\\\"),
        name(r"\ud83d\ude00"),
        at("9999-12-31T23:59:59.999999Z"),
        at("0000-01-01T00:00:00Z"),
        at("1969-12-31T23:59:59Z"),
        at("2026-11-20T23:59:60Z"),
        id("ffffffff-ffff-7fff-bfff-ffffffffffff"),
        id("00000000-0000-7000-8000-000000000000"),
        id("not-a-uuid"),
        id("9a3f2d6e-0000-4000-8000-000000000000"),
        with_properties(&deep),
        with_properties(&object(512)),
        with_properties(r#"{"a":1e308,"b":-1e308,"c":1e-308,"d":-0,"e":0e999}"#),
        with_properties(&format!(r#"{{"a":{digits},"b":0.{digits}}}"#)),
        with_properties(r#"{"a":1,"a":2,"":3}"#),
        with_properties(&format!(r#"{{"{}":1}}"#, "k".repeat(60_000))),
        with_properties(&format!(r#"{{"a":"{}"}}"#, "x".repeat(65_000))),
    ];
    events.extend(
        ["1e-400", "1e-20000", "1e-999999999999", "0.1e-2147483648"]
            .map(|n| with_properties(&format!(r#"{{"a":{n}}}"#))),
    );
    let set = |set: &str| format!(r#"{{"event":"$set","user_id":"u_7","set":{{{set}}},"set_once":{{{set}}}}}"#);
    events.push(set(&format!(r#""{}":1"#, "k".repeat(20_000))));
    events.push(set(r#""a\u0000b":1,"\ud800":"\ud800""#));
    let refused = events
        .iter()
        .filter(|event| verdict(&project, event).is_some())
        .collect::<Vec<_>>();
    project.server.until_drained();
    let mut rows = project.rows();
    assert_eq!(rows.dead_letters(), 0);
    assert_eq!(rows.count(), 3 * events.len() - refused.len(), "{refused:.200?}");
    assert!(
        refused.len() <= 5,
        "only the numbers and times that nothing can hold: {refused:.200?}"
    );
    project.server.assert_sound();
}

#[test]
fn nul_and_lone_surrogates_in_values_are_repaired_not_lost() {
    let project = Project::create(Server::shared());
    let event = with_properties(r#"{"nul":"x\u0000y","lone":"\ud800z","pair":"\ud83d\ude00","k\u0000":1}"#);
    assert_eq!(verdict(&project, &event), None);
    project.server.until_drained();
    let stored = project.rows().texts("coalesce(properties, '{}')");
    let stored = stored.iter().find(|text| text.contains("nul")).unwrap();
    let stored = serde_json::from_str::<Value>(stored).unwrap();
    assert_eq!(
        stored,
        serde_json::json!({"nul": "x\u{fffd}y", "lone": "\u{fffd}z", "pair": "😀", "k\u{fffd}": 1})
    );
}

#[test]
fn an_absurd_time_is_kept_beside_a_sensible_one() {
    let project = Project::create(Server::shared());
    let event = r#"{"event":"e","user_id":"u_7","timestamp":"9999-12-31T23:59:59Z"}"#;
    assert_eq!(project.server.send(&project.batch(batch(&[event]))).status, 202);
    project.server.until_drained();
    let mut rows = project.rows();
    assert_eq!(rows.texts("timestamp = received_at"), ["true"]);
    assert_eq!(rows.texts("client_timestamp = '9999-12-31T23:59:59Z'"), ["true"]);
}

#[test]
fn the_same_event_is_stored_once_within_a_batch_and_across_batches() {
    let project = Project::create(Server::shared());
    let (one, other) = (good(), good());
    for events in [vec![&one, &one, &other], vec![&other, &one]] {
        assert_eq!(project.server.send(&project.batch(batch(&events))).status, 202);
    }
    project.server.until_drained();
    assert_eq!(project.rows().count(), 2);
}
