//! Who is whom (DESIGN §4.4): links and aliases into their growing sets, and the persons that follow from them.
//!
//! `identities.person_id` is kept equal to a pure function of the two sets: of a user, the least identity id of the users
//! its aliases reach; of a device, the person of the user of its earliest link, or itself. Every arrival order and
//! repetition ends in the same persons. One transaction per project at a time changes them, under an advisory lock
//! that only batches with links or aliases take, after all their event rows: the order of locks is the same everywhere.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use trailmark_protocol::{Uuid, names};

use super::error::StoreError;
use super::pg_time::PgTime;
use super::rows::Row;

/// First half of the advisory lock's key ("tmid" in ASCII, arbitrary); the second is the project.
const PERSONS_LOCK: i32 = 0x746d_6964;

/// One link or alias: `from` is the device or one user, `to` the user or the other.
#[derive(Debug, Clone, Copy)]
struct Edge {
    event_id: Uuid,
    from: i64,
    to: i64,
    at: PgTime,
}

/// The edges of one project in one write.
#[derive(Debug, Default)]
struct Edges {
    links: Vec<Edge>,
    aliases: Vec<Edge>,
}

/// Adds what `rows` say about who is whom, and brings the persons up to date.
pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    for (project_id, edges) in edges_by_project(rows) {
        lock(connection, project_id).await?;
        if !edges.aliases.is_empty() {
            insert(connection, ALIASES, project_id, &edges.aliases).await?;
            merge_users(connection, project_id, &edges.aliases).await?;
        }
        if !edges.links.is_empty() {
            insert(connection, LINKS, project_id, &edges.links).await?;
            settle_devices(connection, project_id, &edges.links).await?;
        }
    }
    Ok(())
}

/// In the order of project ids, so that two writers take their locks in the same order.
fn edges_by_project(rows: &[Row<'_>]) -> BTreeMap<i32, Edges> {
    let mut by_project = BTreeMap::<i32, Edges>::new();
    for row in rows {
        let event = &row.pending.event;
        let edge = |from, to| Edge {
            event_id: event.id,
            from,
            to,
            at: PgTime(event.timestamp),
        };
        match (event.name, row.device, row.user, row.alias) {
            (names::IDENTIFY, Some(device), Some(user), _) => {
                by_project
                    .entry(row.project_id())
                    .or_default()
                    .links
                    .push(edge(device, user));
            }
            (names::ALIAS, _, Some(user), Some(other)) => {
                by_project
                    .entry(row.project_id())
                    .or_default()
                    .aliases
                    .push(edge(user, other));
            }
            _ => {}
        }
    }
    by_project
}

async fn lock(connection: &mut PgConnection, project_id: i32) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(PERSONS_LOCK)
        .bind(project_id)
        .execute(connection)
        .await?;
    Ok(())
}

const LINKS: &str = "INSERT INTO links (project_id, event_id, anonymous_identity_id, user_identity_id, at)
     SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[])
     ON CONFLICT (project_id, event_id) DO NOTHING";

const ALIASES: &str = "INSERT INTO aliases (project_id, event_id, user_identity_a, user_identity_b, at)
     SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[])
     ON CONFLICT (project_id, event_id) DO NOTHING";

async fn insert(
    connection: &mut PgConnection,
    statement: &'static str,
    project_id: i32,
    edges: &[Edge],
) -> Result<(), StoreError> {
    sqlx::query(statement)
        .bind(project_id)
        .bind(edges.iter().map(|edge| edge.event_id).collect::<Vec<_>>())
        .bind(edges.iter().map(|edge| edge.from).collect::<Vec<_>>())
        .bind(edges.iter().map(|edge| edge.to).collect::<Vec<_>>())
        .bind(edges.iter().map(|edge| edge.at).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Joins the persons that `aliases` connect. A person of users is named by its least user, so the union of two is named
/// by the lesser of their names, and the devices of the greater follow in the same update.
async fn merge_users(connection: &mut PgConnection, project_id: i32, aliases: &[Edge]) -> Result<(), StoreError> {
    let users: BTreeSet<i64> = aliases.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    let persons: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, person_id FROM identities WHERE project_id = $1 AND id = ANY($2)")
            .bind(project_id)
            .bind(users.into_iter().collect::<Vec<_>>())
            .fetch_all(&mut *connection)
            .await?;
    let pairs = aliases.iter().map(|edge| (edge.from, edge.to));
    let (old, new): (Vec<i64>, Vec<i64>) = renamed(&persons.into_iter().collect(), pairs).into_iter().unzip();
    if old.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE identities i SET person_id = renamed.new FROM unnest($2::bigint[], $3::bigint[]) AS renamed (old, new)
         WHERE i.project_id = $1 AND i.person_id = renamed.old",
    )
    .bind(project_id)
    .bind(old)
    .bind(new)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives the devices of `links` to the owner that the earliest link of all names.
async fn settle_devices(connection: &mut PgConnection, project_id: i32, links: &[Edge]) -> Result<(), StoreError> {
    let devices: BTreeSet<i64> = links.iter().map(|link| link.from).collect();
    sqlx::query(
        "UPDATE identities device SET person_id = owner.person_id
         FROM unnest($2::bigint[]) AS touched (id)
         CROSS JOIN LATERAL (SELECT user_identity_id FROM links l
                             WHERE l.project_id = $1 AND l.anonymous_identity_id = touched.id
                             ORDER BY l.at, l.event_id LIMIT 1) AS earliest
         JOIN identities owner ON owner.project_id = $1 AND owner.id = earliest.user_identity_id
         WHERE device.project_id = $1 AND device.id = touched.id AND device.person_id <> owner.person_id",
    )
    .bind(project_id)
    .bind(devices.into_iter().collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Which persons get another name (old, new) when `pairs` of users are joined. `persons` gives the user's present one.
fn renamed(persons: &BTreeMap<i64, i64>, pairs: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut parents = BTreeMap::<i64, i64>::new();
    for (a, b) in pairs {
        let (Some(a), Some(b)) = (persons.get(&a), persons.get(&b)) else {
            continue;
        };
        let (a, b) = (root(&parents, *a), root(&parents, *b));
        if a != b {
            parents.insert(a.max(b), a.min(b));
        }
    }
    parents.keys().map(|old| (*old, root(&parents, *old))).collect()
}

fn root(parents: &BTreeMap<i64, i64>, mut person: i64) -> i64 {
    while let Some(parent) = parents.get(&person) {
        person = *parent;
    }
    person
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_persons_take_the_least_name_and_others_keep_theirs() {
        let persons = [(1, 1), (2, 2), (3, 3), (4, 4), (9, 1)].into_iter().collect();
        let joined = |pairs: &[(i64, i64)]| renamed(&persons, pairs.iter().copied());
        assert_eq!(joined(&[(3, 2), (4, 3)]), [(3, 2), (4, 2)]);
        assert_eq!(joined(&[(4, 3), (3, 2), (9, 4)]), [(2, 1), (3, 1), (4, 1)]);
        assert_eq!(joined(&[(9, 1), (2, 2)]), []);
    }
}
