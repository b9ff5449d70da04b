//! How a command fails: one sentence, what to do about it, and an exit code.

use std::process::ExitCode;

use trailmark_server::StartError;
use trailmark_server::config::BadConfig;
use trailmark_server::database::OpenError;
use trailmark_server::postgres;
use trailmark_server::store::StoreError;

/// The stable exit codes besides 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command ran and failed.
    Failed = 1,
    /// It was called wrongly, or something is missing on this machine.
    Usage = 2,
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process exits with.
    pub exit: Exit,
    /// What went wrong.
    pub sentence: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl Failure {
    /// The command ran and failed.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            sentence: sentence.into(),
            hint: String::new(),
        }
    }

    /// It was called wrongly, or something is missing.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::failed(sentence)
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: hint.into(),
            ..self
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}", self.sentence)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, "\n hint: {}", self.hint)
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<BadConfig> for Failure {
    fn from(error: BadConfig) -> Self {
        Self::usage(error.to_string()).hint("server/config.default.toml lists every key with its meaning")
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match &error {
            OpenError::Url(_) => Self::usage(error.to_string()).hint("postgres://user:password@host:5432/database"),
            OpenError::Private(private) => private_postgres(private),
        }
    }
}

/// The messages of the private Postgres say themselves what to do.
fn private_postgres(error: &postgres::StartError) -> Failure {
    use postgres::StartError as E;
    match error {
        E::NotFound { .. }
        | E::VersionMismatch { .. }
        | E::Unreachable { .. }
        | E::WrongOwner { .. }
        | E::NoAccount => Failure::usage(error.to_string()),
        _ => Failure::failed(error.to_string()),
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Database(error) => error.into(),
            StartError::DataDir { .. } => Self::usage(error.to_string()).hint("choose another one with --data-dir"),
            StartError::Listen { .. } => Self::failed(error.to_string())
                .hint("stop what listens there, or choose another port with --listen; `trailmark doctor` looks closer"),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<postgres::StopError> for Failure {
    fn from(error: postgres::StopError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(format!("the database: {error}")).hint("`trailmark doctor` checks the way to it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_sentence_and_a_hint() {
        let failure = Failure::usage("there is no file a.log").hint("check the path");
        assert_eq!(
            failure.to_string(),
            "error: there is no file a.log\n hint: check the path"
        );
        assert_eq!(Failure::failed("it broke").to_string(), "error: it broke");
    }

    #[test]
    fn without_postgres_the_exit_code_is_2_and_the_message_names_the_three_ways() {
        let error = postgres::StartError::NotFound {
            looked: vec!["PATH".to_owned()],
        };
        let failure = Failure::from(OpenError::Private(error));
        assert_eq!(failure.exit, Exit::Usage);
        for way in ["apt install postgresql", "--pg-bin", "DATABASE_URL"] {
            assert!(failure.sentence.contains(way), "{failure}");
        }
    }
}
