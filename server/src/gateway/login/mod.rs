//! Logging in: users of Trailmark itself or of another service, lock-out, sessions, and the token that services read.
//!
//! `POST /api/auth/login` ([`http`]) → may this account and this address try at all ([`lockout`]) → is the password right
//! ([`password`], or another service: [`delegated`]) → a session ([`sessions`]: a [`cookie`], its standing by [`session`],
//! its page by [`csrf`]) and, where the gateway's file asks for one, a token ([`Mint`]).
//!
//! Whether an account exists is not to be learnt here: unknown addresses are counted, locked, answered and, with an
//! argon2id of nobody's, timed as known ones are.
//!
//! Users come from invitations: links that work once ([`new_link`]), which `POST /api/auth/accept` takes.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use trailmark_protocol::Timestamp;

use crate::store::{Project, Store, StoreError};
use config::LockoutConfig;

pub use config::{LoginConfig, SessionConfig, Users};
use delegated::Validate;
use lockout::{Counts, Rules, SUBJECTS_MAX};
use password::Passwords;
use sessions::Sessions;

pub mod config;
pub mod lockout;
pub mod password;
pub mod delegated;
pub mod session;
pub mod csrf;
pub mod cookie;
pub mod sessions;
mod attempt;
mod invitations;
pub mod http;
mod accept;

pub use attempt::{LoggedIn, UserShown, account_hash};
pub use invitations::{INVITED_FOR, Link, RESET_FOR, first_link, new_link};

/// Makes the tokens that services read.
pub trait Mint: Send + Sync + 'static {
    /// A signed token of this user, as of `now`.
    fn mint(&self, user: &str, email: &str, roles: &[String], now: Timestamp) -> String;
}

/// How tokens are made, and how long each is good for.
#[derive(Clone)]
pub struct Tokens {
    /// Makes them.
    pub mint: Arc<dyn Mint>,
    /// How long each is good for.
    pub expires: Duration,
}

/// Who says that a password is right.
#[derive(Clone, Default)]
pub enum Judge {
    /// The users of this installation.
    #[default]
    Local,
    /// Another service.
    Delegated(Arc<dyn Validate>),
}

/// What a gateway's file says about logins, with its names looked up. The default is local users and no token.
#[derive(Clone, Default)]
pub struct LoginPolicy {
    /// Who says that a password is right.
    pub judge: Judge,
    /// How tokens are made, if at all.
    pub tokens: Option<Tokens>,
    /// What happens after failures.
    pub lockout: LockoutConfig,
}

/// Logins and sessions. Counts, turns and what is known of sessions survive [`configure`](Self::configure).
pub struct Login {
    store: Store,
    sessions: Sessions,
    policy: ArcSwap<LoginPolicy>,
    addresses: Mutex<Counts<IpAddr>>,
    passwords: Passwords,
    /// The projects when they were last read.
    projects: ArcSwapOption<Vec<Project>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// Logins with the defaults, over this store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            sessions: Sessions::new(store.clone(), SessionConfig::default()),
            store,
            policy: ArcSwap::default(),
            addresses: Mutex::new(Counts::new(SUBJECTS_MAX)),
            passwords: Passwords::default(),
            projects: ArcSwapOption::empty(),
        }
    }

    /// Goes on with another configuration.
    pub fn configure(&self, session: SessionConfig, policy: LoginPolicy) {
        self.sessions.configure(session);
        self.policy.store(policy.into());
    }

    /// Whether users of this installation log in, and not those of another service.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.policy.load().judge, Judge::Local)
    }

    /// The sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// All projects, oldest first; while the database is away, as they were when it last answered.
    ///
    /// # Errors
    /// What stands in the way, if it has never answered.
    pub(super) async fn projects(&self) -> Result<Arc<Vec<Project>>, StoreError> {
        match (self.store.list_projects().await, self.projects.load_full()) {
            (Ok(read), _) => {
                let read = Arc::new(read);
                self.projects.store(Some(Arc::clone(&read)));
                Ok(read)
            }
            (Err(_), Some(known)) => Ok(known),
            (Err(error), None) => Err(error),
        }
    }

    /// Forgets the addresses that this process need not count any more.
    pub fn sweep(&self, now: Timestamp) {
        let rules = Rules::of_address(&self.policy.load().lockout);
        self.with_addresses(|addresses| addresses.sweep(now, &rules));
    }

    /// Removes from `store` the failures that count no more, the sessions that have ended and the links that have expired.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn forget_ended(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let rules = Rules::of_address(&self.policy.load().lockout);
        let remembered = i64::try_from(rules.remembered().as_micros()).unwrap_or(i64::MAX);
        store.sweep_login_failures(now.plus_micros(-remembered), now).await?;
        store.remove_expired_sessions(now).await?;
        store.remove_expired_invitations(now).await?;
        Ok(())
    }

    fn with_addresses<T>(&self, work: impl FnOnce(&mut Counts<IpAddr>) -> T) -> T {
        work(&mut self.addresses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
