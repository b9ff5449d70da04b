//! Why there is no answer, and what the client is told of it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::gateway::problem::{Code, Problem};

/// How an attempt failed, by the upstream's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: refused, no route, no TLS.
    Unreachable,
    /// No connection in time.
    ConnectTimeout,
    /// The connection broke before the head of an answer had come.
    Reset,
    /// What came is no HTTP, or an answer to another question.
    Garbage,
    /// No head of an answer in time, or the request was not taken.
    Timeout,
    /// The whole took longer than it may.
    TotalTimeout,
}

/// A body error that carries the refusal to answer with: what limits a request's body says so with this.
#[derive(Debug)]
pub struct BodyRefused(pub Problem);

impl fmt::Display for BodyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.detail())
    }
}

impl Error for BodyRefused {}

/// Why a request was not answered.
#[derive(Debug, Clone)]
pub struct Failure {
    upstream: Arc<str>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Trouble(Trouble),
    Unavailable { retry_after_s: u64 },
    Client(Problem),
}

impl Failure {
    pub(super) fn trouble(upstream: &Arc<str>, trouble: Trouble) -> Self {
        Self::new(upstream, Kind::Trouble(trouble))
    }

    pub(super) fn unavailable(upstream: &Arc<str>, retry_after_s: u64) -> Self {
        Self::new(upstream, Kind::Unavailable { retry_after_s })
    }

    pub(super) fn client(upstream: &Arc<str>, problem: Problem) -> Self {
        Self::new(upstream, Kind::Client(problem))
    }

    fn new(upstream: &Arc<str>, kind: Kind) -> Self {
        Self {
            upstream: Arc::clone(upstream),
            kind,
        }
    }

    /// Whether the client's own body is at fault.
    #[must_use]
    pub fn is_clients(&self) -> bool {
        matches!(self.kind, Kind::Client(_))
    }

    /// The refusal to answer with. It names the upstream as the configuration does, and never an address.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let name = &self.upstream;
        match &self.kind {
            Kind::Client(problem) => problem.clone(),
            Kind::Unavailable { retry_after_s } => {
                let detail = format!("no instance of {name} is fit to answer");
                Problem::new(Code::UpstreamUnavailable, detail).retry_after(*retry_after_s)
            }
            Kind::Trouble(trouble) => Problem::new(trouble.code(), format!("{name}: {}", trouble.text())),
        }
    }
}

impl Trouble {
    fn code(self) -> Code {
        match self {
            Self::Unreachable | Self::Reset | Self::Garbage => Code::BadGateway,
            Self::ConnectTimeout | Self::Timeout | Self::TotalTimeout => Code::GatewayTimeout,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Unreachable => "no connection",
            Self::ConnectTimeout => "no connection in time",
            Self::Reset => "the connection broke before there was an answer",
            Self::Garbage => "the answer is no valid HTTP",
            Self::Timeout => "no answer in time",
            Self::TotalTimeout => "no answer within the time for the whole",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem().detail())
    }
}

impl Error for Failure {}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        failure.problem()
    }
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn each_failure_has_its_status_and_names_the_upstream() {
        let name: Arc<str> = "users".into();
        for (failure, status) in [
            (Failure::trouble(&name, Trouble::Unreachable), 502),
            (Failure::trouble(&name, Trouble::Garbage), 502),
            (Failure::trouble(&name, Trouble::Timeout), 504),
            (Failure::unavailable(&name, 7), 503),
        ] {
            let problem = Problem::from(failure);
            assert_eq!(problem.code().status().as_u16(), status);
            assert!(problem.detail().contains("users"));
        }
        let unavailable = Failure::unavailable(&name, 0).problem().render("r");
        assert_eq!(unavailable.headers()[RETRY_AFTER], "1", "never 0");
    }
}
