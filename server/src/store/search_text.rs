//! Regular expressions are Postgres' own everywhere (`query::ask::regex`), so Postgres looks for them here, too.

use super::connect::Store;
use super::error::StoreError;

/// How long a text is looked through: 1 s. 256 KiB take some 10 ms; only an expression that is made to be slow takes longer.
const TIMEOUT: &str = "SET LOCAL statement_timeout = '1s'";

/// SQLSTATE of an expression that is none, of one that is too complex, and of a statement that took too long.
const INVALID_REGEX: &str = "2201B";
const TOO_COMPLEX: &str = "54001";
const QUERY_CANCELED: &str = "57014";

/// Whether a regular expression was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Searched {
    /// It was.
    Found,
    /// It was not.
    NotFound,
    /// Nobody knows: it takes too long.
    TooSlow,
    /// It is no regular expression.
    Invalid(String),
}

impl Store {
    /// Looks for a regular expression in a text.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn search_text(&self, pattern: &str, text: &str) -> Result<Searched, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(TIMEOUT).execute(&mut *transaction).await?;
        // Postgres' text holds no NUL.
        let text = text.replace('\0', "\u{fffd}");
        let found = sqlx::query_scalar("SELECT $1 ~ $2").bind(text).bind(pattern);
        let found: Result<bool, _> = found.fetch_one(&mut *transaction).await;
        match found {
            Ok(true) => Ok(Searched::Found),
            Ok(false) => Ok(Searched::NotFound),
            Err(error) => {
                let said = error.as_database_error().map(|error| error.message().to_owned());
                let error = StoreError::from(error);
                match error.sqlstate().as_deref() {
                    Some(INVALID_REGEX) => Ok(Searched::Invalid(said.unwrap_or_default())),
                    Some(QUERY_CANCELED | TOO_COMPLEX) => Ok(Searched::TooSlow),
                    _ => Err(error),
                }
            }
        }
    }
}
