//! Which WebSockets a route lets through, and how many of them one user may hold.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

use crate::gateway::caller::{Caller, Proof};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::units::Span;

/// `websocket` of a route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SocketConfig {
    /// Origins whose pages may open one; `*` for all. A client without an origin is no page.
    pub origins: Vec<String>,
    /// A socket through which nothing came for this long is closed.
    pub idle: Span,
    /// How many one user, or where nobody is known one address, may hold.
    pub max_per_user: u32,
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            idle: Span::seconds(60),
            max_per_user: 10,
        }
    }
}

/// The same, ready for use, with the sockets that are open.
#[derive(Debug, Clone)]
pub struct SocketRules {
    config: SocketConfig,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

/// A place among a user's sockets, given back when dropped.
#[derive(Debug)]
pub struct Held {
    holder: String,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

impl SocketRules {
    /// Rules without any socket yet.
    #[must_use]
    pub fn new(config: &SocketConfig) -> Self {
        Self {
            config: config.clone(),
            open: Arc::default(),
        }
    }

    /// Other rules for the same sockets.
    #[must_use]
    pub fn with(&self, config: &SocketConfig) -> Self {
        Self {
            config: config.clone(),
            open: Arc::clone(&self.open),
        }
    }

    /// How long a socket may be silent.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.config.idle.0
    }

    /// Whether a page of `origin` may open one for `caller`. A browser sends the cookies of a session with every
    /// handshake, from whatever page, and CORS does not apply to it: so an origin that is not named is refused, and for a
    /// session also none at all.
    ///
    /// # Errors
    /// [`Code::OriginRefused`].
    pub fn check_origin(&self, origin: Option<&HeaderValue>, caller: Option<&Caller>) -> Result<(), Problem> {
        let is_session = caller.is_some_and(|caller| caller.proof == Proof::Session);
        let is_named = |origin: &HeaderValue| {
            self.config
                .origins
                .iter()
                .any(|named| named == "*" || named.as_bytes() == origin.as_bytes())
        };
        match origin {
            Some(origin) if is_named(origin) => Ok(()),
            None if !is_session => Ok(()),
            _ => Err(Problem::new(
                Code::OriginRefused,
                "the route does not let this origin open a socket",
            )),
        }
    }

    /// A place for one more socket of `caller`, or of whoever is at `client`.
    ///
    /// # Errors
    /// [`Code::TooManySockets`].
    pub fn hold(&self, caller: Option<&Caller>, client: IpAddr) -> Result<Held, Problem> {
        let name = caller.and_then(|caller| caller.user.as_ref().or(caller.key.as_ref()));
        let holder = name.map_or_else(|| client.to_string(), |name| format!("user {name}"));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(holder.clone()).or_default();
        if *count >= self.config.max_per_user {
            let detail = format!("{} are open already", self.config.max_per_user);
            return Err(Problem::new(Code::TooManySockets, detail));
        }
        *count += 1;
        Ok(Held {
            holder,
            open: Arc::clone(&self.open),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.holder);
            }
        }
    }
}

/// Whether a request asks for a WebSocket (RFC 6455 §4.1).
#[must_use]
pub fn is_handshake(headers: &HeaderMap) -> bool {
    let has = |name, token: &str| {
        let mut lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.any(|line| line.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
    };
    has(header::UPGRADE, "websocket") && has(header::CONNECTION, "upgrade")
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn caller(user: &str, proof: Proof) -> Caller {
        Caller {
            proof,
            user: Some(user.to_owned()),
            key: None,
            email: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            claims: Map::new(),
        }
    }

    fn rules(max_per_user: u32) -> SocketRules {
        SocketRules::new(&SocketConfig {
            origins: vec!["https://app.example".to_owned()],
            max_per_user,
            ..SocketConfig::default()
        })
    }

    #[test]
    fn a_page_of_another_origin_opens_nothing_with_somebodys_cookie() {
        let (rules, session, token) = (rules(1), caller("u", Proof::Session), caller("u", Proof::Token));
        let (own, evil) = (
            HeaderValue::from_static("https://app.example"),
            HeaderValue::from_static("https://evil.example"),
        );
        assert!(rules.check_origin(Some(&own), Some(&session)).is_ok());
        assert!(rules.check_origin(Some(&evil), Some(&session)).is_err());
        assert!(rules.check_origin(Some(&evil), Some(&token)).is_err());
        assert!(rules.check_origin(None, Some(&session)).is_err());
        assert!(rules.check_origin(None, Some(&token)).is_ok(), "no page");
    }

    #[test]
    fn a_user_holds_only_so_many_and_a_closed_one_makes_room() {
        let (rules, user, client) = (rules(2), caller("u", Proof::Token), "10.0.0.1".parse().unwrap());
        let first = rules.hold(Some(&user), client).unwrap();
        let _second = rules.hold(Some(&user), client).unwrap();
        assert_eq!(
            rules.hold(Some(&user), client).unwrap_err().code(),
            Code::TooManySockets
        );
        assert!(rules.hold(Some(&caller("v", Proof::Token)), client).is_ok());
        drop(first);
        assert!(rules.hold(Some(&user), client).is_ok());
    }
}
