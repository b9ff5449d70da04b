//! Everything about one person, line by line (NDJSON), in bounded memory: first who it is, then its events, identity by
//! identity, each in the order in which they happened.
//!
//! A page is a look of its own: an export of hours keeps no snapshot open. Events never change, so what is there from
//! beginning to end is in it once; what arrives meanwhile may or may not be.

use std::vec::IntoIter;

use bytes::Bytes;
use serde::Serialize;
use trailmark_protocol::{Timestamp, Uuid};

use super::error::QueryError;
use super::events::{EventRow, events_of_page};
use super::identity::{self, Identity};
use super::person::{self, Properties, Seen};
use super::reader::Reader;
use super::snapshot::Snapshot;
use crate::store::PgTime;

/// Events on one page. One is at most 64 KiB, so a page is at most 13 MB, and usually 100 KB.
const PAGE: i64 = 200;

/// Most identities and properties in the first line. An identity takes some 100 bytes, so it is some 10 MB at most.
const LISTED: i64 = 100_000;

/// The statement's page is cut from the index `events_by_identity` before anything is joined.
const EVENTS: &str = concat!(
    "
    WITH page AS (
        SELECT * FROM events
        WHERE project_id = $1 AND identity_id = $2 AND timestamp >= COALESCE($3, '-infinity')
          AND (timestamp, id) > (COALESCE($3, '-infinity'), $4)
        ORDER BY timestamp, id LIMIT $5)
    ",
    events_of_page!(),
    "
    ORDER BY page.timestamp, page.id"
);

/// The first line.
#[derive(Debug, Serialize)]
struct Head {
    person_id: i64,
    identity_count: usize,
    identities: Vec<Identity>,
    properties: Properties,
    #[serde(flatten)]
    seen: Seen,
}

/// An export that is under way.
#[derive(Debug)]
pub struct Export {
    reader: Reader,
    head: Option<Bytes>,
    identities: IntoIter<i64>,
    /// Whose events are read, and the last that was: none at its beginning.
    at: Option<(i64, Option<(Timestamp, Uuid)>)>,
}

impl Export {
    /// Begins with the person behind a user_id or anonymous_id.
    ///
    /// # Errors
    /// [`QueryError::UnknownPerson`], else what stands in the way.
    pub async fn begin(reader: Reader, external_id: &str) -> Result<Self, QueryError> {
        let (head, identities) = reader
            .answer(async |snapshot| head(snapshot, external_id).await)
            .await?;
        let mut identities = identities.into_iter();
        Ok(Self {
            reader,
            head: Some(line(&head)),
            at: identities.next().map(|identity| (identity, None)),
            identities,
        })
    }

    /// The next lines, each ended by a line feed; `None` at the end.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn next(&mut self) -> Result<Option<Bytes>, QueryError> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        while let Some((identity, after)) = self.at {
            let events = self
                .reader
                .answer(async |snapshot| page(snapshot, identity, after).await)
                .await?;
            self.at = match events.last() {
                Some(last) => Some((identity, Some((last.timestamp.0, last.id)))),
                None => self.identities.next().map(|identity| (identity, None)),
            };
            if !events.is_empty() {
                let lines = events.iter().flat_map(line).collect::<Vec<u8>>();
                return Ok(Some(lines.into()));
            }
        }
        Ok(None)
    }
}

async fn head(snapshot: &mut Snapshot, external_id: &str) -> Result<(Head, Vec<i64>), QueryError> {
    let resolved = identity::resolve(snapshot, external_id)
        .await?
        .ok_or(QueryError::UnknownPerson)?;
    let ids = resolved.identity_ids;
    let head = Head {
        person_id: resolved.person_id,
        identity_count: ids.len(),
        identities: identity::list(snapshot, resolved.person_id, LISTED).await?,
        properties: person::properties(snapshot, &ids, LISTED).await?,
        seen: person::seen(snapshot, &ids).await?,
    };
    Ok((head, ids))
}

async fn page(
    snapshot: &mut Snapshot,
    identity: i64,
    after: Option<(Timestamp, Uuid)>,
) -> Result<Vec<EventRow>, QueryError> {
    let statement = snapshot
        .select::<EventRow>(EVENTS)
        .bind(identity)
        .bind(after.map(|(at, _)| PgTime(at)))
        .bind(after.map_or(Uuid::nil(), |(_, id)| id))
        .bind(PAGE);
    Ok(statement.fetch_all(snapshot.rows()).await?)
}

/// What is exported was read from `jsonb` and plain columns, which always serialise.
fn line(value: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
