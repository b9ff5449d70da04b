//! Which events come too late: they name somebody who was erased after they were captured.

use sha2::{Digest, Sha256};
use trailmark_protocol::{Timestamp, id};

use crate::event::AcceptedEvent;

/// What kind of id a text is. The numbers are those of `identities.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum IdKind {
    /// An `anonymous_id`.
    Device = 0,
    /// A `user_id`.
    User = 1,
}

/// What is kept of an erased id.
pub type IdHash = [u8; 16];

/// Half of the SHA-256 of project, kind and id. Two of a billion erased ids share one with a chance of 10⁻²¹. It hides
/// the id from who reads the table; who can guess an id can check the guess.
#[must_use]
pub fn id_hash(project_id: i32, kind: IdKind, id: &str) -> IdHash {
    let digest = Sha256::new()
        .chain_update(project_id.to_be_bytes())
        .chain_update((kind as i16).to_be_bytes())
        .chain_update(id.as_bytes())
        .finalize();
    let mut hash = IdHash::default();
    hash.copy_from_slice(&digest[..16]);
    hash
}

/// The ids that an event carries: whoever it belongs to, and whom it mentions.
pub fn ids<'a>(event: &AcceptedEvent<'a>) -> impl Iterator<Item = (IdKind, &'a str)> {
    let users = [event.user_id, event.alias].into_iter().flatten();
    let device = event.anonymous_id.into_iter().map(|id| (IdKind::Device, id));
    users.map(|id| (IdKind::User, id)).chain(device)
}

/// Times in ids before this are no times: 2010-01-01, as for partitions. A foreign id without a timestamp has the epoch.
const OLDEST_ID_MS: u64 = 1_262_304_000_000;

/// When an event was captured, at the latest: the earliest of the time it tells, the time in its id (corrected by the
/// same clock skew), and its receipt. So it came before an erasure if anything about it says so.
#[must_use]
pub fn captured_at(event: &AcceptedEvent<'_>, received_at: Timestamp) -> Timestamp {
    let told = event.timestamp.min(received_at);
    let made = id::millis(event.id);
    if made < OLDEST_ID_MS {
        return told;
    }
    let skew = event.timestamp.micros().saturating_sub(event.client_timestamp.micros());
    told.min(Timestamp::from_millis(made.cast_signed()).plus_micros(skew))
}

#[cfg(test)]
mod tests {
    use trailmark_protocol::Uuid;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    fn event(id: Uuid, timestamp: Timestamp, client: Timestamp) -> AcceptedEvent<'static> {
        AcceptedEvent {
            id,
            seq: None,
            name: "e",
            anonymous_id: Some("a"),
            user_id: Some("u"),
            alias: Some("v"),
            session_id: None,
            timestamp,
            client_timestamp: client,
            properties: None,
            context: None,
            set: None,
            set_once: None,
        }
    }

    fn made(at: Timestamp) -> Uuid {
        id::v7(at.millis().cast_unsigned(), [7; 10])
    }

    #[test]
    fn an_event_is_as_old_as_the_oldest_that_anything_about_it_says() {
        let hour = |hours: i64| AT.plus_micros(hours * 3_600_000_000);
        let age = |id, timestamp, client, received| captured_at(&event(id, timestamp, client), received);
        assert_eq!(age(made(AT), AT, AT, hour(1)), AT);
        assert_eq!(
            age(made(AT), hour(2), hour(2), hour(3)),
            AT,
            "an old id with a new time"
        );
        assert_eq!(age(made(hour(2)), AT, AT, hour(3)), AT, "history under a new id");
        assert_eq!(age(made(hour(2)), hour(2), hour(2), AT), AT, "a clock that is ahead");
        assert_eq!(
            age(made(AT), hour(5), AT, hour(6)),
            hour(5),
            "a clock that is five hours behind"
        );
        assert_eq!(age(id::v7(0, [7; 10]), AT, AT, AT), AT, "a foreign id without a time");
    }

    #[test]
    fn a_hash_tells_projects_kinds_and_ids_apart() {
        let hash = id_hash(1, IdKind::User, "u");
        let others = [
            id_hash(2, IdKind::User, "u"),
            id_hash(1, IdKind::Device, "u"),
            id_hash(1, IdKind::User, "v"),
        ];
        assert!(!others.contains(&hash));
        assert_eq!(ids(&event(made(AT), AT, AT)).count(), 3);
    }
}
