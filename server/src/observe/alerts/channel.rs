//! Where an alert tells of problems.

use std::fmt;

use lettre::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::observe::outbound::{Url, read_url};
use crate::query::ask::question::{Invalid, Path};

/// Most addresses of one alert: 10. For more there are mailing lists.
pub const ADDRESSES_MAX: usize = 10;

/// What the recipient of a webhook is called, which has no address but its URL.
pub const WEBHOOK: &str = "";

/// Where: exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = AlertChannel)]
pub enum Channel {
    /// A URL that gets a POST.
    Webhook(Webhook),
    /// Addresses that get a mail each.
    Email(Email),
}

/// A URL. It is as good as a password where it is of a chat, so neither logs nor answers show more than its host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `https://…` or `http://…`. Answers show its host only.
    #[schema(max_length = 2048)]
    pub url: String,
}

/// Addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The addresses; each gets a mail of its own.
    #[schema(min_items = 1, max_items = 10)]
    pub to: Vec<String>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Webhook {
    /// The scheme and host, and that there is more: `https://hooks.example.com/…`.
    #[must_use]
    pub fn masked(&self) -> String {
        let Ok(url) = Url::parse(&self.url) else {
            return "…".to_owned();
        };
        let rest = if url.path() == "/" && url.query().is_none() {
            "/"
        } else {
            "/…"
        };
        format!("{}{rest}", url.origin().ascii_serialization())
    }

    /// The URL that gets the POST.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(&self, at: &Path<'_>) -> Result<Url, Invalid> {
        at.require(
            !self.url.contains('…'),
            "is the masked one of an answer: send the whole, or leave `to` out",
        )?;
        read_url(&self.url).map_err(|problem| Invalid::new(at, problem))
    }
}

impl Channel {
    /// Whether it can be told anything.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(&self, at: &Path<'_>) -> Result<(), Invalid> {
        match self {
            Self::Webhook(hook) => hook.read(&at.field("webhook").field("url")).map(drop),
            Self::Email(Email { to }) => {
                let email = at.field("email");
                let field = email.field("to");
                field.require((1..=ADDRESSES_MAX).contains(&to.len()), "has 1 to 10 addresses")?;
                field.each(to, |address, at| {
                    let known = address.parse::<Address>();
                    at.require(known.is_ok() && address.len() <= 254, "is no e-mail address")?;
                    let doubled = to.iter().filter(|other| other.eq_ignore_ascii_case(address)).count() > 1;
                    at.require(!doubled, "is there twice")
                })
            }
        }
    }

    /// Who gets a message each: the addresses, or [`WEBHOOK`].
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        match self {
            Self::Webhook(_) => vec![WEBHOOK.to_owned()],
            Self::Email(email) => email.to.clone(),
        }
    }

    /// The same without what only the receiver should know.
    #[must_use]
    pub fn masked(self) -> Self {
        match self {
            Self::Webhook(webhook) => Self::Webhook(Webhook { url: webhook.masked() }),
            email @ Self::Email(_) => email,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn channel(value: Value) -> Channel {
        serde_json::from_value(value).unwrap()
    }

    fn problem(value: Value) -> String {
        channel(value).check(&Path::root().field("to")).unwrap_err().to_string()
    }

    #[test]
    fn a_masked_url_says_where_to_and_not_how_to_get_in() {
        for (url, masked) in [
            (
                "https://hooks.slack.com/services/T0/B0/secret",
                "https://hooks.slack.com/…",
            ),
            ("http://10.0.0.1:8080/?token=secret", "http://10.0.0.1:8080/…"),
            ("https://example.com", "https://example.com/"),
        ] {
            let channel = channel(json!({"webhook": {"url": url}}));
            assert!(!format!("{channel:?}").contains("secret"));
            assert_eq!(
                serde_json::to_value(channel.masked()).unwrap(),
                json!({"webhook": {"url": masked}})
            );
        }
    }

    #[test]
    fn what_cannot_be_told_anything_is_refused_by_its_path() {
        let many: Vec<_> = (0..11).map(|n| format!("a{n}@example.com")).collect();
        for (value, start) in [
            (
                json!({"webhook": {"url": "example.com/hook"}}),
                "`to.webhook.url` is no URL",
            ),
            (
                json!({"webhook": {"url": "ftp://example.com/"}}),
                "`to.webhook.url` is neither http nor",
            ),
            (
                json!({"webhook": {"url": "https://ann:pw@example.com/"}}),
                "`to.webhook.url` holds a user",
            ),
            (
                json!({"webhook": {"url": "https://example.com/…"}}),
                "`to.webhook.url` is the masked one",
            ),
            (
                json!({"webhook": {"url": format!("https://example.com/{}", "x".repeat(2_048))}}),
                "`to.webhook.url` is longer",
            ),
            (json!({"email": {"to": []}}), "`to.email.to` has 1 to 10"),
            (json!({"email": {"to": many}}), "`to.email.to` has 1 to 10"),
            (
                json!({"email": {"to": ["a@b.example", "ann"]}}),
                "`to.email.to[1]` is no e-mail address",
            ),
            (
                json!({"email": {"to": ["a@b.example\r\nBcc: c@d.example"]}}),
                "`to.email.to[0]` is no e-mail address",
            ),
            (
                json!({"email": {"to": ["Ann <a@b.example>"]}}),
                "`to.email.to[0]` is no e-mail address",
            ),
            (
                json!({"email": {"to": ["a@b.example", "A@b.example"]}}),
                "`to.email.to[0]` is there twice",
            ),
        ] {
            let text = problem(value.clone());
            assert!(text.starts_with(start), "{value}: {text}");
        }
        assert!(
            channel(json!({"email": {"to": ["a@b.example"]}}))
                .check(&Path::root())
                .is_ok()
        );
        assert!(
            channel(json!({"webhook": {"url": "http://127.0.0.1:9/x"}}))
                .check(&Path::root())
                .is_ok()
        );
    }
}
