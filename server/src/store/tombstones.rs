//! What this server knows of erased ids, and how no write misses a newer erasure.
//!
//! An erasure takes a project's lock alone, a write shares it. Under the lock a write compares the newest erasure in the
//! database with the newest that it reckons with; if there is a newer one it stores nothing, learns, and begins again.
//! So no event of an erased person slips in behind the erasure, and no number of an erased identity is ever written
//! again, whatever this server or another has cached.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::segments::marks::Closed;
use crate::event::AcceptedEvent;
use crate::identity::erasure::{IdHash, captured_at, id_hash, ids};

/// First half of the advisory lock's key ("tmer" in ASCII, arbitrary); the second is the project. It is taken before
/// every other lock of a transaction.
pub(super) const ERASURES_LOCK: i32 = 0x746d_6572;

/// The erased ids of all projects. An entry takes about 40 bytes: 4 MB for 100,000 erased ids.
#[derive(Debug, Default, Clone)]
pub struct Tombstones(HashMap<i32, Arc<Erased>>);

/// The erased ids of a project.
#[derive(Debug, Default, Clone)]
struct Erased {
    /// Every erasure up to this one is known.
    through: i64,
    /// When an id was erased last.
    at: HashMap<IdHash, Timestamp>,
    /// When somebody was erased last: what was captured later, which is nearly everything, needs no hash.
    latest: Option<Timestamp>,
}

/// One tombstone as it is stored.
type Row = (i64, Vec<u8>, PgTime);

impl Tombstones {
    /// Whether the event names somebody who was erased after it was captured.
    #[must_use]
    pub fn name(&self, project_id: i32, event: &AcceptedEvent<'_>, received_at: Timestamp) -> bool {
        let Some(erased) = self.0.get(&project_id) else {
            return false;
        };
        let captured_at = captured_at(event, received_at);
        if erased.latest.is_none_or(|latest| captured_at > latest) {
            return false;
        }
        let erased_at = |(kind, id)| erased.at.get(&id_hash(project_id, kind, id));
        ids(event)
            .filter_map(erased_at)
            .any(|erased_at| captured_at <= *erased_at)
    }

    /// Whether somebody was ever erased in this project.
    #[must_use]
    pub fn concern(&self, project_id: i32) -> bool {
        self.0.get(&project_id).is_some_and(|erased| !erased.at.is_empty())
    }

    /// Whether nobody was ever erased.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn through(&self, project_id: i32) -> i64 {
        self.0.get(&project_id).map_or(0, |erased| erased.through)
    }

    /// Takes rows in; those of erasures that are known already change nothing.
    fn learn(&mut self, project_id: i32, through: i64, rows: &[Row]) {
        let erased = Arc::make_mut(self.0.entry(project_id).or_default());
        erased.through = erased.through.max(through);
        for (_, hash, at) in rows {
            let Ok(hash) = IdHash::try_from(hash.as_slice()) else {
                continue;
            };
            let latest = erased.at.entry(hash).or_insert(at.0);
            *latest = at.0.max(*latest);
            erased.latest = erased.latest.max(Some(at.0));
        }
    }
}

/// Shares the erasure lock of `projects` until the transaction ends. Returns what of them is closed, and will be until then.
///
/// # Errors
/// [`StoreError::Erased`] if there is an erasure that `known` does not know.
pub(super) async fn enter(
    connection: &mut PgConnection,
    projects: &BTreeSet<i32>,
    known: &Tombstones,
) -> Result<Closed, StoreError> {
    let projects: Vec<i32> = projects.iter().copied().collect();
    sqlx::query("SELECT pg_advisory_xact_lock_shared($1, project_id) FROM unnest($2::integer[]) AS p (project_id)")
        .bind(ERASURES_LOCK)
        .bind(&projects)
        .execute(&mut *connection)
        .await?;
    // A statement of its own: it must see what was committed before the lock was given.
    let found: Vec<(i32, i64, Option<PgTime>)> = sqlx::query_as(ENTERED).bind(&projects).fetch_all(connection).await?;
    let missed = found
        .iter()
        .any(|(project_id, newest, _)| known.through(*project_id) != *newest);
    if missed {
        return Err(StoreError::Erased);
    }
    let closed = |(project_id, _, before): (i32, i64, Option<PgTime>)| Some((project_id, before?.0));
    Ok(found.into_iter().filter_map(closed).collect())
}

const ENTERED: &str = "
    SELECT project_id, COALESCE(newest, 0), closed_before FROM unnest($1::integer[]) AS p (project_id)
    CROSS JOIN LATERAL (SELECT max(id) AS newest FROM erasures e WHERE e.project_id = p.project_id) AS e
    LEFT JOIN segment_frontiers USING (project_id)";

const NEWEST: &str = "
    SELECT project_id, COALESCE(newest, 0) FROM unnest($1::integer[]) AS p (project_id)
    CROSS JOIN LATERAL (SELECT max(id) AS newest FROM erasures e WHERE e.project_id = p.project_id) AS e";

const SINCE: &str = "
    SELECT identity_id, id_hash, erased_at FROM tombstones t JOIN erasures e ON e.project_id = t.project_id AND e.id = t.erasure_id
    WHERE t.project_id = $1 AND t.erasure_id > $2 AND t.erasure_id <= $3";

impl Store {
    /// What is known of erased ids.
    #[must_use]
    pub fn tombstones(&self) -> Arc<Tombstones> {
        self.tombstones.load_full()
    }

    /// Learns of the erasures since this was last asked, by whichever server.
    ///
    /// # Errors
    /// What stands in the way; what is known stays.
    pub async fn refresh_tombstones(&self) -> Result<(), StoreError> {
        let projects: Vec<i32> =
            sqlx::query_scalar("SELECT id FROM projects UNION SELECT project_id FROM erasures WHERE done_at IS NULL")
                .fetch_all(&self.pool)
                .await?;
        self.learn_erasures(&projects).await
    }

    /// Learns of the erasures in these projects.
    pub(super) async fn learn_erasures(&self, projects: &[i32]) -> Result<(), StoreError> {
        let newest: Vec<(i32, i64)> = sqlx::query_as(NEWEST).bind(projects).fetch_all(&self.pool).await?;
        for (project_id, newest) in newest {
            let known = self.tombstones.load().through(project_id);
            if newest < known {
                self.forget_project(project_id);
            }
            if newest != known {
                self.learn_project(project_id, newest).await?;
            }
        }
        Ok(())
    }

    /// The numbers are forgotten before the tombstones are known: who reckons with these has none of those.
    async fn learn_project(&self, project_id: i32, newest: i64) -> Result<(), StoreError> {
        let known = self.tombstones.load().through(project_id);
        let rows: Vec<Row> = sqlx::query_as(SINCE)
            .bind(project_id)
            .bind(known)
            .bind(newest)
            .fetch_all(&self.pool)
            .await?;
        let numbers: HashSet<i64> = rows.iter().map(|row| row.0).collect();
        self.dictionary.forget(&numbers);
        self.tombstones.rcu(|tombstones| {
            let mut tombstones = Tombstones::clone(tombstones);
            tombstones.learn(project_id, newest, &rows);
            tombstones
        });
        Ok(())
    }

    /// The database has fewer erasures than it had: it is another one.
    fn forget_project(&self, project_id: i32) {
        self.dictionary.clear();
        self.tombstones.rcu(|tombstones| {
            let mut tombstones = Tombstones::clone(tombstones);
            tombstones.0.remove(&project_id);
            tombstones
        });
    }
}

#[cfg(test)]
mod tests {
    use trailmark_protocol::Uuid;

    use super::*;
    use crate::identity::erasure::IdKind;

    const ERASED_AT: Timestamp = Timestamp::from_millis(1_795_176_000_000);

    fn event(user_id: &str, at: Timestamp) -> AcceptedEvent<'_> {
        AcceptedEvent {
            id: Uuid::nil(),
            seq: None,
            name: "e",
            anonymous_id: Some("device"),
            user_id: Some(user_id),
            alias: None,
            session_id: None,
            timestamp: at,
            client_timestamp: at,
            properties: None,
            context: None,
            set: None,
            set_once: None,
        }
    }

    #[test]
    fn only_what_was_captured_before_in_the_same_project_is_refused() {
        let mut tombstones = Tombstones::default();
        let row = |id, at| (7, id_hash(1, IdKind::User, id).to_vec(), PgTime(at));
        let later = ERASED_AT.plus_micros(1);
        tombstones.learn(1, 2, &[row("ann", later)]);
        tombstones.learn(1, 1, &[row("ann", ERASED_AT), row("bob", ERASED_AT)]);
        let refused = |project, user, at| tombstones.name(project, &event(user, at), later);
        assert!(
            refused(1, "ann", ERASED_AT) && refused(1, "ann", later),
            "the later of two erasures counts"
        );
        assert!(refused(1, "bob", ERASED_AT) && !refused(1, "bob", later));
        assert!(!refused(1, "eve", ERASED_AT) && !refused(2, "ann", ERASED_AT));
        assert_eq!((tombstones.through(1), tombstones.through(2)), (2, 0));
    }
}
