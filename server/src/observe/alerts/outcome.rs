//! How an attempt to send a message went, and what follows from it.

use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::backoff::{self, Failure};

/// Longest beginning of an answer that is kept, in bytes.
const BODY_BYTES: usize = 500;

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it means for the message.
    pub verdict: Verdict,
    /// The receiver's status, of HTTP or SMTP.
    pub status: Option<i32>,
    /// Why it was not delivered, for a person.
    pub error: Option<String>,
    /// How the answer begins.
    pub body: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// What an attempt means for its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Not now.
    Failed {
        /// In how many seconds the receiver wants to be asked again.
        retry_after: Option<i64>,
    },
    /// Never: the same again would fail the same.
    Refused,
    /// Never, and nothing else either: the receiver is gone.
    Gone,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It has arrived.
    Delivered,
    /// It is tried again then.
    Again(Timestamp),
    /// It is given up.
    Dead,
}

impl Outcome {
    /// One without an answer.
    #[must_use]
    pub fn failed(verdict: Verdict, error: impl Into<String>) -> Self {
        Self {
            verdict,
            status: None,
            error: Some(error.into()),
            body: None,
            took: Duration::ZERO,
        }
    }

    /// What becomes of the message. `random` is any number.
    #[must_use]
    pub fn next(&self, attempt: u32, first_at: Timestamp, now: Timestamp, random: u64) -> Next {
        match self.verdict {
            Verdict::Delivered => Next::Delivered,
            Verdict::Refused | Verdict::Gone => Next::Dead,
            Verdict::Failed { retry_after } => {
                let failure = Failure {
                    attempt,
                    first_at,
                    retry_after,
                };
                backoff::next_attempt(failure, now, random).map_or(Next::Dead, Next::Again)
            }
        }
    }
}

/// The beginning of what a receiver said, as one line without control characters and without `hidden` texts, longest first.
#[must_use]
pub fn safe(said: &[u8], hidden: &[String]) -> String {
    let said = String::from_utf8_lossy(said);
    let mut text = said.into_owned();
    for secret in hidden.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "…");
    }
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() || is_unseen(c) { ' ' } else { c })
        .collect();
    let mut line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(BODY_BYTES));
    line
}

/// Characters that change the direction of the text around them (Unicode UAX 9), or are not seen.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    #[test]
    fn only_what_may_work_later_is_tried_again() {
        let next = |verdict| Outcome::failed(verdict, "x").next(1, NOW, NOW, 0);
        assert_eq!(next(Verdict::Delivered), Next::Delivered);
        assert_eq!(next(Verdict::Refused), Next::Dead);
        assert_eq!(next(Verdict::Gone), Next::Dead);
        let later = |seconds: i64| Next::Again(NOW.plus_micros(seconds * 1_000_000));
        assert_eq!(next(Verdict::Failed { retry_after: None }), later(10));
        assert_eq!(next(Verdict::Failed { retry_after: Some(60) }), later(60));
    }

    #[test]
    fn what_is_shown_of_an_answer_is_one_short_line_without_secrets() {
        let hidden = ["/services/T0/secret".to_owned()];
        assert_eq!(
            safe(b"POST /services/T0/secret\r\n\tno\x00 \x1b[31mway", &hidden),
            "POST … no [31mway"
        );
        assert_eq!(safe("a\u{202e}b".as_bytes(), &[]), "a b");
        assert_eq!(safe(&[0xff, b'x'], &[String::new()]), "\u{fffd}x");
        let long = safe("ü".repeat(400).as_bytes(), &[]);
        assert_eq!(long.len(), 500);
        assert_eq!(safe(&[b'a'; 501], &[]).len(), 500);
    }
}
