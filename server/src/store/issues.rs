//! Errors are added to their issues.
//!
//! Whoever changes issues of a project holds its lock to the end of the transaction, so what is read here is still so when it
//! is written, and two servers wait for each other and never deadlock. The lock of erasures comes first, as everywhere; a
//! transaction that folds for several projects takes them by their numbers.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use super::error::StoreError;
use super::issues_rows::{Change, count_quarters, meet_people, note_releases, upsert};
use super::notes::Observed;
use super::pg_time::PgTime;
use super::tombstones::ERASURES_LOCK;
use crate::observe::errors::batch::{Folded, ISSUES_MAX, folded, make_fit, other_key};
use crate::observe::errors::state::Resolution;
use crate::observe::errors::{Key, Level, State};

/// Namespace of the advisory lock under which the issues of a project are changed: "tmis".
const ISSUES_LOCK: i32 = 0x746d_6973;

const LOCK: &str = "SELECT pg_advisory_xact_lock_shared($1, $3), pg_advisory_xact_lock($2, $3)";

const KNOWN: &str = "
    SELECT number, key, state, state_at, resolved_at, resolved_in, level FROM issues WHERE project_id = $1 AND key = ANY ($2)";

const SEEN_IN: &str = "
    SELECT r.issue, r.release FROM issue_releases r JOIN issues i ON i.project_id = $1 AND i.number = r.issue
    WHERE r.project_id = $1 AND r.issue = ANY ($2) AND r.first_seen <= i.resolved_at";

/// The numbers that `$2` new issues get are the last ones up to this.
const NUMBERS: &str = "
    INSERT INTO issue_numbers AS n (project_id, last) VALUES ($1, $2)
    ON CONFLICT (project_id) DO UPDATE SET last = n.last + excluded.last RETURNING last";

/// An issue that is there already.
#[derive(Debug, sqlx::FromRow)]
struct Known {
    number: i32,
    key: Vec<u8>,
    state: String,
    state_at: PgTime,
    resolved_at: Option<PgTime>,
    resolved_in: Option<String>,
    level: String,
}

/// Adds errors to their issues. Each event may come once only.
///
/// # Errors
/// What stands in the way.
pub async fn fold(connection: &mut PgConnection, project_id: i32, events: &[Observed]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut all = folded(events);
    lock(connection, project_id).await?;
    let mut known = known(connection, project_id, &all).await?;
    if all.keys().any(|key| !known.contains_key(key)) {
        let room = room(connection, project_id).await?;
        make_fit(&mut all, &known.keys().copied().collect(), room);
        known.extend(self::known(connection, project_id, &all).await?);
    }
    let seen_in = seen_in(connection, project_id, &known).await?;
    let mut number = numbers(connection, project_id, &all, &known).await?;
    let changes: Vec<Change<'_>> = all
        .iter()
        .map(|(key, folded)| match known.get(key) {
            Some(known) => changed(known, seen_in.get(&known.number), folded),
            None => {
                number += 1;
                born(number, folded)
            }
        })
        .collect();
    upsert(connection, project_id, &changes).await?;
    count_quarters(connection, project_id, &changes).await?;
    meet_people(connection, project_id, &changes).await?;
    note_releases(connection, project_id, &changes).await
}

/// Keeps everybody else from changing the issues of a project until the transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, project_id: i32) -> Result<(), StoreError> {
    let lock = sqlx::query(LOCK).bind(ERASURES_LOCK).bind(ISSUES_LOCK).bind(project_id);
    lock.execute(connection).await?;
    Ok(())
}

async fn known(
    connection: &mut PgConnection,
    project_id: i32,
    all: &BTreeMap<Key, Folded>,
) -> Result<BTreeMap<Key, Known>, StoreError> {
    let keys: Vec<&[u8]> = all.keys().map(|key| &key[..]).collect();
    let rows: Vec<Known> = sqlx::query_as(KNOWN)
        .bind(project_id)
        .bind(keys)
        .fetch_all(connection)
        .await?;
    let keyed = |row: Known| Some((Key::try_from(row.key.as_slice()).ok()?, row));
    Ok(rows.into_iter().filter_map(keyed).collect())
}

/// How many issues there is room for.
async fn room(connection: &mut PgConnection, project_id: i32) -> Result<usize, StoreError> {
    let issues: i64 = sqlx::query_scalar("SELECT count(*) FROM issues WHERE project_id = $1 AND key <> $2")
        .bind(project_id)
        .bind(&other_key()[..])
        .fetch_one(connection)
        .await?;
    Ok(usize::try_from(ISSUES_MAX - issues).unwrap_or(0))
}

/// The releases in which issues had been seen when they were resolved, of those to which it matters.
async fn seen_in(
    connection: &mut PgConnection,
    project_id: i32,
    known: &BTreeMap<Key, Known>,
) -> Result<BTreeMap<i32, BTreeSet<String>>, StoreError> {
    let asked = known
        .values()
        .filter(|known| known.state == State::Resolved.as_str() && known.resolved_in.is_some());
    let issues: Vec<i32> = asked.map(|known| known.number).collect();
    let mut seen_in = BTreeMap::<i32, BTreeSet<String>>::new();
    if issues.is_empty() {
        return Ok(seen_in);
    }
    let rows: Vec<(i32, String)> = sqlx::query_as(SEEN_IN)
        .bind(project_id)
        .bind(issues)
        .fetch_all(connection)
        .await?;
    for (issue, release) in rows {
        seen_in.entry(issue).or_default().insert(release);
    }
    Ok(seen_in)
}

/// The number before those that the new issues get.
async fn numbers(
    connection: &mut PgConnection,
    project_id: i32,
    all: &BTreeMap<Key, Folded>,
    known: &BTreeMap<Key, Known>,
) -> Result<i32, StoreError> {
    let new = all.keys().filter(|key| !known.contains_key(*key)).count();
    if new == 0 {
        return Ok(0);
    }
    let last: i32 = sqlx::query_scalar(NUMBERS)
        .bind(project_id)
        .bind(new as i32)
        .fetch_one(connection)
        .await?;
    Ok(last - new as i32)
}

fn born(number: i32, folded: &Folded) -> Change<'_> {
    Change {
        number,
        state: State::New,
        state_at: PgTime(folded.received_at),
        level: folded.level,
        folded,
    }
}

/// The words of the database were written by this code, so all can be read.
fn changed<'a>(known: &Known, seen_in: Option<&BTreeSet<String>>, folded: &'a Folded) -> Change<'a> {
    let state = State::parse(&known.state).unwrap_or(State::Ongoing);
    let resolution = known
        .resolved_at
        .filter(|_| state == State::Resolved)
        .map(|at| Resolution {
            at: at.0,
            in_release: known.resolved_in.clone(),
            seen_in: seen_in.cloned().unwrap_or_default(),
        });
    let regressed_at = resolution.and_then(|resolution| folded.regressed_at(&resolution));
    Change {
        number: known.number,
        state: regressed_at.map_or(state, |_| State::Regressed),
        state_at: regressed_at.map_or(known.state_at, PgTime),
        level: Level::parse(&known.level).unwrap_or_default().max(folded.level),
        folded,
    }
}
