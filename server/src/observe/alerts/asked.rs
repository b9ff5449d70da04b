//! What clients ask of alerts.

use serde::{Deserialize, Deserializer};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::channel::Channel;
use super::on::{On, text};
use super::{ALERT_NAME_CHARS, REMINDER_MINUTES, SILENCE_MINUTES_MAX};
use crate::query::ask::question::{Invalid, Path};

/// An alert to be made.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAlert {
    /// Its name for people.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Which problems; left out: all of them.
    #[serde(default)]
    pub on: On,
    /// Where to.
    pub to: Channel,
    /// Whether the end of a problem is told too.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub recover: bool,
    /// After how many minutes it is told again that a problem is still there; left out: never.
    #[serde(default)]
    #[schema(minimum = 30, maximum = 43200)]
    pub remind_every_minutes: Option<i32>,
    /// Whether anything is told.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

const fn yes() -> bool {
    true
}

/// What of an alert is to be another.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedAlert {
    /// Its name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Which problems.
    #[serde(default)]
    pub on: Option<On>,
    /// Where to. A webhook stays one, and so does e-mail.
    #[serde(default)]
    pub to: Option<Channel>,
    /// Whether the end of a problem is told too.
    #[serde(default)]
    pub recover: Option<bool>,
    /// After how many minutes it is told again; null: never.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i32>, minimum = 30, maximum = 43200)]
    pub remind_every_minutes: Option<Option<i32>>,
    /// Whether anything is told.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// `null` that is given is another thing than nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl NewAlert {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(&self) -> Result<(), Invalid> {
        check(
            Some(&self.name),
            Some(&self.on),
            Some(&self.to),
            self.remind_every_minutes,
        )
    }
}

impl ChangedAlert {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(&self) -> Result<(), Invalid> {
        check(
            self.name.as_deref(),
            self.on.as_ref(),
            self.to.as_ref(),
            self.remind_every_minutes.flatten(),
        )
    }
}

fn check(name: Option<&str>, on: Option<&On>, to: Option<&Channel>, minutes: Option<i32>) -> Result<(), Invalid> {
    let root = Path::root();
    name.map_or(Ok(()), |name| text(name, ALERT_NAME_CHARS, &root.field("name")))?;
    on.map_or(Ok(()), |on| on.check(&root.field("on")))?;
    to.map_or(Ok(()), |to| to.check(&root.field("to")))?;
    root.field("remind_every_minutes").require(
        minutes.is_none_or(|minutes| REMINDER_MINUTES.contains(&minutes)),
        "is not from 30 to 43200",
    )
}

/// For how long nothing is sent: either `minutes` or `until`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// So many minutes from now; 0 ends the silence.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 129600)]
    pub minutes: Option<i64>,
    /// Until then.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub until: Option<String>,
}

impl Silence {
    /// Until when; `None`: it ends.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn until(&self, now: Timestamp) -> Result<Option<Timestamp>, Invalid> {
        let root = Path::root();
        let last = now.plus_micros(SILENCE_MINUTES_MAX * 60_000_000);
        match (self.minutes, self.until.as_deref()) {
            (Some(0), None) => Ok(None),
            (Some(minutes), None) => {
                root.field("minutes").require(
                    (0..=SILENCE_MINUTES_MAX).contains(&minutes),
                    "is not from 0 to 129600, which are 90 days",
                )?;
                Ok(Some(now.plus_micros(minutes * 60_000_000)))
            }
            (None, Some(text)) => {
                let field = root.field("until");
                let until = Timestamp::parse(text);
                let until =
                    until.ok_or_else(|| Invalid::new(&field, "is no RFC 3339 time such as 2026-11-20T21:13:05Z"))?;
                field.require(until > now && until <= last, "is over, or more than 90 days ahead")?;
                Ok(Some(until))
            }
            _ => Err(Invalid::new(&root, "has either `minutes` or `until`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    fn silence(json: &str) -> Result<Option<Timestamp>, String> {
        let silence: Silence = serde_json::from_str(json).unwrap();
        silence.until(NOW).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn a_silence_has_an_end_in_sight() {
        assert_eq!(silence(r#"{"minutes": 60}"#), Ok(Some(NOW.plus_micros(3_600_000_000))));
        assert_eq!(silence(r#"{"minutes": 0}"#), Ok(None));
        assert_eq!(
            silence(r#"{"until": "2026-11-20T13:00:00Z"}"#),
            Ok(Some(NOW.plus_micros(3_600_000_000)))
        );
        for (json, start) in [
            ("{}", "`.` has either"),
            (r#"{"minutes": 1, "until": "2026-11-20T13:00:00Z"}"#, "`.` has either"),
            (r#"{"minutes": -1}"#, "`minutes` is not from"),
            (r#"{"minutes": 129601}"#, "`minutes` is not from"),
            (r#"{"until": "2026-11-20T11:00:00Z"}"#, "`until` is over"),
            (r#"{"until": "2027-11-20T11:00:00Z"}"#, "`until` is over, or more"),
            (r#"{"until": "tomorrow"}"#, "`until` is no RFC 3339"),
        ] {
            let text = silence(json).unwrap_err();
            assert!(text.starts_with(start), "{json}: {text}");
        }
    }

    #[test]
    fn null_is_another_thing_than_nothing() {
        let read = |json| serde_json::from_str::<ChangedAlert>(json).unwrap().remind_every_minutes;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"remind_every_minutes": null}"#), Some(None));
        assert_eq!(read(r#"{"remind_every_minutes": 60}"#), Some(Some(60)));
    }
}
