//! What an install says of itself: how many events it captured, and what became of those that are not here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trailmark_protocol::Verdict;

/// The counters of an install as they stand after the batch that brought them, and who sent it. It travels with the
/// batch through the journal, so that it is stored in the transaction that stores the batch's events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallReport {
    /// Events ever captured. The last of them has this number as its `seq`.
    pub captured: i64,
    /// Events that are still on the device.
    pub queued: i64,
    /// Events dropped for good, on the device or by the server, by reason.
    pub dropped: BTreeMap<String, i64>,
    /// Name and version of the SDK.
    pub sdk: Option<String>,
    /// Version of the app.
    pub release: Option<String>,
}

impl InstallReport {
    /// Takes in the verdict on one of the batch's own events, which the install does not know yet.
    pub fn judged(&mut self, verdict: Verdict, reason: &str) {
        match verdict {
            Verdict::Dropped => increment(self.dropped.entry(reason.to_owned()).or_default()),
            Verdict::Accepted => {}
            Verdict::Retry => increment(&mut self.queued),
        }
    }
}

fn increment(count: &mut i64) {
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_moves_an_event_to_where_the_install_will_count_it() {
        let mut report = InstallReport {
            captured: 9,
            queued: 1,
            dropped: BTreeMap::from([("too_large".to_owned(), 2)]),
            ..InstallReport::default()
        };
        report.judged(Verdict::Dropped, "too_large");
        report.judged(Verdict::Dropped, "junk_user_id");
        report.judged(Verdict::Retry, "invalid_event");
        assert_eq!((report.captured, report.queued), (9, 2));
        assert_eq!(
            report.dropped,
            [("junk_user_id".to_owned(), 1), ("too_large".to_owned(), 3)].into()
        );
    }
}
