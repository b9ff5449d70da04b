//! `[auth.jwt.NAME]`: whose tokens are taken.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::algorithm::Algorithm;
use super::key::public_keys;
use super::place::Place;
use super::weak_secret;
use crate::gateway::units::{Secret, Span};

/// Tokens of one issuer, as routes name them: `auth = ["jwt:NAME"]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtConfig {
    /// What `iss` must be. Needed with `jwks_url` and `jwks_file`; without it, `iss` is not looked at.
    pub issuer: Option<String>,
    /// Of these, `aud` must name one. Needed with `jwks_url` and `jwks_file`: an identity provider signs tokens for other
    /// services with the same keys. Empty: `aud` is not looked at.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Algorithms that are taken: `HS256` with `secret`, any of `RS256`, `PS256`, `ES256`, `ES384`, `EdDSA` with the others.
    pub algorithms: Vec<Algorithm>,
    /// Where the issuer publishes its keys (RFC 7517 §5): https, or http to this machine.
    pub jwks_url: Option<String>,
    /// The same in a file, read when the configuration is.
    pub jwks_file: Option<PathBuf>,
    /// The secret that tokens are signed with, at least 32 bytes: `"${JWT_SECRET}"`.
    pub secret: Option<Secret>,
    /// One or more public keys, PEM (`-----BEGIN PUBLIC KEY-----`).
    pub public_key: Option<String>,
    /// How the keys at `jwks_url` are kept fresh.
    #[serde(default)]
    pub jwks: JwksConfig,
    /// By how much the issuer's clock may differ from ours. 30 s unless told, 5 m at most.
    #[serde(default = "default_leeway")]
    pub leeway: Span,
    /// Where in the claims a caller's properties are.
    #[serde(default)]
    pub claims: ClaimsConfig,
}

/// How keys are fetched.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwksConfig {
    /// How often, if nothing asks for it earlier. 1 h unless told.
    pub refresh: Span,
    /// How soon after a fetch a token with an unknown key may cause another. 30 s unless told.
    pub min_refresh: Span,
    /// Certificates of the authorities that vouch for the place, PEM. Unless told, those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// Whether the keys may travel over http to another machine, where who is on the way can replace them. `false` unless told.
    pub allow_http: bool,
}

/// Dotted paths into the claims, such as `realm_access.roles`. A claim whose name is the whole text comes first, so that
/// `https://app.example/roles` works.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimsConfig {
    /// The user: a text or a whole number. `sub` unless told.
    pub user: String,
    /// Roles: texts, or one text with spaces between. `roles` unless told.
    pub roles: String,
    /// Scopes: texts, or one text with spaces between. `scope` unless told (RFC 8693 §4.2).
    pub scopes: String,
    /// The e-mail address. `email` unless told.
    pub email: String,
}

/// Where the keys come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Url(&'a str),
    File(&'a Path),
    Secret(&'a Secret),
    PublicKey(&'a str),
}

fn default_leeway() -> Span {
    Span::seconds(30)
}

/// More than this is no difference of clocks: it only keeps expired tokens alive.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// A fetch every second is the most that an unknown key may cost.
const LEAST_MIN_REFRESH: Duration = Duration::from_secs(1);

impl Default for JwksConfig {
    fn default() -> Self {
        Self {
            refresh: Span::seconds(60 * 60),
            min_refresh: Span::seconds(30),
            ca: None,
            allow_http: false,
        }
    }
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        Self {
            user: "sub".to_owned(),
            roles: "roles".to_owned(),
            scopes: "scope".to_owned(),
            email: "email".to_owned(),
        }
    }
}

impl JwtConfig {
    /// What is wrong with it, each with its key. What a file holds is not looked at: see
    /// [`Tokens::new`](super::Tokens::new).
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match self.source() {
            Some(source) => problems.extend(self.problems_with(source)),
            None => problems.push("exactly one of jwks_url, jwks_file, secret and public_key is needed".to_owned()),
        }
        problems.extend(self.problems_of_times());
        problems.extend(self.claims.problems());
        problems
    }

    /// The other file that it names: keys, or the authority of whoever publishes them.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        self.jwks_file.as_ref().or(self.jwks.ca.as_ref())
    }

    /// The one place its keys come from; `None` for none or several.
    pub(super) fn source(&self) -> Option<Source<'_>> {
        let sources = [
            self.jwks_url.as_deref().map(Source::Url),
            self.jwks_file.as_deref().map(Source::File),
            self.secret.as_ref().map(Source::Secret),
            self.public_key.as_deref().map(Source::PublicKey),
        ];
        let mut given = sources.into_iter().flatten();
        given.next().filter(|_| given.next().is_none())
    }

    fn problems_with(&self, source: Source<'_>) -> Vec<String> {
        let mut problems = self.problems_of_algorithms(source);
        match source {
            Source::Url(url) => problems.extend(
                Place::parse(url, self.jwks.allow_http)
                    .err()
                    .map(|why| named("jwks_url", &why)),
            ),
            Source::File(_) => {}
            Source::Secret(secret) => problems.extend(weak_secret::problem(secret).map(|why| named("secret", why))),
            Source::PublicKey(pem) => {
                problems.extend(
                    public_keys(pem, &self.algorithms)
                        .err()
                        .map(|why| named("public_key", &why)),
                );
            }
        }
        problems.extend(self.problems_of_addressee(source));
        problems
    }

    /// One secret for HMAC and public keys for the rest, never mixed: a public key is no secret.
    fn problems_of_algorithms(&self, source: Source<'_>) -> Vec<String> {
        let is_secret = matches!(source, Source::Secret(_));
        let fits = |algorithm: &Algorithm| (*algorithm == Algorithm::Hs256) == is_secret;
        let problem = match (self.algorithms.is_empty(), self.algorithms.iter().all(fits), is_secret) {
            (true, ..) => "algorithms: at least one is needed",
            (_, true, _) => return Vec::new(),
            (.., true) => "algorithms: with secret, HS256 is the only one",
            (.., false) => "algorithms: HS256 goes with secret only",
        };
        vec![problem.to_owned()]
    }

    fn problems_of_addressee(&self, source: Source<'_>) -> Vec<String> {
        let is_needed = matches!(source, Source::Url(_) | Source::File(_));
        let mut problems = Vec::new();
        if self.issuer.as_ref().map_or(is_needed, String::is_empty) {
            problems.push("issuer: with published keys, it must be given".to_owned());
        }
        if self.audience.iter().any(String::is_empty) || (is_needed && self.audience.is_empty()) {
            problems.push(
                "audience: with published keys, it must be given; without it, tokens for others open this".to_owned(),
            );
        }
        problems
    }

    fn problems_of_times(&self) -> Vec<String> {
        let Span(min_refresh) = self.jwks.min_refresh;
        let checks = [
            (self.leeway.0 > MAX_LEEWAY, "leeway: 5m is the most"),
            (min_refresh < LEAST_MIN_REFRESH, "jwks.min_refresh: 1s is the least"),
            (
                self.jwks.refresh.0 < min_refresh,
                "jwks.refresh: it must not be shorter than jwks.min_refresh",
            ),
        ];
        checks
            .into_iter()
            .filter(|(wrong, _)| *wrong)
            .map(|(_, problem)| problem.to_owned())
            .collect()
    }
}

impl ClaimsConfig {
    fn problems(&self) -> Vec<String> {
        let paths = [
            ("claims.user", &self.user),
            ("claims.roles", &self.roles),
            ("claims.scopes", &self.scopes),
            ("claims.email", &self.email),
        ];
        let empty = paths.into_iter().filter(|(_, path)| path.is_empty());
        empty.map(|(name, _)| named(name, "it must not be empty")).collect()
    }
}

fn named(name: &str, problem: &str) -> String {
    format!("{name}: {problem}")
}
