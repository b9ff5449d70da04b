//! Sessions as requests meet them: a cookie is looked up, at most once in ten seconds, and becomes a [`Caller`].

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{HeaderMap, Method};
use moka::future::Cache;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use trailmark_protocol::Timestamp;

use super::config::SessionConfig;
use super::session::{Standing, is_to_be_noted, plus, standing};
use super::{cookie, csrf};
use crate::gateway::caller::{Caller, Proof};
use crate::gateway::problem::{Code, Problem};
use crate::store::{
    CHARS_256_BITS, ErrorClass, NewSession, SessionUser, Store, StoreError, TokenRow, hash_key, random_text,
};

/// How old what is known of a session may be: 10 s. A revoked session, a disabled user and a changed role are noticed
/// within this time; at the server that revokes, at once.
pub const CHECKED_FOR: Duration = Duration::from_secs(10);

/// Sessions that are known at once: 10,000, about 5 MB. Others ask the database with every request.
const KNOWN_MAX: u64 = 10_000;

/// What a session's token starts with, so that a leaked one is recognised for what it is.
const TOKEN_PREFIX: &str = "tm_ss_";

type TokenHash = [u8; 32];

/// What the database said of a token.
#[derive(Debug, Clone)]
struct Checked {
    row: Arc<TokenRow>,
    asked: Instant,
}

/// A session that has begun.
pub struct Opened {
    /// What its cookie holds. Not for logs, hence no `Debug`.
    pub token: String,
    /// What its page sends with changes.
    pub csrf: String,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A session that goes on.
pub struct Refreshed {
    /// Whose it is, and what its page sends with changes.
    pub row: TokenRow,
    /// Its new token; none if another tab has just been given one.
    pub token: Option<String>,
}

/// The sessions of this installation.
#[derive(Debug)]
pub struct Sessions {
    store: Store,
    config: ArcSwap<SessionConfig>,
    known: Cache<TokenHash, Checked>,
}

impl Sessions {
    /// Sessions as configured.
    #[must_use]
    pub fn new(store: Store, config: SessionConfig) -> Self {
        Self {
            store,
            config: ArcSwap::from_pointee(config),
            known: Cache::builder()
                .max_capacity(KNOWN_MAX)
                .time_to_live(CHECKED_FOR)
                .build(),
        }
    }

    /// Goes on with another configuration.
    pub fn configure(&self, config: SessionConfig) {
        self.config.store(config.into());
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> Arc<SessionConfig> {
        self.config.load_full()
    }

    /// Who calls, by the session's cookie; `None` if there is no such cookie. With `csrf = true` a request that changes
    /// something must be its page's.
    ///
    /// # Errors
    /// [`Code::InvalidSession`], [`Code::CsrfFailed`]; [`Code::KeyringUnavailable`] while the database cannot say.
    pub async fn check(&self, headers: &HeaderMap, method: &Method, now: Timestamp) -> Option<Result<Caller, Problem>> {
        let row = self.session(headers, method, now).await?;
        Some(row.map(|row| caller(&row)))
    }

    /// As [`check`](Self::check), with what the session's own page may know.
    pub(super) async fn session(
        &self,
        headers: &HeaderMap,
        method: &Method,
        now: Timestamp,
    ) -> Option<Result<Arc<TokenRow>, Problem>> {
        let config = self.config();
        let hash = presented(headers, &config)?;
        let row = self.known(hash, now, &config).await;
        Some(row.and_then(|row| {
            if config.csrf && !csrf::is_safe(method) {
                csrf::check(headers, &row.csrf)?;
            }
            Ok(row)
        }))
    }

    async fn known(&self, hash: TokenHash, now: Timestamp, config: &SessionConfig) -> Result<Arc<TokenRow>, Problem> {
        if let Some(checked) = self.known.get(&hash).await {
            let opens = matches!(
                standing(&checked.row.opening, now, config),
                Standing::Live | Standing::Grace
            );
            if opens && checked.asked.elapsed() < CHECKED_FOR {
                return Ok(checked.row);
            }
            self.known.invalidate(&hash).await;
        }
        let asking = self.known.try_get_with(hash, async {
            let asked = Instant::now();
            let (row, _) = self.ask(&hash, now, config).await?;
            Ok::<_, Problem>(Checked { row: row.into(), asked })
        });
        let checked = asking.await.map_err(|problem| (*problem).clone())?;
        Ok(checked.row)
    }

    /// What the database says of a token that opens a session.
    async fn ask(
        &self,
        hash: &TokenHash,
        now: Timestamp,
        config: &SessionConfig,
    ) -> Result<(TokenRow, Standing), Problem> {
        let row = self.store.session_of(hash).await.map_err(|error| unavailable(&error))?;
        let row = row.ok_or_else(over)?;
        let standing = standing(&row.opening, now, config);
        match standing {
            Standing::Live | Standing::Grace => {
                self.note(&row, now).await;
                Ok((row, standing))
            }
            Standing::Ended => Err(over()),
            Standing::Replayed => {
                tracing::warn!(session = %row.session_id, "a replaced session token was presented: the session is ended");
                self.revoke(&row, now).await?;
                Err(over())
            }
        }
    }

    /// Not noting that a session is in use ends it early, at worst: no reason to refuse it now.
    async fn note(&self, row: &TokenRow, now: Timestamp) {
        if is_to_be_noted(&row.opening, now)
            && let Err(error) = self.store.touch_session(row.session_id, now).await
        {
            tracing::debug!(%error, "the use of a session was not noted");
        }
    }

    async fn revoke(&self, row: &TokenRow, now: Timestamp) -> Result<(), Problem> {
        let revoked = self.store.revoke_session(row.session_id, now).await;
        revoked.map_err(|error| unavailable(&error))
    }

    /// Begins a session.
    ///
    /// # Errors
    /// [`Code::KeyringUnavailable`].
    pub async fn open(&self, user: &SessionUser, now: Timestamp) -> Result<Opened, Problem> {
        let opened = self.prepare(now)?;
        let new = NewSession {
            user,
            token_hash: hash_key(&opened.token),
            csrf: &opened.csrf,
            at: now,
            expires_at: opened.expires_at,
        };
        self.store
            .open_session(new)
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(opened)
    }

    /// The texts of a session that is about to begin.
    pub(super) fn prepare(&self, now: Timestamp) -> Result<Opened, Problem> {
        Ok(Opened {
            token: new_token()?,
            csrf: new_text("")?,
            expires_at: plus(now, self.config().longest.0),
        })
    }

    /// Asks the database again about every session, because somebody may not have theirs any more. Rare, and cheap.
    pub fn forget_known(&self) {
        self.known.invalidate_all();
    }

    /// Replaces the token of a session, for its own page.
    ///
    /// # Errors
    /// [`Code::MissingCredentials`] without a cookie, else as [`check`](Self::check).
    pub async fn refresh(&self, headers: &HeaderMap, now: Timestamp) -> Result<Refreshed, Problem> {
        let config = self.config();
        let hash = presented(headers, &config).ok_or_else(missing)?;
        let (row, standing) = self.ask(&hash, now, &config).await?;
        if config.csrf {
            csrf::check(headers, &row.csrf)?;
        }
        if standing == Standing::Grace {
            return Ok(Refreshed { row, token: None });
        }
        let token = new_token()?;
        let replaced = self.store.replace_token(&hash, &hash_key(&token), now).await;
        let replaced = replaced.map_err(|error| unavailable(&error))?;
        self.known.invalidate(&hash).await;
        let token = replaced.then_some(token);
        Ok(Refreshed { row, token })
    }

    /// Ends a session, for its own page. One that is over already, or unknown, is no error.
    ///
    /// # Errors
    /// [`Code::CsrfFailed`], [`Code::KeyringUnavailable`].
    pub async fn end(&self, headers: &HeaderMap, now: Timestamp) -> Result<(), Problem> {
        let config = self.config();
        let Some(hash) = presented(headers, &config) else {
            return Ok(());
        };
        let (row, _) = match self.ask(&hash, now, &config).await {
            Err(problem) if problem.code() == Code::InvalidSession => return Ok(()),
            asked => asked?,
        };
        if config.csrf {
            csrf::check(headers, &row.csrf)?;
        }
        self.revoke(&row, now).await?;
        self.known.invalidate(&hash).await;
        Ok(())
    }
}

/// For how many seconds from `now` on a browser may keep a cookie of this session.
pub(super) fn cookie_seconds(expires_at: Timestamp, now: Timestamp) -> u64 {
    let left = expires_at.micros().saturating_sub(now.micros()) / 1_000_000;
    u64::try_from(left).unwrap_or(0)
}

fn presented(headers: &HeaderMap, config: &SessionConfig) -> Option<TokenHash> {
    let token = cookie::read(headers, &config.cookie).filter(|token| !token.is_empty())?;
    Some(hash_key(token))
}

fn new_token() -> Result<String, Problem> {
    new_text(TOKEN_PREFIX)
}

pub(super) fn new_text(prefix: &str) -> Result<String, Problem> {
    random_text(prefix, CHARS_256_BITS).map_err(|_| Problem::new(Code::Internal, "the platform gives no random bits"))
}

fn over() -> Problem {
    Problem::new(Code::InvalidSession, "this session has ended, or never began")
}

pub(in crate::gateway) fn missing() -> Problem {
    Problem::new(Code::MissingCredentials, "there is no session cookie")
}

/// Of a new database: its tables are made a moment after the start, and logins may come before.
const UNDEFINED_TABLE: &str = "42P01";

/// What the database says is for the log. That it cannot be asked says nothing against a session: never a 401.
pub(super) fn unavailable(error: &StoreError) -> Problem {
    tracing::warn!(%error, "sessions cannot be looked up");
    match error.class() {
        _ if error.sqlstate().as_deref() == Some(UNDEFINED_TABLE) => Problem::new(
            Code::KeyringUnavailable,
            "the database that knows users and sessions is being made ready",
        ),
        ErrorClass::Transient | ErrorClass::Saturated => Problem::new(
            Code::KeyringUnavailable,
            "the database that knows users and sessions does not answer",
        ),
        ErrorClass::Data | ErrorClass::Bug => Problem::new(Code::Internal, "the server made a mistake"),
    }
}

fn caller(row: &TokenRow) -> Caller {
    let roles: Vec<String> = row.role.iter().cloned().collect();
    let claims = [
        ("sub", Value::from(row.user.as_str())),
        ("email", Value::from(row.email.as_str())),
        ("roles", json!(roles)),
    ];
    Caller {
        proof: Proof::Session,
        user: Some(row.user.clone()),
        key: None,
        email: Some(row.email.clone()).filter(|email| !email.is_empty()),
        roles,
        scopes: Vec::new(),
        claims: Map::from_iter(claims.map(|(name, value)| (name.to_owned(), value))),
    }
}
