//! Errors are added to their issues.
//!
//! Whoever changes issues of a project holds its lock to the end of the transaction, so what is read here is still so when it
//! is written, and two servers wait for each other and never deadlock. The lock of erasures comes first, as everywhere; a
//! transaction that folds for several projects takes them by their numbers.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use super::error::StoreError;
use super::notes::Observed;
use super::pg_time::PgTime;
use super::tombstones::ERASURES_LOCK;
use crate::observe::errors::batch::{Folded, ISSUES_MAX, SAMPLES, folded, make_fit, other_key};
use crate::observe::errors::state::Resolution;
use crate::observe::errors::{ALGORITHM, Key, Level, State};

/// Namespace of the advisory lock under which the issues of a project are changed: "tmis".
const ISSUES_LOCK: i32 = 0x746d_6973;

/// Releases of an issue that are known: 200. One fold may add some more; then no other is taken in.
const RELEASES_MAX: i64 = 200;

/// The number of all issues of a project together, in `issue_quarters`.
pub(super) const TOGETHER: i32 = 0;

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

const UPSERT: &str = "
    INSERT INTO issues AS i (project_id, number, key, algorithm, kind, title, culprit, level, handled, state, state_at, events,
                             first_seen, last_seen, first_release, last_release, first_event, newest_events)
    SELECT $1, number, key, $2, kind, title, culprit, level, handled, state, state_at, events, first_seen, last_seen,
           first_release, last_release, first_event, newest_events::uuid[]
    FROM unnest($3::integer[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::text[],
                $11::timestamptz[], $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[],
                $17::uuid[], $18::text[])
         AS new (number, key, kind, title, culprit, level, handled, state, state_at, events, first_seen, last_seen,
                 first_release, last_release, first_event, newest_events)
    ON CONFLICT (project_id, number) DO UPDATE
    SET level = excluded.level, handled = i.handled AND excluded.handled, state = excluded.state, state_at = excluded.state_at,
        events = i.events + excluded.events,
        first_release = CASE WHEN excluded.first_seen < i.first_seen THEN excluded.first_release ELSE i.first_release END,
        last_release = CASE WHEN excluded.last_seen >= i.last_seen THEN excluded.last_release ELSE i.last_release END,
        first_seen = least(i.first_seen, excluded.first_seen), last_seen = greatest(i.last_seen, excluded.last_seen),
        first_event = least(i.first_event, excluded.first_event),
        newest_events = ARRAY(SELECT id FROM unnest(i.newest_events || excluded.newest_events) AS id
                              GROUP BY id ORDER BY id DESC LIMIT $19)";

const QUARTERS: &str = "
    INSERT INTO issue_quarters AS q (project_id, issue, quarter, events)
    SELECT $1, * FROM unnest($2::integer[], $3::timestamptz[], $4::bigint[])
    ON CONFLICT (project_id, issue, quarter) DO UPDATE SET events = q.events + excluded.events";

/// Only of those who are still there: an erased person's number must not come back.
const PEOPLE: &str = "
    INSERT INTO issue_people AS p (project_id, issue, identity_id, first_seen, last_seen)
    SELECT $1, new.issue, new.identity_id, new.first_seen, new.last_seen
    FROM unnest($2::integer[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
         AS new (issue, identity_id, first_seen, last_seen)
    JOIN identities i ON i.project_id = $1 AND i.id = new.identity_id
    ON CONFLICT (project_id, identity_id, issue) DO UPDATE
    SET first_seen = least(p.first_seen, excluded.first_seen), last_seen = greatest(p.last_seen, excluded.last_seen)";

const RELEASES: &str = "
    INSERT INTO issue_releases AS r (project_id, issue, release, events, first_seen, last_seen)
    SELECT $1, new.* FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
         AS new (issue, release, events, first_seen, last_seen)
    WHERE EXISTS (SELECT FROM issue_releases k
                  WHERE k.project_id = $1 AND k.issue = new.issue AND k.release = new.release)
       OR (SELECT count(*) FROM issue_releases k WHERE k.project_id = $1 AND k.issue = new.issue) < $7
    ON CONFLICT (project_id, issue, release) DO UPDATE
    SET events = r.events + excluded.events, first_seen = least(r.first_seen, excluded.first_seen),
        last_seen = greatest(r.last_seen, excluded.last_seen)";

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

/// An issue and what is added to it.
struct Change<'a> {
    number: i32,
    state: State,
    state_at: PgTime,
    level: Level,
    folded: &'a Folded,
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

async fn upsert(connection: &mut PgConnection, project_id: i32, changes: &[Change<'_>]) -> Result<(), StoreError> {
    let of = |read: fn(&Folded) -> &str| changes.iter().map(|change| read(change.folded)).collect::<Vec<_>>();
    let time = |read: fn(&Folded) -> trailmark_protocol::Timestamp| {
        changes
            .iter()
            .map(|change| PgTime(read(change.folded)))
            .collect::<Vec<_>>()
    };
    let release =
        |read: fn(&Folded) -> Option<&str>| changes.iter().map(|change| read(change.folded)).collect::<Vec<_>>();
    sqlx::query(UPSERT)
        .bind(project_id)
        .bind(ALGORITHM)
        .bind(changes.iter().map(|change| change.number).collect::<Vec<_>>())
        .bind(
            changes
                .iter()
                .map(|change| &change.folded.group.key[..])
                .collect::<Vec<_>>(),
        )
        .bind(of(|folded| &folded.group.kind))
        .bind(of(|folded| &folded.group.title))
        .bind(of(|folded| &folded.group.culprit))
        .bind(changes.iter().map(|change| change.level.as_str()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.folded.handled).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.state.as_str()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.state_at).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.folded.events).collect::<Vec<_>>())
        .bind(time(|folded| folded.span.0))
        .bind(time(|folded| folded.span.1))
        .bind(release(|folded| folded.first_release.as_deref()))
        .bind(release(|folded| folded.last_release.as_deref()))
        .bind(
            changes
                .iter()
                .map(|change| change.folded.first_event)
                .collect::<Vec<_>>(),
        )
        .bind(
            changes
                .iter()
                .map(|change| array(&change.folded.newest))
                .collect::<Vec<_>>(),
        )
        .bind(SAMPLES as i64)
        .execute(connection)
        .await?;
    Ok(())
}

/// As Postgres reads an array.
fn array(ids: &[trailmark_protocol::Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// Counts by quarter-hours, of each issue and of all that somebody wants to hear of together.
async fn count_quarters(
    connection: &mut PgConnection,
    project_id: i32,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let mut counts = BTreeMap::<(i32, PgTime), i64>::new();
    for change in changes {
        let is_heard = change.state != State::Ignored && change.level > Level::Warning;
        for (quarter, events) in &change.folded.quarters {
            *counts.entry((change.number, PgTime(*quarter))).or_default() += events;
            if is_heard {
                *counts.entry((TOGETHER, PgTime(*quarter))).or_default() += events;
            }
        }
    }
    sqlx::query(QUARTERS)
        .bind(project_id)
        .bind(counts.keys().map(|(issue, _)| *issue).collect::<Vec<_>>())
        .bind(counts.keys().map(|(_, quarter)| *quarter).collect::<Vec<_>>())
        .bind(counts.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn meet_people(connection: &mut PgConnection, project_id: i32, changes: &[Change<'_>]) -> Result<(), StoreError> {
    let people = || {
        let of = |change: &'_ Change<'_>| {
            change
                .folded
                .people
                .iter()
                .map(|(id, span)| (*id, *span))
                .collect::<Vec<_>>()
        };
        changes
            .iter()
            .flat_map(move |change| of(change).into_iter().map(|person| (change.number, person)))
    };
    sqlx::query(PEOPLE)
        .bind(project_id)
        .bind(people().map(|(issue, _)| issue).collect::<Vec<_>>())
        .bind(people().map(|(_, (identity, _))| identity).collect::<Vec<_>>())
        .bind(people().map(|(_, (_, span))| PgTime(span.0)).collect::<Vec<_>>())
        .bind(people().map(|(_, (_, span))| PgTime(span.1)).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn note_releases(
    connection: &mut PgConnection,
    project_id: i32,
    changes: &[Change<'_>],
) -> Result<(), StoreError> {
    let rows: Vec<_> = changes
        .iter()
        .flat_map(|change| {
            change
                .folded
                .releases
                .iter()
                .map(|(release, sum)| (change.number, release.as_str(), *sum))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(RELEASES)
        .bind(project_id)
        .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.2.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| PgTime(row.2.1.0)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| PgTime(row.2.1.1)).collect::<Vec<_>>())
        .bind(RELEASES_MAX)
        .execute(connection)
        .await?;
    Ok(())
}
