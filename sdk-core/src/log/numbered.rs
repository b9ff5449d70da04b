//! A map by number: a sorted list. Numbers nearly always come in their order, and there are few of them or they stay; the
//! code is a tenth of a tree's, which a web page would have to load.

/// Values by number, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered<V>(Vec<(u64, V)>);

impl<V> Default for Numbered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Numbered<V> {
    /// The place of the first number that is not below this one.
    fn place(&self, number: u64) -> usize {
        match self.0.last() {
            Some((last, _)) if *last < number => self.0.len(),
            _ => self.0.partition_point(|(known, _)| *known < number),
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<&V> {
        let (known, value) = self.0.get(self.place(number))?;
        (*known == number).then_some(value)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut V> {
        let at = self.place(number);
        let (known, value) = self.0.get_mut(at)?;
        (*known == number).then_some(value)
    }

    /// Adds a value, unless there is one of this number.
    pub(crate) fn add(&mut self, number: u64, value: V) {
        let at = self.place(number);
        if self.0.get(at).is_none_or(|(known, _)| *known != number) {
            self.0.insert(at, (number, value));
        }
    }

    pub(crate) fn remove(&mut self, number: u64) {
        self.retain(|known, _| known != number);
    }

    /// Keeps these only.
    pub(crate) fn retain(&mut self, keep: impl Fn(u64, &V) -> bool) {
        self.0.retain(|(number, value)| keep(*number, value));
    }

    /// The first number behind this one.
    pub(crate) fn next(&self, number: u64) -> Option<u64> {
        self.0.get(self.place(number.saturating_add(1))).map(|(next, _)| *next)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &V)> {
        self.0.iter().map(|(number, value)| (*number, value))
    }

    pub(crate) fn into_values(self) -> Vec<V> {
        self.0.into_iter().map(|(_, value)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_does_what_a_map_does(steps in prop::collection::vec((0..3u8, 0..20u64, any::<u8>()), 0..60)) {
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
                prop_assert_eq!(ours.get(number), map.get(&number));
                prop_assert_eq!(ours.next(number), map.range(number + 1..).next().map(|(next, _)| *next));
            }
            let found: Vec<(u64, u8)> = ours.iter().map(|(number, value)| (number, *value)).collect();
            prop_assert_eq!(found, map.into_iter().collect::<Vec<_>>());
        }
    }
}
