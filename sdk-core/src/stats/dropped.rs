//! Lost events, counted by reason.

use std::borrow::Cow;
use std::ops::Index;

/// Most reasons counted apart: 64, three times the vocabulary. A server with more words fills [`OTHER`].
const MAX_REASONS: usize = 64;

/// Counts the drops whose reasons are too many to tell apart.
const OTHER: &str = "other";

/// Lost events by reason, in the order of the alphabet. The reasons are the texts of [`Reason`](crate::Reason), or words of
/// a newer server. A sorted list, because they are few.
///
/// ```
/// # use trailmark_core::{Client, Properties};
/// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// client.track("", Properties::new());
/// let dropped = client.stats().dropped;
/// assert_eq!((dropped["missing_name"], dropped.get("expired"), dropped.total()), (1, None, 1));
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dropped(Vec<(Cow<'static, str>, u64)>);

impl Dropped {
    /// Nothing was lost.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many were lost for this reason; `None` if none was.
    #[must_use]
    pub fn get(&self, reason: &str) -> Option<&u64> {
        let at = self.place(reason).ok()?;
        self.0.get(at).map(|(_, count)| count)
    }

    /// The reasons and how many were lost for each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(reason, count)| (&**reason, *count))
    }

    /// The number of reasons.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All lost events.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Counts lost events.
    pub(crate) fn count(&mut self, reason: Cow<'static, str>, events: u64) {
        let reason = match self.place(&reason) {
            Err(_) if self.0.len() >= MAX_REASONS => Cow::Borrowed(OTHER),
            _ => reason,
        };
        let at = self.place(&reason).unwrap_or_else(|at| {
            self.0.insert(at, (reason, 0));
            at
        });
        if let Some((_, count)) = self.0.get_mut(at) {
            *count += events;
        }
    }

    fn place(&self, reason: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(reason))
    }
}

/// How many were lost for this reason.
///
/// # Panics
/// None was, as with a map.
impl Index<&str> for Dropped {
    type Output = u64;

    #[expect(clippy::expect_used, reason = "the contract of an index, as of a map's")]
    fn index(&self, reason: &str) -> &u64 {
        self.get(reason).expect("nothing was lost for this reason")
    }
}

impl FromIterator<(Cow<'static, str>, u64)> for Dropped {
    fn from_iter<T: IntoIterator<Item = (Cow<'static, str>, u64)>>(counts: T) -> Self {
        let mut dropped = Self::new();
        counts
            .into_iter()
            .for_each(|(reason, events)| dropped.count(reason, events));
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_invents_reasons_cannot_fill_the_memory() {
        let mut dropped = Dropped::new();
        for n in 0..1000 {
            dropped.count(Cow::Owned(format!("reason_{n}")), 1);
        }
        assert_eq!((dropped.len(), dropped.total()), (MAX_REASONS + 1, 1000));
        assert!(dropped.iter().is_sorted());
    }
}
