//! The memory: entries by resource, weighed by bytes, and who may still put something there.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moka::future::Cache;
use moka::ops::compute::Op;
use trailmark_protocol::Timestamp;

use super::ask::Ask;
use super::entry::{Entry, Variant};
use super::key::Resource;

/// Resources share these counters of changes by hash. An answer that was being fetched while another resource of its slot
/// changed is not stored: with 100 fetches under way and 100 changes a second, one change in ten hits one by accident.
const SLOTS: usize = 1024;

/// All stored answers.
#[derive(Debug)]
pub(super) struct Store {
    entries: Cache<Resource, Arc<Entry>>,
    purges: AtomicU64,
    changes: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// What had changed when an answer was asked for. It may be stored if nothing has changed since: what was fetched before a
/// POST must not be stored after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    purges: u64,
    changes: u64,
}

impl Store {
    pub(super) fn new(max_bytes: usize) -> Self {
        let weigh = |resource: &Resource, entry: &Arc<Entry>| weight(resource, entry);
        Self {
            entries: Cache::builder().max_capacity(max_bytes as u64).weigher(weigh).build(),
            purges: AtomicU64::new(0),
            changes: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    pub(super) async fn entry(&self, resource: &Resource) -> Arc<Entry> {
        self.entries.get(resource).await.unwrap_or_default()
    }

    /// To be taken before an answer is asked for.
    pub(super) fn ticket(&self, resource: &Resource) -> Ticket {
        Ticket {
            purges: self.purges.load(Ordering::SeqCst),
            changes: self.slot(resource).map_or(0, |slot| slot.load(Ordering::SeqCst)),
        }
    }

    fn slot(&self, resource: &Resource) -> Option<&AtomicU64> {
        let hash = self.hasher.hash_one(resource);
        self.changes.get(usize::try_from(hash % SLOTS as u64).ok()?)
    }

    /// Stores the answer to `ask`; says whether that was still allowed.
    pub(super) async fn put(&self, ask: &Ask, variant: &Arc<Variant>, ticket: Ticket) -> bool {
        let mut allowed = false;
        let put = |entry: Option<moka::Entry<_, Arc<Entry>>>| {
            allowed = self.ticket(&ask.resource) == ticket;
            let entry = entry.map(moka::Entry::into_value).unwrap_or_default();
            let entry = entry.with(ask, variant);
            std::future::ready(if allowed { Op::Put(Arc::new(entry)) } else { Op::Nop })
        };
        self.entries.entry(ask.resource.clone()).and_compute_with(put).await;
        self.settle().await;
        allowed
    }

    /// Keeps in mind that the answer to `ask` may not be stored.
    pub(super) async fn pass(&self, ask: &Ask, now: Timestamp) {
        let pass = |entry: Option<moka::Entry<_, Arc<Entry>>>| {
            let entry = entry.map(moka::Entry::into_value).unwrap_or_default();
            std::future::ready(Op::Put(Arc::new(entry.passed(ask, now))))
        };
        self.entries.entry(ask.resource.clone()).and_compute_with(pass).await;
    }

    /// Drops what is stored of a resource, and what is being fetched. Counted first, removed then: what is put between the
    /// two is removed, what is put later sees the count.
    pub(super) async fn invalidate(&self, resource: &Resource) {
        if let Some(slot) = self.slot(resource) {
            slot.fetch_add(1, Ordering::SeqCst);
        }
        let remove = |_| std::future::ready(Op::Remove);
        self.entries.entry(resource.clone()).and_compute_with(remove).await;
    }

    /// Drops all that `concerns`, and what is being fetched.
    pub(super) async fn purge(&self, concerns: impl Fn(&Resource) -> bool) {
        self.purges.fetch_add(1, Ordering::SeqCst);
        let gone: Vec<_> = self
            .entries
            .iter()
            .map(|(resource, _)| resource)
            .filter(|resource| concerns(resource))
            .collect();
        for resource in gone {
            self.invalidate(&resource).await;
        }
        self.settle().await;
    }

    /// Bytes that all of it takes, counted anew.
    #[cfg(test)]
    pub(super) fn counted(&self) -> u64 {
        let entries = self.entries.iter();
        entries
            .map(|(resource, entry)| u64::from(weight(&resource, &entry)))
            .sum()
    }

    /// Bytes that all of it takes.
    pub(super) fn weight(&self) -> u64 {
        self.entries.weighted_size()
    }

    /// Evicts at once what is too much, where the library would take its time: 64 large answers later, say.
    pub(super) async fn settle(&self) {
        self.entries.run_pending_tasks().await;
    }
}

fn weight(resource: &Resource, entry: &Entry) -> u32 {
    u32::try_from(resource.weight().saturating_add(entry.weight())).unwrap_or(u32::MAX)
}
