//! Filters as conditions. What a condition means is said at [`Filter`]; here it only becomes SQL.

use serde_json::Value as Json;
use trailmark_protocol::Timestamp;

use super::{Making, Value};
use crate::query::ask::cohort;
use crate::query::ask::question::{Filter, Of, Op};
use crate::query::error::QueryError;

/// A condition over the events `e` and their identities `i`: true or false, never NULL. The joins that it needs are added
/// to `joins`.
///
/// # Errors
/// See [`Making::new`].
pub fn condition(making: &mut Making, filter: &Filter, joins: &mut String) -> Result<String, QueryError> {
    let mut all = |filters: &[Filter], word: &str, none: &str| {
        let parts: Result<Vec<_>, _> = filters.iter().map(|filter| condition(making, filter, joins)).collect();
        parts.map(|parts| match parts.as_slice() {
            [] => none.to_owned(),
            parts => format!("({})", parts.join(word)),
        })
    };
    match (&filter.and, &filter.or, filter.op) {
        (Some(and), ..) => all(and, " AND ", "true"),
        (_, Some(or), _) => all(or, " OR ", "false"),
        (.., Some(op)) if op.of_cohort() => in_cohort(making, filter, op),
        (.., Some(op)) => property(making, filter, op, joins),
        (.., None) => Ok("true".to_owned()),
    }
}

fn in_cohort(making: &mut Making, filter: &Filter, op: Op) -> Result<String, QueryError> {
    let number = filter
        .values()
        .first()
        .and_then(|value| value.as_i64())
        .unwrap_or_default();
    let table = cohort::table(making, number)?;
    let not = if op == Op::NotInCohort { "NOT " } else { "" };
    Ok(format!("{not}(i.person_id IN (SELECT person_id FROM {table}))"))
}

fn property(making: &mut Making, filter: &Filter, op: Op, joins: &mut String) -> Result<String, QueryError> {
    let name = filter.property.as_deref().unwrap_or_default();
    let value = Value::of(making, filter.of.unwrap_or(Of::Event), name)?;
    joins.push_str(&value.join);
    let value = value.expression;
    let text = format!("({value} #>> '{{}}')");
    let said = match op {
        Op::Is | Op::IsNot => format!("{value} = ANY ({})", making.bind(jsons(filter))?),
        Op::Contains | Op::NotContains => format!("lower({text}) LIKE ANY ({})", making.bind(patterns(filter))?),
        Op::Regex => format!("{text} ~ {}", making.bind(texts(filter).concat())?),
        Op::Gt => compared(making, filter, &value, ">")?,
        Op::Gte => compared(making, filter, &value, ">=")?,
        Op::Lt => compared(making, filter, &value, "<")?,
        Op::Lte => compared(making, filter, &value, "<=")?,
        Op::Between => between(making, filter, &value)?,
        Op::IsSet | Op::IsNotSet | Op::InCohort | Op::NotInCohort => format!("{value} IS NOT NULL"),
    };
    let not = matches!(op, Op::IsNot | Op::NotContains | Op::IsNotSet);
    Ok(format!("{}COALESCE({said}, false)", if not { "NOT " } else { "" }))
}

fn jsons(filter: &Filter) -> Vec<sqlx::types::Json<Json>> {
    filter.values().into_iter().cloned().map(sqlx::types::Json).collect()
}

fn texts(filter: &Filter) -> Vec<String> {
    filter
        .values()
        .into_iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

fn patterns(filter: &Filter) -> Vec<String> {
    texts(filter).iter().map(|text| containing(text)).collect()
}

/// The pattern with which LIKE finds a text in a lower-case one. What LIKE takes for itself is escaped.
#[must_use]
pub fn containing(text: &str) -> String {
    let special = |c: char| matches!(c, '%' | '_' | '\\');
    let escaped = text
        .to_lowercase()
        .chars()
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect::<String>();
    format!("%{escaped}%")
}

/// `numeric`, because a number in JSON may be beyond every float. A type is looked at first, and CASE keeps that order.
fn compared(making: &mut Making, filter: &Filter, value: &str, op: &str) -> Result<String, QueryError> {
    let values = filter.values();
    match values.first() {
        Some(Json::String(text)) => {
            let at = Timestamp::parse(text).map_or_else(String::new, |at| at.to_string());
            let at = making.bind(at.trim_end_matches('Z').to_owned())?;
            // Times in UTC sort as texts once the Z is off: a fraction is then longer, and later.
            Ok(format!(
                "CASE WHEN {value} #>> '{{}}' ~ '^\\d{{4}}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$'
                 THEN rtrim({value} #>> '{{}}', 'Z') COLLATE \"C\" {op} {at} COLLATE \"C\" END"
            ))
        }
        Some(number) => {
            let number = making.bind(number.to_string())?;
            Ok(format!(
                "CASE jsonb_typeof({value}) WHEN 'number' THEN {value}::numeric {op} {number}::numeric END"
            ))
        }
        None => Ok("false".to_owned()),
    }
}

fn between(making: &mut Making, filter: &Filter, value: &str) -> Result<String, QueryError> {
    let numbers: Vec<String> = filter.values().into_iter().map(Json::to_string).collect();
    let low = making.bind(numbers.first().cloned().unwrap_or_default())?;
    let high = making.bind(numbers.last().cloned().unwrap_or_default())?;
    Ok(format!(
        "CASE jsonb_typeof({value}) WHEN 'number' THEN {value}::numeric BETWEEN {low}::numeric AND {high}::numeric END"
    ))
}
