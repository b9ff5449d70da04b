//! Links that work once: the one that makes the first owner, one that makes somebody a user, one that sets another password.
//! Whoever has a link chooses a password, and is logged in.

use std::net::IpAddr;
use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::attempt::LoggedIn;
use super::password::unfit;
use super::session::plus;
use super::sessions::unavailable;
use super::{Login, UserShown};
use crate::gateway::client_ip::limit_key;
use crate::gateway::problem::{Code, Problem};
use crate::query::QueryError;
use crate::store::{
    Acceptance, Accepted, CHARS_256_BITS, NewLink, OpenInvitation, Store, StoreError, hash_key, normal_email,
    random_text,
};

/// How long an invitation of a user works: a week, so that a mail over the holidays is not in vain.
pub const INVITED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long the link for the first owner works, and one that resets a password: a day.
pub const RESET_FOR: Duration = Duration::from_secs(24 * 3600);

/// What the token of a link starts with, so that a leaked one is recognised for what it is.
const TOKEN_PREFIX: &str = "tm_in_";

/// A link that is about to be made. Not for logs, hence no `Debug`.
pub struct Link {
    /// What the link says. This is the only time that it is at hand.
    pub token: String,
    /// What is kept of it.
    pub kept: NewLink,
}

/// A new link that works for so long from `now` on.
///
/// # Errors
/// [`StoreError::NoEntropy`].
pub fn new_link(works_for: Duration, now: Timestamp) -> Result<Link, StoreError> {
    let token = random_text(TOKEN_PREFIX, CHARS_256_BITS)?;
    let kept = NewLink {
        token_hash: hash_key(&token),
        at: now,
        expires_at: plus(now, works_for),
    };
    Ok(Link { token, kept })
}

/// The token of a new link that makes the first owner; `None` where somebody can log in. It ends the one before.
///
/// # Errors
/// What stands in the way.
pub async fn first_link(store: &Store, now: Timestamp) -> Result<Option<String>, StoreError> {
    let link = new_link(RESET_FOR, now)?;
    let is_made = store.invite_first(link.kept).await?;
    Ok(is_made.then_some(link.token))
}

/// What somebody who accepts has sent.
pub(super) struct Chosen<'a> {
    pub(super) token: &'a str,
    pub(super) email: Option<&'a str>,
    pub(super) password: &'a str,
}

impl Login {
    /// What a link is for. Those that do not work, or no longer, are all the same.
    ///
    /// # Errors
    /// [`Code::InvalidInvitation`], [`Code::LockedOut`], [`Code::NotPermitted`], [`Code::KeyringUnavailable`].
    pub(super) async fn invitation(
        &self,
        token: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<OpenInvitation, Problem> {
        self.needs_local()?;
        let address = address.map(limit_key);
        self.check_address(address, now)?;
        let open = self.store.open_invitation(&hash_key(token), now).await;
        let open = open.map_err(|error| unavailable(&error))?;
        open.ok_or_else(|| {
            self.count_address(address, &self.policy.load(), now);
            gone()
        })
    }

    /// Uses a link up, and logs in.
    ///
    /// # Errors
    /// Those of [`invitation`](Self::invitation); [`Code::InvalidParameter`] if the address or the password cannot be one,
    /// [`Code::Overloaded`].
    pub(super) async fn accept(
        &self,
        chosen: &Chosen<'_>,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<LoggedIn, Problem> {
        let open = self.invitation(chosen.token, address, now).await?;
        let email = email_for(&open, chosen.email)?;
        if let Some(why) = unfit(chosen.password) {
            return Err(QueryError::parameter("password", format!("cannot be one: {why}")).into());
        }
        let place = self.passwords.place()?;
        let password_hash = self.passwords.hash(place, chosen.password).await?;
        let session = self.sessions.prepare(now)?;
        let acceptance = Acceptance {
            email: &email,
            password_hash: &password_hash,
            session_hash: hash_key(&session.token),
            csrf: &session.csrf,
            session_ends_at: session.expires_at,
            at: now,
        };
        let accepted = self.store.accept_invitation(&hash_key(chosen.token), &acceptance).await;
        let user = match accepted.map_err(|error| unavailable(&error))? {
            Accepted::User(user) => user,
            Accepted::Gone => return Err(gone()),
            Accepted::Taken => {
                // Who has a link could ask for one address after the other: as often as passwords may be guessed.
                self.count_address(address.map(limit_key), &self.policy.load(), now);
                return Err(QueryError::parameter("email", "is a user's already").into());
            }
        };
        let forgotten = self
            .store
            .forget_login_failures(&super::account_hash(&user.email))
            .await;
        if let Err(error) = forgotten {
            tracing::warn!(%error, "the failed logins of a user with a new password were not forgotten");
        }
        self.sessions.forget_known();
        tracing::info!(user = %user.id, "accepted an invitation");
        Ok(LoggedIn {
            user: UserShown::from(user),
            session,
        })
    }

    /// Refuses where another service knows the users: a user made here could never log in.
    ///
    /// # Errors
    /// [`Code::NotPermitted`].
    pub fn needs_local(&self) -> Result<(), Problem> {
        let refused = || {
            let detail = "another service knows the users: `users` in [auth.login] of the gateway's file";
            Problem::new(Code::NotPermitted, detail)
        };
        self.is_local().then_some(()).ok_or_else(refused)
    }
}

/// The address of who accepts: the one that the link names, and if it names none, the one that is said.
fn email_for(open: &OpenInvitation, said: Option<&str>) -> Result<String, Problem> {
    let said = match said {
        Some(said) => Some(normal_email(said).ok_or_else(|| QueryError::parameter("email", "is no e-mail address"))?),
        None => None,
    };
    match (open.user.as_ref().or(open.email.as_ref()), said) {
        (Some(named), Some(said)) if *named != said => {
            Err(QueryError::parameter("email", "is not the address that the invitation is for").into())
        }
        (Some(named), _) => Ok(named.clone()),
        (None, Some(said)) => Ok(said),
        (None, None) => Err(QueryError::parameter("email", "is missing").into()),
    }
}

fn gone() -> Problem {
    Problem::new(Code::InvalidInvitation, "this link does not work, or no longer")
}
