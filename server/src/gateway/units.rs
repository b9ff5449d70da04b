//! How times, sizes and secrets are written in the gateway's file: `"250ms"`, `"64KiB"`, `"${JWT_SECRET}"`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A length of time: a whole number and `ms`, `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// A number of bytes: alone, or with `KiB`, `MiB` or `GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub usize);

/// A text that must not be shown. `${NAME}` was replaced from the environment before it came here.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Span {
    /// A length of `seconds`.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A length of `millis`.
    #[must_use]
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = split(text)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        number.checked_mul(millis).map(Self::millis)
    }
}

impl Size {
    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = split(text)?;
        let bytes = match unit {
            "" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        let bytes = number.checked_mul(bytes)?;
        usize::try_from(bytes).ok().map(Self)
    }
}

impl Secret {
    /// A secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; not for logs.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

/// A text, or a number where that says it all.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("\"{text}\" is no time such as \"250ms\", \"10s\" or \"1h\"")))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format!("\"{text}\" is no size such as 65536, \"64KiB\" or \"1MiB\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        span: Span,
        size: Size,
        secret: Secret,
    }

    fn read(span: &str, size: &str) -> Result<File, toml::de::Error> {
        toml::from_str(&format!("span = {span}\nsize = {size}\nsecret = \"hush\""))
    }

    #[test]
    fn times_and_sizes_read_as_people_write_them() {
        for (text, millis) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("15m", 900_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(
                read(&format!("\"{text}\""), "1").unwrap().span,
                Span::millis(millis),
                "{text}"
            );
        }
        for (text, bytes) in [
            ("17", 17),
            ("\"17\"", 17),
            ("\"64KiB\"", 65_536),
            ("\"1MiB\"", 1 << 20),
            ("\"2GiB\"", 2 << 30),
        ] {
            assert_eq!(read("\"1s\"", text).unwrap().size, Size(bytes), "{text}");
        }
    }

    #[test]
    fn a_unit_that_is_missing_or_made_up_is_refused_with_an_example() {
        for span in [
            "10",
            "\"10\"",
            "\"1 h\"",
            "\"-1s\"",
            "\"99999999999999999999s\"",
            "\"1w\"",
        ] {
            assert!(read(span, "1").is_err(), "{span}");
        }
        let error = read("\"1s\"", "\"1MB\"").unwrap_err().to_string();
        assert!(error.contains("64KiB"), "{error}");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let file = read("\"1s\"", "1").unwrap();
        assert_eq!(file.secret.reveal(), "hush");
        assert!(!format!("{file:?}").contains("hush"));
    }
}
