//! Why a read has no answer.

use super::ask::question::Invalid;
use crate::gateway::problem::{Code, Problem};
use crate::store::{ErrorClass, StoreError};

/// SQLSTATE of a statement that was cancelled, here by its own `statement_timeout`.
const QUERY_CANCELED: &str = "57014";

/// SQLSTATE of a regular expression that Postgres does not take. It names no place: see [`super::ask::regex`].
const INVALID_REGEX: &str = "2201B";

/// Why a read has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A parameter makes no sense.
    #[error("`{name}` {problem}")]
    Parameter {
        /// Which.
        name: String,
        /// What is wrong with it, continuing a sentence that its name starts.
        problem: String,
    },
    /// Nothing in the project has this id.
    #[error("there is no person with this id")]
    UnknownPerson,
    /// The answer took longer than a read may.
    #[error("the answer took too long")]
    Timeout,
    /// What is written as a file cannot be.
    #[error("the file cannot be written: {0}")]
    File(String),
    /// The database or the way to it.
    #[error(transparent)]
    Store(StoreError),
}

impl QueryError {
    /// A parameter that makes no sense: "`name` problem".
    pub fn parameter(name: &str, problem: impl Into<String>) -> Self {
        Self::Parameter {
            name: name.to_owned(),
            problem: problem.into(),
        }
    }
}

impl From<Invalid> for QueryError {
    fn from(invalid: Invalid) -> Self {
        Self::Parameter {
            name: invalid.path,
            problem: invalid.problem,
        }
    }
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        let said = error.as_database_error().map(|error| error.message().to_owned());
        let error = StoreError::from(error);
        match error.sqlstate().as_deref() {
            Some(QUERY_CANCELED) => Self::Timeout,
            Some(INVALID_REGEX) => Self::parameter("value", format!("is an {}", said.unwrap_or_default())),
            _ => Self::Store(error),
        }
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Sql { source, .. } => source.into(),
            error => Self::Store(error),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Parameter { .. } => Self::new(Code::InvalidParameter, error.to_string()),
            QueryError::UnknownPerson => Self::new(Code::NotFound, error.to_string()),
            QueryError::Timeout => Self::new(Code::QueryTimeout, error.to_string()),
            QueryError::File(_) => {
                tracing::error!(%error, "an export failed");
                Self::new(Code::Internal, "the server made a mistake")
            }
            QueryError::Store(error) => store_problem(&error),
        }
    }
}

/// What the database says is for the log: it may quote rows, and says nothing that a caller could act on.
fn store_problem(error: &StoreError) -> Problem {
    tracing::warn!(%error, "a read failed");
    match error.class() {
        ErrorClass::Transient | ErrorClass::Saturated => {
            Problem::new(Code::DatabaseUnavailable, "the database does not answer")
        }
        ErrorClass::Data | ErrorClass::Bug => Problem::new(Code::Internal, "the server made a mistake"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(error: QueryError) -> Code {
        Problem::from(error).code()
    }

    #[test]
    fn each_failure_has_its_code() {
        assert_eq!(
            code(QueryError::parameter("limit", "is no number")),
            Code::InvalidParameter
        );
        assert_eq!(code(QueryError::UnknownPerson), Code::NotFound);
        assert_eq!(code(QueryError::Timeout), Code::QueryTimeout);
        assert_eq!(code(sqlx::Error::PoolTimedOut.into()), Code::DatabaseUnavailable);
        assert_eq!(code(sqlx::Error::RowNotFound.into()), Code::Internal);
    }

    #[test]
    fn a_bad_parameter_is_named() {
        let problem = Problem::from(QueryError::parameter("limit", "is no number"));
        assert_eq!(problem.detail(), "`limit` is no number");
    }
}
