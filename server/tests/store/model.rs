//! The reference: DESIGN §4.4 in the simplest way, everything computed anew from all that was ever said; and what the
//! database says instead.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use trailmark_protocol::{Timestamp, Uuid, names};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::identity::register::{Op, Write, value};
use trailmark_server::store::{PgTime, Store};

/// (0 device or 1 user, id).
pub(crate) type Id = (i16, String);

/// The ids that are one person, its properties, and its events.
pub(crate) type Person = (BTreeSet<Id>, Map<String, Value>, BTreeSet<Uuid>);

type Event = AcceptedEvent<'static>;

/// What was said so far.
#[derive(Default)]
pub(crate) struct Model {
    ids: BTreeSet<Id>,
    events: Vec<Event>,
    /// Events that are there, but say nothing about who is whom: withdrawn, or about somebody who was erased.
    void: BTreeSet<Uuid>,
    erased: Vec<(Id, Timestamp)>,
}

fn device(id: &str) -> Id {
    (0, id.to_owned())
}

fn user(id: &str) -> Id {
    (1, id.to_owned())
}

fn ids(event: &Event) -> impl Iterator<Item = Id> {
    let users = [event.user_id, event.alias].into_iter().flatten().map(user);
    users.chain(event.anonymous_id.map(device))
}

fn whose(event: &Event) -> Id {
    event.user_id.map(user).or(event.anonymous_id.map(device)).unwrap()
}

impl Model {
    /// A copy of an event brings its ids too: one of them may have been erased since the first.
    pub(crate) fn receive(&mut self, event: &Event) {
        if self.is_late(event) {
            return;
        }
        self.ids.extend(ids(event));
        if self.events.iter().all(|known| known.id != event.id) {
            self.events.push(*event);
        }
    }

    pub(crate) fn withdraw(&mut self, alias: Uuid) {
        self.void.insert(alias);
    }

    pub(crate) fn erase(&mut self, id: &Id, at: Timestamp) {
        let gone = self.group(id);
        self.ids.retain(|id| !gone.contains(id));
        self.events.retain(|event| !gone.contains(&whose(event)));
        let left: BTreeSet<Uuid> = self.events.iter().map(|event| event.id).collect();
        let hollow = self
            .events
            .iter()
            .filter(|event| ids(event).any(|id| gone.contains(&id)));
        self.void.extend(hollow.map(|event| event.id));
        self.void.retain(|event| left.contains(event));
        self.erased.extend(gone.into_iter().map(|id| (id, at)));
    }

    fn is_late(&self, event: &Event) -> bool {
        let erased = |id: Id| {
            self.erased
                .iter()
                .any(|(gone, at)| *gone == id && event.timestamp <= *at)
        };
        ids(event).any(erased)
    }

    fn said(&self, name: &str) -> impl Iterator<Item = &Event> {
        let counts = move |e: &&Event| e.name == name && !self.void.contains(&e.id);
        self.events.iter().filter(counts)
    }

    fn owner(&self, id: &Id) -> Id {
        let links = self
            .said(names::IDENTIFY)
            .filter(|e| e.anonymous_id.map(device).as_ref() == Some(id));
        let first = links
            .filter(|e| e.user_id.is_some())
            .min_by_key(|e| (e.timestamp, e.id));
        first.map_or(id.clone(), |e| user(e.user_id.unwrap()))
    }

    /// All ids that are the same person as this one, if it is known.
    fn group(&self, id: &Id) -> BTreeSet<Id> {
        let mut users = BTreeSet::from([self.owner(id)]);
        for _ in 0..self.events.len() {
            for e in self.said(names::ALIAS) {
                let ends = [user(e.user_id.unwrap()), user(e.alias.unwrap())];
                if ends.iter().any(|end| users.contains(end)) {
                    users.extend(ends);
                }
            }
        }
        self.ids
            .iter()
            .filter(|id| users.contains(&self.owner(id)))
            .cloned()
            .collect()
    }

    fn properties(&self, person: &BTreeSet<Id>) -> Map<String, Value> {
        let mut events: Vec<_> = self.events.iter().filter(|e| person.contains(&whose(e))).collect();
        events.sort_by_key(|e| (e.timestamp, e.id));
        let object = |json: &str| serde_json::from_str::<Map<_, _>>(json).unwrap();
        let first = events.iter().rev().filter_map(|e| e.set_once).flat_map(object);
        let last = events.iter().filter_map(|e| e.set).flat_map(object);
        first.chain(last).collect()
    }

    pub(crate) fn persons(&self) -> BTreeMap<BTreeSet<Id>, Person> {
        let groups: BTreeSet<_> = self.ids.iter().map(|id| self.group(id)).collect();
        let events = |group: &BTreeSet<Id>| {
            let theirs = self.events.iter().filter(|e| group.contains(&whose(e)));
            theirs.map(|e| e.id).collect()
        };
        let person = |group: BTreeSet<Id>| (group.clone(), (group.clone(), self.properties(&group), events(&group)));
        groups.into_iter().map(person).collect()
    }
}

/// The same of project 1, from the database.
pub(crate) async fn persons(store: &Store) -> BTreeMap<BTreeSet<Id>, Person> {
    let identities: Vec<(i64, i64, i16, String)> =
        sqlx::query_as("SELECT id, person_id, kind, external_id FROM identities WHERE project_id = 1")
            .fetch_all(store.pool())
            .await
            .unwrap();
    let person_of: BTreeMap<i64, i64> = identities.iter().map(|row| (row.0, row.1)).collect();
    let mut persons = BTreeMap::<i64, (Person, BTreeMap<String, Vec<Write<Value>>>)>::new();
    for (_, person, kind, id) in identities {
        persons.entry(person).or_default().0.0.insert((kind, id));
    }
    let events: Vec<(Uuid, i64)> = sqlx::query_as("SELECT id, identity_id FROM events WHERE project_id = 1")
        .fetch_all(store.pool())
        .await
        .unwrap();
    for (event, identity) in events {
        let person = person_of
            .get(&identity)
            .expect("an event belongs to an identity that is there");
        persons.get_mut(person).unwrap().0.2.insert(event);
    }
    let registers: Vec<(i64, String, String, PgTime, Uuid, Value)> =
        sqlx::query_as("SELECT identity_id, key, op, at, event_id, value FROM person_properties WHERE project_id = 1")
            .fetch_all(store.pool())
            .await
            .unwrap();
    for (identity, key, op, PgTime(at), event_id, value) in registers {
        let op = if op == "set" { Op::Set } else { Op::SetOnce };
        let person = person_of
            .get(&identity)
            .expect("a property belongs to an identity that is there");
        let writes = persons.get_mut(person).unwrap().1.entry(key).or_default();
        writes.push(Write {
            op,
            at,
            event_id,
            value,
        });
    }
    let whole = |((ids, _, events), registers): (Person, BTreeMap<String, Vec<_>>)| {
        let properties = registers
            .into_iter()
            .map(|(key, writes)| (key, value(writes).unwrap()))
            .collect();
        (ids.clone(), (ids, properties, events))
    };
    persons.into_values().map(whole).collect()
}

/// Users whose person is not named by its least user.
pub(crate) async fn misnamed(store: &Store) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM identities i WHERE kind = 1 AND person_id <>
             (SELECT min(id) FROM identities j WHERE j.person_id = i.person_id AND j.kind = 1)",
    )
    .fetch_one(store.pool())
    .await
    .unwrap()
}
