//! What this process has refused, counted by project and reason until it is written down.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::store::nodes::RefusedRow;

/// A project, `event` or `request`, and a reason.
type Key = (i32, &'static str, Cow<'static, str>);

/// Counts of refusals. Reasons are words of ours, and projects have keys: strangers cannot make it grow.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<Key, i64>>);

impl Refusals {
    /// Events of a batch were refused, for these reasons.
    pub fn events(&self, project_id: i32, reasons: impl Iterator<Item = Cow<'static, str>>) {
        let mut reasons = reasons.peekable();
        if reasons.peek().is_some() {
            self.add(reasons.map(|reason| (project_id, "event", reason)));
        }
    }

    /// A whole request was refused.
    pub fn request(&self, project_id: i32, code: &'static str) {
        self.add([(project_id, "request", Cow::Borrowed(code))].into_iter());
    }

    /// What was refused since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<RefusedRow> {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let row = |((project_id, what, reason), refused): (Key, i64)| RefusedRow {
            project_id,
            what: what.to_owned(),
            reason: reason.into_owned(),
            refused,
        };
        taken.into_iter().map(row).collect()
    }

    fn add(&self, keys: impl Iterator<Item = Key>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.for_each(|key| *counts.entry(key).or_default() += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_not_taken_again() {
        let refusals = Refusals::default();
        refusals.events(3, ["too_large", "too_large"].into_iter().map(Cow::Borrowed));
        refusals.request(3, "rate_limited");
        let rows = refusals.take();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.what.as_str(), row.reason.as_str(), row.refused))
            .collect();
        assert_eq!(told, [("event", "too_large", 2), ("request", "rate_limited", 1)]);
        assert_eq!(refusals.take(), []);
    }
}
