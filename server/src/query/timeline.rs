//! What a person did, and in between how it became who it is; newest first.

use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;
use trailmark_protocol::{Timestamp, Uuid};
use utoipa::ToSchema;

use super::error::QueryError;
use super::events::{EventRow, events_of_page};
use super::identity;
use super::params::TimeRange;
use super::snapshot::Snapshot;
use super::time::At;
use crate::store::PgTime;

/// The place of an event without a `seq` among those of its moment: the last.
const NO_SEQ: i64 = i64::MAX;

/// The page of each identity is cut from `events_by_identity`, backwards, before they are put together: a person of a
/// million events costs as much as one of a hundred. (With `identity_id = ANY (…)` Postgres reads and sorts them all.)
/// `$3` to `$6` are the place before which it is, `9223372036854775807` is [`NO_SEQ`].
const EVENTS: &str = concat!(
    "
    WITH page AS (
        SELECT of_one.* FROM unnest($2::bigint[]) AS whose (id)
        CROSS JOIN LATERAL (
            SELECT e.*, COALESCE(e.seq, 9223372036854775807) AS place FROM events e
            WHERE e.project_id = $1 AND e.identity_id = whose.id
              AND e.timestamp <= $3 AND e.timestamp >= $7 AND e.timestamp < $8
              AND (e.timestamp, COALESCE(e.seq, 9223372036854775807), e.id, 0::bigint) < ($3, $4, $5, $6)
            ORDER BY e.timestamp DESC, place DESC, e.id DESC LIMIT $9) AS of_one
        ORDER BY timestamp DESC, place DESC, id DESC LIMIT $9)
    ",
    events_of_page!()
);

/// A change happened when its `$identify` or `$alias` did, even if that arrived late; a split, when the server made it.
/// Numbers of persons are numbers of identities, so the changes of all its parts are found.
const CHANGES: &str = "
    SELECT * FROM (
        SELECT c.id AS number, c.kind AS change, COALESCE(l.at, a.at, c.at) AS timestamp, c.at AS made_at, c.event_id,
               CASE i.kind WHEN 1 THEN 'user' ELSE 'anonymous' END AS kind, COALESCE(i.external_id, '') AS id,
               c.from_person_id, c.to_person_id
        FROM person_changes c
        LEFT JOIN identities i ON i.project_id = $1 AND i.id = c.identity_id
        LEFT JOIN links l ON l.project_id = $1 AND l.event_id = c.event_id AND c.kind <> 'split'
        LEFT JOIN aliases a ON a.project_id = $1 AND a.event_id = c.event_id AND c.kind <> 'split'
        WHERE c.project_id = $1 AND (c.from_person_id = ANY ($2) OR c.to_person_id = ANY ($2))) AS told
    WHERE timestamp >= $7 AND timestamp < $8
      AND (timestamp, 9223372036854775807, event_id, number) < ($3, $4, $5, $6)
    ORDER BY timestamp DESC, event_id DESC, number DESC LIMIT $9";

/// Where an entry stands: a change comes after what else happened in its moment, several of one event as they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    at: Timestamp,
    seq: i64,
    id: Uuid,
    change: i64,
}

impl Place {
    /// Later than everything that happens before the year 10000.
    const END: Self = Self {
        at: Timestamp::from_millis(253_402_300_800_000),
        seq: NO_SEQ,
        id: Uuid::max(),
        change: i64::MAX,
    };

    /// Reads what [`Display`](fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '.');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (at, seq, change) = (number()?, number()?, number()?);
        let id = Uuid::try_parse(parts.next()?).ok()?;
        let known = (FIRST.micros()..=Self::END.at.micros()).contains(&at) && seq >= 0 && change >= 0;
        known.then_some(Self {
            at: Timestamp::from_micros(at),
            seq,
            id,
            change,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.at.micros(), self.seq, self.change, self.id)
    }
}

/// An id that became part of this person, or left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct IdentityChange {
    #[serde(skip)]
    #[schema(ignore)]
    number: i64,
    /// `link`: a device got its first owner. `move`: an earlier link gave it another. `merge`: a person became part of
    /// another. `split`: a part of a person became one of its own.
    pub change: String,
    /// When its event happened; of a split, when the server made it.
    pub timestamp: At,
    /// When the server made it.
    pub made_at: At,
    /// The `$identify` or `$alias` that caused it; of a split, the alias that was withdrawn or refused.
    pub event_id: Uuid,
    /// Whether what went is a `user` or `anonymous`.
    pub kind: String,
    /// The device that went, or one user of what went.
    pub id: String,
    /// The person before.
    pub from_person_id: i64,
    /// The person after.
    pub to_person_id: i64,
}

/// Something on a timeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// Something that the person did.
    Event(Box<EventRow>),
    /// Something that became of who it is.
    IdentityChange(IdentityChange),
}

impl Entry {
    fn place(&self) -> Place {
        match self {
            Self::Event(event) => Place {
                at: event.timestamp.0,
                seq: event.seq.unwrap_or(NO_SEQ),
                id: event.id,
                change: 0,
            },
            Self::IdentityChange(change) => Place {
                at: change.timestamp.0,
                seq: NO_SEQ,
                id: change.event_id,
                change: change.number,
            },
        }
    }
}

/// A page of a person's timeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// The person.
    pub person_id: i64,
    /// What happened, newest first.
    pub entries: Vec<Entry>,
    /// What to ask the next page with; none at the end.
    pub next_cursor: Option<String>,
}

/// Which entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelinePage {
    /// Those whose time lies in it.
    pub range: TimeRange,
    /// Those before this one, the last of the page before.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

/// A page of the timeline of the person behind a user_id or anonymous_id.
///
/// # Errors
/// [`QueryError::UnknownPerson`], else what stands in the way.
pub async fn read(snapshot: &mut Snapshot, external_id: &str, page: TimelinePage) -> Result<Timeline, QueryError> {
    let person = identity::resolve(snapshot, external_id)
        .await?
        .ok_or(QueryError::UnknownPerson)?;
    let events = rows::<EventRow>(snapshot, EVENTS, &person.identity_ids, page).await?;
    let changes = rows::<IdentityChange>(snapshot, CHANGES, &person.identity_ids, page).await?;
    let events = events.into_iter().map(|event| Entry::Event(Box::new(event)));
    let changes = changes.into_iter().map(Entry::IdentityChange);
    let mut entries: Vec<Entry> = events.chain(changes).collect();
    entries.sort_by_key(|entry| Reverse(entry.place()));
    let more = entries.len() > page.limit as usize;
    entries.truncate(page.limit as usize);
    let last = entries.last().filter(|_| more);
    Ok(Timeline {
        person_id: person.person_id,
        next_cursor: last.map(|entry| entry.place().to_string()),
        entries,
    })
}

/// One more than fits shows that there is another page.
async fn rows<T>(
    snapshot: &mut Snapshot,
    statement: &'static str,
    identities: &[i64],
    page: TimelinePage,
) -> Result<Vec<T>, QueryError>
where
    T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    let before = page.before.unwrap_or(Place::END);
    let statement = snapshot
        .select::<T>(statement)
        .bind(identities)
        .bind(PgTime(before.at))
        .bind(before.seq)
        .bind(before.id)
        .bind(before.change)
        .bind(PgTime(page.range.from.unwrap_or(FIRST)))
        .bind(PgTime(page.range.to.unwrap_or(Place::END.at)))
        .bind(i64::from(page.limit) + 1);
    Ok(statement.fetch_all(snapshot.rows()).await?)
}

/// 0000-01-01: no event is earlier.
const FIRST: Timestamp = Timestamp::from_millis(-62_167_219_200_000);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_server_gave_out_is_refused() {
        let id = Uuid::nil();
        for bad in [
            "",
            "1",
            "1.2.3",
            "x.1.1.y",
            &format!("1.-1.1.{id}"),
            &format!("1.1.-1.{id}"),
            "1.1.1.x",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_place_reads_back(at in -62_167_219_200_000_000..=253_402_300_800_000_000_i64, seq in 0..=i64::MAX, id: u128, change in 0..=i64::MAX) {
            let place = Place { at: Timestamp::from_micros(at), seq, id: Uuid::from_u128(id), change };
            prop_assert_eq!(Place::parse(&place.to_string()), Some(place));
        }
    }
}
