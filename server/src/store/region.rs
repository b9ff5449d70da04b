//! Brings persons of users up to date where aliases came or went: reads the persons that may change with all their
//! aliases, computes them anew, and writes what is different.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use trailmark_protocol::Uuid;

use super::error::StoreError;
use super::pg_time::PgTime;
use crate::identity::Alias;
use crate::identity::persons::{Persons, USERS_OF_A_PERSON, join};

/// Most users that are looked at again: a hundred full persons. Only refused aliases lead from one person to another, so
/// an honest region is the persons that the write touches. Where somebody sends aliases without end, those that were
/// refused before stay refused beyond this, whatever happened first.
const USERS_OF_A_REGION: usize = 100 * USERS_OF_A_PERSON;

/// Most aliases that are read at once, refused ones last.
const ALIASES_OF_A_REGION: i64 = 10 * USERS_OF_A_REGION as i64;

/// Whole persons with all aliases among them.
#[derive(Debug, Default)]
struct Region {
    /// Each user's present person.
    persons: BTreeMap<i64, i64>,
    aliases: BTreeMap<Uuid, Alias<i64>>,
    /// The aliases that are refused at present.
    refused: BTreeSet<Uuid>,
}

/// What a person's part becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    kind: &'static str,
    event_id: Uuid,
    /// The least user of the part.
    user: i64,
    from: i64,
    to: i64,
}

/// Brings the persons up to date that `causes`, aliases that came or went, touch. Returns how many aliases are refused
/// now and were not before.
pub(super) async fn settle(
    connection: &mut PgConnection,
    project_id: i32,
    causes: &[Alias<i64>],
) -> Result<u64, StoreError> {
    let touched = causes.iter().flat_map(|alias| [alias.one, alias.other]).collect();
    let region = read(connection, project_id, touched).await?;
    let users = region.persons.keys().copied();
    let settled = join(users, region.aliases.values().copied(), USERS_OF_A_PERSON);
    write_verdicts(connection, project_id, &region, &settled).await?;
    write_persons(connection, project_id, &region, &settled).await?;
    write_changes(connection, project_id, &changes(&region, &settled, causes)).await?;
    Ok(settled.refused.difference(&region.refused).count() as u64)
}

const USERS: &str = "
    SELECT id, person_id FROM identities
    WHERE project_id = $1 AND kind = 1
      AND person_id IN (SELECT person_id FROM identities WHERE project_id = $1 AND id = ANY($2))";

const ALIASES: &str = "
    SELECT DISTINCT ON (refused, at, event_id) event_id, at, user_identity_a, user_identity_b, refused FROM (
        SELECT * FROM aliases WHERE project_id = $1 AND user_identity_a = ANY($2) AND withdrawn_at IS NULL
        UNION ALL
        SELECT * FROM aliases WHERE project_id = $1 AND user_identity_b = ANY($2) AND withdrawn_at IS NULL) a
    ORDER BY refused, at, event_id LIMIT $3";

/// Reads the persons of `touched` users, and those that refused aliases lead to.
async fn read(connection: &mut PgConnection, project_id: i32, touched: BTreeSet<i64>) -> Result<Region, StoreError> {
    let (mut region, mut next) = (Region::default(), touched);
    while !next.is_empty() && region.persons.len() < USERS_OF_A_REGION {
        let users: Vec<(i64, i64)> = sqlx::query_as(USERS)
            .bind(project_id)
            .bind(next.into_iter().collect::<Vec<_>>())
            .fetch_all(&mut *connection)
            .await?;
        let aliases: Vec<(Uuid, PgTime, i64, i64, bool)> = sqlx::query_as(ALIASES)
            .bind(project_id)
            .bind(users.iter().map(|user| user.0).collect::<Vec<_>>())
            .bind(ALIASES_OF_A_REGION)
            .fetch_all(&mut *connection)
            .await?;
        region.persons.extend(users);
        next = region.add(aliases);
    }
    // What leads outside was refused, and stays so.
    let inside = |alias: &Alias<i64>| {
        [alias.one, alias.other]
            .iter()
            .all(|user| region.persons.contains_key(user))
    };
    region.aliases.retain(|_, alias| inside(alias));
    region.refused.retain(|event_id| region.aliases.contains_key(event_id));
    Ok(region)
}

impl Region {
    /// Takes aliases in; returns the users that they lead to outside.
    fn add(&mut self, aliases: Vec<(Uuid, PgTime, i64, i64, bool)>) -> BTreeSet<i64> {
        let mut outside = BTreeSet::new();
        for (event_id, PgTime(at), one, other, refused) in aliases {
            self.aliases.insert(
                event_id,
                Alias {
                    event_id,
                    at,
                    one,
                    other,
                },
            );
            if refused {
                self.refused.insert(event_id);
            }
            outside.extend([one, other].into_iter().filter(|user| !self.persons.contains_key(user)));
        }
        outside
    }
}

async fn write_verdicts(
    connection: &mut PgConnection,
    project_id: i32,
    region: &Region,
    settled: &Persons<i64>,
) -> Result<(), StoreError> {
    let other: Vec<Uuid> = region.refused.symmetric_difference(&settled.refused).copied().collect();
    if other.is_empty() {
        return Ok(());
    }
    sqlx::query("UPDATE aliases SET refused = NOT refused WHERE project_id = $1 AND event_id = ANY($2)")
        .bind(project_id)
        .bind(other)
        .execute(connection)
        .await?;
    Ok(())
}

const MOVE_USERS: &str = "
    UPDATE identities i SET person_id = moved.person_id FROM unnest($2::bigint[], $3::bigint[]) AS moved (id, person_id)
    WHERE i.project_id = $1 AND i.id = moved.id";

/// A device follows the user of its earliest link.
const MOVE_DEVICES: &str = "
    UPDATE identities device SET person_id = owner.person_id
    FROM identities candidate
    CROSS JOIN LATERAL (SELECT user_identity_id FROM links l
                        WHERE l.project_id = $1 AND l.anonymous_identity_id = candidate.id
                        ORDER BY l.at, l.event_id LIMIT 1) AS earliest
    JOIN identities owner ON owner.project_id = $1 AND owner.id = earliest.user_identity_id
    WHERE candidate.project_id = $1 AND candidate.person_id = ANY($2) AND candidate.kind = 0
      AND device.project_id = $1 AND device.id = candidate.id AND device.person_id <> owner.person_id";

async fn write_persons(
    connection: &mut PgConnection,
    project_id: i32,
    region: &Region,
    settled: &Persons<i64>,
) -> Result<(), StoreError> {
    let moved = settled
        .person_of
        .iter()
        .filter(|(user, person)| region.persons.get(user) != Some(person));
    let (users, persons): (Vec<i64>, Vec<i64>) = moved.unzip();
    if users.is_empty() {
        return Ok(());
    }
    let left: BTreeSet<i64> = users
        .iter()
        .filter_map(|user| region.persons.get(user).copied())
        .collect();
    sqlx::query(MOVE_USERS)
        .bind(project_id)
        .bind(users)
        .bind(persons)
        .execute(&mut *connection)
        .await?;
    sqlx::query(MOVE_DEVICES)
        .bind(project_id)
        .bind(left.into_iter().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// What became of each person: it went whole into another, or parts of it are others now.
fn changes(region: &Region, settled: &Persons<i64>, causes: &[Alias<i64>]) -> Vec<Change> {
    let mut parts = BTreeMap::<(i64, i64), i64>::new();
    for (user, from) in &region.persons {
        let to = settled.person_of.get(user).copied().unwrap_or(*user);
        parts.entry((*from, to)).or_insert(*user);
    }
    let whole = |from: i64| parts.range((from, i64::MIN)..=(from, i64::MAX)).count() == 1;
    let moved = parts.iter().filter(|((from, to), _)| from != to);
    let change = |(&(from, to), &user): (&(i64, i64), &i64)| {
        let kind = if whole(from) { "merge" } else { "split" };
        let event_id = cause(region, settled, causes, (from, to))?;
        Some(Change {
            kind,
            event_id,
            user,
            from,
            to,
        })
    };
    moved.filter_map(change).collect()
}

/// The alias that explains a change: one of `causes`, or one that is refused no more, with an end in the person before;
/// best one whose other end is in the person after.
fn cause(region: &Region, settled: &Persons<i64>, causes: &[Alias<i64>], (from, to): (i64, i64)) -> Option<Uuid> {
    let accepted = region
        .refused
        .difference(&settled.refused)
        .filter_map(|id| region.aliases.get(id));
    let before = |user: i64| region.persons.get(&user) == Some(&from);
    let after = |user: i64| settled.person_of.get(&user) == Some(&to);
    let fit = |alias: &&Alias<i64>| {
        let ends = [alias.one, alias.other];
        let (before, after) = (
            ends.iter().any(|user| before(*user)),
            ends.iter().all(|user| after(*user)),
        );
        2 * u8::from(before) + u8::from(after)
    };
    let candidates = causes.iter().chain(accepted);
    candidates
        .max_by_key(|alias| (fit(alias), std::cmp::Reverse((alias.at, alias.event_id))))
        .map(|alias| alias.event_id)
}

async fn write_changes(connection: &mut PgConnection, project_id: i32, changes: &[Change]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO person_changes (project_id, kind, event_id, identity_id, from_person_id, to_person_id)
         SELECT $1, * FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])",
    )
    .bind(project_id)
    .bind(changes.iter().map(|change| change.kind).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.event_id).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.user).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.from).collect::<Vec<_>>())
    .bind(changes.iter().map(|change| change.to).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use trailmark_protocol::Timestamp;

    use super::*;

    fn alias(n: u8, one: i64, other: i64) -> Alias<i64> {
        Alias {
            event_id: Uuid::from_u128(n.into()),
            at: Timestamp::from_millis(n.into()),
            one,
            other,
        }
    }

    fn region(persons: &[(i64, i64)], aliases: &[Alias<i64>]) -> Region {
        Region {
            persons: persons.iter().copied().collect(),
            aliases: aliases.iter().map(|alias| (alias.event_id, *alias)).collect(),
            refused: BTreeSet::new(),
        }
    }

    fn told(region: &Region, causes: &[Alias<i64>]) -> Vec<(&'static str, u128, i64, i64)> {
        let settled = join(region.persons.keys().copied(), region.aliases.values().copied(), 100);
        let changes = changes(region, &settled, causes);
        changes
            .iter()
            .map(|change| (change.kind, change.event_id.as_u128(), change.from, change.to))
            .collect()
    }

    #[test]
    fn a_merge_and_a_split_are_told_with_the_alias_that_caused_them() {
        let (one, two) = (alias(1, 3, 2), alias(2, 4, 3));
        let apart = region(&[(2, 2), (3, 3), (4, 4)], &[one, two]);
        assert_eq!(told(&apart, &[one, two]), [("merge", 1, 3, 2), ("merge", 2, 4, 2)]);
        let together = region(&[(2, 2), (3, 2), (4, 2)], &[one]);
        assert_eq!(told(&together, &[two]), [("split", 2, 2, 4)]);
        assert_eq!(told(&region(&[(2, 2), (3, 2)], &[one]), &[one]), []);
    }
}
