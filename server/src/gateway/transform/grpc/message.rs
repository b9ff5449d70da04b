//! A REST request as a protobuf message: its JSON body, then its query over that, then its path over both. What stands in
//! the URL wins, because access rules have seen it.
//!
//! Names are those of the `.proto` or of its JSON mapping, `page.after_number` or `page.afterNumber`; a repeated field is a
//! parameter that is repeated. This is how [google.api.http] binds parameters; a parameter that is no field is refused, not
//! passed over.
//!
//! [google.api.http]: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage};
use serde_json::Value;

use crate::gateway::problem::{Code, Problem};

/// How deep a parameter may reach into messages; real ones are three deep, and a message may contain itself.
const DEPTH: usize = 16;

/// Messages whose JSON is a text or a number (protobuf's JSON mapping): these can be parameters.
const TEXTS: [&str; 11] = [
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.StringValue",
    "google.protobuf.BytesValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.FloatValue",
    "google.protobuf.DoubleValue",
];

/// The message of a request.
///
/// # Errors
/// [`Code::InvalidJson`] if the body is no such message, [`Code::InvalidParameter`] if a parameter is no field of it.
pub(super) fn assemble(
    input: &MessageDescriptor,
    body: &[u8],
    query: &str,
    path: &[(&str, &str)],
) -> Result<DynamicMessage, Problem> {
    let refused = |problem: String| Problem::new(Code::InvalidParameter, problem);
    let mut message = parse(input, body)?;
    let mut parameters = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters.entry(name).or_default().push(value);
    }
    for (name, values) in &parameters {
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        set(&mut message, name, &values).map_err(refused)?;
    }
    for (name, value) in path {
        set(&mut message, name, &[value]).map_err(refused)?;
    }
    Ok(message)
}

/// Whether a parameter of this name is a field of the message, or of one within it.
pub(super) fn has_field(message: &MessageDescriptor, name: &str) -> bool {
    match name.split_once('.') {
        None => find(message, name).is_some(),
        Some((first, rest)) => {
            let within = find(message, first).and_then(|field| inner(&field));
            within.is_some_and(|within| has_field(&within, rest))
        }
    }
}

fn parse(input: &MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Problem> {
    if body.is_empty() {
        return Ok(DynamicMessage::new(input.clone()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed =
        DynamicMessage::deserialize(input.clone(), &mut reader).and_then(|message| reader.end().map(|()| message));
    parsed.map_err(|error| {
        Problem::new(
            Code::InvalidJson,
            format!("the body is no `{}`: {error}", input.full_name()),
        )
    })
}

fn set(message: &mut DynamicMessage, name: &str, texts: &[&str]) -> Result<(), String> {
    if name.split('.').count() > DEPTH {
        return Err(format!("a parameter reaches deeper than {DEPTH} messages"));
    }
    set_within(message, name, texts).map_err(|problem| format!("`{name}` {problem}"))
}

fn set_within(message: &mut DynamicMessage, name: &str, texts: &[&str]) -> Result<(), String> {
    let (first, rest) = name
        .split_once('.')
        .map_or((name, None), |(first, rest)| (first, Some(rest)));
    let descriptor = message.descriptor();
    let field = find(&descriptor, first).ok_or("is no field of the message")?;
    let Some(rest) = rest else {
        return set_field(message, &field, texts);
    };
    inner(&field).ok_or("is no field of the message")?;
    let within = message
        .get_field_mut(&field)
        .as_message_mut()
        .ok_or("is no field of the message")?;
    set_within(within, rest, texts)
}

/// Through a message with only this field, so that texts are read as the JSON mapping says.
fn set_field(message: &mut DynamicMessage, field: &FieldDescriptor, texts: &[&str]) -> Result<(), String> {
    let json: Value = [(field.json_name().to_owned(), value(field, texts)?)]
        .into_iter()
        .collect();
    let read = DynamicMessage::deserialize(message.descriptor(), json);
    let mut read = read.map_err(|error| format!("is no such value: {error}"))?;
    match read.take_field(field) {
        Some(value) => message.set_field(field, value),
        // The default of its type, which is the same as not there.
        None => message.clear_field(field),
    }
    Ok(())
}

fn value(field: &FieldDescriptor, texts: &[&str]) -> Result<Value, String> {
    match texts {
        _ if field.is_map() => Err("is a map, which no parameter can be".to_owned()),
        _ if field.is_list() => texts.iter().map(|text| element(&field.kind(), text)).collect(),
        [text] => element(&field.kind(), text),
        _ => Err("is given more than once".to_owned()),
    }
}

fn element(kind: &Kind, text: &str) -> Result<Value, String> {
    let truth = || {
        text.parse()
            .map(Value::Bool)
            .map_err(|_| "is neither true nor false".to_owned())
    };
    match kind {
        Kind::Bool => truth(),
        Kind::Enum(_) => Ok(text.parse::<i32>().map_or_else(|_| Value::from(text), Value::from)),
        Kind::Message(message) if message.full_name() == "google.protobuf.BoolValue" => truth(),
        Kind::Message(message) if !TEXTS.contains(&message.full_name()) => {
            Err("is a message: name one of its fields".to_owned())
        }
        _ => Ok(Value::from(text)),
    }
}

fn find(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_name(name)
        .or_else(|| message.get_field_by_json_name(name))
}

/// The one message that a field holds.
fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let kind = field.kind();
    let is_one = !field.is_list() && !field.is_map();
    kind.as_message().filter(|_| is_one).cloned()
}
