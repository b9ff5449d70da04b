//! What is compared of two answers.

use serde_json::{Value, json};
use trailmark_server::query::ask::question::Question;

/// The part of the server's answer that the reference gives, in its form.
pub(super) fn comparable(question: &Question, mut answer: Value) -> Value {
    if matches!(question, Question::Funnel(_)) {
        let steps = answer["results"][0]["steps"].as_array().unwrap().clone();
        let counts: Vec<_> = steps.iter().map(|step| step["count"].clone()).collect();
        let unordered = answer["query"]["order"] == "unordered";
        let averages: Vec<_> = steps[1..]
            .iter()
            .map(|step| {
                if unordered {
                    Value::Null
                } else {
                    step["average_seconds"].clone()
                }
            })
            .collect();
        return json!({"counts": counts, "averages": averages});
    }
    let object = answer.as_object_mut().unwrap();
    for extra in ["kind", "meta", "query"] {
        object.remove(extra);
    }
    if let Some(results) = answer.get_mut("results").and_then(Value::as_array_mut) {
        for row in results.iter_mut() {
            row.as_object_mut().unwrap().remove("incomplete_from");
        }
    }
    answer
}

/// The same, with lines of trends in one order and numbers rounded: sums are made in another order.
pub(super) fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!((number.as_f64().unwrap() * 1e6).round() / 1e6),
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(rounded).collect();
            if values.iter().any(|value| value.get("total").is_some()) {
                values.sort_by_key(|line| line["series"].to_string() + &line["breakdown"].to_string());
            }
            Value::Array(values)
        }
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), rounded(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Where two answers differ first.
pub(super) fn difference(answered: &Value, expected: &Value, path: &str) -> Option<String> {
    match (answered, expected) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (a, b))| difference(a, b, &format!("{path}[{index}]")))
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => a
            .iter()
            .find_map(|(key, value)| difference(value, &b[key], &format!("{path}.{key}"))),
        (a, b) => (a != b).then(|| format!("{path} is {a}, expected {b}")),
    }
}
