//! A bug on purpose. Compiled only with the feature `planted-bugs`, and off until a test asks for it: the proof that the
//! simulation would find it.

use std::cell::Cell;

thread_local! {
    static EARLY: Cell<bool> = const { Cell::new(false) };
}

/// Makes the journals that are stepped on this thread answer before their records are synced, or not.
pub fn acknowledge_early(early: bool) {
    EARLY.set(early);
}

pub(crate) fn acknowledges_early() -> bool {
    EARLY.get()
}
