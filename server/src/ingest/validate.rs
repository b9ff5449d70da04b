//! Is this event one that we can keep? A pure function: raw event in, clean event or the reason why not.

use std::borrow::Cow;

use serde_json::value::RawValue;
use trailmark_protocol::batch::Text;
use trailmark_protocol::json::{self, Fault};
use trailmark_protocol::junk::is_junk_id;
use trailmark_protocol::limits::{DEPTH, EVENT_BYTES, ID_CHARS, KEYS, NAME_CHARS};
use trailmark_protocol::{RawEvent, Reason, Timestamp, Uuid, names};

/// An event whose every field can be stored as it is.
#[derive(Debug)]
pub struct CleanEvent<'a> {
    /// The client's id for it, of any form.
    pub id: Option<Text<'a>>,
    /// Number within the install.
    pub seq: Option<i64>,
    /// What happened.
    pub name: Text<'a>,
    /// The device's id.
    pub anonymous_id: Option<Text<'a>>,
    /// The id the app gave.
    pub user_id: Option<Text<'a>>,
    /// The other user id of an `$alias`.
    pub alias: Option<Text<'a>>,
    /// The session.
    pub session_id: Option<Text<'a>>,
    /// When it happened, by the client's clock.
    pub timestamp: Option<Timestamp>,
    /// What is known about it.
    pub properties: Option<Cow<'a, str>>,
    /// The circumstances.
    pub context: Option<Cow<'a, str>>,
    /// Person properties, last writer wins.
    pub set: Option<Cow<'a, str>>,
    /// Person properties, first writer wins.
    pub set_once: Option<Cow<'a, str>>,
}

/// Why an event was not kept.
#[derive(Debug)]
pub struct Invalid {
    /// The reason, for machines.
    pub reason: Reason,
    /// What exactly was wrong, for people.
    pub detail: String,
    /// The event's id, where it could be read.
    pub id: Option<Uuid>,
}

type Checked<T> = Result<T, (Reason, String)>;

/// Checks one event.
///
/// # Errors
/// [`Invalid`] with the first reason met, in the order of the fields below.
pub fn validate(raw: &RawValue) -> Result<CleanEvent<'_>, Invalid> {
    let text = raw.get();
    let invalid = |id| move |(reason, detail)| Invalid { reason, detail, id };
    if text.len() > EVENT_BYTES {
        let detail = format!("{} bytes; an event has at most {EVENT_BYTES}", text.len());
        return Err(invalid(None)((Reason::TooLarge, detail)));
    }
    if !text.starts_with('{') {
        // serde would read an array as the fields in their order.
        return Err(invalid(None)((
            Reason::InvalidEvent,
            "an event is an object".to_owned(),
        )));
    }
    let event: RawEvent<'_> = serde_json::from_str(text)
        .map_err(|error| (Reason::InvalidEvent, error.to_string()))
        .map_err(invalid(None))?;
    let id = event.id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
    clean(event).map_err(invalid(id))
}

fn clean(event: RawEvent<'_>) -> Checked<CleanEvent<'_>> {
    let clean = CleanEvent {
        name: name(event.event)?,
        id: short("id", event.id)?,
        seq: event.seq.and_then(|seq| i64::try_from(seq).ok()),
        anonymous_id: person_id("anonymous_id", event.anonymous_id, Reason::JunkAnonymousId)?,
        user_id: person_id("user_id", event.user_id, Reason::JunkUserId)?,
        alias: person_id("alias", event.alias, Reason::JunkUserId)?,
        session_id: short("session_id", event.session_id)?,
        timestamp: event.timestamp.map(|text| timestamp(&text)).transpose()?,
        properties: object("properties", event.properties)?,
        context: object("context", event.context)?,
        set: object("set", event.set)?,
        set_once: object("set_once", event.set_once)?,
    };
    identified(clean)
}

fn name(name: Option<Text<'_>>) -> Checked<Text<'_>> {
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| (Reason::MissingName, "the field `event` is missing or empty".to_owned()))?;
    within("event", &name, NAME_CHARS, Reason::NameTooLong)?;
    Ok(name)
}

/// An id of a person: absent when empty, junk refused.
fn person_id<'a>(field: &str, id: Option<Text<'a>>, junk: Reason) -> Checked<Option<Text<'a>>> {
    let id = short(field, id)?;
    match &id {
        Some(id) if is_junk_id(id) => Err((junk, format!("`{}` in `{field}` names nobody", &**id))),
        _ => Ok(id),
    }
}

/// A short text: absent when empty.
fn short<'a>(field: &str, text: Option<Text<'a>>) -> Checked<Option<Text<'a>>> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| within(field, &text, ID_CHARS, Reason::IdTooLong).map(|()| text))
        .transpose()
}

fn within(field: &str, text: &str, limit: usize, reason: Reason) -> Checked<()> {
    // Bytes are an upper bound of characters, and cheap.
    if text.len() > limit && text.chars().count() > limit {
        return Err((reason, format!("`{field}` is longer than {limit} characters")));
    }
    if text.contains('\0') {
        return Err((Reason::InvalidEvent, format!("`{field}` holds a NUL character")));
    }
    Ok(())
}

fn timestamp(text: &str) -> Checked<Timestamp> {
    let refused = || {
        (
            Reason::InvalidTimestamp,
            format!("`{text}` is no RFC 3339 time between the years 0000 and 9999"),
        )
    };
    Timestamp::parse(text).ok_or_else(refused)
}

fn object<'a>(field: &str, raw: Option<&'a RawValue>) -> Checked<Option<Cow<'a, str>>> {
    let Some(text) = raw.map(RawValue::get) else {
        return Ok(None);
    };
    if !text.starts_with('{') {
        return Err((Reason::InvalidEvent, format!("`{field}` is not an object")));
    }
    match json::scan(text) {
        Ok(shape) if shape.needs_repair => Ok(Some(Cow::Owned(json::repair(text)))),
        Ok(_) => Ok(Some(Cow::Borrowed(text))),
        Err(fault) => Err(too_much(field, fault)),
    }
}

fn too_much(field: &str, fault: Fault) -> (Reason, String) {
    match fault {
        Fault::TooDeep => (Reason::TooDeep, format!("`{field}` is nested deeper than {DEPTH}")),
        Fault::TooManyKeys => (
            Reason::TooManyProperties,
            format!("`{field}` has more than {KEYS} keys"),
        ),
        Fault::NumberOutOfRange => (
            Reason::NumberOutOfRange,
            format!("`{field}` holds a number beyond a 64-bit float"),
        ),
        Fault::Syntax(at) => (Reason::InvalidEvent, format!("`{field}` is not JSON at byte {at}")),
    }
}

/// Whose event it is must be said, and what says who is who must say both sides.
fn identified(event: CleanEvent<'_>) -> Checked<CleanEvent<'_>> {
    let incomplete = |detail: &str| Err((Reason::IncompleteIdentity, detail.to_owned()));
    match (&*event.name, &event.anonymous_id, &event.user_id, &event.alias) {
        (_, None, None, _) => Err((
            Reason::MissingIdentity,
            "neither `anonymous_id` nor `user_id` says whose event it is".to_owned(),
        )),
        (names::IDENTIFY, _, None, _) => incomplete("an $identify needs a `user_id`"),
        (names::ALIAS, _, None, _) | (names::ALIAS, _, _, None) => incomplete("an $alias needs `user_id` and `alias`"),
        (names::ALIAS, _, Some(user), Some(alias)) if **user == **alias => {
            incomplete("an $alias needs two different ids")
        }
        _ => Ok(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(event: &str) -> Result<(), Reason> {
        let raw: Box<RawValue> = serde_json::from_str(event).unwrap();
        validate(&raw).map(|_| ()).map_err(|invalid| invalid.reason)
    }

    #[test]
    fn each_flaw_has_its_reason() {
        let long = "x".repeat(201);
        let deep = format!(
            r#"{{"event":"e","user_id":"u","properties":{{"a":{}{}}}}}"#,
            "[".repeat(9_999),
            "]".repeat(9_999)
        );
        let keys: String = (0..5_000).map(|i| format!("\"{i}\":0,")).collect();
        let big = format!(
            r#"{{"event":"e","user_id":"u","properties":{{"a":"{}"}}}}"#,
            "x".repeat(EVENT_BYTES)
        );
        let cases = [
            ("7", Reason::InvalidEvent),
            (r#"["id",1,"e","a"]"#, Reason::InvalidEvent),
            (r#"{"event":5,"user_id":"u"}"#, Reason::InvalidEvent),
            (r#"{"event":"\ud800","user_id":"u"}"#, Reason::InvalidEvent),
            (r#"{"event":"a\u0000","user_id":"u"}"#, Reason::InvalidEvent),
            (r#"{"event":"e","user_id":"u","properties":[]}"#, Reason::InvalidEvent),
            (r#"{"user_id":"u"}"#, Reason::MissingName),
            (r#"{"event":"  ","user_id":"u"}"#, Reason::MissingName),
            (&format!(r#"{{"event":"{long}","user_id":"u"}}"#), Reason::NameTooLong),
            (r#"{"event":"e"}"#, Reason::MissingIdentity),
            (r#"{"event":"e","user_id":""}"#, Reason::MissingIdentity),
            (&format!(r#"{{"event":"e","user_id":"{long}"}}"#), Reason::IdTooLong),
            (r#"{"event":"e","user_id":"[object Object]"}"#, Reason::JunkUserId),
            (r#"{"event":"e","anonymous_id":"null"}"#, Reason::JunkAnonymousId),
            (
                r#"{"event":"$identify","anonymous_id":"a"}"#,
                Reason::IncompleteIdentity,
            ),
            (r#"{"event":"$alias","user_id":"a"}"#, Reason::IncompleteIdentity),
            (
                r#"{"event":"$alias","user_id":"a","alias":"a"}"#,
                Reason::IncompleteIdentity,
            ),
            (
                r#"{"event":"e","user_id":"u","timestamp":"-001-01-01T00:00:00Z"}"#,
                Reason::InvalidTimestamp,
            ),
            (
                r#"{"event":"e","user_id":"u","timestamp":"yesterday"}"#,
                Reason::InvalidTimestamp,
            ),
            (&deep, Reason::TooDeep),
            (
                &format!(r#"{{"event":"e","user_id":"u","properties":{{{}"z":0}}}}"#, &keys),
                Reason::TooManyProperties,
            ),
            (
                r#"{"event":"e","user_id":"u","properties":{"n":1e999}}"#,
                Reason::NumberOutOfRange,
            ),
            (&big, Reason::TooLarge),
        ];
        for (event, expected) in cases {
            assert_eq!(reason(event), Err(expected), "{}", &event[..event.len().min(90)]);
        }
    }

    #[test]
    fn an_ordinary_event_passes_unchanged() {
        let raw: Box<RawValue> = serde_json::from_str(
            r#"{"name":"e","anonymous_id":"a","properties":{"x":"\u00e9\ud83d\ude00"},"context":null}"#,
        )
        .unwrap();
        let event = validate(&raw).unwrap();
        assert_eq!(
            (&*event.name, event.properties.as_deref()),
            ("e", Some(r#"{"x":"\u00e9\ud83d\ude00"}"#))
        );
        assert!(event.context.is_none());
    }

    #[test]
    fn what_jsonb_refuses_is_repaired_not_lost() {
        let raw: Box<RawValue> =
            serde_json::from_str(r#"{"event":"e","user_id":"u","properties":{"a":"x\u0000y","b":"\ud800"}}"#).unwrap();
        assert_eq!(
            validate(&raw).unwrap().properties.as_deref(),
            Some(r#"{"a":"x\ufffdy","b":"\ufffd"}"#)
        );
    }

    #[test]
    fn a_name_is_measured_in_characters() {
        assert_eq!(
            reason(&format!(r#"{{"event":"{}","user_id":"u"}}"#, "ü".repeat(200))),
            Ok(())
        );
    }
}
