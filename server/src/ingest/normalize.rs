//! From what a client says to what is stored: which key, and what time. Pure, and a function of the event's frozen
//! bytes wherever a retry must come to the same result.

use sha2::{Digest, Sha256};
use trailmark_protocol::limits::FUTURE_MS;
use trailmark_protocol::{Timestamp, Uuid, id};

use super::validate::CleanEvent;
use crate::event::AcceptedEvent;

/// A skew smaller than this is the network's, not the clock's: 60 s.
const SKEW_FROM_MICROS: i64 = 60 * 1_000_000;

/// The longest that a queue keeps an event, and some: 30 days, in microseconds. A time of sending further from the newest
/// event than this is from another clock, or the events are history.
const QUEUED_FOR_MICROS: i64 = 30 * 24 * 3600 * 1_000_000;

/// The first moment of the year 0000: the earliest time there is here. PostgreSQL's `timestamptz` begins in 4713 BC.
const EARLIEST: Timestamp = Timestamp::from_micros(-62_167_219_200_000_000);

/// How a client's clock stands to ours, judged once for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    received_at: Timestamp,
    skew_micros: i64,
}

impl Clocks {
    /// From the time of receipt, the client's time of sending, and the newest event's time.
    ///
    /// A `sent_at` older than an event that it sent was not refreshed for this attempt (Segment's mobile SDKs bake it
    /// into the queued file), and one long after all of them is not of their clock: neither is used.
    #[must_use]
    pub fn new(received_at: Timestamp, sent_at: Option<Timestamp>, newest_event: Option<Timestamp>) -> Self {
        let waited = |sent_at: Timestamp, newest: Timestamp| sent_at.micros().saturating_sub(newest.micros());
        let plausible =
            |sent_at| newest_event.is_none_or(|newest| (0..=QUEUED_FOR_MICROS).contains(&waited(sent_at, newest)));
        let fresh = sent_at.filter(|sent_at| plausible(*sent_at));
        let skew = fresh.map_or(0, |sent_at| received_at.micros().saturating_sub(sent_at.micros()));
        let skew_micros = if skew.saturating_abs() < SKEW_FROM_MICROS {
            0
        } else {
            skew
        };
        Self {
            received_at,
            skew_micros,
        }
    }

    /// The client's time by our clock; what lies more than 24 h ahead even so is the time of receipt.
    #[must_use]
    pub fn correct(&self, client: Timestamp) -> Timestamp {
        let corrected = client.plus_micros(self.skew_micros).max(EARLIEST);
        if corrected.millis() > self.received_at.millis() + FUTURE_MS {
            self.received_at
        } else {
            corrected
        }
    }
}

/// The event as it is stored, borrowing from the clean one. `entropy` is used only for an event without an id.
#[must_use]
pub fn normalize<'a>(
    event: &'a CleanEvent<'_>,
    clocks: &Clocks,
    entropy: impl FnOnce() -> [u8; 10],
) -> AcceptedEvent<'a> {
    let client_timestamp = event.timestamp.unwrap_or(clocks.received_at);
    AcceptedEvent {
        id: match event.id.as_deref() {
            Some(id) => key(id, event.timestamp),
            None => id::v7(unix_millis(clocks.received_at), entropy()),
        },
        seq: event.seq,
        name: &event.name,
        anonymous_id: event.anonymous_id.as_deref(),
        user_id: event.user_id.as_deref(),
        alias: event.alias.as_deref(),
        session_id: event.session_id.as_deref(),
        timestamp: event.timestamp.map_or(clocks.received_at, |at| clocks.correct(at)),
        client_timestamp,
        properties: event.properties.as_deref(),
        context: event.context.as_deref(),
        set: event.set.as_deref(),
        set_once: event.set_once.as_deref(),
    }
}

/// The table's key for a client's id: itself if it is a UUIDv7, else a UUIDv7 made of the event's own time and a hash
/// of the id, so that every retry meets the same key. Without a time it is made of the epoch: sorted last, never doubled.
#[must_use]
pub fn key(client_id: &str, timestamp: Option<Timestamp>) -> Uuid {
    if let Some(uuid) = Uuid::try_parse(client_id).ok().filter(|uuid| id::is_v7(*uuid)) {
        return uuid;
    }
    let digest = Sha256::digest(client_id.as_bytes());
    let mut tail = [0; 10];
    tail.copy_from_slice(&digest[..10]);
    id::v7(unix_millis(timestamp.unwrap_or_default()), tail)
}

/// Milliseconds as a UUIDv7 holds them: from 1970, in 48 bits.
fn unix_millis(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0).min((1 << 48) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn corrected(sent_at: Option<&str>, event: &str) -> String {
        Clocks::new(at(NOW), sent_at.map(at), Some(at(event)))
            .correct(at(event))
            .to_string()
    }

    #[test]
    fn a_clock_that_is_off_is_corrected_and_network_delay_is_not() {
        assert_eq!(
            corrected(Some("2026-11-20T10:00:00Z"), "2026-11-20T09:59:00Z"),
            "2026-11-20T11:59:00.000Z"
        );
        assert_eq!(
            corrected(Some("2030-01-01T00:00:10Z"), "2030-01-01T00:00:00Z"),
            "2026-11-20T11:59:50.000Z"
        );
        assert_eq!(
            corrected(Some("2026-11-20T11:59:30Z"), "2026-11-20T11:59:00Z"),
            "2026-11-20T11:59:00.000Z"
        );
    }

    #[test]
    fn a_stale_time_of_sending_moves_nothing() {
        assert_eq!(
            corrected(Some("2026-11-13T12:00:00Z"), "2026-11-20T11:00:00Z"),
            "2026-11-20T11:00:00.000Z"
        );
    }

    #[test]
    fn a_time_of_sending_from_another_clock_moves_nothing() {
        assert_eq!(
            corrected(Some("9999-12-31T00:00:00Z"), "2026-11-20T11:00:00Z"),
            "2026-11-20T11:00:00.000Z"
        );
        assert_eq!(
            corrected(Some("2026-11-20T14:00:00Z"), "2015-05-17T10:05:03Z"),
            "2015-05-17T10:05:03.000Z"
        );
    }

    #[test]
    fn an_absurd_future_is_the_time_of_receipt_and_an_old_log_stays_old() {
        assert_eq!(corrected(None, "9999-12-31T23:59:59Z"), "2026-11-20T12:00:00.000Z");
        assert_eq!(corrected(Some(NOW), "2015-05-17T10:05:03Z"), "2015-05-17T10:05:03.000Z");
    }

    #[test]
    fn a_foreign_id_always_gives_the_same_key() {
        let time = Some(at(NOW));
        assert_eq!(key("ajs-next-1", time), key("ajs-next-1", time));
        assert_ne!(key("ajs-next-1", time), key("ajs-next-2", time));
        assert_eq!(id::millis(key("ajs-next-1", time)) as i64, at(NOW).millis());
        let ours = id::v7(5, [1; 10]);
        assert_eq!(key(&ours.to_string(), time), ours);
    }

    proptest! {
        #[test]
        fn no_clock_moves_an_event_out_of_what_can_be_stored(sent in any::<Option<i64>>(), waited in any::<i64>(), newest in any::<i64>()) {
            let newest = Timestamp::from_micros(newest);
            let clocks = Clocks::new(at(NOW), sent.map(Timestamp::from_micros), Some(newest));
            for event in [newest, newest.plus_micros(waited.saturating_abs().saturating_neg())] {
                let corrected = clocks.correct(event);
                prop_assert!(corrected >= EARLIEST && corrected.millis() <= at(NOW).millis() + FUTURE_MS);
            }
        }

        #[test]
        fn a_key_is_always_v7(text in ".{0,40}", time in any::<Option<i64>>()) {
            prop_assert!(id::is_v7(key(&text, time.map(Timestamp::from_micros))));
        }
    }
}
