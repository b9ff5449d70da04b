//! One attempt to log in, from the two texts to a session.

use std::net::IpAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::delegated::{Validate, ValidatedUser};
use super::lockout::{self, Charge, Locked, Rules};
use super::password::Place;
use super::sessions::{Opened, unavailable};
use super::{Judge, Login, LoginPolicy};
use crate::gateway::client_ip::limit_key;
use crate::gateway::problem::{Code, Problem};
use crate::store::{SessionUser, TokenRow, User};

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LoggedInUser)]
pub struct UserShown {
    /// The user's id: a UUID, or what the service that knows the users calls it.
    pub id: String,
    /// The user's address.
    pub email: String,
    /// `owner`, `admin`, `viewer`, or a role of the service that knows the users.
    pub role: Option<String>,
}

/// A login that succeeded.
pub struct LoggedIn {
    /// Who.
    pub user: UserShown,
    /// The session that began with it.
    pub session: Opened,
}

impl From<User> for UserShown {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            role: Some(user.role.as_str().to_owned()),
        }
    }
}

impl From<&TokenRow> for UserShown {
    fn from(row: &TokenRow) -> Self {
        Self {
            id: row.user.clone(),
            email: row.email.clone(),
            role: row.role.clone(),
        }
    }
}

/// A user whose password was right, for the answer and for the session.
struct Right {
    shown: UserShown,
    user: SessionUser,
}

impl From<ValidatedUser> for Right {
    fn from(ValidatedUser { id, email, role }: ValidatedUser) -> Self {
        Self {
            user: SessionUser::Outside {
                id: id.clone(),
                email: email.clone(),
                role: role.clone(),
            },
            shown: UserShown { id, email, role },
        }
    }
}

/// How a password is about to be judged.
enum Judging<'a> {
    Local(Place),
    Delegated(&'a dyn Validate),
}

impl<'a> Judging<'a> {
    /// A place in the line before anything else: who finds it full costs the database nothing.
    fn begin(login: &Login, judge: &'a Judge) -> Result<Self, Problem> {
        match judge {
            Judge::Local => login.passwords.place().map(Self::Local),
            Judge::Delegated(service) => Ok(Self::Delegated(&**service)),
        }
    }
}

/// What the failures of an account are kept under: SHA-256 of its address in lower case.
#[must_use]
pub fn account_hash(email: &str) -> [u8; 32] {
    Sha256::digest(email.trim().to_lowercase().as_bytes()).into()
}

impl Login {
    /// Logs in from this client address, where it is known.
    ///
    /// # Errors
    /// [`Code::InvalidCredentials`], [`Code::LockedOut`], [`Code::Overloaded`], [`Code::KeyringUnavailable`]; of another
    /// service that knows the users, [`Code::BadGateway`], [`Code::UpstreamUnavailable`], [`Code::GatewayTimeout`].
    pub async fn log_in(
        &self,
        email: &str,
        password: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<LoggedIn, Problem> {
        let policy = self.policy.load_full();
        let address = address.map(limit_key);
        self.check_address(address, now)?;
        let account = account_hash(email);
        let right = self.judged(email, password, &account, &policy, now).await?;
        let Some(right) = right else {
            self.count_address(address, &policy, now);
            return Err(Problem::new(
                Code::InvalidCredentials,
                "the e-mail address and the password do not belong together",
            ));
        };
        let forgotten = self.store.forget_login_failures(&account).await;
        forgotten.map_err(|error| unavailable(&error))?;
        let session = self.sessions.open(&right.user, now).await?;
        tracing::info!(user = right.shown.id, "logged in");
        Ok(LoggedIn {
            user: right.shown,
            session,
        })
    }

    /// The user, if the password is right. The attempt is charged to the account before that is known; if it never gets
    /// known, the charge is taken back.
    async fn judged(
        &self,
        email: &str,
        password: &str,
        account: &[u8; 32],
        policy: &LoginPolicy,
        now: Timestamp,
    ) -> Result<Option<Right>, Problem> {
        let rules = Rules::of_account(&policy.lockout);
        let judging = Judging::begin(self, &policy.judge)?;
        let charge = self.charge(account, now, &rules).await?;
        let judged = match judging {
            Judging::Local(place) => self.local(email, password, place).await,
            Judging::Delegated(service) => service
                .validate(email, password)
                .await
                .map(|user| user.map(Right::from)),
        };
        if judged.is_err() {
            self.take_back(account, &charge, now).await;
        }
        judged
    }

    async fn charge(&self, account: &[u8; 32], now: Timestamp, rules: &Rules) -> Result<Charge, Problem> {
        let charged = self.store.change_login_failures(account, now, |counted| {
            let charge = lockout::charge(counted, now, rules)?;
            Ok((charge.after(), charge))
        });
        let charged = charged.await.map_err(|error| unavailable(&error))?;
        charged.map_err(locked)
    }

    async fn take_back(&self, account: &[u8; 32], charge: &Charge, now: Timestamp) {
        let taken_back = self.store.change_login_failures(account, now, |counted| {
            Ok::<_, Locked>((charge.taken_back(counted), ()))
        });
        if let Err(error) = taken_back.await {
            tracing::warn!(%error, "an attempt to log in that nobody could judge was counted as a failure");
        }
    }

    /// The same steps for accounts that are not there, and for disabled ones.
    async fn local(&self, email: &str, password: &str, place: Place) -> Result<Option<Right>, Problem> {
        let found = self.store.user_with_password(&email.trim().to_lowercase()).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let hash = found.as_ref().map(|found| found.password_hash.as_str());
        let is_right = self.passwords.verify(place, password, hash).await?;
        let user = found
            .map(|found| found.user)
            .filter(|user| is_right && user.disabled_at.is_none());
        Ok(user.map(|user| Right {
            user: SessionUser::Known(user.id),
            shown: user.into(),
        }))
    }

    /// Refuses an address from which too much was guessed.
    pub(super) fn check_address(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Problem> {
        let check = |address| self.with_addresses(|addresses| addresses.check(address, now));
        address.map_or(Ok(()), check).map_err(locked)
    }

    pub(super) fn count_address(&self, address: Option<IpAddr>, policy: &LoginPolicy, now: Timestamp) {
        let rules = Rules::of_address(&policy.lockout);
        if let Some(address) = address {
            self.with_addresses(|addresses| addresses.failed(address, now, &rules));
        }
    }

    /// The token for services and for how long it is good, if there are any.
    pub(super) fn token(&self, user: &UserShown, now: Timestamp) -> Option<(String, std::time::Duration)> {
        let policy = self.policy.load();
        let tokens = policy.tokens.as_ref()?;
        let roles: Vec<String> = user.role.iter().cloned().collect();
        Some((tokens.mint.mint(&user.id, &user.email, &roles, now), tokens.expires))
    }
}

/// The same words for an account and an address, known or not.
fn locked(Locked(left): Locked) -> Problem {
    Problem::new(Code::LockedOut, "too many failed logins").retry_after(left.as_secs() + 1)
}
