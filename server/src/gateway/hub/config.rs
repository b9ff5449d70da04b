//! `[hub.NAME]` of the gateway's file.

use serde::Deserialize;

use crate::bus::{Pattern, Topic};
use crate::gateway::units::{Size, Span};

/// A hub: clients hold one WebSocket to the gateway, services hold none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HubConfig {
    /// The bus topics that every message of a client is published on. None is `hub.NAME.in`.
    pub publish_to: Vec<String>,
    /// The topics that clients may subscribe to: `news`, `room.*` (one more word), `room.>` (one or more). None by default.
    pub topics: Vec<String>,
    /// The origins whose pages may open a socket, `https://app.example`. `*` is every one, except for callers with a
    /// session cookie, which browsers send along from any page: their origin must be listed by name.
    pub origins: Vec<String>,
    /// The largest message of a client; a larger one ends its socket with 1009.
    pub max_message: Size,
    /// A socket from which nothing came for so long, not even the answer to a ping, is closed with 1001.
    pub idle: Span,
    /// A client that was silent for so long is sent a ping, which every browser answers. `0s` sends none: then clients
    /// have to say something within `idle`.
    pub ping: Span,
    /// Most sockets of one user, or of one API key that belongs to no user; more are refused with 429.
    pub max_per_user: usize,
    /// Most sockets in all, on this instance.
    pub max_sockets: usize,
    /// Most topics of one socket.
    pub max_topics: usize,
    /// Most messages that wait for a client that does not read; more, and it is closed with 1013.
    pub queue: usize,
    /// The same in bytes. A message that alone is larger is not sent to anybody.
    pub queue_bytes: Size,
    /// How many frames a second are read from one socket, after a burst of as many; the others wait in the client.
    pub messages_per_second: u32,
    /// Where messages are also posted, for services that have no bus.
    pub deliver: Option<DeliverConfig>,
}

/// A webhook: each message of a client, each joining and leaving is posted to a service as JSON.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverConfig {
    /// The upstream of the service.
    pub upstream: String,
    /// The path there.
    pub path: String,
    /// Most messages that wait to be posted, in eight queues of an eighth each; more are dropped and counted.
    #[serde(default = "deliver_queue")]
    pub queue: usize,
}

/// Messages of 64 KiB at the most: 64 MiB.
const fn deliver_queue() -> usize {
    1024
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            publish_to: Vec::new(),
            topics: Vec::new(),
            origins: Vec::new(),
            max_message: Size(64 << 10),
            idle: Span::seconds(60),
            ping: Span::seconds(20),
            max_per_user: 10,
            max_sockets: 10_000,
            max_topics: 64,
            queue: 256,
            queue_bytes: Size(1 << 20),
            messages_per_second: 50,
            deliver: None,
        }
    }
}

/// The longest span: a day. What is longer is a mistake: TCP keeps no silent connection alive that long.
const LONGEST: Span = Span::seconds(86_400);

impl HubConfig {
    /// What is wrong with it, each named by its key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let found = [
            self.publish_to.iter().filter_map(|topic| wrong_inbox(topic)).collect(),
            self.topics.iter().filter_map(|topic| wrong_topic(topic)).collect(),
            self.origins.iter().filter_map(|origin| wrong_origin(origin)).collect(),
            self.wrong_numbers(),
            self.wrong_times(),
            self.deliver.as_ref().map(DeliverConfig::problems).unwrap_or_default(),
        ];
        found.concat()
    }

    fn wrong_numbers(&self) -> Vec<String> {
        let numbers = [
            ("max_message", self.max_message.0),
            ("max_per_user", self.max_per_user),
            ("max_sockets", self.max_sockets),
            ("queue", self.queue),
            ("queue_bytes", self.queue_bytes.0),
            ("messages_per_second", self.messages_per_second as usize),
        ];
        let zeros = numbers.iter().filter(|(_, number)| *number == 0);
        zeros.map(|(key, _)| format!("{key}: 0 lets nothing through")).collect()
    }

    fn wrong_times(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.idle.0.is_zero() || self.idle > LONGEST {
            found.push("idle: it is between 1ms and 1d".to_owned());
        }
        if self.ping >= self.idle {
            found.push("ping: it is shorter than `idle`, or nobody is asked before being closed".to_owned());
        }
        found
    }
}

impl DeliverConfig {
    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.upstream.is_empty() {
            found.push("deliver.upstream: it names none".to_owned());
        }
        if !self.path.starts_with('/') {
            found.push(format!("deliver.path: {:?} does not begin with a slash", self.path));
        }
        if self.queue == 0 {
            found.push("deliver.queue: 0 lets nothing through".to_owned());
        }
        found
    }
}

fn wrong_inbox(topic: &str) -> Option<String> {
    if topic.split('.').next() == Some("hub") {
        return Some(format!(
            "publish_to: {topic:?} is the hubs' own; clients could write to each other in the name of services"
        ));
    }
    Topic::new(topic).err().map(|bad| format!("publish_to: {bad}"))
}

fn wrong_topic(topic: &str) -> Option<String> {
    Pattern::new(topic).err().map(|bad| format!("topics: {bad}"))
}

/// An origin is a scheme and an authority, as browsers write it (RFC 6454 §6.2).
fn wrong_origin(origin: &str) -> Option<String> {
    let host = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    let is_one = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']));
    let is_as_sent = origin
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
    let is_fine = origin == "*" || (is_one && is_as_sent);
    (!is_fine).then(|| format!("origins: {origin:?} is not like \"https://app.example\", in small letters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> HubConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_hub_needs_no_setting_at_all() {
        assert_eq!(read(""), HubConfig::default());
        assert_eq!(HubConfig::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn the_settings_of_the_manual_are_good() {
        let hub = read(
            r#"topics = ["news", "room.*"]
               origins = ["https://app.example", "http://localhost:3000"]
               idle = "2m"
               ping = "0s"
               deliver = { upstream = "chat", path = "/messages" }"#,
        );
        assert_eq!(hub.problems(), Vec::<String>::new());
        assert_eq!(hub.deliver.unwrap().queue, 1024);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (text, start) in [
            ("publish_to = [\"hub.chat.user.ann\"]", "publish_to: "),
            ("publish_to = [\"a b\"]", "publish_to: "),
            ("topics = [\"a..b\"]", "topics: "),
            ("origins = [\"app.example\"]", "origins: "),
            ("origins = [\"https://app.example/\"]", "origins: "),
            ("origins = [\"https://App.example\"]", "origins: "),
            ("max_message = 0", "max_message: "),
            ("max_sockets = 0", "max_sockets: "),
            ("queue = 0", "queue: "),
            ("messages_per_second = 0", "messages_per_second: "),
            ("idle = \"2d\"", "idle: "),
            ("ping = \"60s\"", "ping: "),
            ("deliver = { upstream = \"\", path = \"/\" }", "deliver.upstream: "),
            ("deliver = { upstream = \"chat\", path = \"x\" }", "deliver.path: "),
            (
                "deliver = { upstream = \"chat\", path = \"/\", queue = 0 }",
                "deliver.queue: ",
            ),
        ] {
            let problems = read(text).problems();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].starts_with(start), "{problems:?}");
        }
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        assert!(toml::from_str::<HubConfig>("max_socket = 1").is_err());
    }
}
