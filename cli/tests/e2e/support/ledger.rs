//! What was sent and what was acknowledged, to be held against what is in the table.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use uuid::Uuid;

/// Written by all clients of a test.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    sent: Mutex<HashSet<Uuid>>,
    acknowledged: Mutex<HashSet<Uuid>>,
    count: AtomicUsize,
    refusals: Mutex<BTreeMap<String, usize>>,
}

impl Ledger {
    /// These are about to be sent, for the first time or again.
    pub(crate) fn sent(&self, ids: &[Uuid]) {
        self.sent.lock().unwrap().extend(ids);
    }

    /// These got a 202.
    pub(crate) fn acknowledged(&self, ids: &[Uuid]) {
        self.acknowledged.lock().unwrap().extend(ids);
        self.count.fetch_add(ids.len(), Ordering::Relaxed);
    }

    /// A request was refused, or broke.
    pub(crate) fn refused(&self, code: &str) {
        *self.refusals.lock().unwrap().entry(code.to_owned()).or_default() += 1;
    }

    /// How many events got a 202.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many requests were refused with this code; "broken" counts those without an answer.
    pub(crate) fn refusals(&self, code: &str) -> usize {
        self.refusals.lock().unwrap().get(code).copied().unwrap_or_default()
    }

    /// Every acknowledged event is stored, none twice, and none that was never sent.
    pub(crate) fn assert_matches(&self, stored: &[Uuid]) {
        let table = stored.iter().copied().collect::<HashSet<_>>();
        assert_eq!(table.len(), stored.len(), "an event is stored twice");
        let (sent, acknowledged) = (self.sent.lock().unwrap(), self.acknowledged.lock().unwrap());
        let lost = acknowledged.difference(&table).collect::<Vec<_>>();
        assert!(
            lost.is_empty(),
            "{} of {} acknowledged events are lost: {lost:.3?}",
            lost.len(),
            acknowledged.len()
        );
        let invented = table.difference(&sent).collect::<Vec<_>>();
        assert!(
            invented.is_empty(),
            "{} events were never sent: {invented:.3?}",
            invented.len()
        );
    }
}
