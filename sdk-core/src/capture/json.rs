//! Reading an event that somebody else has made, as a web page's stub does before the engine is there.

use std::borrow::Cow;

use trailmark_protocol::json::{as_string, fields};
use trailmark_protocol::{Reason, Timestamp, id};

use super::Capture;
use crate::properties::{Properties, PropertiesError};

impl Capture {
    /// An event's JSON as it is sent, but for the number. Written again with its number it is the same text, if it had
    /// the fields in the wire's order and no empty objects. What is no such JSON is refused when it is captured, and
    /// counted under its reason. Fields that the wire does not have are left out.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.capture(Capture::from_json(r#"{"event":"order","user_id":"u_7","properties":{"total":12.5}}"#));
    /// client.capture(Capture::from_json(r#"{"event":"order","user_id":7}"#));
    /// assert_eq!((client.stats().queued, client.stats().dropped["invalid_event"]), (1, 1));
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn from_json(json: &str) -> Self {
        let mut capture = Self::new("");
        let read = fields(json).try_for_each(|field| {
            let (key, value) = field.map_err(|fault| PropertiesError::Fault(fault).reason())?;
            capture.field(&key, value)
        });
        capture.refused = read.err();
        capture
    }

    fn field(&mut self, key: &str, json: &str) -> Result<(), Reason> {
        match key {
            "id" => self.id = Some(id::read(&text(json)?).ok_or(Reason::InvalidEvent)?),
            "event" => self.name = text(json)?,
            "anonymous_id" => self.anonymous_id = Some(text(json)?),
            "user_id" => self.user_id = Some(text(json)?),
            "alias" => self.alias = Some(text(json)?),
            "session_id" => self.session_id = Some(text(json)?),
            "timestamp" => self.timestamp = Some(Timestamp::parse(&text(json)?).ok_or(Reason::InvalidTimestamp)?),
            "properties" => self.properties = object(json)?,
            "context" => self.context = Some(object(json)?),
            "set" => self.set = object(json)?,
            "set_once" => self.set_once = object(json)?,
            _ => {}
        }
        Ok(())
    }
}

fn text(json: &str) -> Result<String, Reason> {
    as_string(json).map(Cow::into_owned).ok_or(Reason::InvalidEvent)
}

fn object(json: &str) -> Result<Properties, Reason> {
    Properties::from_json(json).map_err(PropertiesError::reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trailmark_protocol::Uuid;

    use super::*;

    fn any_object() -> impl Strategy<Value = Properties> {
        prop::collection::vec((any::<String>(), any::<String>()), 0..4).prop_map(|pairs| {
            pairs
                .iter()
                .fold(Properties::new(), |object, (key, value)| object.with(key, value))
        })
    }

    prop_compose! {
        fn any_capture()(
            texts in prop::array::uniform5(any::<String>()),
            optional in prop::array::uniform5(any::<bool>()),
            objects in prop::array::uniform4(any_object()),
            id in any::<u128>(),
            micros in -62_167_219_200_000_000..253_402_300_800_000_000_i64,
        ) -> Capture {
            let [name, anonymous_id, user_id, alias, session_id] = texts;
            let [properties, context, set, set_once] = objects;
            let [a, u, o, s, c] = optional;
            Capture {
                anonymous_id: a.then_some(anonymous_id),
                user_id: u.then_some(user_id),
                alias: o.then_some(alias),
                session_id: s.then_some(session_id),
                context: c.then_some(context),
                ..Capture::new(name)
                    .id(Uuid::from_u128(id))
                    .timestamp(Timestamp::from_micros(micros))
                    .properties(properties)
                    .set(set)
                    .set_once(set_once)
            }
        }
    }

    /// What is sent, with a number or without.
    fn written(capture: &Capture, seq: Option<u64>) -> String {
        let none = Properties::new();
        let mut event = capture.event(capture.id.unwrap(), 0, Timestamp::default(), &none);
        event.seq = seq;
        event.to_json()
    }

    proptest! {
        #[test]
        fn what_was_written_once_is_written_again_with_its_number_after_its_id(capture in any_capture()) {
            let record = written(&capture, None);
            let read = Capture::from_json(&record);
            let id = capture.id.unwrap();
            let numbered = record.replacen(&format!("{id}\","), &format!("{id}\",\"seq\":41,"), 1);
            prop_assert_eq!(written(&read, Some(41)), numbered);
            prop_assert_eq!(read.refused, None);
        }

        #[test]
        fn any_text_is_read_without_harm(text in any::<String>()) {
            let is_object = text.trim_start().starts_with('{');
            prop_assert!(Capture::from_json(&text).refused.is_some() || is_object);
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        let refused = |json: &str| Capture::from_json(json).refused;
        for json in [
            "",
            "[]",
            r#"{"event":"x""#,
            r#"{"event":7}"#,
            r#"{"id":"order 7"}"#,
            r#"{"properties":[]}"#,
        ] {
            assert_eq!(refused(json), Some(Reason::InvalidEvent), "{json}");
        }
        assert_eq!(refused(r#"{"timestamp":"yesterday"}"#), Some(Reason::InvalidTimestamp));
        assert_eq!(refused(r#"{"set":{"n":1e999}}"#), Some(Reason::NumberOutOfRange));
        assert_eq!(refused(r#"{"mood":"good"}"#), None);
    }

    #[test]
    fn each_object_may_have_as_many_keys_as_the_wire_allows() {
        let keys = |keys: usize| {
            let all = (0..keys).fold(Properties::new(), |all, n| all.with(&format!("k{n}"), n));
            let json = format!(r#"{{"event":"x","properties":{0},"context":{0}}}"#, all.as_json());
            Capture::from_json(&json).refused
        };
        assert_eq!(keys(512), None);
        assert_eq!(keys(513), Some(Reason::TooManyProperties));
    }
}
