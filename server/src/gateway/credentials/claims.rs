//! What a token says about its bearer: read strictly, looked up by path, held against the configuration and the time.

use serde::de::{self, Deserialize, Deserializer};
use serde_json::{Map, Value};
use trailmark_protocol::Timestamp;

use super::config::{ClaimsConfig, JwtConfig};
use super::reason::Reason;
use super::strict_json::Strict;
use crate::gateway::caller::{Caller, Proof};

/// A token's claims. A name that is there twice, anywhere, is refused (RFC 7519 §4): two readers may take different ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

/// When a token is good, leeway included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From then on.
    begins: Option<Timestamp>,
    /// Before then.
    ends: Timestamp,
}

impl Validity {
    /// Whether `now` is within it.
    ///
    /// # Errors
    /// [`Reason::Expired`], [`Reason::NotYetValid`].
    pub fn check(&self, now: Timestamp) -> Result<(), Reason> {
        if now >= self.ends {
            return Err(Reason::Expired);
        }
        match self.begins {
            Some(begins) if now < begins => Err(Reason::NotYetValid),
            _ => Ok(()),
        }
    }
}

impl Claims {
    /// Holds them against `config` at `now`.
    ///
    /// # Errors
    /// [`Reason::NoExpiry`], [`Reason::Expired`], [`Reason::NotYetValid`], [`Reason::WrongIssuer`],
    /// [`Reason::WrongAudience`]; [`Reason::Malformed`] for a time that is no number.
    pub fn check(&self, config: &JwtConfig, now: Timestamp) -> Result<(), Reason> {
        self.validity(config)?.check(now)?;
        self.check_issuer(config)?;
        self.check_audience(config)
    }

    /// When they are good. RFC 7519 §4.1.4: `exp` is the time on or after which a token is not accepted; §4.1.5: `nbf` the
    /// time before.
    ///
    /// # Errors
    /// [`Reason::NoExpiry`]; [`Reason::Malformed`] for a time that is no number.
    pub fn validity(&self, config: &JwtConfig) -> Result<Validity, Reason> {
        let leeway = i64::try_from(config.leeway.0.as_micros()).unwrap_or(i64::MAX);
        let begins = self.time("nbf")?.max(self.time("iat")?);
        Ok(Validity {
            begins: begins.map(|begins| begins.plus_micros(-leeway)),
            ends: self.time("exp")?.ok_or(Reason::NoExpiry)?.plus_micros(leeway),
        })
    }

    fn check_issuer(&self, config: &JwtConfig) -> Result<(), Reason> {
        let is_wrong = |issuer: &String| self.text("iss") != Some(issuer);
        config
            .issuer
            .as_ref()
            .filter(|issuer| is_wrong(issuer))
            .map_or(Ok(()), |_| Err(Reason::WrongIssuer))
    }

    /// `aud` is one text or several (RFC 7519 §4.1.3); one of them must be ours.
    fn check_audience(&self, config: &JwtConfig) -> Result<(), Reason> {
        let is_ours = |text: &Value| {
            text.as_str()
                .is_some_and(|text| config.audience.iter().any(|ours| ours == text))
        };
        let is_for_us = match self.0.get("aud") {
            Some(Value::Array(several)) => several.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        if config.audience.is_empty() || is_for_us {
            Ok(())
        } else {
            Err(Reason::WrongAudience)
        }
    }

    /// Seconds since the epoch, with or without a fraction (RFC 7519 §2, NumericDate).
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Reason> {
        let Some(claim) = self.0.get(name) else { return Ok(None) };
        let whole = claim.as_i64().map(|seconds| seconds.saturating_mul(1_000_000));
        // A cast from a float saturates; JSON has no NaN.
        let micros = whole.or_else(|| claim.as_f64().map(|seconds| (seconds * 1e6) as i64));
        micros
            .map(|micros| Some(Timestamp::from_micros(micros)))
            .ok_or(Reason::Malformed)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// What is at `path`: the claim of that whole name, or else step by step, at each dot into an object.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Value> {
        let whole = self.0.get(path);
        let mut steps = path.split('.');
        whole.or_else(|| {
            let first = self.0.get(steps.next()?)?;
            steps.try_fold(first, |value, step| value.as_object()?.get(step))
        })
    }

    /// The caller that they describe.
    #[must_use]
    pub fn into_caller(self, paths: &ClaimsConfig) -> Caller {
        Caller {
            proof: Proof::Token,
            user: self.at(&paths.user).and_then(name),
            key: None,
            email: self.at(&paths.email).and_then(Value::as_str).map(str::to_owned),
            roles: self.at(&paths.roles).map(texts).unwrap_or_default(),
            scopes: self.at(&paths.scopes).map(texts).unwrap_or_default(),
            claims: self.0,
        }
    }
}

/// A user's name: a text that is not empty, or a whole number.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// The texts of an array, or the words of a text (RFC 6749 §3.3); what is neither is nothing.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Strict::deserialize(deserializer)?.0 {
            Value::Object(claims) => Ok(Self(claims)),
            _ => Err(de::Error::custom("claims are an object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn config(text: &str) -> JwtConfig {
        toml::from_str(&format!("algorithms = [\"HS256\"]\nleeway = \"30s\"\n{text}")).unwrap()
    }

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_micros((seconds * 1e6) as i64)
    }

    #[test]
    fn a_token_expires_exactly_when_the_leeway_has_passed() {
        let (claims, config) = (claims(&json!({"exp": 1000})), config(""));
        assert_eq!(claims.check(&config, at(1_029.999_999)), Ok(()));
        assert_eq!(claims.check(&config, at(1_030.0)), Err(Reason::Expired));
    }

    #[test]
    fn a_token_begins_exactly_a_leeway_before_its_time() {
        for begins in ["nbf", "iat"] {
            let (claims, config) = (claims(&json!({"exp": 9000, begins: 1000.5})), config(""));
            assert_eq!(
                claims.check(&config, at(970.499_999)),
                Err(Reason::NotYetValid),
                "{begins}"
            );
            assert_eq!(claims.check(&config, at(970.5)), Ok(()), "{begins}");
        }
    }

    #[test]
    fn a_token_without_an_end_or_with_one_that_is_no_number_is_refused() {
        let config = config("");
        assert_eq!(
            claims(&json!({"nbf": 0})).check(&config, at(1.0)),
            Err(Reason::NoExpiry)
        );
        for no_time in [json!("1000"), json!(null), json!([1000])] {
            assert_eq!(
                claims(&json!({"exp": no_time})).check(&config, at(1.0)),
                Err(Reason::Malformed)
            );
        }
    }

    #[test]
    fn times_beyond_all_calendars_neither_overflow_nor_wrap() {
        let config = config("");
        assert_eq!(claims(&json!({"exp": 1e300})).check(&config, at(1.0)), Ok(()));
        assert_eq!(claims(&json!({"exp": i64::MAX})).check(&config, at(1.0)), Ok(()));
        assert_eq!(
            claims(&json!({"exp": -1e300})).check(&config, at(1.0)),
            Err(Reason::Expired)
        );
        assert_eq!(
            claims(&json!({"exp": 1e300, "nbf": 1e300})).check(&config, at(1.0)),
            Err(Reason::NotYetValid)
        );
    }

    #[test]
    fn the_issuer_is_compared_exactly() {
        let config = config("issuer = \"https://id.example\"");
        let check = |iss: Value| claims(&json!({"exp": 9, "iss": iss})).check(&config, at(1.0));
        assert_eq!(check(json!("https://id.example")), Ok(()));
        for wrong in [
            json!("https://id.example/"),
            json!("HTTPS://id.example"),
            json!(["https://id.example"]),
            json!(null),
        ] {
            assert_eq!(check(wrong), Err(Reason::WrongIssuer));
        }
        assert_eq!(
            claims(&json!({"exp": 9})).check(&config, at(1.0)),
            Err(Reason::WrongIssuer)
        );
    }

    #[test]
    fn one_audience_of_several_must_be_ours() {
        let config = config("audience = [\"api\", \"web\"]");
        let check = |aud: Value| claims(&json!({"exp": 9, "aud": aud})).check(&config, at(1.0));
        assert_eq!(check(json!("web")), Ok(()));
        assert_eq!(check(json!(["other", "api"])), Ok(()));
        for wrong in [
            json!("other"),
            json!([]),
            json!({"api": true}),
            json!([["api"]]),
            json!("api web"),
        ] {
            assert_eq!(check(wrong), Err(Reason::WrongAudience));
        }
        assert_eq!(
            claims(&json!({"exp": 9})).check(&config, at(1.0)),
            Err(Reason::WrongAudience)
        );
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_at_any_depth() {
        for text in [
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"a":{"b":[{"c":1,"c":1}]}}"#,
            r#"{"sub":"a","su\u0062":"b"}"#,
        ] {
            assert!(serde_json::from_str::<Claims>(text).is_err(), "{text}");
        }
        assert!(
            serde_json::from_str::<Claims>(r#"{"a":{"x":1},"b":{"x":1}}"#).is_ok(),
            "in two objects"
        );
        assert!(serde_json::from_str::<Claims>("[]").is_err(), "claims are an object");
    }

    #[test]
    fn the_caller_is_found_where_the_paths_lead() {
        let paths = ClaimsConfig {
            user: "user.id".to_owned(),
            roles: "https://app.example/roles".to_owned(),
            scopes: "scp".to_owned(),
            email: "nothing.there".to_owned(),
        };
        let all =
            json!({"user": {"id": 7}, "https://app.example/roles": ["admin", 3, "user"], "scp": "a:read  b:write"});
        let caller = claims(&all).into_caller(&paths);
        assert_eq!((caller.user.as_deref(), caller.email), (Some("7"), None));
        assert_eq!(
            (caller.roles, caller.scopes),
            (
                vec!["admin".into(), "user".into()],
                vec!["a:read".into(), "b:write".into()]
            )
        );
        assert_eq!(Value::Object(caller.claims), all, "templates see them all");
    }

    #[test]
    fn what_is_no_name_is_no_user() {
        for no_name in [json!(""), json!(1.5), json!(true), json!({"sub": "x"}), json!(null)] {
            assert_eq!(
                claims(&json!({"sub": no_name}))
                    .into_caller(&ClaimsConfig::default())
                    .user,
                None
            );
        }
    }
}
