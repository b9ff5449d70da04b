//! What a client and the hub say to each other: docs/gateway-hub.md.
//!
//! A client's JSON object with a member `hub` is for the hub; everything else is for the services behind it. Everything
//! that the hub sends is such an object, so that a client never takes one for the other.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::data::Data;

/// What a client says.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// For the services.
    Data(Data<'a>),
    /// For the services, and the client wants to hear that it has gone on.
    Publish { data: &'a RawValue, id: Id<'a> },
    /// It wants to hear what is published on a topic.
    Subscribe { topic: String, id: Id<'a> },
    /// It wants to hear no more of it.
    Unsubscribe { topic: String, id: Id<'a> },
    /// What the hub does not understand.
    Wrong { why: Wrong, id: Id<'a> },
}

/// The client's own mark on what it asked for, which comes back in the answer.
pub(super) type Id<'a> = Option<&'a RawValue>;

/// Why a client does not get what it asked for. The text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    UnknownCommand,
    TopicMissing,
    TopicNotAllowed,
    TooManyTopics,
    DataMissing,
    NotSentOn,
}

impl Wrong {
    const fn reason(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command",
            Self::TopicMissing => "topic_missing",
            Self::TopicNotAllowed => "topic_not_allowed",
            Self::TooManyTopics => "too_many_topics",
            Self::DataMissing => "data_missing",
            Self::NotSentOn => "not_sent_on",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::UnknownCommand => "`hub` is \"subscribe\", \"unsubscribe\" or \"publish\"",
            Self::TopicMissing => "`topic` is a text",
            Self::TopicNotAllowed => "this hub has no such topic for its clients",
            Self::TooManyTopics => "unsubscribe from another topic first",
            Self::DataMissing => "`data` is what is published",
            Self::NotSentOn => "services of other instances did not get it: the broker is away",
        }
    }
}

#[derive(Deserialize)]
struct Command<'a> {
    #[serde(borrow)]
    hub: Option<&'a RawValue>,
    #[serde(borrow)]
    topic: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Id<'a>,
}

/// Reads a client's text.
pub(super) fn read(text: &str) -> Said<'_> {
    if !text.trim_start().starts_with('{') {
        return Said::Data(Data::of_text(text));
    }
    match serde_json::from_str(text) {
        Ok(Command {
            hub: Some(hub),
            topic,
            data,
            id,
        }) => command(string(hub).as_deref(), topic, data, id),
        // Either no command, or no JSON: for the services, which may know what it is.
        _ => Said::Data(Data::of_text(text)),
    }
}

fn command<'a>(verb: Option<&str>, topic: Id<'a>, data: Id<'a>, id: Id<'a>) -> Said<'a> {
    let topic = topic.and_then(string);
    match (verb, topic, data) {
        (Some("publish"), _, Some(data)) => Said::Publish { data, id },
        (Some("subscribe"), Some(topic), _) => Said::Subscribe { topic, id },
        (Some("unsubscribe"), Some(topic), _) => Said::Unsubscribe { topic, id },
        (Some("publish"), ..) => wrong(Wrong::DataMissing, id),
        (Some("subscribe" | "unsubscribe"), ..) => wrong(Wrong::TopicMissing, id),
        _ => wrong(Wrong::UnknownCommand, id),
    }
}

const fn wrong(why: Wrong, id: Id<'_>) -> Said<'_> {
    Said::Wrong { why, id }
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// What the hub says. `hub` is the first member.
#[derive(Debug, Default, Serialize)]
pub(super) struct Says<'a> {
    hub: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Id<'a>,
}

impl<'a> Says<'a> {
    /// The first that a client hears: who it is to the services.
    pub(super) fn welcome(connection: &'a str, user: Option<&'a str>) -> Self {
        Self {
            hub: "welcome",
            connection: Some(connection),
            user,
            ..Self::default()
        }
    }

    /// What a service published, and on which topic, if it was one.
    pub(super) fn message(topic: Option<&'a str>, payload: &'a [u8]) -> Self {
        let data = Data::of_bytes(payload);
        Self {
            hub: "message",
            topic,
            encoding: data.is_binary().then_some(data.encoding()),
            data: Some(data),
            ..Self::default()
        }
    }

    /// What was asked for is done: `subscribed`, `unsubscribed`, `published`.
    pub(super) fn done(hub: &'static str, topic: Option<&'a str>, id: Id<'a>) -> Self {
        Self {
            hub,
            topic,
            id,
            ..Self::default()
        }
    }

    /// What was asked for is not done.
    pub(super) fn error(why: Wrong, topic: Option<&'a str>, id: Id<'a>) -> Self {
        Self {
            hub: "error",
            topic,
            reason: Some(why.reason()),
            detail: Some(why.detail()),
            id,
            ..Self::default()
        }
    }

    /// As it is sent.
    pub(super) fn text(&self) -> Utf8Bytes {
        // Texts, and JSON that was read before: there is nothing here that serde_json could not write.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match read(text) {
            Said::Data(data) => format!("{}:{}", data.encoding(), serde_json::to_string(&data).unwrap()),
            Said::Publish { data, id } => format!("publish:{data}:{id:?}"),
            Said::Subscribe { topic, id } => format!("subscribe:{topic}:{}", id.map_or("", RawValue::get)),
            Said::Unsubscribe { topic, .. } => format!("unsubscribe:{topic}"),
            Said::Wrong { why, .. } => why.reason().to_owned(),
        }
    }

    #[test]
    fn only_an_object_with_the_member_hub_is_for_the_hub() {
        for (text, expected) in [
            (r#"{"hub":"subscribe","topic":"news","id":7}"#, "subscribe:news:7"),
            (r#" {"topic":"n\u0065ws","hub":"subscribe"}"#, "subscribe:news:"),
            (r#"{"hub":"unsubscribe","topic":"news"}"#, "unsubscribe:news"),
            (r#"{"hub":"publish","data":[1]}"#, "publish:[1]:None"),
            (r#"{"hub":"publish","data":null}"#, "data_missing"),
            (r#"{"hub":"publish"}"#, "data_missing"),
            (r#"{"hub":"subscribe","topic":1}"#, "topic_missing"),
            (r#"{"hub":"shout"}"#, "unknown_command"),
            (r#"{"hub":1}"#, "unknown_command"),
            (r#"{"text":"hub"}"#, r#"json:{"text":"hub"}"#),
            (r#"[{"hub":"subscribe"}]"#, r#"json:[{"hub":"subscribe"}]"#),
            ("hello", r#"text:"hello""#),
            ("{hello", r#"text:"{hello""#),
            ("12", "json:12"),
            ("", r#"text:"""#),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_hub_says_is_an_object_that_begins_with_hub() {
        assert_eq!(
            Says::message(None, b"{\"a\":1}").text(),
            r#"{"hub":"message","data":{"a":1}}"#
        );
        assert_eq!(
            Says::message(Some("news"), b"\xff\x00").text(),
            r#"{"hub":"message","topic":"news","encoding":"base64","data":"/wA="}"#
        );
        assert_eq!(
            Says::welcome("c1", Some("ann")).text(),
            r#"{"hub":"welcome","connection":"c1","user":"ann"}"#
        );
    }
}
