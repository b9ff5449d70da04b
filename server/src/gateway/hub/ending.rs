//! Why a socket ends, and what its client is told: a close code of RFC 6455 §7.4.1, or one of ours (4000 to 4999).

use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Why a socket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The client closed it.
    Left,
    /// The connection broke.
    Lost,
    /// Nothing came from the client for too long, not even the answer to a ping: 1001.
    Idle,
    /// The gateway is stopping, or the hub has new settings: 1001. Clients connect again.
    Draining,
    /// The client broke the protocol: 1002.
    Protocol,
    /// A text that is not UTF-8: 1007.
    NotText,
    /// A message over the limit: 1009.
    TooLarge,
    /// The client takes its messages more slowly than they come: 1013. It has missed some, and should connect again.
    TooSlow,
    /// The caller's token or session has ended: 4401, after HTTP's 401.
    Expired,
}

impl Ending {
    /// Its stable name, in metrics and in what services are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Lost => "lost",
            Self::Idle => "idle",
            Self::Draining => "draining",
            Self::Protocol => "protocol",
            Self::NotText => "not_text",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Expired => "expired",
        }
    }

    /// The close code and its reason; `None` if nobody is there to be told.
    #[must_use]
    pub const fn code(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Left | Self::Lost => return None,
            Self::Idle => (1001, "nothing came for too long"),
            Self::Draining => (1001, "the gateway is stopping: connect again"),
            Self::Protocol => (1002, "this is not the WebSocket protocol"),
            Self::NotText => (1007, "a text message is UTF-8"),
            Self::TooLarge => (1009, "the message is too large"),
            Self::TooSlow => (1013, "messages were not taken in time: connect again"),
            Self::Expired => (4401, "the credentials have expired: log in again"),
        })
    }

    /// What is sent to the client.
    #[must_use]
    pub fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = self.code()?;
        Some(CloseFrame {
            code: code.into(),
            reason: reason.into(),
        })
    }
}

impl From<&Error> for Ending {
    fn from(error: &Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooLarge,
            Error::Utf8(_) => Self::NotText,
            Error::Protocol(tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
                Self::Lost
            }
            Error::Protocol(_) | Error::Capacity(_) | Error::AttackAttempt => Self::Protocol,
            _ => Self::Lost,
        }
    }
}
