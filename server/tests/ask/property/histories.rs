//! Random histories: what happens, who becomes whom, and the cohorts that are kept. Each is stored, and told to the
//! reference.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::query::ask::question::{Definition, Question};
use trailmark_server::query::columns::Columns;
use trailmark_server::store::Store;

use super::NOW;
use super::questions::definition;
use crate::HOUR;
use crate::reference::{Fact, History, Kept};
use crate::world::{World, anonymous, at, id_at, user};

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    /// Hours, so that many are at one moment, and minutes.
    at: i64,
    who: Who,
    name: &'static str,
    session: Option<&'static str>,
    properties: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Device(&'static str),
    User(&'static str),
}

/// Who becomes whom, at which event.
#[derive(Debug, Clone)]
pub(super) enum Tie {
    Identify(&'static str, &'static str),
    Alias(&'static str, &'static str),
    Set(&'static str, Value),
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let who = prop_oneof![
        select(vec!["phone", "tablet"]).prop_map(Who::Device),
        select(vec!["ann", "bob", "cho", "dan"]).prop_map(Who::User),
    ];
    let at = prop_oneof![3 => (0..96_i64).prop_map(|hour| hour * HOUR), 1 => (0..96 * 60_i64).prop_map(|minute| minute * 60_000)];
    let value = select(vec![
        json!(1),
        json!(2.5),
        json!(10),
        json!("1"),
        json!("Zoë"),
        json!("pro"),
        json!(null),
        json!(true),
    ]);
    let path = select(vec![json!("/"), json!("/cart")]);
    let properties =
        (proptest::option::of(value.clone()), proptest::option::of(value), path).prop_map(|(p, q, path)| {
            let pairs = [("p", p), ("q", q), ("$pathname", Some(path))];
            pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect()
        });
    let name = select(vec!["open", "look", "buy", "$pageview"]);
    let session = proptest::option::of(select(vec!["s1", "s2", "s3"]));
    (at, who, name, session, properties).prop_map(|(at, who, name, session, properties)| Happening {
        at,
        who,
        name,
        session,
        properties,
    })
}

pub(super) fn tie() -> impl Strategy<Value = (i64, Tie)> {
    let user = || select(vec!["ann", "bob", "cho", "dan"]);
    let tie = prop_oneof![
        (select(vec!["phone", "tablet"]), user()).prop_map(|(device, user)| Tie::Identify(device, user)),
        (user(), user()).prop_map(|(a, b)| Tie::Alias(a, b)),
        (user(), select(vec![json!("pro"), json!(3)])).prop_map(|(user, plan)| Tie::Set(user, plan)),
    ];
    (0..96 * 60_i64, tie).prop_map(|(minute, tie)| (minute * 60_000, tie))
}

/// Numbers of the cohorts of every history: a list, one with a definition, and one that may be made of both.
pub(super) const LIST: i64 = 1;
pub(super) const FIRST: i64 = 2;
pub(super) const SECOND: i64 = 3;

/// The cohorts of a history.
#[derive(Debug, Clone)]
pub(super) struct Told {
    list: Vec<&'static str>,
    first: Value,
    second: Value,
}

pub(super) fn cohorts() -> impl Strategy<Value = Told> {
    let ids = proptest::sample::subsequence(vec!["phone", "ann", "bob", "nobody"], 0..4);
    (ids, definition(vec![LIST]), definition(vec![LIST, FIRST])).prop_map(|(list, first, second)| Told {
        list,
        first,
        second,
    })
}

/// What is done to segments between events.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// Everything before this hour is sealed.
    Seal(i64),
    /// A sealing that crashes after its first half.
    Close(i64),
    Fold,
    Rebuild,
    Promote(&'static str),
    /// What paths and sessions need.
    PromotePlaces,
    Demote(&'static str),
    /// All segments are to be made anew.
    Spoil,
    /// One bit of every segment is another.
    Corrupt,
    /// Somebody is erased; true: to the end, false: the server is killed before the rows are gone.
    Erase(&'static str, bool),
    /// The first alias is taken back: two persons again.
    Split,
    /// All weeks of ids so far are dropped.
    Drop,
}

impl Deed {
    /// Whether something is taken back, of which the reference knows nothing.
    pub(super) fn takes_back(&self) -> bool {
        matches!(self, Self::Erase(..) | Self::Split | Self::Drop)
    }
}

/// Some events, in percent of all, and then a deed.
pub(super) fn deed() -> impl Strategy<Value = (usize, Deed)> {
    let property = || select(vec!["p", "q"]);
    let deed = prop_oneof![
        8 => (24..110_i64).prop_map(Deed::Seal),
        1 => (0..110_i64).prop_map(Deed::Close),
        1 => Just(Deed::Fold),
        1 => Just(Deed::Rebuild),
        4 => property().prop_map(Deed::Promote),
        4 => Just(Deed::PromotePlaces),
        1 => property().prop_map(Deed::Demote),
        1 => Just(Deed::Spoil),
        1 => Just(Deed::Corrupt),
        1 => (select(vec!["phone", "ann", "bob"]), any::<bool>()).prop_map(|(id, whole)| Deed::Erase(id, whole)),
        1 => Just(Deed::Split),
        1 => Just(Deed::Drop),
    ];
    (0..60_usize, deed)
}

async fn do_to_segments(world: &World, deed: &Deed) {
    let (store, project) = (&world.store, world.project);
    match deed {
        Deed::Seal(hour) => drop(store.seal(project, at(hour * HOUR)).await.unwrap()),
        Deed::Close(hour) => store.close_segments(project, at(hour * HOUR)).await.unwrap(),
        Deed::Fold => drop(store.fold_late(project, Duration::ZERO).await.unwrap()),
        Deed::Rebuild => {
            store.rebuild_stale(project, 100).await.unwrap();
            store.rebuild_outdated(project, 100).await.unwrap();
        }
        Deed::Promote(property) => drop(store.promote(project, property, "test", at(0), 16).await.unwrap()),
        Deed::PromotePlaces => {
            for property in ["$session_id", "$pathname", "$screen_name"] {
                store.promote(project, property, "test", at(0), 16).await.unwrap();
            }
        }
        Deed::Demote(property) => drop(store.demote(project, property).await.unwrap()),
        Deed::Spoil => {
            let spoil = "UPDATE segments SET stale = 'rebuild', bytes = NULL, version = nextval('segment_versions') WHERE project_id = $1";
            sqlx::query(spoil).bind(project).execute(store.pool()).await.unwrap();
        }
        Deed::Erase(id, whole) => {
            // Before anything that is sent later was captured.
            let erasure = store.begin_erasure(project, id, at(-1)).await.unwrap();
            if let (Some(erasure), true) = (erasure, whole) {
                store.finish_erasure(project, erasure).await.unwrap();
            }
        }
        Deed::Split => {
            let first = "SELECT event_id FROM aliases WHERE project_id = $1 ORDER BY event_id LIMIT 1";
            let first = sqlx::query_scalar(first).bind(project).fetch_optional(store.pool());
            if let Some(alias) = first.await.unwrap() {
                store.withdraw_alias(project, alias, at(NOW)).await.unwrap();
            }
        }
        Deed::Drop => drop(store.drop_weeks(at(7 * 24 * HOUR)).await.unwrap()),
        Deed::Corrupt => {
            let corrupt = "UPDATE segments SET bytes = set_bit(bytes, 8 * length(bytes) - 1, 1), version = nextval('segment_versions')
                           WHERE project_id = $1 AND bytes IS NOT NULL";
            sqlx::query(corrupt).bind(project).execute(store.pool()).await.unwrap();
        }
    }
}

/// Has a server look at everything, so that segments and who is whom are in its memory when they change.
async fn look(world: &World, columns: &Arc<Columns>) {
    let question = Question::read(br#"{"kind":"trends","date_from":"-10d","series":[{"math":"unique_persons"}]}"#);
    let reader = world.reader().with_columns(Arc::clone(columns));
    reader.ask(&question.unwrap(), at(NOW)).await.unwrap();
}

/// Stores a history, with deeds in between, and tells it to the reference. A server with `columns` in its memory looks on.
pub(super) async fn tell(
    (store, columns): (Store, &Arc<Columns>),
    (happenings, ties, told): (&[Happening], &[(i64, Tie)], &Told),
    deeds: &[(usize, Deed)],
) -> (World, History) {
    let world = World::beside(store).await;
    let texts: Vec<String> = happenings
        .iter()
        .map(|happening| json!(happening.properties).to_string())
        .collect();
    let sets: Vec<String> = ties
        .iter()
        .map(|(_, tie)| {
            if let Tie::Set(_, plan) = tie {
                json!({"plan": plan}).to_string()
            } else {
                String::new()
            }
        })
        .collect();
    let mut events = Vec::new();
    for (index, (happening, text)) in happenings.iter().zip(&texts).enumerate() {
        events.push(AcceptedEvent {
            id: id_at(index as i64),
            seq: (index % 3 != 0).then_some(index as i64 % 7),
            session_id: happening.session,
            properties: Some(text),
            ..event_of(happening.at, happening.name, &happening.who)
        });
    }
    for (index, ((ms, tie), set)) in ties.iter().zip(&sets).enumerate() {
        let id = id_at((happenings.len() + index) as i64);
        let base = |name, who: &Who| AcceptedEvent {
            id,
            seq: None,
            session_id: None,
            ..event_of(*ms, name, who)
        };
        events.push(match tie {
            Tie::Identify(device, user) => AcceptedEvent {
                anonymous_id: Some(device),
                ..base("$identify", &Who::User(user))
            },
            Tie::Alias(a, b) if a == b => base("$set", &Who::User(a)),
            Tie::Alias(a, b) => AcceptedEvent {
                alias: Some(b),
                ..base("$alias", &Who::User(a))
            },
            Tie::Set(user, _) => AcceptedEvent {
                set: Some(set),
                ..base("$set", &Who::User(user))
            },
        });
    }
    let mut sent = 0;
    for (share, deed) in deeds {
        let next = (sent + share * events.len() / 100).min(events.len());
        world.send(&events[sent..next]).await;
        sent = next;
        do_to_segments(&world, deed).await;
        look(&world, columns).await;
    }
    world.send(&events[sent..]).await;
    keep(&world, told).await;
    let history = history(&events, ties, told);
    (world, history)
}

/// Stores the cohorts, under numbers that are known beforehand.
async fn keep(world: &World, told: &Told) {
    for (number, definition) in [(LIST, None), (FIRST, Some(&told.first)), (SECOND, Some(&told.second))] {
        let insert =
            "INSERT INTO cohorts (project_id, id, name, definition) OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'c', $3)";
        let inserted = sqlx::query(insert)
            .bind(world.project)
            .bind(number)
            .bind(definition.map(sqlx::types::Json));
        inserted.execute(world.store.pool()).await.unwrap();
    }
    let ids: Vec<String> = told.list.iter().map(|id| (*id).to_owned()).collect();
    let mut held = world.store.hold_cohorts(world.project).await.unwrap();
    held.list(LIST, &ids).await.unwrap();
    held.commit().await.unwrap();
}

fn event_of<'a>(ms: i64, name: &'a str, who: &Who) -> AcceptedEvent<'a> {
    match who {
        Who::Device(device) => anonymous(ms, name, device),
        Who::User(id) => user(ms, name, id),
    }
}

fn history(events: &[AcceptedEvent<'_>], ties: &[(i64, Tie)], told: &Told) -> History {
    let users = ["ann", "bob", "cho", "dan"];
    // Users joined by aliases have one number, the least; a device that of the user who was first, or its own.
    let mut person: BTreeMap<&str, usize> = users.into_iter().zip(0..).collect();
    for (_, tie) in ties {
        if let Tie::Alias(a, b) = tie {
            let (a, b) = (person[a], person[b]);
            person
                .values_mut()
                .filter(|person| **person == a.max(b))
                .for_each(|person| *person = a.min(b));
        }
    }
    for (device, own) in [("phone", 10), ("tablet", 11)] {
        let links = events
            .iter()
            .filter(|event| event.name == "$identify" && event.anonymous_id == Some(device));
        let owner = links
            .min_by_key(|event| (event.timestamp, event.id))
            .and_then(|event| event.user_id);
        let number = owner.map_or(own, |owner| person[owner]);
        person.insert(device, number);
    }
    let mut sorted: Vec<&AcceptedEvent<'_>> = events.iter().collect();
    sorted.sort_by_key(|event| (event.timestamp, event.seq.is_none(), event.seq, event.id));
    let facts = sorted.iter().map(|event| Fact {
        name: event.name.to_owned(),
        person: person[event.user_id.or(event.anonymous_id).unwrap()],
        at: event.timestamp,
        session: event.session_id.map(str::to_owned),
        properties: event
            .properties
            .map_or_else(BTreeMap::new, |text| serde_json::from_str(text).unwrap()),
    });
    let mut persons: BTreeMap<usize, BTreeMap<String, Value>> = BTreeMap::new();
    let mut sets: Vec<_> = events.iter().filter(|event| event.set.is_some()).collect();
    sets.sort_by_key(|event| (event.timestamp, event.id));
    for event in sets {
        let set: BTreeMap<String, Value> = serde_json::from_str(event.set.unwrap()).unwrap();
        persons.entry(person[event.user_id.unwrap()]).or_default().extend(set);
    }
    let seen = events
        .iter()
        .flat_map(|event| [event.anonymous_id, event.user_id, event.alias].into_iter().flatten());
    let seen: BTreeMap<&str, usize> = seen.map(|id| (id, person[id])).collect();
    let listed = told.list.iter().filter_map(|id| seen.get(id).copied()).collect();
    let defined = |definition: &Value| Kept::Defined(serde_json::from_value::<Definition>(definition.clone()).unwrap());
    History {
        facts: facts.collect(),
        persons,
        everybody: seen.into_values().collect(),
        cohorts: BTreeMap::from([
            (LIST, Kept::List(listed)),
            (FIRST, defined(&told.first)),
            (SECOND, defined(&told.second)),
        ]),
        now: at(NOW),
    }
}
