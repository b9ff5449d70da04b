//! `[auth.session]` and `[auth.login]` of the gateway's file.

use std::time::Duration;

use serde::Deserialize;

use crate::gateway::credentials::weak_secret;
use crate::gateway::units::{Secret, Span};

/// How long a session may at least be idle: a minute. `last_seen_at` is kept to the minute, so less would end sessions
/// that are in use.
pub const LEAST_IDLE: Duration = Duration::from_secs(60);

/// Most failures that a lock-out waits for: 100, as NIST SP 800-63B-4 §3.2.2 has it.
const FAILURES_MAX: u32 = 100;

/// `[auth.session]`: sessions of browsers, by a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// Name of the cookie. One that starts with `__Host-` cannot be set by another host of the same domain (RFC 6265bis
    /// §4.1.3.2). Whatever its name, it is sent as `Secure; HttpOnly; SameSite=Lax; Path=/`. Default `__Host-sid`.
    pub cookie: String,
    /// Whether requests that change something (not GET, HEAD, OPTIONS) must carry the session's `X-Csrf-Token` and come
    /// from a page of the same site. Default `true`; without it only `SameSite=Lax` protects.
    pub csrf: bool,
    /// A session ends when it was not used for this long. Default `24h`.
    pub idle: Span,
    /// A session ends this long after the login, however much it is used. Default `30d`.
    pub longest: Span,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            cookie: "__Host-sid".to_owned(),
            csrf: true,
            idle: Span::seconds(24 * 3600),
            longest: Span::seconds(30 * 24 * 3600),
        }
    }
}

impl SessionConfig {
    /// What serde cannot check, each with its key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.cookie.is_empty() || !self.cookie.bytes().all(is_token_byte) {
            problems.push(format!("cookie: {:?} cannot name a cookie", self.cookie));
        }
        if self.idle.0 < LEAST_IDLE {
            problems.push("idle: less than \"1m\" would end sessions that are in use".to_owned());
        }
        if self.longest < self.idle {
            problems.push("longest: is shorter than idle".to_owned());
        }
        problems
    }
}

/// A byte of a token (RFC 9110 §5.6.2), which a cookie's name is (RFC 6265 §4.1.1).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `[auth.login]`: `POST /api/auth/login`, `/logout`, `/refresh`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginConfig {
    /// Who says that a password is right: `"local"` (users of `trailmark user create`; the default), or
    /// `{ upstream = "users", path = "/users/validate" }`.
    pub users: Users,
    /// The JSON Web Token that a login and a refresh answer with; without it there is only the session.
    pub token: Option<TokenConfig>,
    /// What happens after failed logins.
    pub lockout: LockoutConfig,
}

/// Who says that a password is right.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    untagged,
    expecting = "users: expected \"local\" or { upstream = \"…\", path = \"/…\" }"
)]
pub enum Users {
    /// Trailmark itself.
    #[default]
    #[serde(with = "local")]
    Local,
    /// Another service.
    Upstream(UsersUpstream),
}

/// A service that says whether a password is right.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsersUpstream {
    /// Its name among `[upstreams]`.
    pub upstream: String,
    /// Where `{"email","password"}` is posted. A 2xx answers `{"id" or "userId", "email", "role"}`; 401, 403 and 404 mean
    /// that the two do not belong together.
    pub path: String,
}

mod local {
    use serde::{Deserialize, Deserializer};

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Local,
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        Word::deserialize(deserializer).map(|Word::Local| ())
    }
}

/// The token of a login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// Its `iss`.
    pub issuer: String,
    /// Its `aud`: which services it is for.
    #[serde(default)]
    pub audience: Vec<String>,
    /// What it is signed with (HS256): at least 32 bytes.
    pub secret: Secret,
    /// How long it is good for. Nobody can revoke it meanwhile, so let it be short. Default `15m`.
    #[serde(default = "fifteen_minutes")]
    pub expires: Span,
}

const fn fifteen_minutes() -> Span {
    Span::seconds(15 * 60)
}

/// What happens after failed logins: `failures` of them within `window` lock the account, or the address, for `base`, and
/// each further lock is twice as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LockoutConfig {
    /// Failures with one e-mail address that lock it, whether or not it is a user's. Default 5.
    pub failures: u32,
    /// Failures from one client address (an IPv6 network of 64 bits) that lock it. Many people may share one. Default 50.
    pub address_failures: u32,
    /// How far apart the first and the last of them may be. Default `15m`.
    pub window: Span,
    /// The first lock. Default `1m`.
    pub base: Span,
    /// The longest lock; after so long without another, the next is a first one. Default `1h`.
    pub longest: Span,
}

impl Default for LockoutConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            address_failures: 50,
            window: Span::seconds(15 * 60),
            base: Span::seconds(60),
            longest: Span::seconds(3600),
        }
    }
}

impl LoginConfig {
    /// What serde cannot check, each with its key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.lockout.problems();
        if let Users::Upstream(users) = &self.users
            && !users.path.starts_with('/')
        {
            problems.push(format!("users.path: {:?} does not start with /", users.path));
        }
        if let Some(token) = &self.token {
            problems.extend(token.problems());
        }
        problems
    }
}

impl TokenConfig {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.issuer.is_empty() {
            problems.push("token.issuer: is empty".to_owned());
        }
        problems.extend(weak_secret::problem(&self.secret).map(|why| format!("token.secret: {why}")));
        if self.expires.0 < Duration::from_secs(1) {
            problems.push("token.expires: is less than \"1s\"".to_owned());
        }
        problems
    }
}

impl LockoutConfig {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=FAILURES_MAX).contains(&self.failures) {
            problems.push(format!(
                "lockout.failures: {} is not between 1 and {FAILURES_MAX}",
                self.failures
            ));
        }
        if self.address_failures < self.failures {
            problems.push("lockout.address_failures: is less than lockout.failures".to_owned());
        }
        for (key, span) in [("window", self.window), ("base", self.base)] {
            if span.0 < Duration::from_secs(1) {
                problems.push(format!("lockout.{key}: is less than \"1s\""));
            }
        }
        if self.longest < self.base {
            problems.push("lockout.longest: is shorter than lockout.base".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(text: &str) -> Result<LoginConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn nothing_said_is_local_users_a_session_and_no_token() {
        let config = login("").unwrap();
        assert_eq!((config.users, config.token), (Users::Local, None));
        assert!(LoginConfig::default().problems().is_empty());
        assert_eq!(
            toml::from_str::<SessionConfig>("").unwrap().problems(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_example_of_the_manual_is_read() {
        let config = login(
            "users = { upstream = \"users\", path = \"/users/validate\" }
             token = { issuer = \"trailmark\", audience = [\"api\"], secret = \"vK2p9sQmX7fLr4TzB1nYc8WdHg5JaEu3\" }
             lockout = { failures = 3, base = \"2m\" }",
        )
        .unwrap();
        assert!(config.problems().is_empty(), "{:?}", config.problems());
        assert!(matches!(&config.users, Users::Upstream(users) if users.path == "/users/validate"));
        assert_eq!(config.token.unwrap().expires, Span::seconds(900));
        assert_eq!((config.lockout.failures, config.lockout.base), (3, Span::seconds(120)));
        assert_eq!(login("users = \"local\"").unwrap().users, Users::Local);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_key() {
        for text in ["users = \"ldap\"", "users = { upstream = \"u\" }", "lockuot = {}"] {
            assert!(login(text).is_err(), "{text}");
        }
        for (text, key) in [
            ("users = { upstream = \"u\", path = \"x\" }", "users.path"),
            ("token = { issuer = \"t\", secret = \"short\" }", "token.secret"),
            ("lockout = { failures = 0 }", "lockout.failures"),
            ("lockout = { failures = 60 }", "lockout.address_failures"),
            ("lockout = { longest = \"1s\" }", "lockout.longest"),
        ] {
            let problems = login(text).unwrap().problems();
            assert!(problems.iter().any(|problem| problem.starts_with(key)), "{problems:?}");
        }
        let session = "cookie = \"s;d\"\nidle = \"5s\"\nlongest = \"1s\"";
        assert_eq!(toml::from_str::<SessionConfig>(session).unwrap().problems().len(), 3);
    }
}
