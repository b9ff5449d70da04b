//! The truth about a client: what it captured, and what became of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Lost events by reason. The keys are the texts of [`Reason`](crate::Reason), or words of a newer server.
pub type Dropped = BTreeMap<Cow<'static, str>, u64>;

/// What a client has done since its start. At all times `captured = delivered + dropped + queued`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Events ever handed in, the refused ones included. It is also the `seq` of the newest.
    pub captured: u64,
    /// Events that the server's receipts say are on its stable storage.
    pub delivered: u64,
    /// Events lost, by reason.
    pub dropped: Dropped,
    /// Events waiting or on their way.
    pub queued: u64,
    /// Bytes of their JSON.
    pub queued_bytes: u64,
    /// HTTP attempts started.
    pub attempts: u64,
    /// What last went wrong, for people; kept until the next success.
    pub last_error: Option<String>,
    /// The server refuses the key: events are kept, and asked about only every
    /// [`PROBE_INTERVAL`](crate::config::PROBE_INTERVAL).
    pub paused: bool,
}

impl Stats {
    /// All lost events.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// Most reasons counted apart: 64, three times the vocabulary. A server with more words fills [`OTHER`].
const MAX_REASONS: usize = 64;

/// Counts the drops whose reasons are too many to tell apart.
const OTHER: &str = "other";

/// Counts one lost event.
pub(crate) fn count(dropped: &mut Dropped, reason: Cow<'static, str>) {
    let reason = if dropped.len() < MAX_REASONS || dropped.contains_key(&reason) {
        reason
    } else {
        Cow::Borrowed(OTHER)
    };
    *dropped.entry(reason).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_invents_reasons_cannot_fill_the_memory() {
        let mut dropped = Dropped::new();
        for n in 0..1000 {
            count(&mut dropped, Cow::Owned(format!("reason_{n}")));
        }
        assert_eq!(dropped.len(), MAX_REASONS + 1);
        assert_eq!(dropped.values().sum::<u64>(), 1000);
    }
}
