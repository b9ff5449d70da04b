//! An erased person is gone, stays gone, and is not taken for lost.

use bytes::Bytes;
use trailmark_protocol::{Timestamp, Uuid, names};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::{Erasure, ErrorClass, Store, Written};

use crate::history::{NOW, alias, at, count, event, identify};
use crate::support;

/// `ms` after the tests' beginning.
fn ms(ms: i64) -> Timestamp {
    at(NOW).plus_micros(ms * 1_000)
}

/// A batch that is received an hour after everything happened.
fn batch(install: &str, events: &[AcceptedEvent<'_>]) -> Bytes {
    let head = BatchHead {
        project_id: 1,
        received_at: ms(3_600_000),
        install_id: Some(install),
    };
    let mut writer = BatchWriter::new(&head, 0);
    events.iter().for_each(|event| writer.push(event));
    writer.finish()
}

async fn write(store: &Store, events: &[AcceptedEvent<'_>]) -> Written {
    store.write(Uuid::nil(), 1, &[batch("i", events)]).await.unwrap()
}

async fn erase(store: &Store, id: &str, at: Timestamp) -> Option<Erasure> {
    let erasure = store.begin_erasure(1, id, at).await.unwrap()?;
    Some(store.finish_erasure(1, erasure).await.unwrap())
}

fn by(n: u16, device: &'static str) -> AcceptedEvent<'static> {
    AcceptedEvent {
        anonymous_id: Some(device),
        ..event(n)
    }
}

/// Ann, under two user ids and on a phone, and Bob, who once used her phone.
fn ann_and_bob() -> Vec<AcceptedEvent<'static>> {
    let set = |e| AcceptedEvent {
        set: Some(r#"{"plan":"pro","age":7}"#),
        ..e
    };
    vec![
        by(1, "phone"),
        set(identify(2, "phone", "ann")),
        alias(3, "ann", "ann@example.com"),
        set(identify(4, "phone", "bob")),
        by(5, "laptop"),
        identify(6, "laptop", "bob"),
    ]
}

/// Every text in every table of the schema, to look for an id in.
async fn everything(store: &Store) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(store.pool())
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!("SELECT COALESCE(string_agg(t::text, ' '), '') FROM {table} t"));
        all += &sqlx::query_scalar::<_, String>(rows)
            .fetch_one(store.pool())
            .await
            .unwrap();
    }
    all
}

#[tokio::test]
async fn a_person_is_erased_under_all_its_ids_and_nobody_else_loses_anything() {
    let store = support::store().await;
    write(&store, &ann_and_bob()).await;
    let erasure = erase(&store, "phone", ms(100)).await.unwrap();
    let counts = [
        erasure.events,
        erasure.identities,
        erasure.links,
        erasure.aliases,
        erasure.properties,
    ];
    assert_eq!(counts, [3, 3, 2, 1, 2], "{erasure:?}");
    assert!(erasure.done_at.is_some());

    let left = everything(&store).await;
    for id in ["phone", "ann"] {
        assert!(!left.contains(id), "{id} is still named: {left}");
    }
    assert!(left.contains("bob") && left.contains("laptop"));
    assert_eq!(
        (
            count(store.pool(), "events").await,
            count(store.pool(), "person_properties").await
        ),
        (3, 2)
    );
    assert_eq!(
        count(store.pool(), "person_changes").await,
        1,
        "the laptop's link to Bob"
    );
    assert_eq!(
        erase(&store, "ann", ms(200)).await,
        None,
        "there is nobody left to erase"
    );
}

#[tokio::test]
async fn what_an_erased_person_did_before_is_refused_by_every_server_and_what_it_does_later_is_a_new_person() {
    let here = support::store().await;
    let there = Store::connect(here.pool().connect_options().as_ref().clone(), 4);
    write(&there, &[identify(1, "phone", "ann"), by(2, "phone")]).await;
    let numbers = "SELECT max(id) FROM identities";
    let old: i64 = sqlx::query_scalar(numbers).fetch_one(here.pool()).await.unwrap();
    erase(&here, "ann", ms(100)).await.unwrap();

    let late = [by(3, "phone"), alias(4, "bob", "ann"), by(5, "other"), by(2, "phone")];
    for (server, which) in [(&there, "with old caches"), (&here, "that erased")] {
        let written = write(server, &late).await;
        let expected = if which == "with old caches" {
            (1, 0, 3)
        } else {
            (0, 1, 0)
        };
        assert_eq!(
            (written.stored, written.duplicates, written.erased),
            expected,
            "the server {which}"
        );
        assert!(!everything(server).await.contains("phone"));
    }
    let again = [by(200, "phone"), identify(201, "phone", "ann")];
    assert_eq!(write(&there, &again).await.stored, 2);
    let fresh: i64 = sqlx::query_scalar("SELECT min(identity_id) FROM events WHERE seq >= 200")
        .fetch_one(here.pool())
        .await
        .unwrap();
    assert!(fresh > old, "a number is never used again");
    let erasure = erase(&there, "ann", ms(300)).await.unwrap();
    assert_eq!((erasure.events, erasure.identities), (2, 2), "only what is new");
}

#[tokio::test]
async fn an_event_that_waited_in_a_journal_is_refused_whatever_its_client_says_of_the_time() {
    let store = support::store().await;
    write(&store, &[by(1, "phone")]).await;
    let after_receipt = ms(3_600_001);
    erase(&store, "phone", after_receipt).await.unwrap();
    let ahead = AcceptedEvent {
        timestamp: ms(9_000_000),
        client_timestamp: ms(9_000_000),
        ..by(7, "phone")
    };
    assert_eq!(write(&store, &[ahead]).await.erased, 1);
}

async fn erased_of(store: &Store, install: &'static str) -> i64 {
    let counted = sqlx::query_scalar("SELECT events FROM erased_by_install WHERE install_id = $1").bind(install);
    counted.fetch_optional(store.pool()).await.unwrap().unwrap_or(0)
}

#[tokio::test]
async fn what_was_erased_is_counted_for_its_install_once_however_often_it_comes() {
    let store = support::store().await;
    for (install, n) in [("i", 1), ("i", 2), ("j", 3)] {
        store
            .write(Uuid::nil(), 1, &[batch(install, &[by(n, "phone")])])
            .await
            .unwrap();
    }
    erase(&store, "phone", ms(100)).await.unwrap();
    assert_eq!((erased_of(&store, "i").await, erased_of(&store, "j").await), (2, 1));
    for expected in [1, 0, 0] {
        assert_eq!(write(&store, &[by(9, "phone")]).await.erased, expected);
    }
    assert_eq!(erased_of(&store, "i").await, 3);
}

#[tokio::test]
async fn dead_letters_of_an_erased_person_go_too_and_no_replay_brings_one_back() {
    let store = support::store().await;
    let poison = "ALTER TABLE events ADD CONSTRAINT poison CHECK (name_is_fine(event_name_id))";
    sqlx::raw_sql("CREATE FUNCTION name_is_fine(integer) RETURNS boolean LANGUAGE sql AS 'SELECT $1 < 2'")
        .execute(store.pool())
        .await
        .unwrap();
    sqlx::raw_sql(poison).execute(store.pool()).await.unwrap();
    let bad = |n, device| AcceptedEvent {
        name: "bad",
        ..by(n, device)
    };
    write(&store, &[by(1, "phone")]).await;
    assert_eq!(write(&store, &[bad(2, "phone"), bad(3, "other")]).await.dead, 2);
    let erasure = erase(&store, "phone", ms(100)).await.unwrap();
    assert_eq!((erasure.events, erasure.dead_letters), (1, 1));
    assert_eq!(count(store.pool(), "dead_letters").await, 1);
    assert_eq!(erased_of(&store, "i").await, 2);
    assert_eq!(write(&store, &[bad(4, "phone")]).await.erased, 1);

    // One whose refusal and erasure passed each other by.
    sqlx::query(
        "INSERT INTO dead_letters (project_id, event_id, reason, detail, payload) VALUES (1, $1, 'dead_letter', '', $2)",
    )
    .bind(event(5).id)
    .bind(batch("i", &[by(5, "phone")]).as_ref())
    .execute(store.pool())
    .await
    .unwrap();
    assert_eq!(
        store.replay_dead_letters(None, Some(event(5).id)).await.unwrap().stored,
        0
    );
    assert_eq!(count(store.pool(), "dead_letters").await, 1, "the other's");
}

/// An event that no table could hold: its session's name is too long for an index.
#[tokio::test]
async fn an_unstorable_event_of_an_erased_person_becomes_no_dead_letter() {
    let store = support::store().await;
    write(&store, &[by(1, "phone")]).await;
    erase(&store, "phone", ms(100)).await.unwrap();
    let long = "x".repeat(3_000);
    let unstorable = AcceptedEvent {
        session_id: Some(&long),
        ..by(2, "phone")
    };
    let written = write(&store, &[unstorable]).await;
    assert_eq!((written.dead, written.erased), (0, 1));
    assert_eq!(count(store.pool(), "dead_letters").await, 0);
}

#[tokio::test]
async fn a_large_person_goes_in_steps_and_another_server_takes_up_what_a_crash_left() {
    let store = support::store().await;
    const EVENTS: i64 = 12_000;
    write(&store, &[identify(1, "phone", "ann"), by(2, "other")]).await;
    sqlx::query(
        "INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, id, install_id)
         SELECT 1, event_name_id, identity_id, timestamp, received_at, client_timestamp,
                (left(id::text, 24) || lpad(to_hex(n + 65536), 12, '0'))::uuid, 'i'
         FROM events CROSS JOIN generate_series(1, $1) AS n WHERE seq = 1",
    )
    .bind(EVENTS)
    .execute(store.pool())
    .await
    .unwrap();
    let erasure = store.begin_erasure(1, "ann", ms(100)).await.unwrap().unwrap();
    let begun = store.erasure(1, erasure).await.unwrap();
    assert_eq!((begun.identities, begun.events, begun.done_at), (2, 0, None));
    assert_eq!(
        store.begin_erasure(1, "ann", ms(200)).await.unwrap(),
        Some(erasure),
        "it is still going on"
    );

    // The server is gone. Two others find what is left, at once.
    let others = [0, 1].map(|_| Store::connect(store.pool().connect_options().as_ref().clone(), 2));
    let (one, other) = tokio::join!(others[0].finish_erasures(), others[1].finish_erasures());
    one.unwrap();
    other.unwrap();
    let done = store.erasure(1, erasure).await.unwrap();
    assert_eq!(done.events, EVENTS + 1, "each is counted once");
    assert!(done.done_at.is_some());
    assert_eq!(erased_of(&store, "i").await, EVENTS + 1);
    assert_eq!(count(store.pool(), "events").await, 1);
}

async fn until_stored(store: &Store, events: &[AcceptedEvent<'_>]) {
    let batch = [batch("i", events)];
    while let Err(error) = store.write(Uuid::nil(), 1, &batch).await {
        assert_eq!(error.class(), ErrorClass::Transient, "{error}");
    }
}

/// Nothing that was captured before survives, whichever side of the erasure its transaction falls on.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_among_eight_busy_servers_leaves_nothing_behind() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..8).map(|_| Store::connect(options.clone(), 3)).collect();
    servers[0].migrate().await.unwrap();
    until_stored(&servers[0], &[identify(0, "phone", "ann")]).await;
    let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
        tokio::spawn(async move {
            for n in 0..20u16 {
                let n = 1 + n * 8 + server as u16;
                let others = AcceptedEvent {
                    name: "viewed",
                    ..identify(n + 1_000, "laptop", "bob")
                };
                until_stored(&store, &[by(n, "phone"), identify(n + 500, "phone", "ann"), others]).await;
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    // More than once: between two, some server may have brought the ids back, if that were possible.
    let mut erased = Vec::new();
    for _ in 0..3 {
        erased.extend(erase(&servers[7], "ann", ms(3_600_000)).await);
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        erased.len(),
        1,
        "after the erasure there was nobody to be erased: {erased:?}"
    );
    let left = everything(&servers[0]).await;
    assert!(!left.contains("phone") && !left.contains("ann"), "{left}");
    assert_eq!(count(servers[0].pool(), "links").await, 0);
    assert_eq!(count(servers[0].pool(), "events").await, 160, "Bob's");
    let gone = erased[0].events + count(servers[0].pool(), "erased_events").await;
    assert_eq!(gone, 321, "each is removed or refused");
}

#[tokio::test]
async fn a_request_to_be_erased_waits_for_an_operator() {
    let store = support::store().await;
    let ask = |n, device, user| AcceptedEvent {
        name: names::ERASE,
        user_id: user,
        ..by(n, device)
    };
    write(&store, &[identify(1, "phone", "ann"), identify(2, "laptop", "bob")]).await;
    let requests = [
        ask(3, "phone", Some("ann")),
        ask(4, "made up", Some("bob")),
        ask(5, "tablet", None),
    ];
    write(&store, &requests).await;
    write(&store, &requests).await;
    let waiting = store.erasure_requests(1, 9).await.unwrap();
    let told: Vec<_> = waiting
        .iter()
        .map(|request| {
            (
                request.anonymous_id.as_deref(),
                request.user_id.as_deref(),
                request.same_person,
                request.identities,
            )
        })
        .collect();
    let expected = [
        (Some("phone"), Some("ann"), true, 2),
        (Some("made up"), Some("bob"), false, 3),
        (Some("tablet"), None, false, 1),
    ];
    assert_eq!(told, expected, "nothing is erased, and a forged claim looks like one");

    assert!(store.dismiss_erasure(1, waiting[1].event_id).await.unwrap());
    assert!(!store.dismiss_erasure(1, waiting[1].event_id).await.unwrap());
    assert_eq!(
        store
            .run_erasure_request(1, waiting[1].event_id, ms(100))
            .await
            .unwrap(),
        []
    );
    let done = store
        .run_erasure_request(1, waiting[0].event_id, ms(100))
        .await
        .unwrap();
    assert_eq!(
        done.iter()
            .map(|done| (done.identities, done.events))
            .collect::<Vec<_>>(),
        [(2, 2)]
    );
    erase(&store, "tablet", ms(100)).await.unwrap();
    assert_eq!(
        store.erasure_requests(1, 9).await.unwrap(),
        [],
        "erased by hand, a request is done too"
    );
    assert!(everything(&store).await.contains("bob"));
}
