//! Regular expressions are Postgres' own, so only Postgres knows whether one is valid. It is asked before the question is,
//! for its refusal in the middle of a statement names no place.

use serde::Serialize;
use serde_json::Value;

use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

const TRY: &str = "SELECT '' ~ $2 WHERE $1::integer IS NOT NULL";

/// Whether every regular expression in the filters of a question is valid. `below` is where the question itself is:
/// `query.`, or nothing.
///
/// # Errors
/// One is not, and where; else what stands in the way.
pub async fn check(snapshot: &mut Snapshot, question: &impl Serialize, below: &str) -> Result<(), QueryError> {
    // Questions were read from JSON, so they can be written as such.
    let question = serde_json::to_value(question).unwrap_or_default();
    let mut found = Vec::new();
    collect(&question, below, &mut found);
    for (path, pattern) in found {
        let tried = snapshot.select::<(bool,)>(TRY).bind(pattern);
        let tried = tried.fetch_optional(snapshot.rows()).await.map_err(QueryError::from);
        tried.map_err(|error| match error {
            QueryError::Parameter { problem, .. } => QueryError::parameter(&path, problem),
            other => other,
        })?;
    }
    Ok(())
}

/// The regular expressions in what is at `path` (empty, or ended by a point), each with the path to it.
fn collect(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let Value::Object(fields) = value else { return };
    if fields.get("op").and_then(Value::as_str) == Some("regex") {
        let patterns = fields.get("value").map(one_or_many).unwrap_or_default();
        found.extend(patterns.into_iter().map(|pattern| (format!("{path}value"), pattern)));
    }
    for (name, value) in fields {
        match value {
            Value::Array(values) => {
                let at = |index: usize| format!("{path}{name}[{index}].");
                (0..)
                    .zip(values)
                    .for_each(|(index, value)| collect(value, &at(index), found));
            }
            value => collect(value, &format!("{path}{name}."), found),
        }
    }
}

fn one_or_many(value: &Value) -> Vec<String> {
    let texts = match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => Vec::from_iter(value.as_str()),
    };
    texts.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_regular_expression_is_found_with_its_path() {
        let filter = |pattern: &str| json!({"property": "p", "op": "regex", "value": pattern});
        let question = json!({
            "series": [{}, {"filters": {"and": [{"op": "is", "value": "x"}, {"or": [filter("a")]}]}}],
            "filters": filter("b"),
        });
        let mut found = Vec::new();
        collect(&question, "query.", &mut found);
        found.sort();
        let found: Vec<_> = found
            .iter()
            .map(|(path, pattern)| (path.as_str(), pattern.as_str()))
            .collect();
        let deep = "query.series[1].filters.and[1].or[0].value";
        assert_eq!(found, [("query.filters.value", "b"), (deep, "a")]);
    }
}
