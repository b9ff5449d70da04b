//! Whose device it is.

use std::collections::BTreeMap;

use super::Link;

/// The link that decides about each device: its earliest by (at, event id). The first to identify wins, so whoever uses a
/// shared device later never takes what was there before; and a link that arrives late but happened first still wins.
pub fn deciding<I: Ord + Copy>(links: impl IntoIterator<Item = Link<I>>) -> BTreeMap<I, Link<I>> {
    let mut earliest = BTreeMap::<I, Link<I>>::new();
    for link in links {
        let known = earliest.entry(link.device).or_insert(link);
        if (link.at, link.event_id) < (known.at, known.event_id) {
            *known = link;
        }
    }
    earliest
}
