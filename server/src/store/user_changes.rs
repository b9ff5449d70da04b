//! What owners change of users. Each change first holds the rows of all owners who can log in: it is made by one who still is
//! one, whatever a server remembers of the session, and two at once cannot leave the installation without an owner.

use sqlx::PgConnection;
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::users::{Role, Row, User, settle};

/// What became of something that only an owner may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned<T> {
    /// It was done.
    Done(T),
    /// Whoever asked is no owner, or no longer.
    NotOwner,
    /// Nobody would be left who could.
    LastOwner,
    /// What it is about is not there.
    Missing,
    /// There are too many already.
    TooMany,
}

/// What is to be changed of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Another role.
    pub role: Option<Role>,
    /// Shut out, or let in again.
    pub disabled: Option<bool>,
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// About when a session of the user was last used, of those that are remembered.
    pub last_seen_at: Option<Timestamp>,
}

/// In the order of their ids: two that lock all owners wait for each other, and never in a circle.
const OWNERS: &str = "SELECT id FROM users WHERE role = 'owner' AND disabled_at IS NULL ORDER BY id FOR UPDATE";

const CHANGE: &str = "
    UPDATE users SET role = COALESCE($2, role),
        disabled_at = CASE WHEN $3 THEN COALESCE(disabled_at, $4) WHEN NOT $3 THEN NULL ELSE disabled_at END
    WHERE id = $1 RETURNING id, email, role, created_at, disabled_at";

const LISTED: &str = "
    SELECT u.id, u.email, u.role, u.created_at, u.disabled_at, max(s.last_seen_at)
    FROM users u LEFT JOIN sessions s ON s.user_id = u.id GROUP BY u.id ORDER BY u.id";

/// Holds the owners who can log in until the transaction ends, and tells who they are.
pub(super) async fn hold_owners(connection: &mut PgConnection) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar(OWNERS).fetch_all(connection).await?)
}

impl Store {
    /// All users, disabled ones too, oldest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn users_seen(&self) -> Result<Vec<ListedUser>, StoreError> {
        type Seen = (Uuid, String, Role, PgTime, Option<PgTime>, Option<PgTime>);
        let rows: Vec<Seen> = sqlx::query_as(LISTED).fetch_all(&self.pool).await?;
        let listed = |(id, email, role, created_at, disabled_at, seen): Seen| ListedUser {
            user: (id, email, role, created_at, disabled_at).into(),
            last_seen_at: seen.map(|at| at.0),
        };
        Ok(rows.into_iter().map(listed).collect())
    }

    /// Changes what a user may do. One who is shut out loses the sessions, and is let in again without them.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn change_user(
        &self,
        by: Uuid,
        id: Uuid,
        change: UserChange,
        now: Timestamp,
    ) -> Result<Owned<User>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let owners = hold_owners(&mut transaction).await?;
        let ends = change.role.is_some_and(|role| role != Role::Owner) || change.disabled == Some(true);
        if !owners.contains(&by) {
            return Ok(Owned::NotOwner);
        } else if ends && owners == [id] {
            return Ok(Owned::LastOwner);
        }
        let changed = sqlx::query_as(CHANGE).bind(id).bind(change.role.map(Role::as_str));
        let changed = changed.bind(change.disabled).bind(PgTime(now));
        let row: Option<Row> = changed.fetch_optional(&mut *transaction).await?;
        let Some(user) = row.map(User::from) else {
            return Ok(Owned::Missing);
        };
        settle(&mut transaction, &user).await?;
        transaction.commit().await?;
        Ok(Owned::Done(user))
    }

    /// Removes a user with its sessions and the links that it made, for good.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn remove_user(&self, by: Uuid, id: Uuid) -> Result<Owned<()>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let owners = hold_owners(&mut transaction).await?;
        if !owners.contains(&by) {
            return Ok(Owned::NotOwner);
        } else if owners == [id] {
            return Ok(Owned::LastOwner);
        }
        let removed = sqlx::query("DELETE FROM users WHERE id = $1").bind(id);
        let removed = removed.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(if removed == 0 { Owned::Missing } else { Owned::Done(()) })
    }
}
