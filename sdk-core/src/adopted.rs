//! Events that somebody else has made whole, but for their numbers: the stub of a web page does, because it is there before
//! the engine.
//!
//! Their bytes are not made again. They keep the same rules as an engine's own, except that their time is not read: it
//! would be a twentieth of the code that a page loads, and the server reads it anyway.

use std::borrow::Cow;

use trailmark_protocol::json::{as_string, pick, repair, shorten, write_u64};
use trailmark_protocol::limits::EVENT_BYTES;
use trailmark_protocol::{Event, Reason, Timestamp, Uuid, id};

use crate::capture::{check_ids, check_name};
use crate::properties::{PropertiesError, STRING_CHARS};

/// What such an event begins with.
const BEFORE_ID: &str = r#"{"id":""#;
/// Bytes of an id.
const ID: usize = 36;
/// Where the number is written: behind the id and its quotation mark.
const BEHIND_ID: usize = BEFORE_ID.len() + ID + 1;

/// Such an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Adopted {
    pub(crate) id: Uuid,
    /// Strings that were too long, and were cut.
    pub(crate) cut: u32,
    /// Its JSON, without a number.
    json: String,
}

impl Adopted {
    /// Checks an event's JSON.
    ///
    /// # Errors
    /// The reason under which it is to be counted.
    pub(crate) fn read(json: &str) -> Result<Self, Reason> {
        let id = leading_id(json).ok_or(Reason::InvalidEvent)?;
        check(json, id)?;
        let json = repair(json);
        let (json, cut) = shorten(&json, STRING_CHARS);
        let json = json.into_owned();
        Ok(Self { id, cut, json })
    }

    /// Writes the event with its number.
    ///
    /// # Errors
    /// [`Reason::TooLarge`].
    pub(crate) fn write(&self, seq: u64, out: &mut String) -> Result<(), Reason> {
        let (head, tail) = self.json.split_at_checked(BEHIND_ID).unwrap_or_default();
        out.push_str(head);
        out.push_str(",\"seq\":");
        write_u64(out, seq);
        out.push_str(tail);
        if out.len() > EVENT_BYTES {
            return Err(Reason::TooLarge);
        }
        Ok(())
    }
}

fn leading_id(json: &str) -> Option<Uuid> {
    let (id, rest) = json.strip_prefix(BEFORE_ID)?.split_at_checked(ID)?;
    id::read(id).filter(|_| rest.starts_with("\","))
}

fn check(json: &str, id: Uuid) -> Result<(), Reason> {
    let names = [
        "event",
        "anonymous_id",
        "user_id",
        "alias",
        "session_id",
        "properties",
        "context",
        "set",
        "set_once",
    ];
    let picked = pick(json, names).map_err(|fault| PropertiesError::Fault(fault).reason())?;
    let [name, anonymous_id, user_id, alias, session_id, objects @ ..] = picked;
    if objects.iter().flatten().any(|object| !object.starts_with('{')) {
        return Err(Reason::InvalidEvent);
    }
    let name = text(name)?.unwrap_or_default();
    let (anonymous_id, user_id) = (text(anonymous_id)?, text(user_id)?);
    let (alias, session_id) = (text(alias)?, text(session_id)?);
    check_name(&name)?;
    check_ids(&Event {
        name: &name,
        anonymous_id: anonymous_id.as_deref(),
        user_id: user_id.as_deref(),
        alias: alias.as_deref(),
        session_id: session_id.as_deref(),
        ..Event::new(id, 0, Timestamp::default())
    })
}

fn text(json: Option<&str>) -> Result<Option<Cow<'_, str>>, Reason> {
    let text = |json| as_string(json).ok_or(Reason::InvalidEvent);
    json.map(text).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capture, Properties};

    const ID: &str = "01934f3e-8a00-7000-8000-000000000001";

    fn record(fields: &str) -> String {
        format!(r#"{{"id":"{ID}","event":"x","anonymous_id":"a"{fields}}}"#)
    }

    fn refused(fields: &str) -> Option<Reason> {
        Adopted::read(&record(fields)).err()
    }

    #[test]
    fn only_the_number_is_added() {
        let record = record(r#","timestamp":"2026-11-20T21:13:05.123Z","properties":{"n": 1.50,"url":"https:\/\/x"}"#);
        let mut out = String::new();
        Adopted::read(&record).unwrap().write(41, &mut out).unwrap();
        assert_eq!(out, record.replacen("\",", "\",\"seq\":41,", 1));
    }

    #[test]
    fn what_the_database_refuses_is_repaired_and_long_strings_are_cut() {
        let long = "x".repeat(STRING_CHARS + 1);
        let adopted = Adopted::read(&record(&format!(r#","properties":{{"a":"\u0000","b":"{long}"}}"#))).unwrap();
        assert_eq!(adopted.cut, 1);
        let kept = &long[1..];
        assert!(adopted.json.ends_with(&format!(r#"{{"a":"\ufffd","b":"{kept}"}}}}"#)));
    }

    #[test]
    fn what_is_no_such_event_is_refused_as_one() {
        let whole = record("");
        for json in [
            "",
            "[]",
            "{}",
            &whole[..whole.len() - 1],
            &(whole.clone() + "}"),
            &whole.replace("0001", "000g"),
            &whole.replace(r#"{"id""#, r#"{ "id""#),
            &format!(r#"{{"id":"{ID}"}}"#),
        ] {
            assert_eq!(Adopted::read(json).err(), Some(Reason::InvalidEvent), "{json}");
        }
        for fields in [r#","user_id":7"#, r#","properties":[]"#, r#","context":null"#] {
            assert_eq!(refused(fields), Some(Reason::InvalidEvent), "{fields}");
        }
    }

    #[test]
    fn the_rules_are_those_of_any_event() {
        let wide = (0..600).fold(Properties::new(), |wide, n| wide.with(&format!("k{n}"), n));
        let deep = (0..40).fold(Properties::new(), |inner, _| Properties::new().with("in", inner));
        let large = Properties::new().with("big", vec!["x".repeat(7_000); 10]);
        let table = [
            (r#","event":" ""#, Reason::MissingName),
            (r#","user_id":"null""#, Reason::JunkUserId),
            (r#","event":"$alias","user_id":"u""#, Reason::IncompleteIdentity),
            (r#","set":{"n":1e999}"#, Reason::NumberOutOfRange),
            (&format!(r#","set":{}"#, wide.as_json()), Reason::TooManyProperties),
            (&format!(r#","context":{}"#, deep.as_json()), Reason::TooDeep),
        ];
        for (fields, reason) in table {
            assert_eq!(refused(fields), Some(reason), "{fields}");
        }
        let adopted = Adopted::read(&record(&format!(r#","set":{}"#, large.as_json()))).unwrap();
        assert_eq!(adopted.write(1, &mut String::new()), Err(Reason::TooLarge));
    }

    #[test]
    fn each_object_may_have_as_many_keys_as_the_wire_allows() {
        let all = (0..512).fold(Properties::new(), |all, n| all.with(&format!("k{n}"), n));
        let fields = format!(r#","properties":{0},"context":{0}"#, all.as_json());
        assert_eq!(refused(&fields), None);
    }

    #[test]
    fn a_captures_own_json_is_adopted_to_the_byte() {
        let capture = Capture::alias("ü \"1\"", "u_2")
            .session_id("s")
            .properties(Properties::new().with("a\tb", "\u{1}"))
            .set(Properties::new().with("n", 0.1));
        let none = Properties::new();
        let id = Uuid::parse_str(ID).unwrap();
        let written = |seq| {
            let mut event = capture.event(id, 0, Timestamp::default(), &none);
            event.seq = seq;
            event.to_json()
        };
        let mut out = String::new();
        let adopted = Adopted::read(&written(None)).unwrap();
        adopted.write(7, &mut out).unwrap();
        assert_eq!((out, adopted.id), (written(Some(7)), id));
    }
}
