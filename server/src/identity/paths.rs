//! Why identities are one person: from each a way to the one that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_protocol::{Timestamp, Uuid};

use super::{Alias, Link};

/// What joins two identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A device and its owner.
    Link,
    /// Two users.
    Alias,
}

/// One step towards the identity that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<I> {
    /// The fact that joins.
    pub fact: Fact,
    /// The event that said so.
    pub event_id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// The next identity on the way.
    pub with: I,
}

/// A shortest way from every identity that these facts join with `asked`: each has its first step, and the next is that
/// of the identity it leads to. Of equally short ways the one whose facts happened earlier.
pub fn to<I: Ord + Copy>(
    asked: I,
    links: impl IntoIterator<Item = Link<I>>,
    aliases: impl IntoIterator<Item = Alias<I>>,
) -> BTreeMap<I, Step<I>> {
    let links = links
        .into_iter()
        .map(|link| (link.at, link.event_id, Fact::Link, link.device, link.user));
    let aliases = aliases
        .into_iter()
        .map(|alias| (alias.at, alias.event_id, Fact::Alias, alias.one, alias.other));
    let mut facts: Vec<_> = links.chain(aliases).collect();
    facts.sort_by_key(|fact| (fact.0, fact.1));
    let mut neighbours = BTreeMap::<I, Vec<(I, Step<I>)>>::new();
    for (at, event_id, fact, one, other) in facts {
        let step = |with| Step {
            fact,
            event_id,
            at,
            with,
        };
        neighbours.entry(one).or_default().push((other, step(one)));
        neighbours.entry(other).or_default().push((one, step(other)));
    }
    let (mut steps, mut reached, mut edge) = (BTreeMap::new(), BTreeSet::from([asked]), vec![asked]);
    while !edge.is_empty() {
        let mut next = Vec::new();
        for (from, step) in edge.iter().filter_map(|id| neighbours.get(id)).flatten() {
            if reached.insert(*from) {
                steps.insert(*from, *step);
                next.push(*from);
            }
        }
        edge = next;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identity_leads_to_the_one_asked_for_by_a_shortest_way() {
        let alias = |n: u8, one, other| Alias {
            event_id: Uuid::from_u128(n.into()),
            at: Timestamp::from_millis(n.into()),
            one,
            other,
        };
        let link = Link {
            event_id: Uuid::from_u128(9),
            at: Timestamp::from_millis(9),
            device: 'd',
            user: 'c',
        };
        let steps = to(
            'a',
            [link],
            [
                alias(1, 'b', 'c'),
                alias(2, 'a', 'b'),
                alias(3, 'a', 'b'),
                alias(4, 'c', 'a'),
            ],
        );
        let told = |id| steps.get(&id).map(|step| (step.event_id.as_u128(), step.with));
        assert_eq!(
            [told('a'), told('b'), told('c'), told('d')],
            [None, Some((2, 'a')), Some((4, 'a')), Some((9, 'c'))]
        );
    }
}
