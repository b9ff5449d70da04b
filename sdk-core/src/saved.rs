//! An event as it is kept over restarts.

use trailmark_protocol::{Timestamp, Uuid};

/// A captured event, and what its JSON does not say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Saved<'a> {
    pub(crate) seq: u64,
    pub(crate) id: Uuid,
    /// When it was captured, by the device's clock.
    pub(crate) at: Timestamp,
    /// The queue's own clock at that time, in milliseconds; see [`crate::age`].
    pub(crate) age: u64,
    /// It belongs to the client's own session.
    pub(crate) own: bool,
    pub(crate) json: &'a str,
}
