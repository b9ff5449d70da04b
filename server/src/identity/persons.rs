//! Which users are one person.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_protocol::Uuid;

use super::Alias;

/// Most users that aliases sent with a write key make one person of: 100. A write key is public, so anybody may send an
/// `$alias`; without a bound a few lines of script would make one person of all users. People have a handful of ids
/// (an address per employer, a number per relaunch of the app), so 100 is far above any true person, and a person of 100
/// is still read through on one page of `trailmark person explain`. Mixpanel's bound is 500, PostHog has none.
pub const USERS_OF_A_PERSON: usize = 100;

/// The persons of some users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persons<I> {
    /// Each user's person, named by its least user.
    pub person_of: BTreeMap<I, I>,
    /// The aliases that would have made a person of too many users. They join nobody.
    pub refused: BTreeSet<Uuid>,
}

/// The connected components of `users` over `aliases`, of at most `most` users each. Aliases count in the order in which
/// they happened, (at, event id), whatever order they arrived in; one that would make a person too large is passed over.
pub fn join<I: Ord + Copy>(
    users: impl IntoIterator<Item = I>,
    aliases: impl IntoIterator<Item = Alias<I>>,
    most: usize,
) -> Persons<I> {
    let mut groups = Groups(users.into_iter().map(|user| (user, Group::Root(1))).collect());
    let mut aliases: Vec<_> = aliases.into_iter().collect();
    aliases.sort_by_key(|alias| (alias.at, alias.event_id));
    let refused = aliases
        .iter()
        .filter(|alias| !groups.join(alias.one, alias.other, most));
    let refused = refused.map(|alias| alias.event_id).collect();
    let users: Vec<I> = groups.0.keys().copied().collect();
    Persons {
        person_of: users.into_iter().map(|user| (user, groups.root(user).0)).collect(),
        refused,
    }
}

/// Sets of users as trees. The root is the least user: small trees under large ones would be faster, but a set is small.
struct Groups<I>(BTreeMap<I, Group<I>>);

#[derive(Clone, Copy)]
enum Group<I> {
    Root(usize),
    Below(I),
}

impl<I: Ord + Copy> Groups<I> {
    /// The root above a user and how many users are below it. Shortens the way for the next who asks.
    fn root(&mut self, user: I) -> (I, usize) {
        match self.0.get(&user).copied() {
            Some(Group::Below(above)) => {
                let (root, size) = self.root(above);
                self.0.insert(user, Group::Below(root));
                (root, size)
            }
            Some(Group::Root(size)) => (user, size),
            None => {
                self.0.insert(user, Group::Root(1));
                (user, 1)
            }
        }
    }

    /// Whether the two are one now.
    fn join(&mut self, one: I, other: I, most: usize) -> bool {
        let ((a, a_size), (b, b_size)) = (self.root(one), self.root(other));
        if a == b {
            return true;
        }
        if a_size + b_size > most {
            return false;
        }
        self.0.insert(a.min(b), Group::Root(a_size + b_size));
        self.0.insert(a.max(b), Group::Below(a.min(b)));
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trailmark_protocol::Timestamp;

    use super::*;

    fn alias((n, one, other): (u8, u8, u8)) -> Alias<u8> {
        Alias {
            event_id: Uuid::from_u128(n.into()),
            at: Timestamp::from_millis(i64::from(n / 3)),
            one,
            other,
        }
    }

    #[test]
    fn a_person_is_named_by_its_least_user_and_strangers_stay_apart() {
        let joined = join([1, 2, 3, 4, 9], [(0, 9, 3), (1, 3, 2)].map(alias), 100);
        assert_eq!(joined.person_of, [(1, 1), (2, 2), (3, 2), (4, 4), (9, 2)].into());
        assert!(joined.refused.is_empty());
    }

    #[test]
    fn what_happened_first_counts_where_not_everything_fits() {
        let joined = join([], [(9, 1, 2), (0, 2, 3), (3, 3, 4)].map(alias), 3);
        assert_eq!(joined.person_of, [(1, 1), (2, 2), (3, 2), (4, 2)].into());
        assert_eq!(joined.refused, [Uuid::from_u128(9)].into());
    }

    proptest! {
        #[test]
        fn neither_order_nor_repetition_matters_and_no_person_is_too_large(
            (aliases, shuffled) in prop::collection::btree_map(0u8..60, (0u8..12, 0u8..12), 0..30).prop_flat_map(|all| {
                let aliases: Vec<_> = all.into_iter().map(|(n, (one, other))| (n, one, other)).collect();
                let twice = [aliases.clone(), aliases.clone()].concat();
                (Just(aliases), Just(twice).prop_shuffle())
            }),
            most in 1usize..13,
        ) {
            let once = join([], aliases.into_iter().map(alias), most);
            prop_assert_eq!(&once, &join([], shuffled.into_iter().map(alias), most));
            let mut sizes = BTreeMap::<u8, usize>::new();
            once.person_of.values().for_each(|person| *sizes.entry(*person).or_default() += 1);
            prop_assert!(sizes.values().all(|size| *size <= most));
        }
    }
}
