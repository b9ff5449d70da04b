//! Why a token or a key was refused: for the operator in a metric, for the caller in words that help no forger.

use metrics::Counter;

use crate::gateway::problem::{Code, Problem};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why credentials were refused: the label `reason` of `gateway_auth_failures_total`. The text form is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable snake_case text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// No token: its parts, its base64, its JSON, or a claim of the wrong type or twice.
    Malformed = "malformed",
    /// Larger than any token needs to be.
    TooLarge = "too_large",
    /// An algorithm that is not taken, `none`, or not that of the key.
    Algorithm = "algorithm",
    /// A `typ` of something else than an access token.
    WrongType = "wrong_type",
    /// A `crit` extension, which we would have to understand (RFC 7515 §4.1.11).
    Critical = "critical",
    /// No key by this name.
    UnknownKey = "unknown_key",
    /// The signature is not that of the key.
    BadSignature = "bad_signature",
    /// No `exp`: a token that is good for ever.
    NoExpiry = "no_expiry",
    /// Past its `exp`.
    Expired = "expired",
    /// Before its `nbf`, or made in the future.
    NotYetValid = "not_yet_valid",
    /// Somebody else's `iss`.
    WrongIssuer = "wrong_issuer",
    /// For somebody else.
    WrongAudience = "wrong_audience",
    /// The issuer's keys could not be fetched so far.
    KeysUnavailable = "keys_unavailable",
}

impl Reason {
    /// What the caller of a token reads. Only who holds a token with a good signature learns more than that it is not good.
    #[must_use]
    pub fn of_token(self) -> Problem {
        match self {
            Self::Expired => Problem::new(Code::InvalidToken, "the token has expired"),
            Self::NotYetValid => Problem::new(Code::InvalidToken, "the token is not valid yet"),
            Self::KeysUnavailable => Problem::new(
                Code::KeyringUnavailable,
                "the keys that tokens are signed with could not be fetched yet",
            ),
            _ => Problem::new(Code::InvalidToken, "the token is not valid here"),
        }
    }

    /// What the caller of an API key reads.
    #[must_use]
    pub fn of_key(self) -> Problem {
        match self {
            Self::Expired => Problem::new(Code::UnknownKey, "this key has expired"),
            _ => Problem::new(Code::UnknownKey, "this key opens nothing here"),
        }
    }
}

/// `gateway_auth_failures_total{reason}`, its handles made once.
pub(super) struct Failures(Vec<Counter>);

impl Failures {
    pub(super) fn new() -> Self {
        let counter = |reason: &Reason| metrics::counter!("gateway_auth_failures_total", "reason" => reason.as_str());
        Self(Reason::ALL.iter().map(counter).collect())
    }

    pub(super) fn count(&self, reason: Reason) {
        // ALL lists the reasons in the order of their declaration.
        if let Some(counter) = self.0.get(reason as usize) {
            counter.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_stands_at_its_own_place() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, at);
        }
    }

    #[test]
    fn what_is_found_before_the_signature_was_good_reads_all_the_same() {
        let before = [
            Reason::Malformed,
            Reason::Algorithm,
            Reason::UnknownKey,
            Reason::BadSignature,
            Reason::Critical,
        ];
        let texts: Vec<_> = before
            .iter()
            .map(|reason| reason.of_token().detail().to_owned())
            .collect();
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    }
}
