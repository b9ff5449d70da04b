//! Judges tokens: whose are they, and are they good now?

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use trailmark_protocol::Timestamp;

use super::config::{JwtConfig, Source};
use super::jwks::{Jwks, Published};
use super::key::{Key, public_keys};
use super::key_set::KeySet;
use super::known::Known;
use super::place::Place;
use super::reason::{Failures, Reason};
use super::signed::Signed;
use crate::gateway::caller::Caller;
use crate::gateway::problem::Problem;
use crate::gateway::trust;

/// Judges the tokens of one `[auth.jwt.NAME]`.
pub struct Tokens {
    pub(super) config: JwtConfig,
    /// What was in the file that the configuration names.
    file: Option<Vec<u8>>,
    keys: Keys,
    known: Known,
    failures: Failures,
}

enum Keys {
    Given(Arc<KeySet>),
    Published(Jwks),
}

impl Tokens {
    /// Judges by `config`; its files are in `directory`, unless their paths are absolute. Fetches nothing before
    /// [`start`](Self::start).
    ///
    /// # Errors
    /// [`JwtConfig::problems`], and what is wrong with the files.
    pub fn new(config: JwtConfig, directory: &Path) -> Result<Self, Vec<String>> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        // Before it is used: if it changes meanwhile, this is seen to be another's.
        let file = contents(&config, directory);
        let keys = keys(&config, directory).map_err(|problem| vec![problem])?;
        Ok(Self {
            config,
            file,
            keys,
            known: Known::new(),
            failures: Failures::new(),
        })
    }

    /// Begins to fetch the keys, where they are published; a token that needs them begins it too. Needs a tokio runtime.
    pub fn start(&self) {
        if let Keys::Published(jwks) = &self.keys {
            jwks.start();
        }
    }

    /// Whether these can go on judging by `config`, with the keys they have fetched: it is the same, and so is what its
    /// file in `directory` holds.
    #[must_use]
    pub fn is_same(&self, config: &JwtConfig, directory: &Path) -> bool {
        self.config == *config && self.file == contents(config, directory)
    }

    /// Whom `token` stands for at `now`. May wait, at most 5 s, for keys to be fetched.
    ///
    /// # Errors
    /// [`Code::InvalidToken`](crate::gateway::problem::Code::InvalidToken), counted by its reason; while no keys could be
    /// fetched so far, [`Code::KeyringUnavailable`](crate::gateway::problem::Code::KeyringUnavailable).
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Caller>, Problem> {
        let judged = self.judge(token, now).await;
        judged.map_err(|reason| {
            self.failures.count(reason);
            reason.of_token()
        })
    }

    /// The same, with the reason.
    ///
    /// # Errors
    /// The reason.
    pub async fn judge(&self, token: &str, now: Timestamp) -> Result<Arc<Caller>, Reason> {
        match self.known.get(token, &self.current(), now) {
            Some(caller) => Ok(caller),
            // Boxed: few requests wait for it, and all would have room for it.
            None => Box::pin(self.judge_anew(token, now)).await,
        }
    }

    async fn judge_anew(&self, text: &str, now: Timestamp) -> Result<Arc<Caller>, Reason> {
        let token = Signed::read(text)?;
        if !self.config.algorithms.contains(&token.algorithm()) {
            return Err(Reason::Algorithm);
        }
        let keys = self.check_signature(&token).await?;
        let claims = token.claims()?;
        claims.check(&self.config, now)?;
        let validity = claims.validity(&self.config)?;
        let caller = Arc::new(claims.into_caller(&self.config.claims));
        self.known.put(text, keys, validity, Arc::clone(&caller));
        Ok(caller)
    }

    fn current(&self) -> Arc<KeySet> {
        match &self.keys {
            Keys::Given(keys) => Arc::clone(keys),
            Keys::Published(jwks) => jwks.current(),
        }
    }

    /// The keys, one of which has signed `token`.
    async fn check_signature(&self, token: &Signed<'_>) -> Result<Arc<KeySet>, Reason> {
        let mut keys = self.current();
        match (keys.check(token), &self.keys) {
            // Also a signature by a key without a name: it may have been replaced by another.
            (Err(_), Keys::Published(jwks)) if !keys.names(token.kid()) => {
                keys = jwks.look_again().await;
                check_again(&keys, token)?;
            }
            (known, _) => known?,
        }
        Ok(keys)
    }
}

fn check_again(keys: &KeySet, token: &Signed<'_>) -> Result<(), Reason> {
    if keys.is_empty() {
        Err(Reason::KeysUnavailable)
    } else {
        keys.check(token)
    }
}

fn contents(config: &JwtConfig, directory: &Path) -> Option<Vec<u8>> {
    std::fs::read(directory.join(config.file()?)).ok()
}

fn keys(config: &JwtConfig, directory: &Path) -> Result<Keys, String> {
    let given = match config.source().ok_or("there are no keys")? {
        Source::Url(url) => return published(config, url, directory).map(Keys::Published),
        Source::File(file) => of_file(config, &directory.join(file))?,
        Source::Secret(secret) => KeySet::new(vec![Key::of_secret(secret.reveal().as_bytes())]),
        Source::PublicKey(pem) => KeySet::new(public_keys(pem, &config.algorithms)?),
    };
    Ok(Keys::Given(Arc::new(given)))
}

fn of_file(config: &JwtConfig, file: &Path) -> Result<KeySet, String> {
    let json = std::fs::read(file).map_err(|error| format!("jwks_file: {}: {error}", file.display()))?;
    KeySet::parse(&json, &config.algorithms).map_err(|why| format!("jwks_file: {}: {why}", file.display()))
}

fn published(config: &JwtConfig, url: &str, directory: &Path) -> Result<Jwks, String> {
    let place = Place::parse(url, config.jwks.allow_http).map_err(|why| format!("jwks_url: {why}"))?;
    let ca = config.jwks.ca.as_ref().map(|file| directory.join(file));
    let tls = place.tls.as_ref().map(|_| connector(ca.as_deref())).transpose();
    Ok(Jwks::new(Published {
        tls: tls.map_err(|why| format!("jwks.ca: {why}"))?,
        place,
        allowed: config.algorithms.clone(),
        refresh: config.jwks.refresh.0,
        min_refresh: config.jwks.min_refresh.0,
    }))
}

fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let named = |file: &Path| std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    let roots = trust::authorities(ca.map(named).transpose()?.as_deref())?;
    let config = trust::client(roots)?.with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
