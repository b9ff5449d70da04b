//! Dead letters: accepted events that the database refused, kept whole.

use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// An accepted event that the database refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its project; 0 if the payload cannot be read.
    pub project_id: i32,
    /// The event; if the payload cannot be read, the first 16 bytes of its SHA-256.
    pub event_id: Uuid,
    /// The database's error code, if it was the database that refused.
    pub sqlstate: Option<String>,
    /// A stable word.
    pub reason: String,
    /// The error for people.
    pub detail: String,
    /// A journal payload that holds this event alone, or the unreadable payload.
    pub payload: Vec<u8>,
    /// When the server received it.
    pub received_at: Option<Timestamp>,
    /// When it was last refused.
    pub failed_at: Timestamp,
    /// When a replay stored it.
    pub replayed_at: Option<Timestamp>,
}

/// What became of a replay.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Now stored.
    pub stored: u64,
    /// Were stored already.
    pub duplicates: u64,
    /// Refused again; still dead letters.
    pub refused: u64,
}
