//! Who is whom (DESIGN §4.4), as pure functions of growing sets: whatever order facts arrive in, however often, and
//! however they are cut into batches, they end in the same persons.
//!
//! [`owner`]: whose device it is. [`persons`]: which users are one person. [`register`]: which value of a property
//! counts. [`paths`]: why identities are one person. [`erasure`]: which events come too late. The store keeps its tables
//! equal to these functions, partly by calling them and partly in SQL; tests compare the two.

pub mod owner;
pub mod persons;
pub mod register;
pub mod paths;
pub mod erasure;

use trailmark_protocol::{Timestamp, Uuid};

/// An `$identify` said that a device is used by a user. `I` is what names an identity: its number, or its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<I> {
    /// The event that said so.
    pub event_id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// The device.
    pub device: I,
    /// The user.
    pub user: I,
}

/// An `$alias` said that two users are one person. It has no direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias<I> {
    /// The event that said so.
    pub event_id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// The user of the event.
    pub one: I,
    /// The other user.
    pub other: I,
}
