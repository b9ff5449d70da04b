//! An accepted event, and how a batch of them is laid out in a journal record.
//!
//! A record's payload is one byte of format version, a [`BatchHead`], from version 2 on an [`InstallReport`], and
//! [`AcceptedEvent`]s to the end, each in postcard's wire format (<https://postcard.jamesmunns.com/wire-format>). Fields may
//! be added only together with a new version byte: a journal written by the release before must be readable after an
//! upgrade. A batch without a report is still written as version 1.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trailmark_protocol::{Timestamp, Uuid};

use crate::install::InstallReport;

/// A head and events.
const PLAIN: u8 = 1;

/// A head, what the install says of itself, and events.
const WITH_REPORT: u8 = 2;

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
        Self::with_report(head, None, capacity)
    }

    /// Starts a payload that also brings what the install says of itself.
    #[must_use]
    pub fn with_report(head: &BatchHead<'_>, report: Option<&InstallReport>, capacity: usize) -> Self {
        let mut payload = Vec::with_capacity(capacity);
        payload.push(report.map_or(PLAIN, |_| WITH_REPORT));
        payload = append(head, payload);
        if let Some(report) = report {
            payload = append(report, payload);
        }
        Self { payload, events: 0 }
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

/// A payload read back, borrowing from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<'a> {
    /// What the events have in common.
    pub head: BatchHead<'a>,
    /// What the install says of itself.
    pub report: Option<InstallReport>,
    /// The events.
    pub events: Vec<AcceptedEvent<'a>>,
}

/// Reads a payload back.
///
/// # Errors
/// [`BadPayload`] if it is not one of ours.
pub fn read_batch(payload: &[u8]) -> Result<Batch<'_>, BadPayload> {
    let (version, rest) = payload.split_first().ok_or(BadPayload::Version(0))?;
    let (head, rest) = match *version {
        PLAIN | WITH_REPORT => postcard::take_from_bytes(rest)?,
        version => return Err(BadPayload::Version(version)),
    };
    let (report, mut rest) = match *version {
        WITH_REPORT => postcard::take_from_bytes(rest).map(|(report, rest)| (Some(report), rest))?,
        _ => (None, rest),
    };
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (event, after) = postcard::take_from_bytes(rest)?;
        events.push(event);
        rest = after;
    }
    Ok(Batch { head, report, events })
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

    const FIRST_VERSION: &str = "\
         0106d00f01016910000000000000000000000000000000070152036f6e650101610000010173f081c4f883ffa1068f4e010e7b22\
         746f74616c223a31322e357d000000100000000000000000000000000000000701520374776f0101610000010173f081c4f883ff\
         a1068f4e010e7b22746f74616c223a31322e357d000000";

    const HEAD: BatchHead<'static> = BatchHead {
        project_id: 3,
        received_at: Timestamp::from_millis(1),
        install_id: Some("i"),
    };

    fn payload(report: Option<&InstallReport>) -> Bytes {
        let mut writer = BatchWriter::with_report(&HEAD, report, 0);
        writer.push(&event("one"));
        writer.push(&event("two"));
        writer.finish()
    }

    fn report() -> InstallReport {
        InstallReport {
            captured: 43,
            queued: 3,
            dropped: [("too_large".to_owned(), 1)].into(),
            sdk: Some("trailmark-dart/0.1.0".to_owned()),
            release: None,
        }
    }

    #[test]
    fn a_batch_reads_back_as_it_was_written() {
        for report in [None, Some(report())] {
            let expected = Batch {
                head: HEAD,
                report: report.clone(),
                events: vec![event("one"), event("two")],
            };
            assert_eq!(read_batch(&payload(report.as_ref())).unwrap(), expected);
        }
    }

    /// The bytes that the first release wrote: a journal may hold them when the server is upgraded. A batch that brings
    /// no report is still written so, and the release before can read it.
    #[test]
    fn the_first_version_is_still_read_and_written() {
        let first = payload(None);
        let hex: String = first.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, FIRST_VERSION);
    }

    #[test]
    fn a_cut_or_foreign_payload_is_an_error() {
        for report in [None, Some(report())] {
            let payload = payload(report.as_ref());
            assert!(read_batch(&payload[..payload.len() - 1]).is_err());
            assert!(read_batch(&payload[..5]).is_err());
        }
        assert!(read_batch(&[9, 1, 2]).is_err());
        assert!(read_batch(&[]).is_err());
    }
}
