//! Persons are a function of what was said, whatever the order in which it comes, and whatever happens on the way.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use proptest::prelude::*;
use trailmark_protocol::{Timestamp, Uuid, names};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::{ErrorClass, Store};

use crate::history::{NOW, alias, at, count, event, identify};
use crate::model::{Id, Model, misnamed, persons};
use crate::{property, support};

/// An hour after everything happened.
fn payload(events: &[AcceptedEvent<'_>]) -> Bytes {
    let head = BatchHead {
        project_id: 1,
        received_at: at(NOW).plus_micros(3_600_000_000),
        install_id: Some("i"),
    };
    let mut writer = BatchWriter::new(&head, 0);
    events.iter().for_each(|event| writer.push(event));
    writer.finish()
}

async fn write_until_stored(store: &Store, events: &[AcceptedEvent<'_>]) {
    let batch = [payload(events)];
    while let Err(error) = store.write(Uuid::nil(), 1, &batch).await {
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
    }
}

async fn forget_everything(store: &Store) {
    let all = "TRUNCATE events, identities, links, aliases, person_properties, person_changes, erasures, tombstones,
                        erasure_requests, erased_events, erased_by_install, dead_letters";
    sqlx::raw_sql(all).execute(store.pool()).await.unwrap();
}

const DEVICES: [&str; 4] = ["a", "b", "c", "d"];
const USERS: [&str; 5] = ["u", "v", "w", "x", "y"];
const SETS: [Option<&str>; 4] = [None, Some(r#"{"p":1}"#), Some(r#"{"p":2,"q":2}"#), Some(r#"{"q":[3]}"#)];

/// Few distinct times: ties are broken by the event id.
fn time(n: u16) -> Timestamp {
    event(n % 5).timestamp
}

fn any_event(n: u16) -> impl Strategy<Value = AcceptedEvent<'static>> {
    let device = || prop::sample::select(&DEVICES[..]);
    let user = || prop::sample::select(&USERS[..]);
    let set = || prop::sample::select(&SETS[..]);
    let what = prop_oneof![
        3 => (device(), user()).prop_map(move |(device, user)| identify(n, device, user)),
        2 => (user(), user()).prop_map(move |(one, other)| alias(n, one, other)),
        1 => device().prop_map(move |device| AcceptedEvent { anonymous_id: Some(device), ..event(n) }),
        1 => (device(), user()).prop_map(move |(device, user)| AcceptedEvent { name: "viewed", ..identify(n, device, user) }),
    ];
    (what, set(), set()).prop_map(move |(e, set, set_once)| AcceptedEvent {
        set,
        set_once,
        timestamp: time(n),
        ..e
    })
}

/// What is done after some events have arrived.
#[derive(Debug, Clone)]
enum Deed {
    Nothing,
    /// One of the aliases so far.
    Withdraw(prop::sample::Index),
    /// Everything of a person up to a time.
    Erase(Id, Timestamp),
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let device = prop::sample::select(&DEVICES[..]).prop_map(|id| (0, id.to_owned()));
    let user = prop::sample::select(&USERS[..]).prop_map(|id| (1, id.to_owned()));
    prop_oneof![
        1 => Just(Deed::Nothing),
        2 => any::<prop::sample::Index>().prop_map(Deed::Withdraw),
        2 => (prop_oneof![device, user], 0..6u16).prop_map(|(id, n)| Deed::Erase(id, event(n).timestamp)),
    ]
}

/// Some events in the order of their arrival, cut in batches; how often the writer gets to work before it dies, by batch;
/// then a deed.
#[derive(Debug, Clone)]
struct Part {
    arrival: Vec<AcceptedEvent<'static>>,
    batch: usize,
    deaths: Vec<usize>,
    deed: Deed,
}

/// A history in parts. Every event arrives at least once; some come again, then or in a later part.
fn histories() -> impl Strategy<Value = Vec<Part>> {
    let sizes = prop::collection::vec(1..8u16, 1..4);
    let events = sizes.prop_flat_map(|sizes| {
        let mut next = 0;
        let part = |size: u16| {
            next += size;
            (next - size..next).map(any_event).collect::<Vec<_>>()
        };
        sizes.into_iter().map(part).collect::<Vec<_>>()
    });
    events.prop_flat_map(|parts| {
        let mut so_far = Vec::new();
        let part = |events: Vec<AcceptedEvent<'static>>| {
            so_far.extend(events.clone());
            let again = prop::sample::subsequence(so_far.clone(), 0..=so_far.len());
            let arrival = again
                .prop_map(move |again| [events.clone(), again].concat())
                .prop_shuffle();
            let deaths = prop::collection::vec(0..60usize, 0..3);
            (arrival, 1..5usize, deaths, any_deed()).prop_map(|(arrival, batch, deaths, deed)| Part {
                arrival,
                batch,
                deaths,
                deed,
            })
        };
        parts.into_iter().map(part).collect::<Vec<_>>()
    })
}

/// A server does the work and is gone after it got so many turns: its transaction may or may not have happened.
async fn die_after<T>(turns: usize, store: &Store, work: impl AsyncFnOnce(Store) -> T) -> Option<T> {
    let server = Store::connect(store.pool().connect_options().as_ref().clone(), 2);
    let work = work(server);
    let mut work = pin!(work);
    let mut left = turns;
    std::future::poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn erase(store: &Store, (_, id): &Id, at: Timestamp) {
    if let Some(erasure) = store.begin_erasure(1, id, at).await.unwrap() {
        store.finish_erasure(1, erasure).await.unwrap();
    }
}

/// Plays a part on the database through servers in turn, so that each has old caches, and on the model.
async fn play(servers: &mut [Store], model: &mut Model, part: &Part) {
    let mut deaths = part.deaths.iter();
    for batch in part.arrival.chunks(part.batch) {
        servers.rotate_left(1);
        if let Some(turns) = deaths.next() {
            let _ = die_after(*turns, &servers[0], async |server| {
                server.write(Uuid::nil(), 1, &[payload(batch)]).await
            })
            .await;
        }
        write_until_stored(&servers[0], batch).await;
        batch.iter().for_each(|event| model.receive(event));
    }
    let turns = deaths.next().copied();
    match &part.deed {
        Deed::Nothing => {}
        Deed::Withdraw(which) => {
            let aliases: Vec<Uuid> = sqlx::query_scalar("SELECT event_id FROM aliases ORDER BY event_id")
                .fetch_all(servers[0].pool())
                .await
                .unwrap();
            if aliases.is_empty() {
                return;
            }
            let alias = *which.get(&aliases);
            if let Some(turns) = turns {
                let _ = die_after(turns, &servers[0], async |server| {
                    server.withdraw_alias(1, alias, at(NOW)).await
                })
                .await;
            }
            servers[0].withdraw_alias(1, alias, at(NOW)).await.unwrap().unwrap();
            model.withdraw(alias);
        }
        Deed::Erase(id, at) => {
            if let Some(turns) = turns {
                let _ = die_after(turns, &servers[0], async |server| erase(&server, id, *at).await).await;
            }
            erase(&servers[0], id, *at).await;
            model.erase(id, *at);
        }
    }
}

#[test]
fn every_order_repetition_batching_crash_withdrawal_and_erasure_gives_the_persons_of_the_model() {
    let (runtime, store) = property::store();
    proptest!(property::cases(150), |(parts in histories())| {
        runtime.block_on(async {
            forget_everything(&store).await;
            let server = || Store::connect(store.pool().connect_options().as_ref().clone(), 2);
            let (mut servers, mut model) = ([server(), server(), server()], Model::default());
            for part in &parts {
                play(&mut servers, &mut model, part).await;
                assert_eq!(persons(&store).await, model.persons());
                assert_eq!(misnamed(&store).await, 0);
            }
            for server in servers {
                server.close().await;
            }
        });
    });
}

fn of(ids: &[(i16, &str)]) -> BTreeSet<Id> {
    ids.iter().map(|(kind, id)| (*kind, (*id).to_owned())).collect()
}

async fn groups(store: &Store) -> BTreeSet<BTreeSet<Id>> {
    persons(store).await.into_keys().collect()
}

/// The recorded changes, oldest first: kind, event, and the ids of what went and of the persons before and after.
async fn changes(store: &Store) -> Vec<(String, Uuid, String, String, String)> {
    sqlx::query_as(
        "SELECT c.kind, event_id, i.external_id, f.external_id, t.external_id FROM person_changes c
         JOIN identities i ON i.id = identity_id JOIN identities f ON f.id = from_person_id
         JOIN identities t ON t.id = to_person_id ORDER BY c.id",
    )
    .fetch_all(store.pool())
    .await
    .unwrap()
}

fn change(
    kind: &str,
    e: AcceptedEvent<'_>,
    what: &str,
    from: &str,
    to: &str,
) -> (String, Uuid, String, String, String) {
    (kind.into(), e.id, what.into(), from.into(), to.into())
}

#[tokio::test]
async fn a_shared_device_never_glues_two_users() {
    let store = support::store().await;
    write_until_stored(&store, &[identify(1, "a", "u"), identify(2, "a", "v"), event(3)]).await;
    assert_eq!(
        groups(&store).await,
        BTreeSet::from([of(&[(0, "a"), (1, "u")]), of(&[(1, "v")])])
    );
}

#[tokio::test]
async fn a_link_that_comes_late_but_happened_first_moves_the_device_and_the_move_is_on_record() {
    let store = support::store().await;
    let (early, late) = (identify(0, "a", "v"), identify(1, "a", "u"));
    for batch in [[late], [early], [early], [late]] {
        write_until_stored(&store, &batch).await;
    }
    assert_eq!(
        groups(&store).await,
        BTreeSet::from([of(&[(1, "u")]), of(&[(0, "a"), (1, "v")])])
    );
    let expected = [
        change("link", late, "a", "a", "u"),
        change("move", early, "a", "u", "v"),
    ];
    assert_eq!(changes(&store).await, expected);
}

#[tokio::test]
async fn a_withdrawn_alias_splits_the_person_exactly_and_only_a_new_event_joins_it_again() {
    let store = support::store().await;
    let (one, two) = (alias(1, "u", "v"), alias(2, "v", "w"));
    write_until_stored(&store, &[one, two, identify(3, "a", "u"), identify(4, "b", "w")]).await;
    let whole = of(&[(0, "a"), (0, "b"), (1, "u"), (1, "v"), (1, "w")]);
    assert_eq!(groups(&store).await, BTreeSet::from([whole.clone()]));

    let withdrawn = store.withdraw_alias(1, two.id, at(NOW)).await.unwrap().unwrap();
    assert_eq!(
        (withdrawn.users, withdrawn.still_one),
        (["v".to_owned(), "w".to_owned()], false)
    );
    let apart = BTreeSet::from([of(&[(0, "a"), (1, "u"), (1, "v")]), of(&[(0, "b"), (1, "w")])]);
    assert_eq!(groups(&store).await, apart);

    write_until_stored(&store, &[two]).await;
    let later = at(NOW).plus_micros(1);
    let again = store.withdraw_alias(1, two.id, later).await.unwrap().unwrap();
    assert_eq!(again.withdrawn_at, at(NOW), "the first withdrawal counts");
    assert_eq!(groups(&store).await, apart, "a retry does not bring it back");
    assert_eq!(count(store.pool(), "aliases").await, 2, "it stays on record");

    let anew = alias(9, "w", "u");
    write_until_stored(&store, &[anew]).await;
    assert_eq!(groups(&store).await, BTreeSet::from([whole]));
    let told: Vec<_> = changes(&store)
        .await
        .into_iter()
        .map(|change| (change.0, change.1))
        .collect();
    let (merge, split, link) = ("merge".to_owned(), "split".to_owned(), "link".to_owned());
    assert!(
        told[..2].contains(&(merge.clone(), one.id)) && told[..2].contains(&(merge.clone(), two.id)),
        "{told:?}"
    );
    assert_eq!(
        told[2..4].iter().map(|told| &told.0).collect::<Vec<_>>(),
        [&link, &link]
    );
    assert_eq!(told[4..], [(split, two.id), (merge, anew.id)]);
    assert_eq!(store.withdraw_alias(1, event(77).id, later).await.unwrap(), None);
}

#[tokio::test]
async fn aliases_make_no_person_of_more_than_a_hundred_users_and_which_are_refused_depends_on_no_order() {
    let names: &'static [String] = (0..130).map(|n| format!("user-{n}")).collect::<Vec<_>>().leak();
    let chain: Vec<_> = (0..129u16)
        .map(|n| alias(n, &names[usize::from(n)], &names[usize::from(n) + 1]))
        .collect();
    let mut verdicts = Vec::new();
    for step in [1, 37, 128] {
        let store = support::store().await;
        let shuffled: Vec<_> = (0..129).map(|n| chain[n * step % 129]).collect();
        let mut refused = 0;
        for batch in shuffled.chunks(10) {
            refused += store
                .write(Uuid::nil(), 1, &[payload(batch)])
                .await
                .unwrap()
                .refused_aliases;
        }
        let joined: Vec<bool> = sqlx::query_scalar("SELECT NOT refused FROM aliases ORDER BY event_id")
            .fetch_all(store.pool())
            .await
            .unwrap();
        let mut sizes: Vec<usize> = groups(&store).await.into_iter().map(|group| group.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [30, 100]);
        assert!(refused > 0, "a refusal is counted");
        assert_eq!(misnamed(&store).await, 0);
        verdicts.push(joined);
    }
    assert!(
        verdicts
            .iter()
            .all(|joined| joined.iter().enumerate().all(|(n, joined)| *joined == (n != 99)))
    );
}

/// A number from 0 to 9,999 that looks random.
fn dice(seed: usize, n: usize) -> usize {
    let mixed =
        (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (seed as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40) as usize % 10_000
}

fn history(seed: usize) -> Vec<AcceptedEvent<'static>> {
    let one = |n: u16| {
        let roll = |salt: usize| dice(seed * 31 + salt, usize::from(n));
        let (device, user) = (DEVICES[roll(1) % 4], USERS[roll(2) % 5]);
        let what = match roll(3) % 8 {
            0..=3 => identify(n, device, user),
            4 if roll(4).is_multiple_of(9) => alias(n, user, USERS[roll(5) % 5]),
            5 => AcceptedEvent {
                name: "viewed",
                ..identify(n, device, user)
            },
            _ => AcceptedEvent {
                anonymous_id: Some(device),
                ..event(n)
            },
        };
        AcceptedEvent {
            set: SETS[roll(6) % 4],
            set_once: SETS[roll(7) % 4],
            timestamp: event(n % 60).timestamp,
            ..what
        }
    };
    (0..240).map(one).collect()
}

/// Shuffled, doubled halves of one history through eight servers at once.
#[tokio::test(flavor = "multi_thread")]
async fn eight_servers_that_apply_the_same_history_at_once_agree_with_the_model_and_never_deadlock() {
    for seed in 0..4 {
        let options = support::empty_database().await;
        let servers: Vec<Store> = (0..8).map(|_| Store::connect(options.clone(), 3)).collect();
        servers[0].migrate().await.unwrap();
        let history = history(seed);
        let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
            // Events number n go to servers n and n + 1 … n + 4 of 8, some of them twice.
            let is_mine = |n: &usize| (server + 8 - n % 8) % 8 < 4;
            let mut mine: Vec<usize> = (0..history.len()).filter(is_mine).collect();
            mine.extend(mine.clone().into_iter().filter(|n| n.is_multiple_of(3)));
            mine.sort_by_key(|n| dice(seed * 8 + server, *n));
            let mine: Vec<_> = mine.into_iter().map(|n| history[n]).collect();
            tokio::spawn(async move {
                for part in mine.chunks(10) {
                    write_until_stored(&store, part).await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let mut model = Model::default();
        history.iter().for_each(|event| model.receive(event));
        assert_eq!(persons(&servers[0]).await, model.persons(), "seed {seed}");
        let said = |name| history.iter().filter(|event| event.name == name).count() as i64;
        assert_eq!(
            count(servers[0].pool(), "links").await,
            said(names::IDENTIFY),
            "no link is lost"
        );
        assert_eq!(
            count(servers[0].pool(), "aliases").await,
            said(names::ALIAS),
            "no alias is lost"
        );
        let deadlocks: i64 =
            sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
                .fetch_one(servers[0].pool())
                .await
                .unwrap();
        assert_eq!(deadlocks, 0, "seed {seed}");
    }
}
