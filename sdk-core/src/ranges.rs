//! Sets of event numbers, as ranges: what is decided is nearly always contiguous.

use trailmark_protocol::json::{as_u64, elements, write_u64};

/// A set of numbers as ascending, disjoint, inclusive ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// The set of these numbers; they may come in any order.
    pub(crate) fn of(seqs: impl IntoIterator<Item = u64>) -> Self {
        let mut ranges = Self::default();
        seqs.into_iter().for_each(|seq| ranges.insert(seq, seq));
        ranges
    }

    /// Adds all numbers from `first` to `last`.
    pub(crate) fn insert(&mut self, first: u64, last: u64) {
        match self.0.last_mut() {
            Some((_, end)) if first == end.saturating_add(1) => *end = last,
            Some((_, end)) if first <= *end => self.insert_between(first, last),
            _ => self.0.push((first, last)),
        }
    }

    fn insert_between(&mut self, mut first: u64, mut last: u64) {
        let from = self.0.partition_point(|(_, end)| end.saturating_add(1) < first);
        let to = self.0.partition_point(|(begin, _)| *begin <= last.saturating_add(1));
        for (begin, end) in self.0.drain(from..to) {
            first = first.min(begin);
            last = last.max(end);
        }
        self.0.insert(from, (first, last));
    }

    /// How many numbers are in it.
    #[cfg(feature = "log")]
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `seq` is in it.
    pub(crate) fn contains(&self, seq: u64) -> bool {
        self.place(seq).is_some()
    }

    /// Where the range of `seq` is.
    fn place(&self, seq: u64) -> Option<usize> {
        let at = self.0.partition_point(|(_, last)| *last < seq);
        self.0.get(at).filter(|(first, _)| *first <= seq).map(|_| at)
    }

    /// Takes a number out.
    pub(crate) fn remove(&mut self, seq: u64) {
        let Some(at) = self.place(seq) else { return };
        let (first, last) = self.0.remove(at);
        if seq < last {
            self.0.insert(at, (seq + 1, last));
        }
        if first < seq {
            self.0.insert(at, (first, seq - 1));
        }
    }

    /// Adds all numbers of `other`.
    pub(crate) fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|(first, last)| self.insert(*first, *last));
    }

    /// The least number in it.
    pub(crate) fn first(&self) -> Option<u64> {
        self.0.first().map(|(first, _)| *first)
    }

    /// The greatest number in it.
    pub(crate) fn last(&self) -> Option<u64> {
        self.0.last().map(|(_, last)| *last)
    }

    /// As JSON: `[[1,3],[7,7]]`.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::from("[");
        for (at, (first, last)) in self.0.iter().enumerate() {
            out.push_str(if at == 0 { "[" } else { ",[" });
            write_u64(&mut out, *first);
            out.push(',');
            write_u64(&mut out, *last);
            out.push(']');
        }
        out.push(']');
        out
    }

    /// Reads [`Ranges::to_json`]; `None` for anything else.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let mut ranges = Self::default();
        for pair in elements(json).ok()? {
            let [first, last] = *elements(pair).ok()?.as_slice() else {
                return None;
            };
            let (first, last) = (as_u64(first)?, as_u64(last)?);
            let ascending = ranges.last().is_none_or(|end| end < first);
            if !ascending || last < first {
                return None;
            }
            ranges.0.push((first, last));
        }
        Some(ranges)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_become_one_range_and_the_order_does_not_matter() {
        let ranges = Ranges::of([7, 1, 3, 2]);
        assert_eq!(ranges.to_json(), "[[1,3],[7,7]]");
        assert_eq!((ranges.count(), ranges.last()), (4, Some(7)));
        for (seq, expected) in [(0, false), (1, true), (3, true), (4, false), (7, true), (8, false)] {
            assert_eq!(ranges.contains(seq), expected, "{seq}");
        }
    }

    proptest! {
        #[test]
        fn it_does_what_a_set_does(pairs in prop::collection::vec((0..40u64, 0..6u64), 0..20)) {
            let (mut ours, mut set) = (Ranges::default(), BTreeSet::new());
            for (first, more) in pairs {
                ours.insert(first, first + more);
                set.extend(first..=first + more);
            }
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            prop_assert!(ours.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", ours);
        }
    }

    #[test]
    fn numbers_are_taken_out_wherever_they_are() {
        let mut ranges = Ranges::of([1, 2, 3, 4, 7, 8, 10]);
        [0, 1, 3, 5, 7, 10, 11].iter().for_each(|seq| ranges.remove(*seq));
        assert_eq!(ranges, Ranges::of([2, 4, 8]));
        ranges.extend(&Ranges::of([3, 9]));
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [2, 3, 4, 8, 9]);
        (2..=9).for_each(|seq| ranges.remove(seq));
        assert_eq!(ranges, Ranges::default());
    }

    #[test]
    fn json_reads_back_and_nonsense_does_not() {
        for ranges in [Ranges::default(), Ranges::of([1]), Ranges::of([1, 2, 9, 11])] {
            assert_eq!(Ranges::from_json(&ranges.to_json()), Some(ranges));
        }
        for json in ["", "{}", "[1]", "[[1]]", "[[2,1]]", "[[5,6],[6,7]]", "[[1,-2]]"] {
            assert_eq!(Ranges::from_json(json), None, "{json}");
        }
    }
}
