//! A hub's topics on the bus.

use serde::Deserialize;

use crate::bus::topic::{BadTopic, token, untoken};
use crate::bus::{Pattern, Topic};

/// Whom a service writes to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum To {
    /// All sockets of a user.
    User(String),
    /// One socket.
    Connection(String),
    /// All sockets that subscribed to a topic.
    Topic(String),
}

/// The topics of one hub: `hub.NAME.…`.
#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(hub: &str) -> Self {
        Self {
            prefix: format!("hub.{}", token(hub)),
        }
    }

    /// Where clients' messages go, if nothing else is configured.
    pub(super) fn inbox(&self) -> Result<Topic, BadTopic> {
        self.topic("in")
    }

    /// Where it is told who comes and goes.
    pub(super) fn presence(&self) -> Result<Topic, BadTopic> {
        self.topic("presence")
    }

    /// Where services write to clients.
    pub(super) fn outward(&self) -> Result<[Pattern; 3], BadTopic> {
        let pattern = |rest: &str| Pattern::new(&format!("{}.{rest}", self.prefix));
        Ok([pattern("user.*")?, pattern("connection.*")?, pattern("topic.>")?])
    }

    /// Where it is written to somebody.
    pub(super) fn of(&self, to: &To) -> Result<Topic, BadTopic> {
        match to {
            To::User(user) => self.topic(&format!("user.{}", token(user))),
            To::Connection(connection) => self.topic(&format!("connection.{}", token(connection))),
            To::Topic(topic) => self.topic(&format!("topic.{topic}")),
        }
    }

    /// To whom it is written there.
    pub(super) fn to(&self, topic: &Topic) -> Option<To> {
        let rest = topic.as_str().strip_prefix(&self.prefix)?.strip_prefix('.')?;
        let (kind, name) = rest.split_once('.')?;
        match kind {
            "user" => Some(To::User(untoken(name)?.into_owned())),
            "connection" => Some(To::Connection(untoken(name)?.into_owned())),
            "topic" => Some(To::Topic(name.to_owned())),
            _ => None,
        }
    }

    fn topic(&self, rest: &str) -> Result<Topic, BadTopic> {
        Topic::new(&format!("{}.{rest}", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whoever() -> impl Strategy<Value = To> {
        prop_oneof![
            "\\PC{1,30}".prop_map(To::User),
            "[0-9a-f]{32}".prop_map(To::Connection),
            "[a-z_-]{1,5}(\\.[a-z0-9]{1,5}){0,3}".prop_map(To::Topic),
        ]
    }

    proptest! {
        #[test]
        fn who_is_written_to_is_who_is_reached(hub in "\\PC{1,10}", to in whoever()) {
            let names = Names::new(&hub);
            let topic = names.of(&to).unwrap();
            prop_assert_eq!(names.to(&topic), Some(to));
            let heard = names.outward().unwrap().iter().filter(|pattern| pattern.matches(&topic)).count();
            prop_assert_eq!(heard, 1);
        }
    }

    #[test]
    fn names_are_those_of_the_manual_and_nobody_elses() {
        let names = Names::new("chat");
        assert_eq!(names.inbox().unwrap().as_str(), "hub.chat.in");
        assert_eq!(
            names.of(&To::User("ann@x.y".to_owned())).unwrap().as_str(),
            "hub.chat.user.ann%40x%2Ey"
        );
        assert!(names.of(&To::User(String::new())).is_err() && names.of(&To::Topic("*".to_owned())).is_err());
        for other in [
            "hub.chats.user.ann",
            "hub.chat.in",
            "hub.chat.presence",
            "chat.user.ann",
        ] {
            assert_eq!(names.to(&Topic::new(other).unwrap()), None, "{other}");
        }
    }
}
