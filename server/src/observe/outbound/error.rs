//! Why a call has no answer.

use std::io;

use rustls::CertificateError;
use trailmark_protocol::Timestamp;

use super::guard::Refused;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What kind of reason. The words are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[$doc])* $name,)* }

        impl ErrorKind {
            /// The stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// The URL cannot be called.
    InvalidUrl = "invalid_url",
    /// The name has no address.
    Dns = "dns",
    /// It leads to an address that may not be called.
    RefusedAddress = "refused_address",
    /// Nobody takes the connection.
    Connect = "connect",
    /// No TLS, or a certificate that is not believed.
    Tls = "tls",
    /// No answer in time.
    Timeout = "timeout",
    /// An answer has begun, and its body did not end in time.
    TooSlowBody = "too_slow_body",
    /// What came is no HTTP, or it broke off.
    Protocol = "protocol",
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct OutboundError {
    /// For programs.
    pub kind: ErrorKind,
    /// For a person: a sentence without an end.
    pub detail: String,
    /// When the server's certificate ends, or ended, if one was seen.
    pub certificate_not_after: Option<Timestamp>,
}

impl OutboundError {
    pub(super) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            certificate_not_after: None,
        }
    }

    /// The same, where a certificate was seen.
    pub(super) fn seen(self, certificate_not_after: Option<Timestamp>) -> Self {
        Self {
            certificate_not_after,
            ..self
        }
    }

    /// What the system says of a connection.
    pub(super) fn of_connecting(error: &io::Error) -> Self {
        let detail = match error.kind() {
            io::ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
            io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                "the host cannot be reached".to_owned()
            }
            _ => format!("no connection: {error}"),
        };
        Self::new(ErrorKind::Connect, detail)
    }

    /// What came of greeting a server with TLS.
    pub(super) fn of_tls(error: &io::Error, host: &str) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::InvalidCertificate(problem)) => of_certificate(problem, host),
            Some(other) => Self::new(ErrorKind::Tls, format!("no TLS: {other}")),
            None => Self::new(ErrorKind::Tls, format!("no TLS: the connection broke: {error}")),
        }
    }
}

impl From<Refused> for OutboundError {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::Host(_) => ErrorKind::InvalidUrl,
            Refused::Dns { .. } => ErrorKind::Dns,
            Refused::Address(_) => ErrorKind::RefusedAddress,
        };
        Self::new(kind, refused.to_string())
    }
}

fn of_certificate(problem: &CertificateError, host: &str) -> OutboundError {
    let error = |detail: String| OutboundError::new(ErrorKind::Tls, detail);
    match problem {
        CertificateError::ExpiredContext { not_after, .. } => {
            let ended = seconds(not_after.as_secs());
            error(format!("the certificate expired on {}", day(ended))).seen(Some(ended))
        }
        CertificateError::NotValidYetContext { not_before, .. } => error(format!(
            "the certificate is not valid before {}",
            day(seconds(not_before.as_secs()))
        )),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            error(format!("the certificate is not for {host}"))
        }
        CertificateError::UnknownIssuer => {
            error("the certificate is of no authority that this server believes".to_owned())
        }
        other => error(format!("the certificate is not valid: {other}")),
    }
}

fn seconds(since_epoch: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(since_epoch).unwrap_or(i64::MAX).saturating_mul(1_000))
}

/// `2026-11-20`.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
