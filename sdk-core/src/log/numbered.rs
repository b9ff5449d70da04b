//! A map by number: a sorted list. Numbers nearly always come in their order, and there are few of them or they stay; the
//! code is a tenth of a tree's, which a web page would have to load.

/// Values by number, ascending.
#[derive(Debug, Default)]
pub(crate) struct Numbered(Vec<(u64, u64)>);

impl Numbered {
    /// The place of the first number that is not below this one.
    fn place(&self, number: u64) -> usize {
        match self.0.last() {
            Some((last, _)) if *last < number => self.0.len(),
            _ => self.0.partition_point(|(known, _)| *known < number),
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<u64> {
        let (known, value) = self.0.get(self.place(number))?;
        (*known == number).then_some(*value)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut u64> {
        let at = self.place(number);
        let (known, value) = self.0.get_mut(at)?;
        (*known == number).then_some(value)
    }

    /// Adds a value, unless there is one of this number.
    pub(crate) fn add(&mut self, number: u64, value: u64) {
        let at = self.place(number);
        if self.0.get(at).is_none_or(|(known, _)| *known != number) {
            self.0.insert(at, (number, value));
        }
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let at = self.place(number);
        if self.0.get(at).is_some_and(|(known, _)| *known == number) {
            self.0.remove(at);
        }
    }

    /// The first number behind this one.
    pub(crate) fn next(&self, number: u64) -> Option<u64> {
        self.0.get(self.place(number.saturating_add(1))).map(|(next, _)| *next)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_does_what_a_map_does(steps in prop::collection::vec((0..3u8, 0..20u64, any::<u64>()), 0..60)) {
            let (mut ours, mut map) = (Numbered::default(), BTreeMap::new());
            for (what, number, value) in steps {
                match what {
                    0 => {
                        ours.remove(number);
                        map.remove(&number);
                    }
                    1 => prop_assert_eq!(ours.get_mut(number).copied(), map.get(&number).copied()),
                    _ => {
                        ours.add(number, value);
                        map.entry(number).or_insert(value);
                    }
                }
                prop_assert_eq!(ours.get(number), map.get(&number).copied());
                prop_assert_eq!(ours.next(number), map.range(number + 1..).next().map(|(next, _)| *next));
            }
            let found: Vec<(u64, u64)> = ours.iter().collect();
            prop_assert_eq!(found, map.into_iter().collect::<Vec<_>>());
        }
    }
}
