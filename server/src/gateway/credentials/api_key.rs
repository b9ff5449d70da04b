//! Judges API keys: those of the configuration, and those of Trailmark's own projects.

use std::collections::HashMap;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};
use trailmark_protocol::Timestamp;

use super::api_key_config::{ApiKeyConfig, KeyConfig};
use super::reason::{Failures, Reason};
use crate::gateway::caller::{Caller, Proof};
use crate::gateway::keyring::{Grant, Keyring};
use crate::gateway::problem::{Code, Problem};
use crate::store::{KeyKind, Store, hash_key};

/// What all of Trailmark's own keys begin with, and no token does: that begins with `eyJ`.
const PROJECT_PREFIX: &str = "tm_";

/// 256 random bits are 64 hexadecimal digits; what is eight times as long is no key.
const MAX_KEY_BYTES: usize = 512;

/// Judges the keys of `[auth.api_key]`.
pub struct ApiKeys {
    header: HeaderName,
    /// By hash. Looking one up takes time that depends on the hash, which nobody can steer towards one that is here.
    declared: HashMap<[u8; 32], Declared>,
    project_keys: bool,
    failures: Failures,
}

struct Declared {
    caller: Caller,
    expires: Option<Timestamp>,
}

impl ApiKeys {
    /// Judges by `config`.
    ///
    /// # Errors
    /// [`ApiKeyConfig::problems`].
    pub fn new(config: &ApiKeyConfig) -> Result<Self, Vec<String>> {
        let problems = config.problems();
        let header = config.header_name().map_err(|why| vec![why])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        let declare = |key: &KeyConfig| Some((key.hash()?, Declared::from(key)));
        Ok(Self {
            header,
            declared: config.keys.iter().filter_map(declare).collect(),
            project_keys: config.project_keys,
            failures: Failures::new(),
        })
    }

    /// Whom the key in `headers` stands for at `now`; `None` if there is none. May wait for the database, as
    /// [`Keyring::grant`] does.
    ///
    /// # Errors
    /// [`Code::UnknownKey`], counted by its reason; [`Code::KeyringUnavailable`].
    pub async fn check(
        &self,
        headers: &HeaderMap,
        keyring: &Keyring,
        store: &Store,
        now: Timestamp,
    ) -> Option<Result<Caller, Problem>> {
        let key = match self.presented(headers)? {
            Ok(key) => key,
            Err(reason) => return Some(Err(self.refuse(reason))),
        };
        Some(match self.declared(key, now) {
            Some(declared) => declared.map_err(|reason| self.refuse(reason)),
            None if self.may_be_projects(key) => self.of_project(key, keyring, store).await,
            None => Err(self.refuse(Reason::UnknownKey)),
        })
    }

    /// The key in the header of its own, or else one of ours as a bearer; another bearer is a token.
    fn presented<'a>(&self, headers: &'a HeaderMap) -> Option<Result<&'a str, Reason>> {
        let mut own = headers.get_all(&self.header).iter();
        match (own.next(), own.next()) {
            (Some(key), None) => Some(text(key)),
            (Some(_), Some(_)) => Some(Err(Reason::Malformed)),
            (None, _) => bearer(headers)
                .filter(|key| key.starts_with(PROJECT_PREFIX))
                .map(bounded),
        }
    }

    fn declared(&self, key: &str, now: Timestamp) -> Option<Result<Caller, Reason>> {
        let declared = self.declared.get(&hash_key(key))?;
        let is_over = declared.expires.is_some_and(|expires| now >= expires);
        Some(if is_over {
            Err(Reason::Expired)
        } else {
            Ok(declared.caller.clone())
        })
    }

    fn may_be_projects(&self, key: &str) -> bool {
        self.project_keys && key.starts_with(PROJECT_PREFIX)
    }

    async fn of_project(&self, key: &str, keyring: &Keyring, store: &Store) -> Result<Caller, Problem> {
        match keyring.grant(key, store).await {
            Ok(grant) => Ok(project_caller(grant)),
            Err(problem) if problem.code() == Code::UnknownKey => Err(self.refuse(Reason::UnknownKey)),
            Err(problem) => {
                self.failures.count(Reason::KeysUnavailable);
                Err(problem)
            }
        }
    }

    fn refuse(&self, reason: Reason) -> Problem {
        self.failures.count(reason);
        reason.of_key()
    }
}

/// What stands after `Bearer`, if there is one `Authorization`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn text(value: &HeaderValue) -> Result<&str, Reason> {
    value
        .to_str()
        .map_err(|_| Reason::Malformed)
        .and_then(|key| bounded(key.trim()))
}

fn bounded(key: &str) -> Result<&str, Reason> {
    if key.len() > MAX_KEY_BYTES {
        Err(Reason::TooLarge)
    } else {
        Ok(key)
    }
}

impl From<&KeyConfig> for Declared {
    fn from(key: &KeyConfig) -> Self {
        let caller = caller(key.id.clone(), key.user.clone(), &key.roles, &key.scopes);
        Self {
            caller,
            expires: key.expiry(),
        }
    }
}

/// The caller behind a key of a Trailmark project.
#[must_use]
pub fn project_caller(grant: Grant) -> Caller {
    let scopes: &[&str] = match grant.kind {
        KeyKind::Write => &["events:write"],
        KeyKind::Secret => &["events:write", "read", "admin"],
    };
    let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let name = format!("project/{}/{}", grant.project_id, grant.key_id);
    let mut caller = caller(name, None, &[], &scopes);
    caller.claims.insert("project_id".to_owned(), grant.project_id.into());
    caller
}

/// A caller by key. Templates find what is known under the names that tokens use.
fn caller(id: String, user: Option<String>, roles: &[String], scopes: &[String]) -> Caller {
    let known = [
        ("key", Some(Value::from(id.as_str()))),
        ("sub", user.as_deref().map(Value::from)),
        ("roles", Some(Value::from(roles))),
        ("scope", Some(Value::from(scopes.join(" ")))),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Caller {
        proof: Proof::Key,
        claims: Map::from_iter(known),
        user,
        key: Some(id),
        email: None,
        roles: roles.to_vec(),
        scopes: scopes.to_vec(),
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
