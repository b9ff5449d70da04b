//! Whose identity is whose: persons as of now, looked up for every event that is counted.
//!
//! Numbers of identities grow, and those of one project lie close together. So they are kept in pages of 64, and a *slot* is a
//! place in a page that is there: 4 bytes an identity where all numbers of a page are the project's, 4 MB for a million, and
//! 264 bytes where a page has one alone. A person is the slot of the identity that its number is taken from.

/// No person: an identity that is unknown, or was erased.
pub const NOBODY: u32 = u32::MAX;

/// Identities of a page.
const PAGE: usize = 64;

/// No page.
const NONE: u32 = u32::MAX;

/// The persons of identities.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Number of the first page.
    first: i64,
    /// For each page from the first on, which of the pages that are there it is.
    pages: Vec<u32>,
    /// The number of each page that is there.
    numbers: Vec<i64>,
    /// For each slot the slot of its person.
    persons: Vec<u32>,
    identities: usize,
}

/// A set of persons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Persons(Vec<u64>);

impl People {
    /// The person of an identity, as a slot below [`Self::slots`], or [`NOBODY`].
    #[must_use]
    pub fn person(&self, identity: i64) -> u32 {
        let slot = self.slot(identity);
        slot.and_then(|slot| self.persons.get(slot)).copied().unwrap_or(NOBODY)
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.persons.len() as u32
    }

    /// How many identities are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.identities
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities == 0
    }

    /// Every person that somebody is.
    #[must_use]
    pub fn everybody(&self) -> Persons {
        let mut everybody = Persons::none(self.slots());
        self.persons.iter().for_each(|person| everybody.insert(*person));
        everybody
    }

    /// The number of the identity that has this slot.
    #[must_use]
    pub fn number(&self, slot: u32) -> i64 {
        let slot = slot as usize;
        let page = self.numbers.get(slot / PAGE).copied().unwrap_or_default();
        page * PAGE as i64 + (slot % PAGE) as i64
    }

    /// The slot of an identity's number, if it is in a page that is there.
    #[must_use]
    pub fn slot(&self, identity: i64) -> Option<usize> {
        let page = identity.div_euclid(PAGE as i64).checked_sub(self.first)?;
        let page = *self.pages.get(usize::try_from(page).ok()?)?;
        (page != NONE).then(|| page as usize * PAGE + identity.rem_euclid(PAGE as i64) as usize)
    }

    /// Says that an identity belongs to the person with this number.
    pub fn set(&mut self, identity: i64, person: i64) {
        let person = self.make_slot(person);
        let slot = self.make_slot(identity);
        if let Some(place) = self.persons.get_mut(slot) {
            self.identities += usize::from(*place == NOBODY);
            *place = person as u32;
        }
    }

    /// Forgets an identity.
    pub fn remove(&mut self, identity: i64) {
        let place = self.slot(identity).and_then(|slot| self.persons.get_mut(slot));
        if let Some(place) = place.filter(|place| **place != NOBODY) {
            *place = NOBODY;
            self.identities -= 1;
        }
    }

    fn make_slot(&mut self, identity: i64) -> usize {
        if let Some(slot) = self.slot(identity) {
            return slot;
        }
        let number = identity.div_euclid(PAGE as i64);
        if self.pages.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let more = (self.first - number) as usize;
            self.pages.splice(0..0, std::iter::repeat_n(NONE, more));
            self.first = number;
        }
        let page = (number - self.first) as usize;
        if self.pages.len() <= page {
            self.pages.resize(page + 1, NONE);
        }
        let there = self.numbers.len();
        if let Some(place) = self.pages.get_mut(page) {
            *place = there as u32;
        }
        self.numbers.push(number);
        self.persons.resize(self.persons.len() + PAGE, NOBODY);
        there * PAGE + identity.rem_euclid(PAGE as i64) as usize
    }
}

impl Persons {
    /// None, of so many slots.
    #[must_use]
    pub fn none(slots: u32) -> Self {
        Self(vec![0; (slots as usize).div_ceil(64)])
    }

    /// Adds one.
    pub fn insert(&mut self, person: u32) {
        if let Some(word) = self.0.get_mut(person as usize / 64) {
            *word |= 1 << (person % 64);
        }
    }

    /// Whether this one is in it.
    #[must_use]
    pub fn has(&self, person: u32) -> bool {
        let word = self.0.get(person as usize / 64).copied().unwrap_or_default();
        word >> (person % 64) & 1 == 1
    }

    /// Those for which it is so.
    #[must_use]
    pub fn filter(&self, so: impl Fn(u32) -> bool) -> Self {
        let persons = (0_u32..).zip(&self.0).map(|(place, word)| {
            let bits = (0..64).filter(|bit| word >> bit & 1 == 1 && so(place * 64 + bit));
            bits.fold(0, |word, bit| word | 1 << bit)
        });
        Self(persons.collect())
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_found_wherever_their_numbers_lie() {
        let mut people = People::default();
        people.set(1_000, 1_000);
        people.set(3, 1_000);
        people.set(1_000_000, 3);
        assert_eq!(people.person(3), people.person(1_000));
        assert_eq!(people.number(people.person(1_000_000)), 3);
        assert_eq!(people.person(4), NOBODY);
        assert_eq!(people.person(-1), NOBODY);
        assert_eq!((people.len(), people.slots()), (3, 3 * 64));
        people.set(3, 3);
        people.remove(1_000);
        people.remove(1_000);
        assert_eq!((people.person(1_000), people.len()), (NOBODY, 2));
    }
}
