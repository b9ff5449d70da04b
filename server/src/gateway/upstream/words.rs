//! How the words of an upstream's configuration are read and written.

use std::fmt;

use http::{Method, StatusCode};
use serde::{Deserialize, Deserializer, de};

use super::config::{Balance, HashBy, MethodName, RetryOn};

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundRobin => f.write_str("round_robin"),
            Self::TwoChoices => f.write_str("p2c"),
            Self::Hash(HashBy::Ip) => f.write_str("hash:ip"),
            Self::Hash(HashBy::User) => f.write_str("hash:user"),
            Self::Hash(HashBy::Header(name)) => write!(f, "hash:header:{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = match text.as_str() {
            "round_robin" => Some(Self::RoundRobin),
            "p2c" => Some(Self::TwoChoices),
            "hash:ip" => Some(Self::Hash(HashBy::Ip)),
            "hash:user" => Some(Self::Hash(HashBy::User)),
            other => other
                .strip_prefix("hash:header:")
                .and_then(|name| name.parse().ok())
                .map(|name| Self::Hash(HashBy::Header(name))),
        };
        known.ok_or_else(|| {
            let kinds = "round_robin, p2c, hash:ip, hash:user, hash:header:NAME";
            de::Error::custom(format!("\"{text}\" is none of {kinds}"))
        })
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = match text.as_str() {
            "connect" => Some(Self::Connect),
            "reset" => Some(Self::Reset),
            "timeout" => Some(Self::Timeout),
            status => StatusCode::from_bytes(status.as_bytes())
                .ok()
                .filter(StatusCode::is_server_error)
                .map(Self::Status),
        };
        known.ok_or_else(|| {
            de::Error::custom(format!(
                "\"{text}\" is none of connect, reset, timeout, or \"500\" to \"599\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for MethodName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_method = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| is_method);
        method
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("\"{text}\" is no method such as GET")))
    }
}
