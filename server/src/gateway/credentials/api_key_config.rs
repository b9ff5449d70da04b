//! `[auth.api_key]`: which keys open, and where they are shown.

use std::collections::HashSet;

use http::{HeaderName, header};
use serde::Deserialize;
use trailmark_protocol::Timestamp;

/// API keys, as routes name them: `auth = ["api_key"]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiKeyConfig {
    /// The header that holds a key, besides `Authorization: Bearer tm_…`. `x-api-key` unless told.
    pub header: String,
    /// Keys that open besides Trailmark's own.
    pub keys: Vec<KeyConfig>,
    /// Whether the keys of Trailmark's projects open too: a write key with the scope `events:write`, a secret key with
    /// `events:write`, `read` and `admin`. `true` unless told. Write keys are public, in every page that sends events: a
    /// route that takes API keys needs `all_scopes`, or this `false`, unless everybody may pass.
    pub project_keys: bool,
}

/// One key. The key itself is not here: it is random, at least 128 bits, from `openssl rand -hex 32`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Its name, which logs and limits use.
    pub id: String,
    /// SHA-256 of the key, 64 hexadecimal digits: `printf %s "$KEY" | sha256sum`.
    pub sha256: String,
    /// Whose it is, if anybody's.
    pub user: Option<String>,
    /// What its holder is.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What its holder may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Until when it opens, RFC 3339: `"2027-01-01T00:00:00Z"`. For ever unless told.
    pub expires: Option<String>,
}

impl Default for ApiKeyConfig {
    fn default() -> Self {
        Self {
            header: "x-api-key".to_owned(),
            keys: Vec::new(),
            project_keys: true,
        }
    }
}

impl ApiKeyConfig {
    /// What is wrong with it, each with its key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let header = self.header_name().err().map(|why| format!("header: {why}"));
        let of_keys = self.keys.iter().enumerate().flat_map(|(at, key)| key.problems(at));
        header.into_iter().chain(of_keys).chain(self.doubles()).collect()
    }

    /// The header's name.
    ///
    /// # Errors
    /// It is no name, or one with a meaning of its own.
    pub fn header_name(&self) -> Result<HeaderName, String> {
        let name: HeaderName = self
            .header
            .parse()
            .map_err(|_| format!("\"{}\" is no header", self.header))?;
        let taken = [header::AUTHORIZATION, header::COOKIE, header::HOST];
        if taken.contains(&name) {
            Err(format!("\"{name}\" holds something else"))
        } else {
            Ok(name)
        }
    }

    fn doubles(&self) -> Vec<String> {
        let (mut ids, mut hashes) = (HashSet::new(), HashSet::new());
        let doubles = self.keys.iter().enumerate().filter_map(|(at, key)| {
            let is_new = [ids.insert(&key.id), hashes.insert(key.sha256.to_ascii_lowercase())];
            (is_new != [true, true]).then(|| format!("keys[{at}]: the id \"{}\" or its hash is there twice", key.id))
        });
        doubles.collect()
    }
}

impl KeyConfig {
    fn problems(&self, at: usize) -> Vec<String> {
        let checks = [
            (self.id.is_empty(), "id: it must not be empty"),
            (
                self.id.starts_with("project/"),
                "id: `project/…` are Trailmark's own keys",
            ),
            (
                self.hash().is_none(),
                "sha256: 64 hexadecimal digits are needed, of the key and not the key itself",
            ),
            (
                self.user.as_ref().is_some_and(String::is_empty),
                "user: it must not be empty",
            ),
            (
                self.expires.is_some() && self.expiry().is_none(),
                "expires: no time such as 2027-01-01T00:00:00Z",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, _)| *wrong);
        wrong.map(|(_, problem)| format!("keys[{at}].{problem}")).collect()
    }

    /// The hash as bytes.
    pub(super) fn hash(&self) -> Option<[u8; 32]> {
        let digits: Vec<u8> = self
            .sha256
            .chars()
            .map(|digit| digit.to_digit(16)?.try_into().ok())
            .collect::<Option<_>>()?;
        let (pairs, []) = digits.as_chunks::<2>() else {
            return None;
        };
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        bytes.try_into().ok()
    }

    /// When it ends.
    pub(super) fn expiry(&self) -> Option<Timestamp> {
        self.expires.as_deref().and_then(Timestamp::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn problems(text: &str) -> Vec<String> {
        toml::from_str::<ApiKeyConfig>(text).unwrap().problems()
    }

    fn key(more: &str) -> String {
        format!("[[keys]]\nid = \"billing\"\nsha256 = \"{HASH}\"\n{more}\n")
    }

    #[test]
    fn nothing_is_needed() {
        assert_eq!(problems(""), Vec::<String>::new());
        assert_eq!(
            problems(&key("user = \"u_9\"\nexpires = \"2027-01-01T00:00:00Z\"")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (text, place) in [
            ("header = \"a b\"".to_owned(), "header: "),
            ("header = \"Cookie\"".to_owned(), "header: "),
            (key("expires = \"tomorrow\""), "keys[0].expires: "),
            (key("user = \"\""), "keys[0].user: "),
            (key("").replace("billing", ""), "keys[0].id: "),
            (key("").replace("billing", "project/1/1"), "keys[0].id: "),
            (key("").replace(HASH, "2c26"), "keys[0].sha256: "),
            (key("").replace(HASH, &format!("{HASH}00")), "keys[0].sha256: "),
            (key("").replace("2c26", "+c26"), "keys[0].sha256: "),
        ] {
            let problems = problems(&text);
            assert!(
                problems.len() == 1 && problems[0].starts_with(place),
                "{text} {problems:?}"
            );
        }
    }

    #[test]
    fn the_same_key_twice_is_refused_in_any_spelling() {
        let again = key("")
            .replace("billing", "other")
            .replace(HASH, &HASH.to_ascii_uppercase());
        assert_eq!(problems(&format!("{}{again}", key(""))).len(), 1);
    }
}
