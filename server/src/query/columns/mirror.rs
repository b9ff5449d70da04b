//! Who is whom, in memory: brought up to date by every question in its own snapshot.
//!
//! `identities.changed_xid` is the transaction that made or moved an identity. Transactions below a snapshot's `xmin` are all
//! over, so what they did is in it: whoever remembers that number reads only what has changed from it on. Some of that was read
//! before, which does no harm. Erased identities are in `tombstones`; erasures of a project are numbered in the order in which
//! they are committed, because they lock it.

use std::sync::Arc;

use futures_util::TryStreamExt;
use trailmark_segments::People;

use super::cache::Columns;
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

const NOW: &str = "
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
           COALESCE((SELECT max(id) FROM erasures WHERE project_id = $1), 0)";

const CHANGED: &str = "
    SELECT id, person_id FROM identities WHERE project_id = $1 AND changed_xid >= $2::bigint::text::xid8";

const GONE: &str = "SELECT identity_id FROM tombstones WHERE project_id = $1 AND erasure_id > $2";

/// Who is whom in a project, and as of when.
#[derive(Debug, Clone, Default)]
pub(super) struct Mirror {
    people: Arc<People>,
    /// Older transactions are over.
    xmin: i64,
    erasure: i64,
}

impl Columns {
    /// Who is whom in the snapshot's project, at least as of the snapshot.
    ///
    /// # Errors
    /// What stands in the way.
    pub(super) async fn people(&self, snapshot: &mut Snapshot) -> Result<Arc<People>, QueryError> {
        let place = self.mirror_of(snapshot.project_id());
        // One question brings it up to date, others wait: the first time this may take a second for a million.
        let mut place = place.lock().await;
        let known = place.clone().unwrap_or_default();
        let (xmin, erasure): (i64, i64) = snapshot.select(NOW).fetch_one(snapshot.rows()).await?;
        let mut people = Arc::clone(&known.people);
        let mut changed = snapshot
            .select::<(i64, i64)>(CHANGED)
            .bind(known.xmin)
            .fetch(snapshot.rows());
        while let Some((identity, person)) = changed.try_next().await? {
            // Whoever counts with the old persons keeps them: then this is a copy, 4 MB for a million.
            Arc::make_mut(&mut people).set(identity, person);
        }
        drop(changed);
        if erasure != known.erasure {
            let gone = snapshot
                .select::<(i64,)>(GONE)
                .bind(known.erasure)
                .fetch_all(snapshot.rows())
                .await?;
            for (identity,) in gone {
                Arc::make_mut(&mut people).remove(identity);
            }
        }
        *place = Some(Arc::new(Mirror {
            people: Arc::clone(&people),
            xmin,
            erasure,
        }));
        Ok(people)
    }
}
