//! Errors of the store, classed once, by SQLSTATE (<https://www.postgresql.org/docs/15/errcodes-appendix.html>).

use sqlx::migrate::MigrateError;

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The connection or the moment is at fault: the same again later will work.
    Transient,
    /// The database is out of something (disk, memory, connections): later, and slower.
    Saturated,
    /// The values are at fault: the same again never works, without the poison it does.
    Data,
    /// The program, its configuration or the schema is at fault: somebody has to act.
    Bug,
}

impl ErrorClass {
    /// The stable word used in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Saturated => "saturated",
            Self::Data => "data",
            Self::Bug => "bug",
        }
    }

    /// The class of a SQLSTATE.
    #[must_use]
    pub fn of_sqlstate(code: &str) -> Self {
        match code {
            // Serialization failure, deadlock, lock timeout, statement timeout, idle timeout, a standby after failover.
            "40001" | "40P01" | "55P03" | "57014" | "25P03" | "25006" => Self::Transient,
            // Administrator's shutdown, crash of another backend, starting up, idle session timeout.
            "57P01" | "57P02" | "57P03" | "57P05" => Self::Transient,
            _ => match code.get(..2) {
                Some("08") => Self::Transient,
                // 53: disk full, out of memory, too many connections. 58: I/O errors of the server's disk.
                Some("53" | "58") => Self::Saturated,
                // 22: data exception. 23: constraint. 54: program limit, such as an index entry that is too large.
                Some("22" | "23" | "54") => Self::Data,
                _ => Self::Bug,
            },
        }
    }

    fn of_sqlx(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => error.code().map_or(Self::Bug, |code| Self::of_sqlstate(&code)),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Transient,
            _ => Self::Bug,
        }
    }
}

/// An error of the store with its class.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or the way to it.
    #[error("{class}: {source}", class = .class.as_str())]
    Sql {
        /// What to do about it.
        class: ErrorClass,
        /// What happened.
        source: sqlx::Error,
    },
    /// A newer release has migrated this database.
    #[error(
        "the database has schema version {found}, this release knows versions up to {known}: start the newer release \
         (a schema is never migrated back)"
    )]
    NewerSchema {
        /// A version applied to the database that this release does not know.
        found: i64,
        /// The newest version that this release knows.
        known: i64,
    },
    /// A migration failed, or differs from the one that was applied.
    #[error("migrating the database: {0}")]
    Migrate(#[source] MigrateError),
    /// The database cannot hold every text.
    #[error("the database's encoding is {0}, it must be UTF8: createdb --encoding=UTF8 --template=template0")]
    Encoding(String),
    /// No such project.
    #[error("there is no project {0}")]
    NoProject(i32),
    /// A person was erased since this server last looked: nothing was stored, and the same again works.
    #[error("a person was erased meanwhile")]
    Erased,
    /// The platform gives no random bits.
    #[error("no random bits for a key: {0}")]
    NoEntropy(getrandom::Error),
}

impl StoreError {
    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Sql { class, .. } => *class,
            Self::Migrate(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) => {
                ErrorClass::of_sqlx(source)
            }
            Self::Erased => ErrorClass::Transient,
            _ => ErrorClass::Bug,
        }
    }

    /// The database's error code, if it is the database that refused.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Sql { source, .. } => source.as_database_error()?.code().map(|code| code.into_owned()),
            _ => None,
        }
    }

    /// Whether a unique key refused a row that is already there.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql { source: sqlx::Error::Database(error), .. } if error.is_unique_violation())
    }

    /// Whether a row names another one that is not there.
    #[must_use]
    pub fn is_missing_reference(&self) -> bool {
        matches!(self, Self::Sql { source: sqlx::Error::Database(error), .. } if error.is_foreign_key_violation())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        Self::Sql {
            class: ErrorClass::of_sqlx(&source),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sqlstate_has_the_class_that_says_what_to_do() {
        use ErrorClass::{Bug, Data, Saturated, Transient};
        for (code, class, what) in [
            ("08006", Transient, "connection failure"),
            ("40001", Transient, "serialization failure"),
            ("40P01", Transient, "deadlock"),
            ("55P03", Transient, "lock timeout"),
            ("57014", Transient, "statement timeout"),
            ("57P01", Transient, "admin shutdown"),
            ("57P03", Transient, "starting up"),
            ("25006", Transient, "read-only standby"),
            ("53100", Saturated, "disk full"),
            ("53200", Saturated, "out of memory"),
            ("53300", Saturated, "too many connections"),
            ("58030", Saturated, "I/O error"),
            ("22P05", Data, "untranslatable character"),
            ("22008", Data, "datetime overflow"),
            ("23505", Data, "unique violation"),
            ("54000", Data, "index row too large"),
            ("42P01", Bug, "undefined table"),
            ("42501", Bug, "insufficient privilege"),
            ("28P01", Bug, "wrong password"),
            ("3D000", Bug, "no such database"),
            ("XX001", Bug, "data corrupted"),
            ("", Bug, "no code"),
        ] {
            assert_eq!(ErrorClass::of_sqlstate(code), class, "{code} {what}");
        }
    }

    #[test]
    fn a_lost_connection_is_transient() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(StoreError::from(lost).class(), ErrorClass::Transient);
        assert_eq!(
            StoreError::from(sqlx::Error::PoolTimedOut).class(),
            ErrorClass::Transient
        );
        assert_eq!(StoreError::from(sqlx::Error::RowNotFound).class(), ErrorClass::Bug);
    }
}
