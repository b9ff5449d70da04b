//! Rules on texts.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::rules::Side;
use super::*;
use crate::gateway::transform::tests::{ann, scope};

fn rules(toml: &str) -> BodyRules {
    toml::from_str::<BodyRulesConfig>(toml).unwrap().compile().unwrap()
}

fn problems(toml: &str) -> Vec<String> {
    toml::from_str::<BodyRulesConfig>(toml).unwrap().compile().unwrap_err()
}

fn changed(toml: &str, body: &str, side: Side) -> Result<String, String> {
    let changed = rules(toml).rules.apply(body.as_bytes(), side, &scope(Some(&ann())));
    changed
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map_err(|unfit| unfit.0)
}

fn request(toml: &str, body: &str) -> String {
    changed(toml, body, Side::Request).unwrap()
}

#[test]
fn the_order_is_unwrap_remove_rename_set_envelope() {
    let rules = "
        unwrap = 'data'
        remove = ['email']
        rename = { mail = 'email' }
        set = { tenant = '${claims.tenant}' }
        envelope = 'data'";
    let body = r#"{"data":{"mail":"new","email":"old","tenant":"evil","n":1},"meta":2}"#;
    assert_eq!(
        request(rules, body),
        r#"{"data":{"email":"new","tenant":"acme","n":1}}"#
    );
}

#[test]
fn what_no_rule_touches_keeps_its_bytes() {
    let body = r#"{"z": 12345678901234567890123, "a":1.10, "e":1E+2,"z":{ "b":"\u00e9\/", "b":-0 }, "drop":1}"#;
    let kept = r#"{"z":12345678901234567890123,"a":1.10,"e":1E+2,"z":{ "b":"\u00e9\/", "b":-0 }}"#;
    assert_eq!(request("remove = ['drop']", body), kept);
    assert_eq!(request("", body), body);
}

#[test]
fn rules_reach_every_element_of_lists() {
    let body = r#"{"items":[{"cost":1,"x":0},{"cost":2.50,"tags":[{"x":1}]},7,null]}"#;
    let changed = r#"{"items":[{"price":1},{"price":2.50,"tags":[{}]},7,null]}"#;
    let rules = "remove = ['items[].x', 'items[].tags[].x']\nrename = { 'items[].cost' = 'price' }";
    assert_eq!(request(rules, body), changed);
    assert_eq!(
        request("set = { '[].t' = 1 }", "[{},{\"t\":2}]"),
        "[{\"t\":1},{\"t\":1}]"
    );
    assert_eq!(
        request("set = { 'a.items[].t' = 1 }", "{\"b\":[]}"),
        "{\"b\":[]}",
        "no list is made"
    );
}

#[test]
fn set_makes_the_way_and_keeps_types() {
    let rules = "[set]\n'meta.by.level' = '${claims.level}'\n'meta.tags' = ['${claims.tenant}', '${claims.none}', 3]\n\
        'meta.o' = { a = '${role}', b = '${key}' }";
    let changed = r#"{"meta":{"by":{"level":7},"o":{"a":"admin"},"tags":["acme",3]}}"#;
    assert_eq!(request(rules, "{}"), changed);
    assert_eq!(request(rules, r#"{"meta":null}"#), changed);
}

#[test]
fn what_renders_to_nothing_is_left_out_and_the_clients_own_too() {
    let body = r#"{"org":"evil","a":{"org":"evil"},"org":"twice"}"#;
    assert_eq!(
        request("set = { org = '${claims.none}', 'a.org' = '${key}' }", body),
        r#"{"a":{}}"#
    );
    assert_eq!(
        request("set = { 'b.org' = '${claims.none}' }", "{\"a\":1}"),
        "{\"a\":1}",
        "no way is made for nothing"
    );
}

#[test]
fn a_member_that_is_there_twice_or_spelt_with_escapes_is_no_way_past_a_rule() {
    let body = r#"{"tenant":1,"\u0074enant":2,"x":0,"tenant":3}"#;
    assert_eq!(
        request("set = { tenant = '${claims.tenant}' }", body),
        r#"{"tenant":"acme","x":0}"#
    );
    assert_eq!(request("remove = ['tenant']", body), r#"{"x":0}"#);
    assert_eq!(request("rename = { tenant = 'x' }", body), r#"{"x":3}"#);
    let nested = r#"{"m":{"t":1},"m":{"t":2}}"#;
    assert_eq!(request("set = { 'm.t' = 9 }", nested), r#"{"m":{"t":9},"m":{"t":9}}"#);
    assert_eq!(request("unwrap = 'm'", nested), r#"{"t":2}"#, "the last one counts");
}

#[test]
fn a_request_that_set_cannot_be_carried_out_on_is_refused_and_an_answer_stays() {
    let rules = "set = { 'a.tenant' = '${claims.tenant}' }";
    for body in ["[{\"a\":{}}]", "7", "{\"a\":[]}", "{\"a\":\"x\"}"] {
        let error = changed(rules, body, Side::Request).unwrap_err();
        assert!(error.contains("no object where `a.tenant` needs one"), "{error}");
        assert_eq!(changed(rules, body, Side::Response).unwrap(), body);
    }
    let every = changed("set = { 'l[].t' = 1 }", "{\"l\":[7,{},null]}", Side::Response).unwrap();
    assert_eq!(
        every, "{\"l\":[7,{\"t\":1},{\"t\":1}]}",
        "one that cannot does not keep others from it"
    );
    for missing in ["set = { 'l[].t' = 1 }", "set = { 'l[].t' = '${key}' }"] {
        let error = changed(missing, "{\"l\":{\"t\":2}}", Side::Request).unwrap_err();
        assert!(error.contains("no array where `l[].t` needs one"), "{error}");
    }
}

#[test]
fn a_body_without_its_envelope_stays_and_any_value_can_be_one() {
    assert_eq!(request("unwrap = 'data.inner'", "{\"data\":{}}"), "{\"data\":{}}");
    assert_eq!(request("unwrap = 'data'", "[1]"), "[1]");
    assert_eq!(request("unwrap = 'data'", "{\"data\":null}"), "null");
    assert_eq!(request("envelope = 'data'", " 1.0 "), "{\"data\":1.0}");
}

#[test]
fn nothing_but_one_json_text_is_json() {
    for body in ["", "{", "{\"a\":1}x", "{'a':1}", "NaN", "\u{feff}{}", "{\"a\":1,}"] {
        assert!(
            changed("", body, Side::Request).unwrap_err().contains("no JSON"),
            "{body}"
        );
    }
    let bytes = rules("").rules.apply(b"\"\xff\"", Side::Request, &scope(None));
    assert!(bytes.is_err(), "no UTF-8");
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(
        request("envelope = 'd'", &deep).len(),
        deep.len() + 6,
        "no depth breaks the stack"
    );
}

#[test]
fn a_file_with_a_mistake_is_told_its_place() {
    let found = problems(
        "unwrap = 'a[].b'\nremove = ['a..b', 'x']\nenvelope = 'a.b'\nset = { x = '${nobody}', y = ['${nobody}'] }\n\
         [rename]\na = 'b.c'\nb = ''\n",
    );
    let starts = [
        "unwrap: ",
        "remove: ",
        "rename: ",
        "rename: ",
        "set: ",
        "set: ",
        "envelope: ",
    ];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    assert!(
        starts
            .iter()
            .zip(&found)
            .all(|(start, problem)| problem.starts_with(start)),
        "{found:?}"
    );
}

#[test]
fn renamings_whose_outcome_depends_on_their_order_are_refused() {
    for tangled in ["a = 'b'\nb = 'a'", "a = 'c'\nb = 'c'", "a = 'b'\nb = 'c'", "a = 'a'"] {
        assert!(!problems(&format!("[rename]\n{tangled}")).is_empty(), "{tangled}");
    }
    rules("[rename]\na = 'b'\n'x.b' = 'a'\n'y[].b' = 'a'");
}

#[test]
fn the_path_parameters_of_all_rules_are_known() {
    let rules = rules("set = { a = '${path.id}', b = [{ c = '${path.rest}' }] }");
    assert_eq!(rules.path_parameters().collect::<Vec<_>>(), ["id", "rest"]);
}

/// Any JSON, in which the names of the rules are frequent.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof!["[abc]", ".*"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Every rule once, none of which needs the body to be of a kind.
const EVERYTHING: &str = "unwrap = 'a.b'\nremove = ['a', 'b[].c', '[].a']\nenvelope = 'd'\nrename = { b = 'c' }";

proptest! {
    #[test]
    fn rules_that_find_nothing_leave_every_value_as_it_was(body in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) }.unwrap();
        prop_assert_eq!(&request("", &text), &text);
        let looking = request("remove = ['a.zz', 'b[].zz', '[].zz.zz']\nrename = { 'a.zz' = 'y' }", &text);
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        prop_assert_eq!(value(&looking), value(&text));
        if !pretty {
            prop_assert_eq!(looking, text);
        }
    }

    #[test]
    fn digits_survive_whatever_they_are(number in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?") {
        let body = format!("{{\"a\":{number},\"b\":[{number}]}}");
        let changed = request("set = { c = 1 }\nrename = { a = 'z' }\nremove = ['b[].x']", &body);
        prop_assert_eq!(changed, format!("{{\"z\":{number},\"b\":[{number}],\"c\":1}}"));
    }

    #[test]
    fn what_is_set_is_there(body in any_json(), value in any_json()) {
        let config = BodyRulesConfig { set: [("a.b".to_owned(), json!([value]))].into(), ..BodyRulesConfig::default() };
        // A text of the value may happen to be a template that does not read.
        let Ok(rules) = config.compile() else { return Ok(()) };
        let text = body.to_string();
        if let Ok(changed) = rules.rules.apply(text.as_bytes(), Side::Request, &scope(None)) {
            let changed: HashMap<String, &RawValue> = serde_json::from_slice(&changed).unwrap();
            let within: HashMap<String, &RawValue> = serde_json::from_str(changed["a"].get()).unwrap();
            prop_assert_eq!(within["b"].get(), json!([value]).to_string());
        } else {
            prop_assert!(!(body.is_object() && body.get("a").is_none_or(|a| a.is_object() || a.is_null())));
        }
    }

    #[test]
    fn removing_twice_is_removing_once(body in any_json()) {
        let once = request("remove = ['a', 'b.c', 'c[].a', '[].b']", &body.to_string());
        prop_assert_eq!(&request("remove = ['a', 'b.c', 'c[].a', '[].b']", &once), &once);
        let value: Value = serde_json::from_str(&once).unwrap();
        prop_assert!(value.get("a").is_none() && value.pointer("/b/c").is_none());
    }

    #[test]
    fn an_envelope_comes_off_as_it_was_put_on(body in any_json()) {
        let text = body.to_string();
        prop_assert_eq!(request("unwrap = 'd'", &request("envelope = 'd'", &text)), text);
    }

    #[test]
    fn no_body_and_no_path_upsets_the_rules(body in "(\\{|\\}|\\[|\\]|\"a\"|\"b\"|:|,|1|null|\\\\u)*", path in "(a|b|\\[\\]|\\.|\\[)*") {
        let _ = changed(EVERYTHING, &body, Side::Request);
        let config = BodyRulesConfig { remove: vec![path.clone()], set: [(path, json!(1))].into(), ..BodyRulesConfig::default() };
        if let Ok(rules) = config.compile() {
            let _ = rules.rules.apply(body.as_bytes(), Side::Response, &scope(None));
        }
    }
}
