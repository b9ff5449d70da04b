//! What is erased leaves the segments, too.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use trailmark_protocol::Uuid;
use trailmark_segments::segment::Decoded;
use trailmark_segments::{Corrupt, Events, Segment};

use super::keep::{self, Key, Stale};
use super::{beside, frontier};
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;
use crate::store::weeks::Week;

/// Most segments rewritten in one transaction: 16. One of a million events takes some 0.3 s.
const SEGMENTS_AT_ONCE: usize = 16;

/// An event that is to be removed.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(in crate::store) struct Doomed {
    pub(in crate::store) id: Uuid,
    pub(in crate::store) event_name_id: i32,
    pub(in crate::store) timestamp: PgTime,
}

impl Doomed {
    fn segment(&self) -> (Week, i32) {
        (Week::of_time(self.timestamp.0), self.event_name_id)
    }
}

const UNMARK: &str = "
    DELETE FROM late_events l
    USING unnest($2::integer[], $3::timestamptz[], $4::uuid[]) AS gone (name, at, id)
    WHERE l.project_id = $1 AND l.event_name_id = gone.name AND l.timestamp = gone.at AND l.event_id = gone.id";

/// Removes everything of erased identities from the late events and the segments that `doomed` events may be in; whoever calls
/// it removes their rows in the same transaction, and holds the lock of [`super::hold`]. Leaves in `doomed` only as many
/// as one transaction may remove, and returns whether these are all.
///
/// A segment loses all events of the identities at once, also those whose rows go later. In between they count for nobody
/// there or here, because the identities are gone; and each row that goes has its segment looked at again.
pub(in crate::store) async fn forget(
    connection: &mut PgConnection,
    project_id: i32,
    identities: &[i64],
    doomed: &mut Vec<Doomed>,
) -> Result<bool, StoreError> {
    let Some(frontier) = frontier::read(connection, project_id).await? else {
        return Ok(true);
    };
    let is_sealed = |event: &Doomed| event.timestamp < frontier.sealed_before;
    let segments: BTreeSet<(Week, i32)> = doomed
        .iter()
        .filter(|event| is_sealed(event))
        .map(Doomed::segment)
        .collect();
    let some: BTreeSet<(Week, i32)> = segments.iter().copied().take(SEGMENTS_AT_ONCE).collect();
    doomed.retain(|event| !is_sealed(event) || some.contains(&event.segment()));
    sqlx::query(UNMARK)
        .bind(project_id)
        .bind(doomed.iter().map(|event| event.event_name_id).collect::<Vec<_>>())
        .bind(doomed.iter().map(|event| event.timestamp).collect::<Vec<_>>())
        .bind(doomed.iter().map(|event| event.id).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    for (week, name) in &some {
        let (week, name) = (*week, *name);
        rewrite(connection, Key { project_id, name, week }, identities).await?;
    }
    Ok(some.len() == segments.len())
}

/// Writes a segment without the events of some identities, unless it has none.
async fn rewrite(connection: &mut PgConnection, key: Key, identities: &[i64]) -> Result<(), StoreError> {
    let Some((columns, bytes)) = keep::load(connection, key)
        .await?
        .and_then(|kept| Some((kept.columns, kept.bytes?)))
    else {
        return Ok(());
    };
    let gone: BTreeSet<i64> = identities.iter().copied().collect();
    match beside(move || without(bytes, &gone)).await {
        Ok(None) => Ok(()),
        Ok(Some(rest)) => keep::put(connection, key, rest, &columns).await,
        Err(error) => {
            keep::warn(key, &error);
            keep::spoil(connection, key.project_id, &[(key.name, key.week)], Stale::Corrupt).await
        }
    }
}

fn without(bytes: Vec<u8>, gone: &BTreeSet<i64>) -> Result<Option<Events>, Corrupt> {
    let segment = Segment::open(bytes)?;
    if !holds(&segment, gone) {
        return Ok(None);
    }
    let mut rest = Events::new(segment.columns());
    rest.append(&segment, |identity| !gone.contains(&identity));
    Ok(Some(rest))
}

/// Only blocks are read that may hold one of them.
fn holds(segment: &Segment, identities: &BTreeSet<i64>) -> bool {
    let mut decoded = Decoded::default();
    segment.blocks().any(|block| {
        let (first, last) = block.identity_range();
        if identities.range(first..=last).next().is_none() {
            return false;
        }
        block.identities(&mut decoded);
        let mut present = decoded.identities.iter().take(block.len());
        present.any(|identity| identities.contains(identity))
    })
}
