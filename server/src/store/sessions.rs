//! Sessions and the tokens that open them. What a token is worth is decided elsewhere (`gateway::login::session`): here
//! are the rows, and the changes that have to be one statement.

use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::random::uuid_v7;

/// Tokens of one session that are remembered: 64, so that refreshing in a loop fills no table. With a refresh every 15
/// minutes a stolen token is recognised for 16 hours after its replacement; an older one is unknown, and opens nothing.
const TOKENS_KEPT: i64 = 64;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionUser {
    /// One of [`users`](super::User).
    Known(Uuid),
    /// One that another service vouches for.
    Outside {
        /// What that service calls the user.
        id: String,
        /// The address.
        email: String,
        /// The role, if it gave one.
        role: Option<String>,
    },
}

/// A session to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession<'a> {
    /// Whose it is.
    pub user: &'a SessionUser,
    /// SHA-256 of its first token.
    pub token_hash: [u8; 32],
    /// What the page has to send with changes.
    pub csrf: &'a str,
    /// When it begins.
    pub at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A token and the session that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The session.
    pub session_id: Uuid,
    /// The user: a UUID of ours, or what another service calls it.
    pub user: String,
    /// The user's address.
    pub email: String,
    /// The user's role, as it is now.
    pub role: Option<String>,
    /// What the page has to send with changes.
    pub csrf: String,
    /// When and how far the session is open.
    pub opening: Opening,
}

/// When and how far a token opens its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// About when the session was last used.
    pub last_seen_at: Timestamp,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    /// Whether the session was revoked, or its user disabled.
    pub revoked: bool,
    /// When the token was replaced, if it was.
    pub replaced_at: Option<Timestamp>,
}

type Row = (
    Uuid,
    String,
    String,
    Option<String>,
    String,
    PgTime,
    PgTime,
    bool,
    Option<PgTime>,
);

impl From<Row> for TokenRow {
    fn from((session_id, user, email, role, csrf, last_seen_at, expires_at, revoked, replaced_at): Row) -> Self {
        Self {
            session_id,
            user,
            email,
            role,
            csrf,
            opening: Opening {
                last_seen_at: last_seen_at.0,
                expires_at: expires_at.0,
                revoked,
                replaced_at: replaced_at.map(|at| at.0),
            },
        }
    }
}

const OPEN: &str = "
    WITH opened AS (
        INSERT INTO sessions (id, user_id, outside_id, outside_email, outside_role, csrf, created_at, last_seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) RETURNING id, created_at
    )
    INSERT INTO session_tokens (token_hash, session_id, created_at) SELECT $9, id, created_at FROM opened";

/// Opens a session, as a part of something else.
pub(super) async fn open(connection: &mut PgConnection, new: NewSession<'_>) -> Result<(), StoreError> {
    let (known, outside) = match new.user {
        SessionUser::Known(id) => (Some(*id), (None, None, None)),
        SessionUser::Outside { id, email, role } => (None, (Some(id.as_str()), Some(email.as_str()), role.as_deref())),
    };
    sqlx::query(OPEN)
        .bind(uuid_v7(new.at)?)
        .bind(known)
        .bind(outside.0)
        .bind(outside.1)
        .bind(outside.2)
        .bind(new.csrf)
        .bind(PgTime(new.at))
        .bind(PgTime(new.expires_at))
        .bind(new.token_hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all sessions of a user, as a part of something else.
pub(super) async fn end_all(connection: &mut PgConnection, user: Uuid) -> Result<(), StoreError> {
    let end =
        sqlx::query("UPDATE sessions SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL").bind(user);
    end.execute(connection).await?;
    Ok(())
}

impl Store {
    /// Opens a session.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn open_session(&self, new: NewSession<'_>) -> Result<(), StoreError> {
        open(&mut *self.pool.acquire().await?, new).await
    }

    /// The session of a token, whatever became of either.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn session_of(&self, token_hash: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT s.id, COALESCE(u.id::text, s.outside_id), COALESCE(u.email, s.outside_email, ''),
                    COALESCE(u.role, s.outside_role), s.csrf, s.last_seen_at, s.expires_at,
                    s.revoked_at IS NOT NULL OR u.disabled_at IS NOT NULL, t.replaced_at
             FROM session_tokens t JOIN sessions s ON s.id = t.session_id LEFT JOIN users u ON u.id = s.user_id
             WHERE t.token_hash = $1",
        )
        .bind(token_hash)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(TokenRow::from))
    }

    /// Replaces a session's token. Returns whether it did: of two who try at once with the same token, one does.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn replace_token(&self, old: &[u8; 32], new: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let session: Option<Uuid> = sqlx::query_scalar(
            "WITH old AS (
                 UPDATE session_tokens SET replaced_at = $3 WHERE token_hash = $1 AND replaced_at IS NULL RETURNING session_id
             ), seen AS (
                 UPDATE sessions SET last_seen_at = greatest(last_seen_at, $3) WHERE id IN (SELECT session_id FROM old)
             )
             INSERT INTO session_tokens (token_hash, session_id, created_at) SELECT $2, session_id, $3 FROM old
             RETURNING session_id",
        )
        .bind(old)
        .bind(new)
        .bind(PgTime(at))
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(session) = session {
            sqlx::query(
                "DELETE FROM session_tokens WHERE token_hash IN (
                     SELECT token_hash FROM session_tokens WHERE session_id = $1 AND replaced_at IS NOT NULL
                     ORDER BY created_at DESC OFFSET $2
                 )",
            )
            .bind(session)
            .bind(TOKENS_KEPT)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(session.is_some())
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn touch_session(&self, session_id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2")
            .bind(session_id)
            .bind(PgTime(at))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends a session: none of its tokens opens it any more.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn revoke_session(&self, session_id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(session_id)
            .bind(PgTime(at))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Removes the sessions that ended by their age. Returns how many there were.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn remove_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(PgTime(now))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}
