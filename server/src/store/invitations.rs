//! Invitations: links that work once. What is accepted is removed in the transaction that makes the user, sets the password and
//! opens the session: of two who accept at once, the second finds nothing.

use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::random::uuid_v7;
use super::sessions::{self, NewSession, SessionUser};
use super::user_changes::{Owned, hold_owners};
use super::users::{Role, Row, User};

/// Most open invitations: 1,000. More is somebody's loop.
const OPEN_MAX: i64 = 1_000;

/// The token of an invitation as it is kept, and how long it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewLink {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// When it is made.
    pub at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// An invitation of a new user, for those who manage users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its number.
    pub id: i64,
    /// What the user will be.
    pub role: Role,
    /// Whom it is for; `None`: whoever has it.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The owner who made it; `None`: it was made on the server itself.
    pub created_by: Option<String>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What whoever has a link may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// Whether it makes the first owner.
    pub is_first: bool,
    /// What the user will be, or is.
    pub role: Role,
    /// The address of the user that it will make, where it names one.
    pub email: Option<String>,
    /// The address of the user whose password it resets.
    pub user: Option<String>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What somebody who accepts has chosen, and the session that is opened for them.
pub struct Acceptance<'a> {
    /// Address of the new user, as [`normal_email`](super::normal_email) has it; not looked at where a password is reset.
    pub email: &'a str,
    /// argon2id in PHC form.
    pub password_hash: &'a str,
    /// SHA-256 of the session's token.
    pub session_hash: [u8; 32],
    /// What the session's page sends with changes.
    pub csrf: &'a str,
    /// When the session ends at the latest.
    pub session_ends_at: Timestamp,
    /// The time.
    pub at: Timestamp,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The user who is logged in now.
    User(User),
    /// The link does not work, or no longer.
    Gone,
    /// Another user has the address. The link still works.
    Taken,
}

const FIRST: &str = "
    INSERT INTO invitations (kind, token_hash, role, created_at, expires_at)
    SELECT 'first', $1, 'owner', $2, $3 WHERE NOT EXISTS (SELECT FROM users WHERE disabled_at IS NULL)
    ON CONFLICT (kind) WHERE kind = 'first'
    DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at, expires_at = excluded.expires_at";

const INVITE: &str = "
    INSERT INTO invitations (kind, token_hash, role, email, created_by, created_at, expires_at)
    SELECT 'user', $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM invitations) < $7
    RETURNING id, role, email, created_at, (SELECT u.email FROM users u WHERE u.id = created_by), expires_at";

const RESET: &str = "
    INSERT INTO invitations (kind, token_hash, user_id, created_by, created_at, expires_at)
    SELECT 'reset', $1, id, $3, $4, $5 FROM users WHERE id = $2 AND disabled_at IS NULL
    ON CONFLICT (user_id) WHERE kind = 'reset'
    DO UPDATE SET token_hash = excluded.token_hash, created_by = excluded.created_by, created_at = excluded.created_at,
        expires_at = excluded.expires_at";

const LISTED: &str = "
    SELECT i.id, i.role, i.email, i.created_at, u.email, i.expires_at
    FROM invitations i LEFT JOIN users u ON u.id = i.created_by
    WHERE i.kind = 'user' AND i.expires_at > $1 ORDER BY i.id";

const OPEN: &str = "
    SELECT i.kind = 'first', COALESCE(i.role, u.role), i.email, u.email, i.expires_at
    FROM invitations i LEFT JOIN users u ON u.id = i.user_id
    WHERE i.token_hash = $1 AND i.expires_at > $2 AND u.disabled_at IS NULL
      AND (i.kind <> 'first' OR NOT EXISTS (SELECT FROM users WHERE disabled_at IS NULL))";

const TAKE: &str = "
    DELETE FROM invitations WHERE token_hash = $1 AND expires_at > $2 RETURNING kind = 'first', role, email, user_id";

/// The link for the first owner ends with any user: it must not come back to life when that user goes.
const MAKE: &str = "
    WITH made AS (
        INSERT INTO users (id, email, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (lower(email)) DO NOTHING RETURNING id, email, role, created_at, disabled_at
    ), closed AS (DELETE FROM invitations WHERE kind = 'first')
    SELECT * FROM made";

const REPLACE: &str = "
    UPDATE users SET password_hash = $2 WHERE id = $1 AND disabled_at IS NULL
    RETURNING id, email, role, created_at, disabled_at";

type InvitationRow = (i64, Role, Option<String>, PgTime, Option<String>, PgTime);

impl From<InvitationRow> for Invitation {
    fn from((id, role, email, created_at, created_by, expires_at): InvitationRow) -> Self {
        Self {
            id,
            role,
            email,
            created_at: created_at.0,
            created_by,
            expires_at: expires_at.0,
        }
    }
}

impl Store {
    /// Makes the link for the first owner, which ends the one before. False: somebody can log in, and there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn invite_first(&self, link: NewLink) -> Result<bool, StoreError> {
        let made = sqlx::query(FIRST).bind(link.token_hash);
        let made = made.bind(PgTime(link.at)).bind(PgTime(link.expires_at));
        Ok(made.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Invites a new user; `by` an owner, or on the server itself.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn invite(
        &self,
        by: Option<Uuid>,
        (role, email): (Role, Option<&str>),
        link: NewLink,
    ) -> Result<Owned<Invitation>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let owners = hold_owners(&mut transaction).await?;
        if by.is_some_and(|by| !owners.contains(&by)) {
            return Ok(Owned::NotOwner);
        }
        let invited = sqlx::query_as(INVITE).bind(link.token_hash).bind(role.as_str());
        let invited = invited.bind(email).bind(by).bind(PgTime(link.at));
        let invited = invited.bind(PgTime(link.expires_at)).bind(OPEN_MAX);
        let row: Option<InvitationRow> = invited.fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(row.map_or(Owned::TooMany, |row| Owned::Done(row.into())))
    }

    /// Makes a link that sets another password of a user who can log in. It ends the one before.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn invite_reset(&self, by: Option<Uuid>, user: Uuid, link: NewLink) -> Result<Owned<()>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let owners = hold_owners(&mut transaction).await?;
        if by.is_some_and(|by| !owners.contains(&by)) {
            return Ok(Owned::NotOwner);
        }
        let reset = sqlx::query(RESET).bind(link.token_hash).bind(user).bind(by);
        let reset = reset.bind(PgTime(link.at)).bind(PgTime(link.expires_at));
        let made = reset.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(if made == 0 { Owned::Missing } else { Owned::Done(()) })
    }

    /// The invitations of new users that still work, oldest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        let rows: Vec<InvitationRow> = sqlx::query_as(LISTED).bind(PgTime(now)).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Invitation::from).collect())
    }

    /// Takes an invitation of a new user back.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn withdraw_invitation(&self, by: Uuid, id: i64) -> Result<Owned<()>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !hold_owners(&mut transaction).await?.contains(&by) {
            return Ok(Owned::NotOwner);
        }
        let gone = sqlx::query("DELETE FROM invitations WHERE id = $1 AND kind = 'user'").bind(id);
        let gone = gone.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(if gone == 0 { Owned::Missing } else { Owned::Done(()) })
    }

    /// What a link is for, if it works.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn open_invitation(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<OpenInvitation>, StoreError> {
        type Open = (bool, Role, Option<String>, Option<String>, PgTime);
        let row: Option<Open> = sqlx::query_as(OPEN)
            .bind(token_hash)
            .bind(PgTime(now))
            .fetch_optional(&self.pool)
            .await?;
        let open = |(is_first, role, email, user, expires_at): Open| OpenInvitation {
            is_first,
            role,
            email,
            user,
            expires_at: expires_at.0,
        };
        Ok(row.map(open))
    }

    /// Uses a link up: makes the user or sets the password, and opens a session, all or nothing.
    ///
    /// # Errors
    /// What stands in the way; then nothing was done.
    pub async fn accept_invitation(
        &self,
        token_hash: &[u8; 32],
        acceptance: &Acceptance<'_>,
    ) -> Result<Accepted, StoreError> {
        type Taken = (bool, Option<Role>, Option<String>, Option<Uuid>);
        let mut transaction = self.pool.begin().await?;
        let taken = sqlx::query_as(TAKE).bind(token_hash).bind(PgTime(acceptance.at));
        let taken: Option<Taken> = taken.fetch_optional(&mut *transaction).await?;
        let Some((is_first, role, email, reset)) = taken else {
            return Ok(Accepted::Gone);
        };
        if is_first {
            // Whoever is becoming a user at this moment is one first, or waits.
            let hold = sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE");
            hold.execute(&mut *transaction).await?;
            let somebody = sqlx::query_scalar("SELECT EXISTS (SELECT FROM users WHERE disabled_at IS NULL)");
            if somebody.fetch_one(&mut *transaction).await? {
                return Ok(Accepted::Gone);
            }
        }
        let row: Option<Row> = match (reset, role) {
            (Some(user), _) => {
                let replaced = sqlx::query_as(REPLACE).bind(user).bind(acceptance.password_hash);
                replaced.fetch_optional(&mut *transaction).await?
            }
            (None, Some(role)) => {
                let made = sqlx::query_as(MAKE).bind(uuid_v7(acceptance.at)?);
                let made = made.bind(email.as_deref().unwrap_or(acceptance.email));
                let made = made.bind(acceptance.password_hash).bind(role.as_str());
                made.bind(PgTime(acceptance.at))
                    .fetch_optional(&mut *transaction)
                    .await?
            }
            (None, None) => None,
        };
        let Some(user) = row.map(User::from) else {
            return Ok(if reset.is_some() {
                Accepted::Gone
            } else {
                Accepted::Taken
            });
        };
        sessions::end_all(&mut transaction, user.id).await?;
        let opened = NewSession {
            user: &SessionUser::Known(user.id),
            token_hash: acceptance.session_hash,
            csrf: acceptance.csrf,
            at: acceptance.at,
            expires_at: acceptance.session_ends_at,
        };
        sessions::open(&mut transaction, opened).await?;
        transaction.commit().await?;
        Ok(Accepted::User(user))
    }

    /// Removes the links that have expired. Returns how many there were.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn remove_expired_invitations(&self, now: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM invitations WHERE expires_at <= $1").bind(PgTime(now));
        Ok(done.execute(&self.pool).await?.rows_affected())
    }
}
