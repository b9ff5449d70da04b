//! The small JSON against serde_json.

use proptest::prelude::*;
use serde_json::{Value, value::RawValue};
use trailmark_protocol::json::{Array, Fault, Object, as_string, elements, fields, repair, scan, write_f64, write_str};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_str(out, text),
        Value::Number(number) if number.is_f64() => write_f64(out, number.as_f64().unwrap()),
        Value::Array(values) => {
            let mut array = Array::open(out);
            values.iter().for_each(|value| write(array.element(), value));
            array.close();
        }
        Value::Object(map) => {
            let mut object = Object::open(out);
            map.iter().for_each(|(key, value)| write(object.key(key), value));
            object.close();
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Text that is often nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    (
        any_json(),
        any::<prop::sample::Index>(),
        prop::sample::select(vec![
            "", ",", "}", "]", "\"", "\\", "1", "e", "-", ".", " ", "\\ud800", "\u{1}",
        ]),
    )
        .prop_map(|(value, at, insert)| {
            let mut text: Vec<char> = value.to_string().chars().collect();
            let at = at.index(text.len() + 1).min(text.len());
            text.splice(at..at, insert.chars());
            text.into_iter().collect()
        })
}

proptest! {
    #[test]
    fn what_we_write_serde_reads_as_the_same_value(value in any_json()) {
        let mut text = String::new();
        write(&mut text, &value);
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        prop_assert!(scan(&text).is_ok());
    }

    #[test]
    fn what_we_call_json_is_what_serde_calls_json(text in nearly_json()) {
        let theirs = serde_json::from_str::<&RawValue>(&text).is_ok();
        match scan(&text) {
            Ok(_) => prop_assert!(theirs, "{}", text),
            Err(Fault::Syntax(_)) => prop_assert!(!theirs, "{}", text),
            // A limit may be met before a mistake.
            Err(_) => {}
        }
    }

    #[test]
    fn fields_and_elements_are_what_serde_finds(pairs in prop::collection::btree_map(any::<String>(), any_json(), 0..6)) {
        let object = serde_json::to_string_pretty(&pairs).unwrap();
        let ours: Vec<_> = fields(&object).map(Result::unwrap).map(|(k, v)| (k.into_owned(), serde_json::from_str::<Value>(v).unwrap())).collect();
        prop_assert_eq!(&ours, &pairs.clone().into_iter().collect::<Vec<_>>());

        let array = serde_json::to_string(&pairs.values().collect::<Vec<_>>()).unwrap();
        let ours: Vec<Value> = elements(&array).unwrap().into_iter().map(|v| serde_json::from_str(v).unwrap()).collect();
        prop_assert_eq!(ours, pairs.into_values().collect::<Vec<_>>());
    }

    #[test]
    fn strings_read_back(text in any::<String>()) {
        let quoted = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(as_string(&quoted).unwrap(), text.as_str());
        let escaped: String = std::iter::once("\"".to_owned()).chain(text.encode_utf16().map(|unit| format!("\\u{unit:04X}"))).chain(["\"".to_owned()]).collect();
        prop_assert_eq!(as_string(&escaped).unwrap(), text.as_str());
    }

    #[test]
    fn a_repaired_text_needs_no_repair_and_serde_reads_it(units in prop::collection::vec(prop_oneof![Just(0u16), 0xd7f0u16..0xe010, any::<u16>()], 0..20)) {
        let text: String = std::iter::once("[\"\\\\u0000".to_owned()).chain(units.iter().map(|unit| format!("\\u{unit:04x}"))).chain(["\\\\\"]".to_owned()]).collect();
        let repaired = repair(&text);
        prop_assert!(!scan(&repaired).unwrap().needs_repair);
        let value: Value = serde_json::from_str(&repaired).unwrap();
        let expected: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
        let expected = format!("\\u0000{expected}\\");
        prop_assert_eq!(value[0].as_str().unwrap(), expected);
    }

    #[test]
    fn nothing_panics(text in ".{0,60}") {
        let _ = (scan(&text), elements(&text), fields(&text).count(), repair(&text), as_string(&text));
    }
}

#[test]
fn limits_are_faults() {
    assert_eq!(scan(&"[".repeat(10_000)), Err(Fault::TooDeep));
    assert_eq!(
        scan(&format!("{}{}", "[".repeat(32), "]".repeat(32))).unwrap().depth,
        32
    );
    let many: String = (0..513).map(|i| format!("\"k{i}\":1,")).collect();
    assert_eq!(scan(&format!("{{{}\"z\":1}}", &many)), Err(Fault::TooManyKeys));
    for number in ["1e999", "-1e309", "1e-999999", "2e308", &"9".repeat(401)] {
        assert_eq!(scan(number), Err(Fault::NumberOutOfRange), "{number}");
    }
    for number in ["1e308", "-0", "1.7976931348623157e308", "5e-300", &"9".repeat(300)] {
        assert!(scan(number).is_ok(), "{number}");
    }
}

#[test]
fn nul_and_lone_surrogates_ask_for_repair() {
    assert!(scan(r#""a\u0000""#).unwrap().needs_repair);
    assert!(scan(r#""\ud83d""#).unwrap().needs_repair);
    assert!(scan(r#""\ude00\ud83d""#).unwrap().needs_repair);
    assert!(!scan(r#""\ud83d\ude00 \\u0000""#).unwrap().needs_repair);
}
