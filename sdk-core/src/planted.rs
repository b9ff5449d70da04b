//! Bugs on purpose, each of a kind that other SDKs have shipped. Compiled only with the feature `planted-bugs`, and off
//! until a test asks for one: the proof that the simulation would find it.

use std::cell::Cell;

use crate::identity::Identity;
use crate::queue::Entry;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A segment is removed before the record that says what became of its events.
    SegmentGoesFirst,
    /// Queued events are stamped with whoever uses the device when they are sent.
    IdentityAtSend,
    /// Any 2xx counts as a receipt for everything.
    AnyAnswerIsAReceipt,
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Plants a bug in all engines of this thread, or takes it out.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

pub(crate) fn has(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// The bytes of an event with the ids of `identity` in place of its own.
pub(crate) fn restamp(entry: &mut Entry, identity: &Identity) {
    let marker = "\"anonymous_id\":\"";
    if let Some((before, rest)) = entry.json.split_once(marker)
        && let Some((_, after)) = rest.split_once('"')
    {
        entry.json = format!("{before}{marker}{}\"{after}", identity.anonymous_id()).into();
    }
}
