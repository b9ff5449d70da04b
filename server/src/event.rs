//! An accepted event, and how a batch of them is laid out in a journal record.
//!
//! A record's payload is one byte of format version, a [`BatchHead`], and [`AcceptedEvent`]s to the end, each in
//! postcard's wire format (<https://postcard.jamesmunns.com/wire-format>). Fields may be added only together with a new
//! version byte: a journal written by the release before must be readable after an upgrade.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trailmark_protocol::{Timestamp, Uuid};

/// The payload format written today.
const VERSION: u8 = 1;

/// What the events of one accepted batch have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchHead<'a> {
    /// The project whose write key sent the batch.
    pub project_id: i32,
    /// When the server received it, by its own clock.
    pub received_at: Timestamp,
    /// The install that sent it.
    pub install_id: Option<&'a str>,
}

/// One event that passed validation. JSON-valued fields are JSON objects that PostgreSQL's `jsonb` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedEvent<'a> {
    /// UUIDv7; the events table's key within the project.
    pub id: Uuid,
    /// Number within the install.
    pub seq: Option<i64>,
    /// What happened.
    pub name: &'a str,
    /// The device's id.
    pub anonymous_id: Option<&'a str>,
    /// The id the app gave. At least one of the two ids is there.
    pub user_id: Option<&'a str>,
    /// The other user id of an `$alias`.
    pub alias: Option<&'a str>,
    /// The session.
    pub session_id: Option<&'a str>,
    /// When it happened: the client's time, corrected for a plausible clock skew.
    pub timestamp: Timestamp,
    /// When it happened by the client's clock, as sent.
    pub client_timestamp: Timestamp,
    /// What is known about it.
    pub properties: Option<&'a str>,
    /// The circumstances.
    pub context: Option<&'a str>,
    /// Person properties, last writer wins.
    pub set: Option<&'a str>,
    /// Person properties, first writer wins.
    pub set_once: Option<&'a str>,
}

/// Lays out a batch for the journal.
#[derive(Debug)]
pub struct BatchWriter {
    payload: Vec<u8>,
    events: usize,
}

impl BatchWriter {
    /// Starts a payload; `capacity` is a guess of its size in bytes.
    #[must_use]
    pub fn new(head: &BatchHead<'_>, capacity: usize) -> Self {
        let mut payload = Vec::with_capacity(capacity);
        payload.push(VERSION);
        Self {
            payload: append(head, payload),
            events: 0,
        }
    }

    /// Adds an event.
    pub fn push(&mut self, event: &AcceptedEvent<'_>) {
        self.payload = append(event, std::mem::take(&mut self.payload));
        self.events += 1;
    }

    /// How many events it holds.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events
    }

    /// The finished payload.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.payload.into()
    }
}

fn append<T: Serialize>(value: &T, payload: Vec<u8>) -> Vec<u8> {
    #[expect(
        clippy::expect_used,
        reason = "these types have no map of unknown length and the buffer grows"
    )]
    postcard::to_extend(value, payload).expect("postcard writes plain structs into a Vec")
}

/// A payload that is not what [`BatchWriter`] writes.
#[derive(Debug, thiserror::Error)]
pub enum BadPayload {
    /// Written by a newer release, or not a payload at all.
    #[error("unknown payload version {0}")]
    Version(u8),
    /// The bytes end early or make no sense.
    #[error("unreadable payload: {0}")]
    Layout(#[from] postcard::Error),
}

/// Reads a payload back, borrowing from it.
///
/// # Errors
/// [`BadPayload`] if it is not one of ours.
pub fn read_batch(payload: &[u8]) -> Result<(BatchHead<'_>, Vec<AcceptedEvent<'_>>), BadPayload> {
    let (version, rest) = payload.split_first().ok_or(BadPayload::Version(0))?;
    if *version != VERSION {
        return Err(BadPayload::Version(*version));
    }
    let (head, mut rest) = postcard::take_from_bytes(rest)?;
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (event, after) = postcard::take_from_bytes(rest)?;
        events.push(event);
        rest = after;
    }
    Ok((head, events))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> AcceptedEvent<'_> {
        AcceptedEvent {
            id: Uuid::from_u128(7),
            seq: Some(41),
            name,
            anonymous_id: Some("a"),
            user_id: None,
            alias: None,
            session_id: Some("s"),
            timestamp: Timestamp::from_millis(1_763_600_000_123),
            client_timestamp: Timestamp::from_millis(-5),
            properties: Some(r#"{"total":12.5}"#),
            context: None,
            set: None,
            set_once: None,
        }
    }

    #[test]
    fn a_batch_reads_back_as_it_was_written() {
        let head = BatchHead {
            project_id: 3,
            received_at: Timestamp::from_millis(1),
            install_id: Some("i"),
        };
        let mut writer = BatchWriter::new(&head, 0);
        writer.push(&event("one"));
        writer.push(&event("two"));
        let payload = writer.finish();
        assert_eq!(read_batch(&payload).unwrap(), (head, vec![event("one"), event("two")]));
    }

    #[test]
    fn a_cut_or_foreign_payload_is_an_error() {
        let head = BatchHead {
            project_id: 3,
            received_at: Timestamp::from_millis(1),
            install_id: None,
        };
        let mut writer = BatchWriter::new(&head, 0);
        writer.push(&event("one"));
        let payload = writer.finish();
        assert!(read_batch(&payload[..payload.len() - 1]).is_err());
        assert!(read_batch(&[9, 1, 2]).is_err());
        assert!(read_batch(&[]).is_err());
    }
}
