//! The Trailmark wire: what a client says to a server and what it is told back.
//!
//! No I/O, no clock, no allocation that a length in the input decides. The modules follow an event's way over the wire:
//!
//! 1. [`id`] and [`time`]: what names an event and when it happened.
//! 2. [`json`]: the small writer, reader and scanner; the web build has no other JSON.
//! 3. [`event`]: one event, written by the client once and never changed.
//! 4. [`batch`]: events sent together; [`headers`] carry what changes from one attempt to the next.
//! 5. [`receipt`]: the answer, one verdict per event, with its [`reason`].
//!
//! [`limits`] holds every bound, [`names`] the reserved event names and [`junk`] the ids that never become users.
//! Golden files in `protocol/tests/golden` freeze the bytes: they may be added to, never changed.

pub mod limits;
pub mod id;
pub mod time;
pub mod json;
pub mod names;
pub mod junk;
pub mod event;
pub mod batch;
pub mod headers;
pub mod reason;
pub mod receipt;

pub use uuid::Uuid;

pub use batch::Batch;
#[cfg(feature = "serde")]
pub use batch::{RawBatch, RawEvent};
pub use event::Event;
pub use reason::Reason;
pub use receipt::{Receipt, Verdict};
pub use time::Timestamp;
