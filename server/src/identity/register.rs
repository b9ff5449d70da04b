//! Which value of a person's property counts.

use trailmark_protocol::{Timestamp, Uuid};

/// How a property was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// The last writer wins.
    Set,
    /// The first writer wins, and any `Set` beats it.
    SetOnce,
}

/// One value that somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write<V> {
    /// How.
    pub op: Op,
    /// When it happened.
    pub at: Timestamp,
    /// The event that wrote it; decides between equal times.
    pub event_id: Uuid,
    /// The value.
    pub value: V,
}

/// The value that counts of all that were ever written to one property of one person, under whichever of its ids.
pub fn value<V>(writes: impl IntoIterator<Item = Write<V>>) -> Option<V> {
    writes
        .into_iter()
        .reduce(|kept, next| if beats(&next, &kept) { next } else { kept })
        .map(|write| write.value)
}

fn beats<V>(next: &Write<V>, kept: &Write<V>) -> bool {
    let (next_at, kept_at) = ((next.at, next.event_id), (kept.at, kept.event_id));
    match (next.op, kept.op) {
        (Op::Set, Op::Set) => next_at > kept_at,
        (Op::SetOnce, Op::SetOnce) => next_at < kept_at,
        (Op::Set, Op::SetOnce) => true,
        (Op::SetOnce, Op::Set) => false,
    }
}
