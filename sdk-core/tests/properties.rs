//! Properties are JSON whatever is put in, and the limits of the wire are seen before the wire.

use proptest::prelude::*;
use serde_json::{Value, json};
use trailmark_core::{Properties, PropertiesError, Reason, Timestamp, Uuid};

fn parse(properties: &Properties) -> Value {
    serde_json::from_str(properties.as_json()).unwrap()
}

#[test]
fn every_kind_of_value_is_written_as_json_means_it() {
    let properties = Properties::new()
        .with("text", "a \"quote\"\n")
        .with("string", String::from("s"))
        .with("yes", true)
        .with("int", -7i8)
        .with("big", u64::MAX)
        .with("float", 0.1)
        .with("single", 0.1f32)
        .with("nan", f64::NAN)
        .with("infinite", f32::INFINITY)
        .with("none", None::<u8>)
        .with("some", Some("x"))
        .with("list", [1, 2])
        .with("empty", Vec::<u8>::new())
        .with("inner", Properties::new().with("a", 1))
        .with("nothing", Properties::new())
        .with("at", Timestamp::from_millis(0))
        .with("id", Uuid::nil())
        .with("json", json!({"a": [null, 1.5]}));
    let expected = json!({"text": "a \"quote\"\n", "string": "s", "yes": true, "int": -7, "big": u64::MAX, "float": 0.1,
        "single": 0.1, "nan": null, "infinite": null, "none": null, "some": "x", "list": [1, 2], "empty": [],
        "inner": {"a": 1}, "nothing": {}, "at": "1970-01-01T00:00:00.000Z",
        "id": "00000000-0000-0000-0000-000000000000", "json": {"a": [null, 1.5]}});
    assert_eq!(parse(&properties), expected);
}

#[test]
fn only_an_object_within_the_limits_is_taken_over() {
    assert_eq!(Properties::from_json(" { } ").unwrap(), Properties::new());
    assert_eq!(
        parse(&Properties::from_json("{\"a\":1}\n").unwrap().with("b", 2)),
        json!({"a": 1, "b": 2})
    );
    for wrong in ["[1]", "1", "\"{}\"", "null"] {
        assert_eq!(
            Properties::from_json(wrong),
            Err(PropertiesError::NotAnObject),
            "{wrong}"
        );
    }
    for wrong in ["", "{", "{}{}", "{'a':1}", "{\"a\":1e999}", "{\"a\":NaN}"] {
        assert!(
            matches!(Properties::from_json(wrong), Err(PropertiesError::Fault(_))),
            "{wrong}"
        );
    }
    assert_eq!(Properties::try_from(json!([1])), Err(PropertiesError::NotAnObject));
}

#[test]
fn what_postgres_cannot_hold_is_replaced() {
    let replaced = json!({"a\u{fffd}": "b\u{fffd}"});
    assert_eq!(parse(&Properties::new().with("a\0", "b\0")), replaced);
    assert_eq!(
        parse(&Properties::from_json(r#"{"a\u0000":"b\ud800"}"#).unwrap()),
        replaced
    );
    assert_eq!(parse(&Properties::try_from(json!({"a\0": "b\0"})).unwrap()), replaced);
    assert_eq!(
        parse(&Properties::new().with("x", json!({"a\0": "b\0"}))),
        json!({ "x": replaced })
    );
}

#[test]
fn nested_keys_and_levels_count_towards_the_limits() {
    let keys =
        |count: usize| Properties::try_from(Value::Object((0..count).map(|n| (n.to_string(), json!(n))).collect()));
    assert_eq!(keys(512).unwrap().check(), Ok(()));
    assert_eq!(keys(513).unwrap().check(), Err(Reason::TooManyProperties));
    assert_eq!(
        Properties::new()
            .with("a", vec![keys(300).unwrap(), keys(300).unwrap()])
            .check(),
        Err(Reason::TooManyProperties)
    );
    let nested = |levels: usize| {
        (1..levels).fold(Properties::new().with("x", 1), |inner, _| {
            Properties::new().with("in", inner)
        })
    };
    assert_eq!(nested(32).check(), Ok(()));
    assert_eq!(nested(33).check(), Err(Reason::TooDeep));
    let lists = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(Properties::new().with("a", lists(31)).check(), Ok(()));
    assert_eq!(Properties::new().with("a", lists(32)).check(), Err(Reason::TooDeep));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[^\0]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\0]{0,6}", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_goes_in_and_comes_out_the_same(values in prop::collection::btree_map("[^\0]{0,6}", any_json(), 0..6)) {
        let whole: Value = values.clone().into_iter().collect();
        let built = values.iter().fold(Properties::new(), |built, (key, value)| built.with(key, value));
        prop_assert_eq!(Properties::from_json(built.as_json()).unwrap().check(), built.check());
        prop_assert_eq!(&Properties::try_from(whole.clone()).unwrap(), &built);
        // Compared as text: reading a float with this build of serde_json may be off by its last bit.
        let normal = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        prop_assert_eq!(normal(built.as_json()), normal(&whole.to_string()));
    }
}
