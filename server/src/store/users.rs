//! Users: who may log in, and as what.

use sqlx::{PgConnection, Postgres, Transaction};
use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::random::uuid_v7;
use super::sessions;

/// What a user may do: an owner what an admin may, an admin what a viewer may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but what only owners may.
    Admin,
    /// Looks, and changes nothing.
    Viewer,
}

impl Role {
    /// All roles, from the one who may do everything.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Viewer];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Viewer => "viewer",
        }
    }

    /// Whether who has this role may do what takes `needed`.
    #[must_use]
    pub fn covers(self, needed: Self) -> bool {
        let rank = |role: Self| Self::ALL.iter().position(|known| *known == role);
        rank(self) <= rank(needed)
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl sqlx::Type<sqlx::Postgres> for Role {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <String as sqlx::Type<sqlx::Postgres>>::type_info()
    }
}

impl sqlx::Decode<'_, sqlx::Postgres> for Role {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        let word = <&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?;
        Self::parse(word).ok_or_else(|| format!("unknown role: {word}").into())
    }
}

/// What is known about a user; not the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// What tokens and services know the user by.
    pub id: Uuid,
    /// What the user logs in with, as [`normal_email`] has it.
    pub email: String,
    /// What the user may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was shut out, if it was.
    pub disabled_at: Option<Timestamp>,
}

/// A user, and what a password is verified against. Not for logs, hence no `Debug`.
pub struct UserWithPassword {
    /// The user.
    pub user: User,
    /// argon2id in PHC form.
    pub password_hash: String,
}

/// Longest e-mail address: 254 bytes (RFC 5321 §4.5.3.1.3: a path of 256, with its angle brackets).
const EMAIL_BYTES: usize = 254;

/// An e-mail address as it is kept and compared: without spaces around it, in lower case. `None` if it cannot be one: it
/// has something on both sides of an `@`, no white space and no control characters. More only a mail can find out.
#[must_use]
pub fn normal_email(typed: &str) -> Option<String> {
    let email = typed.trim().to_lowercase();
    let (name, domain) = email.rsplit_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control();
    let fits = !name.is_empty() && !domain.is_empty() && email.len() <= EMAIL_BYTES && !email.contains(odd);
    fits.then_some(email)
}

pub(super) type Row = (Uuid, String, Role, PgTime, Option<PgTime>);

impl From<Row> for User {
    fn from((id, email, role, created_at, disabled_at): Row) -> Self {
        Self {
            id,
            email,
            role,
            created_at: created_at.0,
            disabled_at: disabled_at.map(|at| at.0),
        }
    }
}

/// Ends what a user may not have any more who was disabled or is no owner now: sessions, links that it made, and the one that
/// would set its password.
pub(super) async fn settle(connection: &mut PgConnection, user: &User) -> Result<(), StoreError> {
    let is_disabled = user.disabled_at.is_some();
    if is_disabled {
        sessions::end_all(connection, user.id).await?;
    }
    if is_disabled || user.role != Role::Owner {
        let withdraw = sqlx::query("DELETE FROM invitations WHERE created_by = $1 OR ($2 AND user_id = $1)");
        withdraw.bind(user.id).bind(is_disabled).execute(connection).await?;
    }
    Ok(())
}

async fn settled(mut transaction: Transaction<'_, Postgres>, row: Option<Row>) -> Result<Option<User>, StoreError> {
    let user = row.map(User::from);
    if let Some(user) = &user {
        settle(&mut transaction, user).await?;
    }
    transaction.commit().await?;
    Ok(user)
}

impl Store {
    /// Makes a user; `email` as [`normal_email`] has it. The link for the first owner ends with it.
    ///
    /// # Errors
    /// [`StoreError::is_duplicate`] if a user has the address already, else what stands in the way.
    pub async fn create_user(
        &self,
        email: &str,
        password_hash: &str,
        role: Role,
        at: Timestamp,
    ) -> Result<User, StoreError> {
        let row: Row = sqlx::query_as(
            "WITH made AS (
                 INSERT INTO users (id, email, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5)
                 RETURNING id, email, role, created_at, disabled_at
             ), closed AS (DELETE FROM invitations WHERE kind = 'first')
             SELECT * FROM made",
        )
        .bind(uuid_v7(at)?)
        .bind(email)
        .bind(password_hash)
        .bind(role.as_str())
        .bind(PgTime(at))
        .fetch_one(&self.pool)
        .await?;
        Ok(row.into())
    }

    /// All users, disabled ones too, oldest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn list_users(&self) -> Result<Vec<User>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as("SELECT id, email, role, created_at, disabled_at FROM users ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// The user of an address, for a login. A disabled one is returned as well.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn user_with_password(&self, email: &str) -> Result<Option<UserWithPassword>, StoreError> {
        let row: Option<(Uuid, String, Role, PgTime, Option<PgTime>, String)> = sqlx::query_as(
            "SELECT id, email, role, created_at, disabled_at, password_hash FROM users WHERE lower(email) = $1",
        )
        .bind(email)
        .fetch_optional(&self.pool)
        .await?;
        let split = |(id, email, role, created_at, disabled_at, password_hash)| UserWithPassword {
            user: (id, email, role, created_at, disabled_at).into(),
            password_hash,
        };
        Ok(row.map(split))
    }

    /// Gives a user another role. Sessions have it as soon as servers look again; tokens, when they are made anew.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn set_user_role(&self, email: &str, role: Role) -> Result<Option<User>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row: Option<Row> = sqlx::query_as(
            "UPDATE users SET role = $2 WHERE lower(email) = $1 RETURNING id, email, role, created_at, disabled_at",
        )
        .bind(email)
        .bind(role.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        settled(transaction, row).await
    }

    /// Gives a user another password, and ends the sessions that the old one opened and the link that would replace it.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn set_user_password(&self, email: &str, password_hash: &str) -> Result<Option<User>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row: Option<Row> = sqlx::query_as(
            "UPDATE users SET password_hash = $2 WHERE lower(email) = $1
             RETURNING id, email, role, created_at, disabled_at",
        )
        .bind(email)
        .bind(password_hash)
        .fetch_optional(&mut *transaction)
        .await?;
        let user = row.map(User::from);
        if let Some(user) = &user {
            sessions::end_all(&mut transaction, user.id).await?;
            let withdraw = sqlx::query("DELETE FROM invitations WHERE user_id = $1").bind(user.id);
            withdraw.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(user)
    }

    /// Shuts a user out and ends its sessions; one that is disabled already stays as it is.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn disable_user(&self, email: &str) -> Result<Option<User>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row: Option<Row> = sqlx::query_as(
            "UPDATE users SET disabled_at = COALESCE(disabled_at, now()) WHERE lower(email) = $1
             RETURNING id, email, role, created_at, disabled_at",
        )
        .bind(email)
        .fetch_optional(&mut *transaction)
        .await?;
        settled(transaction, row).await
    }

    /// Lets a disabled user log in again.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn enable_user(&self, email: &str) -> Result<Option<User>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "WITH closed AS (DELETE FROM invitations WHERE kind = 'first')
             UPDATE users SET disabled_at = NULL WHERE lower(email) = $1
             RETURNING id, email, role, created_at, disabled_at",
        )
        .bind(email)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(User::from))
    }

    /// Removes a user with its sessions, for good. Returns whether there was one.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn erase_user(&self, email: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM users WHERE lower(email) = $1")
            .bind(email)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn an_address_is_compared_in_lower_case_and_what_is_none_is_refused() {
        assert_eq!(normal_email(" Ann@Example.COM\n").as_deref(), Some("ann@example.com"));
        assert_eq!(
            normal_email("İvan@x").as_deref(),
            Some("i\u{307}van@x"),
            "is not ivan@x"
        );
        for typed in ["", "ann", "@example.com", "ann@", "a nn@example.com", "a\0@b"] {
            assert_eq!(normal_email(typed), None, "{typed:?}");
        }
        assert_eq!(
            normal_email(&format!("{}@example.com", "a".repeat(243))),
            None,
            "255 bytes"
        );
    }
}
