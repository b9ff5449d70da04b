//! The names of topics, in the grammar of NATS subjects (<https://docs.nats.io/nats-concepts/subjects>), so that a broker
//! understands them as they are.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The longest topic: 1,024 bytes. The longest id of a user (200 characters), escaped, and its prefix are about 900; a NATS
/// server takes 4,096 in a line.
const LONGEST: usize = 1024;

/// What [`token`] leaves as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// What a message is published under: tokens of `A-Z a-z 0-9 _ - %`, joined by dots.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic(Arc<str>);

/// Which topics a subscriber wants: a topic in which `*` stands for any one token, and `>` at the end for one or more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Arc<str>);

/// A text that is no topic, or no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not made of letters, digits, `_`, `-` and `%` in tokens joined by dots")]
pub struct BadTopic(String);

impl Topic {
    /// Reads a topic.
    ///
    /// # Errors
    /// [`BadTopic`].
    pub fn new(text: &str) -> Result<Self, BadTopic> {
        made_of(text, text, is_token).map(Self)
    }

    /// The topic as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`BadTopic`].
    pub fn new(text: &str) -> Result<Self, BadTopic> {
        let start = match text.strip_suffix(">") {
            Some("") => return Ok(Self(text.into())),
            Some(start) => start.strip_suffix('.').unwrap_or(">"),
            None => text,
        };
        made_of(text, start, |token| token == "*" || is_token(token)).map(Self)
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a topic is one of those that are wanted.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut tokens = topic.0.split('.');
        for wanted in self.0.split('.') {
            match (wanted, tokens.next()) {
                (">", Some(_)) => return true,
                (_, None) => return false,
                ("*", Some(_)) => {}
                (wanted, Some(token)) if wanted == token => {}
                _ => return false,
            }
        }
        tokens.next().is_none()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Any text as one token of a topic: what may not stand there is written as `%` and two hexadecimal digits for each byte
/// of its UTF-8. The empty text is no token.
#[must_use]
pub fn token(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ESCAPED).into()
}

/// The text that [`token`] made into `token`; `None` if it did not.
#[must_use]
pub fn untoken(token: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(token).decode_utf8().ok()
}

/// `text`, if it is short enough and the tokens of its `start` are all fit.
fn made_of(text: &str, start: &str, is_fit: impl Fn(&str) -> bool) -> Result<Arc<str>, BadTopic> {
    let is_one = text.len() <= LONGEST && start.split('.').all(is_fit);
    is_one.then(|| text.into()).ok_or_else(|| BadTopic(text.to_owned()))
}

fn is_token(token: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_-%".contains(&byte);
    !token.is_empty() && token.bytes().all(is_fit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, topic: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(&Topic::new(topic).unwrap())
    }

    #[test]
    fn a_star_is_one_token_and_the_last_arrow_one_or_more() {
        for (pattern, topic, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.b.c", false),
            ("a.b.c", "a.b", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("*.b", "a.b", true),
            ("a.>", "a.b", true),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            (">", "a.b", true),
            ("a.*.>", "a.b", false),
            ("a.*.>", "a.b.c", true),
        ] {
            assert_eq!(matches(pattern, topic), expected, "{pattern} {topic}");
        }
    }

    #[test]
    fn what_a_broker_would_read_differently_is_refused() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a\r\nPUB x",
            "ä",
            "a.*",
            "a.>",
            ">",
            &"x".repeat(1025),
        ] {
            assert!(Topic::new(text).is_err(), "{text:?}");
        }
        for text in ["", "a>", "a.>.b", ">.a", "a*", "*a", "a.>>", ".>", "a..>"] {
            assert!(Pattern::new(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_token_and_comes_back(text in "\\PC{1,40}|[.*> ]{1,5}") {
            let token = token(&text);
            prop_assert!(is_token(&token), "{}", token);
            prop_assert_eq!(untoken(&token).unwrap(), text.as_str());
        }

        #[test]
        fn a_pattern_matches_what_its_tokens_say(
            pattern in prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("*")], 1..4),
            is_open in any::<bool>(),
            topic in prop::collection::vec(prop_oneof![Just("a"), Just("b")], 1..5),
        ) {
            let fits = |n: usize| pattern[..n].iter().zip(&topic[..n]).all(|(wanted, token)| *wanted == "*" || wanted == token);
            let expected = match is_open {
                true => topic.len() > pattern.len() && fits(pattern.len()),
                false => topic.len() == pattern.len() && fits(pattern.len()),
            };
            let text = pattern.join(".") + if is_open { ".>" } else { "" };
            prop_assert_eq!(matches(&text, &topic.join(".")), expected);
        }
    }
}
