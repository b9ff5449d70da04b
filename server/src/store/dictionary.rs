//! Names and ids as integers. What is known is cached; what is not is looked up, and what is new is added, in statements
//! of their own: such a row outlives a rolled back write without harm, and nobody waits for anybody's big transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::{Connection, PgConnection};
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::group::Pending;
use super::pg_time::PgTime;
use super::tombstones::{self, Tombstones};

/// Entries of one generation of the cache. Two generations of 100,000 at about 120 bytes (a UUID as text, its box, the
/// number, the map's slack) are 24 MB at most, a quarter of the server's 100 MB.
const GENERATION: usize = 100_000;

/// What a text names. The numbers of the first two are those in `identities.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Device = 0,
    User = 1,
    Name = 2,
}

/// A text that has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key<'a> {
    project_id: i32,
    kind: Kind,
    text: &'a str,
}

impl<'a> Key<'a> {
    pub(super) fn new(project_id: i32, kind: Kind, text: &'a str) -> Self {
        Self { project_id, kind, text }
    }
}

/// The numbers of a group's texts.
pub(super) type Numbers<'a> = HashMap<Key<'a>, i64>;

/// The texts of a group that have no known number, sorted, each with the time it was first received.
type Missing<'a> = BTreeMap<Key<'a>, Timestamp>;

type Generation = HashMap<(i32, Kind), HashMap<Box<str>, i64>>;

/// Caches numbers, bounded. Two generations: what is used moves to the young one; when that is full the old one is
/// dropped. So what is used at least once per 100,000 new texts stays.
#[derive(Debug, Default)]
pub(super) struct Dictionary(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: Generation,
    old: Generation,
    young_entries: usize,
    /// How often something was forgotten.
    forgotten: u64,
}

impl Generations {
    fn get(&mut self, key: Key<'_>) -> Option<i64> {
        let find = |generation: &Generation| generation.get(&(key.project_id, key.kind))?.get(key.text).copied();
        if let Some(number) = find(&self.young) {
            return Some(number);
        }
        let number = find(&self.old)?;
        self.put(key, number);
        Some(number)
    }

    fn put(&mut self, key: Key<'_>, number: i64) {
        if self.young_entries >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.young_entries = 0;
        }
        let fresh = self
            .young
            .entry((key.project_id, key.kind))
            .or_default()
            .insert(key.text.into(), number);
        self.young_entries += usize::from(fresh.is_none());
    }
}

impl Dictionary {
    /// What the cache knows of the texts of `events`, what it does not, and how often it has forgotten something.
    fn sort_out<'a>(&self, events: &[Pending<'a>]) -> (Numbers<'a>, Missing<'a>, u64) {
        let mut generations = self.lock();
        let (mut numbers, mut missing) = (Numbers::with_capacity(events.len()), Missing::new());
        for pending in events {
            for key in texts(pending) {
                if numbers.contains_key(&key) || missing.contains_key(&key) {
                    continue;
                }
                match generations.get(key) {
                    Some(number) => drop(numbers.insert(key, number)),
                    None => drop(missing.insert(key, pending.head.received_at)),
                }
            }
        }
        let forgotten = generations.forgotten;
        (numbers, missing, forgotten)
    }

    /// Keeps what was found, unless something was `forgotten` since it was looked for: it may have been this.
    fn learn<'a>(&self, found: impl Iterator<Item = (Key<'a>, i64)>, forgotten: u64) {
        let mut generations = self.lock();
        if generations.forgotten == forgotten {
            found.for_each(|(key, number)| generations.put(key, number));
        }
    }

    /// Forgets the identities with these numbers: they were erased. Reads all entries, at most 200,000 in 2 ms.
    pub(super) fn forget(&self, numbers: &HashSet<i64>) {
        let mut generations = self.lock();
        generations.forgotten += 1;
        let Generations { young, old, .. } = &mut *generations;
        let identities = young.iter_mut().chain(old).filter(|((_, kind), _)| *kind != Kind::Name);
        identities.for_each(|(_, texts)| texts.retain(|_, number| !numbers.contains(number)));
        generations.young_entries = generations.young.values().map(HashMap::len).sum();
    }

    /// Forgets everything: the database may be another one now.
    pub(super) fn clear(&self) {
        let mut generations = self.lock();
        *generations = Generations {
            forgotten: generations.forgotten + 1,
            ..Generations::default()
        };
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The texts of an event that have numbers.
fn texts<'a>(Pending { head, event }: &Pending<'a>) -> impl Iterator<Item = Key<'a>> {
    let of_kind = |kind| move |text| Key::new(head.project_id, kind, text);
    let name = Some(event.name).map(of_kind(Kind::Name));
    let device = event.anonymous_id.map(of_kind(Kind::Device));
    let users = [event.user_id, event.alias].map(|user| user.map(of_kind(Kind::User)));
    [name, device].into_iter().chain(users).flatten()
}

/// How a table of texts is asked. $1 projects, $2 texts, $3 kinds, $4 times of receipt: arrays of equal length, sorted.
struct Table {
    /// Returns (place in the arrays from 0, number). `LATERAL … LIMIT 1` is one index probe per text under any statistics.
    find: &'static str,
    /// Adds what is not there, in the order of the arrays: two servers wait for each other instead of deadlocking.
    add: &'static str,
}

const NAMES: Table = Table {
    find: "SELECT place::integer - 1, known.id
           FROM unnest($1::integer[], $2::text[]) WITH ORDINALITY AS wanted (project_id, name, place)
           CROSS JOIN LATERAL (SELECT id::bigint FROM event_names n
                               WHERE n.project_id = wanted.project_id AND n.name = wanted.name LIMIT 1) AS known",
    add: "INSERT INTO event_names (project_id, name)
          SELECT project_id, name FROM unnest($1::integer[], $2::text[]) AS wanted (project_id, name)
          ON CONFLICT (project_id, name) DO NOTHING",
};

const IDENTITIES: Table = Table {
    find: "SELECT place::integer - 1, known.id
           FROM unnest($1::integer[], $2::text[], $3::smallint[]) WITH ORDINALITY AS wanted (project_id, external_id, kind, place)
           CROSS JOIN LATERAL (SELECT id FROM identities i
                               WHERE i.project_id = wanted.project_id AND i.kind = wanted.kind
                                 AND i.external_id = wanted.external_id LIMIT 1) AS known",
    add: "INSERT INTO identities (project_id, external_id, kind, first_seen_at, id, person_id)
          SELECT *, id FROM (
              SELECT *, nextval('identity_ids') AS id
              FROM unnest($1::integer[], $2::text[], $3::smallint[], $4::timestamptz[])) AS fresh
          ON CONFLICT (project_id, kind, external_id) DO NOTHING",
};

impl Store {
    /// The numbers of every name and id in `events`, of which none is among `known` tombstones.
    ///
    /// # Errors
    /// [`StoreError::Erased`] if an identity is new and there are tombstones that are not known, else what stands in the way.
    pub(super) async fn numbers<'a>(
        &self,
        events: &[Pending<'a>],
        known: &Tombstones,
    ) -> Result<Numbers<'a>, StoreError> {
        let (mut numbers, missing, forgotten) = self.dictionary.sort_out(events);
        let is_name = |key: &Key<'_>| key.kind == Kind::Name;
        let (names, identities) = missing.into_iter().partition::<Missing<'a>, _>(|(key, _)| is_name(key));
        if names.is_empty() && identities.is_empty() {
            return Ok(numbers);
        }
        let mut connection = self.pool.acquire().await?;
        let mut found = settle_names(&mut connection, names).await?;
        found.extend(settle_identities(&mut connection, identities, known).await?);
        self.dictionary
            .learn(found.iter().map(|(key, number)| (*key, *number)), forgotten);
        numbers.extend(found);
        Ok(numbers)
    }
}

/// Finds names, adds what is new, and finds that: also what another server added in between.
async fn settle_names<'a>(connection: &mut PgConnection, mut missing: Missing<'a>) -> Result<Numbers<'a>, StoreError> {
    let mut numbers = find(connection, NAMES.find, &mut missing).await?;
    if !missing.is_empty() {
        ask(connection, NAMES.add, &missing).await?;
        numbers.extend(find(connection, NAMES.find, &mut missing).await?);
    }
    Ok(numbers)
}

/// The same for ids. None is added behind the back of an erasure, or the id of an event that is then refused would stay.
async fn settle_identities<'a>(
    connection: &mut PgConnection,
    mut missing: Missing<'a>,
    known: &Tombstones,
) -> Result<Numbers<'a>, StoreError> {
    let mut numbers = find(connection, IDENTITIES.find, &mut missing).await?;
    if !missing.is_empty() {
        let projects: BTreeSet<i32> = missing.keys().map(|key| key.project_id).collect();
        let mut transaction = connection.begin().await?;
        tombstones::enter(&mut transaction, &projects, known).await?;
        ask(&mut transaction, IDENTITIES.add, &missing).await?;
        transaction.commit().await?;
        numbers.extend(find(connection, IDENTITIES.find, &mut missing).await?);
    }
    // One that was there or was added just now can only be gone because it was erased since.
    if missing.is_empty() {
        Ok(numbers)
    } else {
        Err(StoreError::Erased)
    }
}

/// Takes what is there out of `missing`.
async fn find<'a>(
    connection: &mut PgConnection,
    statement: &'static str,
    missing: &mut Missing<'a>,
) -> Result<Numbers<'a>, StoreError> {
    let mut numbers = Numbers::new();
    if !missing.is_empty() {
        for (key, number) in ask(connection, statement, missing).await? {
            numbers.insert(key, number);
            missing.remove(&key);
        }
    }
    Ok(numbers)
}

/// Runs a statement with the missing texts as arrays, in order.
async fn ask<'a>(
    connection: &mut PgConnection,
    statement: &'static str,
    missing: &Missing<'a>,
) -> Result<Vec<(Key<'a>, i64)>, StoreError> {
    let keys: Vec<Key<'a>> = missing.keys().copied().collect();
    let rows: Vec<(i32, i64)> = sqlx::query_as(statement)
        .bind(keys.iter().map(|key| key.project_id).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.text).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.kind as i16).collect::<Vec<_>>())
        .bind(missing.values().map(|at| PgTime(*at)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let found = |(place, number): (i32, i64)| Some((*keys.get(usize::try_from(place).ok()?)?, number));
    Ok(rows.into_iter().filter_map(found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_number_is_forgotten_and_a_look_from_before_does_not_bring_it_back() {
        let cache = Dictionary::default();
        let (ann, bob) = (Key::new(1, Kind::User, "ann"), Key::new(1, Kind::User, "bob"));
        let (_, _, before) = cache.sort_out(&[]);
        cache.learn([(ann, 7), (bob, 8)].into_iter(), before);
        cache.forget(&HashSet::from([7]));
        let known = || [ann, bob].map(|key| cache.lock().get(key));
        assert_eq!(known(), [None, Some(8)]);
        cache.learn([(ann, 7)].into_iter(), before);
        assert_eq!(known(), [None, Some(8)]);
        let (_, _, after) = cache.sort_out(&[]);
        cache.learn([(ann, 9)].into_iter(), after);
        assert_eq!(known(), [Some(9), Some(8)]);
        assert_eq!(cache.lock().young_entries, 2);
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let mut cache = Generations::default();
        let texts: Vec<String> = (0..3 * GENERATION).map(|n| n.to_string()).collect();
        let hot = Key::new(1, Kind::Name, "hot");
        cache.put(hot, 7);
        for (n, text) in texts.iter().enumerate() {
            cache.put(Key::new(1, Kind::Device, text), n as i64);
            assert_eq!(cache.get(hot), Some(7));
        }
        let held: usize = [&cache.young, &cache.old]
            .iter()
            .flat_map(|all| all.values())
            .map(HashMap::len)
            .sum();
        assert!(held <= 2 * GENERATION, "{held}");
        assert_eq!(cache.get(Key::new(1, Kind::Device, "0")), None);
        assert_eq!(cache.get(Key::new(1, Kind::User, &texts[3 * GENERATION - 1])), None);
        assert_eq!(cache.get(Key::new(2, Kind::Name, "hot")), None);
    }
}
