//! Keys: made here, shown once, kept as a hash.

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::random::{CHARS_256_BITS, random_text};

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Public: may only send events. `tm_pk_…`
    Write,
    /// Secret: may read and administer. `tm_sk_…`
    Secret,
}

impl KeyKind {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Secret => "secret",
        }
    }

    /// What a key of this kind starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Write => "tm_pk_",
            Self::Secret => "tm_sk_",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Write, Self::Secret]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl sqlx::Type<sqlx::Postgres> for KeyKind {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <String as sqlx::Type<sqlx::Postgres>>::type_info()
    }
}

impl sqlx::Decode<'_, sqlx::Postgres> for KeyKind {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        let word = <&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?;
        Self::parse(word).ok_or_else(|| format!("unknown kind of key: {word}").into())
    }
}

/// What is known about a key; not the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The project it opens.
    pub project_id: i32,
    /// Its number.
    pub id: i32,
    /// What it opens.
    pub kind: KeyKind,
    /// Its prefix and last four characters.
    pub hint: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// About when it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// A new key, and the only time that its text is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What is kept.
    pub key: ApiKey,
    /// What opens.
    pub text: String,
}

/// What the keyring needs of a key that opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow {
    /// The project it opens.
    pub project_id: i32,
    /// Its number.
    pub id: i32,
    /// What it opens.
    pub kind: KeyKind,
    /// [`hash_key`] of its text.
    pub hash: [u8; 32],
}

/// SHA-256 of a key's whole text. A key is 256 random bits: nobody can try them all, so a slow hash would add nothing.
#[must_use]
pub fn hash_key(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A new key's text.
fn mint(kind: KeyKind) -> Result<String, StoreError> {
    random_text(kind.prefix(), CHARS_256_BITS)
}

fn hint(kind: KeyKind, text: &str) -> String {
    format!("{}…{}", kind.prefix(), &text[text.len() - 4..])
}

type Row = (
    i32,
    i32,
    KeyKind,
    String,
    String,
    PgTime,
    Option<PgTime>,
    Option<PgTime>,
);

impl From<Row> for ApiKey {
    fn from((project_id, id, kind, hint, name, created_at, last_used_at, revoked_at): Row) -> Self {
        Self {
            project_id,
            id,
            kind,
            hint,
            name,
            created_at: created_at.0,
            last_used_at: last_used_at.map(|at| at.0),
            revoked_at: revoked_at.map(|at| at.0),
        }
    }
}

/// The lock is that of the project's row: two that are made at once are counted both.
const CREATE: &str = "
    WITH held AS MATERIALIZED (SELECT id FROM projects WHERE id = $1 FOR NO KEY UPDATE)
    INSERT INTO api_keys (project_id, kind, key_hash, hint, name)
    SELECT id, $2, $3, $4, $5 FROM held
    WHERE (SELECT count(*) FROM api_keys WHERE project_id = $1 AND revoked_at IS NULL) < $6
    RETURNING project_id, id, kind, hint, name, created_at, last_used_at, revoked_at";

/// Makes a key, as a part of something else; `None` without its project, or where there are `most`.
pub(super) async fn create(
    connection: &mut PgConnection,
    project_id: i32,
    (kind, name): (KeyKind, &str),
    most: i64,
) -> Result<Option<NewKey>, StoreError> {
    let text = mint(kind)?;
    let create = sqlx::query_as(CREATE).bind(project_id).bind(kind.as_str());
    let create = create
        .bind(hash_key(&text))
        .bind(hint(kind, &text))
        .bind(name)
        .bind(most);
    let row: Option<Row> = create.fetch_optional(connection).await?;
    Ok(row.map(|row| NewKey { key: row.into(), text }))
}

impl Store {
    /// Makes a key.
    ///
    /// # Errors
    /// [`StoreError::NoProject`], [`StoreError::NoEntropy`], else what stands in the way.
    pub async fn create_key(&self, project_id: i32, kind: KeyKind, name: &str) -> Result<NewKey, StoreError> {
        let key = self.create_key_among(project_id, (kind, name), i64::MAX).await?;
        key.ok_or(StoreError::NoProject(project_id))
    }

    /// Makes a key, unless there is no such project or `most` keys open it already.
    ///
    /// # Errors
    /// [`StoreError::NoEntropy`], else what stands in the way.
    pub async fn create_key_among(
        &self,
        project_id: i32,
        key: (KeyKind, &str),
        most: i64,
    ) -> Result<Option<NewKey>, StoreError> {
        create(&mut *self.pool.acquire().await?, project_id, key, most).await
    }

    /// The keys of a project, or of all; revoked ones too, oldest first.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn list_keys(&self, project_id: Option<i32>) -> Result<Vec<ApiKey>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT project_id, id, kind, hint, name, created_at, last_used_at, revoked_at FROM api_keys
             WHERE $1::integer IS NULL OR project_id = $1 ORDER BY project_id, id",
        )
        .bind(project_id)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(ApiKey::from).collect())
    }

    /// Revokes a key. Returns whether there was one that still opened. Servers notice when they next load their keyring.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn revoke_key(&self, project_id: i32, id: i32) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE api_keys SET revoked_at = now() WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL",
        )
        .bind(project_id)
        .bind(id)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Every key that opens.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn load_keyring(&self) -> Result<Vec<KeyRow>, StoreError> {
        let rows: Vec<(i32, i32, KeyKind, [u8; 32])> =
            sqlx::query_as("SELECT project_id, id, kind, key_hash FROM api_keys WHERE revoked_at IS NULL")
                .fetch_all(&self.pool)
                .await?;
        let key_row = |(project_id, id, kind, hash)| KeyRow {
            project_id,
            id,
            kind,
            hash,
        };
        Ok(rows.into_iter().map(key_row).collect())
    }

    /// Notes that these keys (project, number) were used at `at`. Call it once a minute, not once a request.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn touch_keys(&self, keys: &[(i32, i32)], at: Timestamp) -> Result<(), StoreError> {
        let (projects, ids): (Vec<i32>, Vec<i32>) = keys.iter().copied().unzip();
        sqlx::query(
            "UPDATE api_keys k SET last_used_at = $3 FROM unnest($1::integer[], $2::integer[]) AS used (project_id, id)
             WHERE k.project_id = used.project_id AND k.id = used.id AND (last_used_at IS NULL OR last_used_at < $3)",
        )
        .bind(projects)
        .bind(ids)
        .bind(PgTime(at))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_prefix_256_bits_and_a_hint_that_gives_none_but_four_characters_away() {
        let text = mint(KeyKind::Secret).unwrap();
        assert_eq!(text.len(), 6 + 43);
        assert!(text.starts_with("tm_sk_"));
        assert!(text[6..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(hint(KeyKind::Secret, &text), format!("tm_sk_…{}", &text[45..]));
        assert_ne!(mint(KeyKind::Secret).unwrap(), text);
    }

    #[test]
    fn kinds_read_back() {
        for kind in [KeyKind::Write, KeyKind::Secret] {
            assert_eq!(KeyKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(KeyKind::parse("other"), None);
    }
}
