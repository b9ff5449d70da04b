//! Who is whom: links and aliases into their growing sets, and the persons that follow from them.
//!
//! `identities.person_id` is kept equal to the pure functions of [`crate::identity`]: of a user, the person that
//! [`persons`](crate::identity::persons) gives it (`region`); of a device, the person of the user of its
//! [deciding link](crate::identity::owner), or itself. Every arrival order and repetition ends in the same persons. One
//! transaction per project at a time changes them, under an advisory lock that only batches with links or aliases take,
//! after all their event rows: the order of locks is the same everywhere. Each change is recorded with its cause.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use trailmark_protocol::names;

use super::error::StoreError;
use super::pg_time::PgTime;
use super::region;
use super::rows::Row;
use crate::identity::{Alias, Link};

/// First half of the advisory lock's key ("tmid" in ASCII, arbitrary); the second is the project.
const PERSONS_LOCK: i32 = 0x746d_6964;

/// What one write says about who is whom in one project.
#[derive(Debug, Default)]
struct Facts {
    links: Vec<Link<i64>>,
    aliases: Vec<Alias<i64>>,
}

/// Adds what `rows` say about who is whom, and brings the persons up to date. Returns how many aliases turned out too many
/// for one person.
pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<u64, StoreError> {
    let mut refused = 0;
    for (project_id, facts) in facts_by_project(rows) {
        lock(connection, project_id).await?;
        if !facts.aliases.is_empty() {
            insert_aliases(connection, project_id, &facts.aliases).await?;
            refused += region::settle(connection, project_id, &facts.aliases).await?;
        }
        if !facts.links.is_empty() {
            insert_links(connection, project_id, &facts.links).await?;
            settle_devices(connection, project_id, &facts.links).await?;
        }
    }
    Ok(refused)
}

/// In the order of project ids, so that two writers take their locks in the same order.
fn facts_by_project(rows: &[Row<'_>]) -> BTreeMap<i32, Facts> {
    let mut by_project = BTreeMap::<i32, Facts>::new();
    for row in rows {
        let event = &row.pending.event;
        let (event_id, at) = (event.id, event.timestamp);
        match (event.name, row.device, row.user, row.alias) {
            (names::IDENTIFY, Some(device), Some(user), _) => {
                let facts = by_project.entry(row.project_id()).or_default();
                facts.links.push(Link {
                    event_id,
                    at,
                    device,
                    user,
                });
            }
            (names::ALIAS, _, Some(one), Some(other)) => {
                let facts = by_project.entry(row.project_id()).or_default();
                facts.aliases.push(Alias {
                    event_id,
                    at,
                    one,
                    other,
                });
            }
            _ => {}
        }
    }
    by_project
}

/// Keeps all others from changing persons until the transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, project_id: i32) -> Result<(), StoreError> {
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

async fn insert_links(connection: &mut PgConnection, project_id: i32, links: &[Link<i64>]) -> Result<(), StoreError> {
    sqlx::query(LINKS)
        .bind(project_id)
        .bind(links.iter().map(|link| link.event_id).collect::<Vec<_>>())
        .bind(links.iter().map(|link| link.device).collect::<Vec<_>>())
        .bind(links.iter().map(|link| link.user).collect::<Vec<_>>())
        .bind(links.iter().map(|link| PgTime(link.at)).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

const ALIASES: &str = "INSERT INTO aliases (project_id, event_id, user_identity_a, user_identity_b, at)
     SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[])
     ON CONFLICT (project_id, event_id) DO NOTHING";

async fn insert_aliases(
    connection: &mut PgConnection,
    project_id: i32,
    aliases: &[Alias<i64>],
) -> Result<(), StoreError> {
    sqlx::query(ALIASES)
        .bind(project_id)
        .bind(aliases.iter().map(|alias| alias.event_id).collect::<Vec<_>>())
        .bind(aliases.iter().map(|alias| alias.one).collect::<Vec<_>>())
        .bind(aliases.iter().map(|alias| alias.other).collect::<Vec<_>>())
        .bind(aliases.iter().map(|alias| PgTime(alias.at)).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives the devices of `links` to the owner that the earliest link of all names. A device is a leaf: one row moves.
async fn settle_devices(connection: &mut PgConnection, project_id: i32, links: &[Link<i64>]) -> Result<(), StoreError> {
    let devices: BTreeSet<i64> = links.iter().map(|link| link.device).collect();
    sqlx::query(
        "WITH settled AS MATERIALIZED (
             SELECT device.id, device.person_id AS before, owner.person_id AS after, earliest.event_id
             FROM unnest($2::bigint[]) AS touched (id)
             JOIN identities device ON device.project_id = $1 AND device.id = touched.id
             CROSS JOIN LATERAL (SELECT user_identity_id, event_id FROM links l
                                 WHERE l.project_id = $1 AND l.anonymous_identity_id = touched.id
                                 ORDER BY l.at, l.event_id LIMIT 1) AS earliest
             JOIN identities owner ON owner.project_id = $1 AND owner.id = earliest.user_identity_id
             WHERE device.person_id <> owner.person_id),
         moved AS (
             UPDATE identities i SET person_id = settled.after FROM settled WHERE i.project_id = $1 AND i.id = settled.id)
         INSERT INTO person_changes (project_id, kind, event_id, identity_id, from_person_id, to_person_id)
         SELECT $1, CASE WHEN before = id THEN 'link' ELSE 'move' END, event_id, id, before, after FROM settled ORDER BY id",
    )
    .bind(project_id)
    .bind(devices.into_iter().collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
