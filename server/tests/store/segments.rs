//! Rows become segments, and stay the truth.

use std::time::Duration;

use trailmark_protocol::{Timestamp, Uuid};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::Store;

use crate::history::{NOW, at, count, event, id_at, payload};
use crate::sealed::{decoded, each_event_is_in_one_place, segments};
use crate::support;

const HOUR: i64 = 3_600_000_000;

/// Event number `n`, which happened `hours` after the tests' beginning.
pub(crate) fn happened(n: u16, hours: i64) -> AcceptedEvent<'static> {
    let timestamp = at(NOW).plus_micros(hours * HOUR);
    AcceptedEvent {
        id: id_at(timestamp.max(Timestamp::from_millis(0)), n),
        timestamp,
        client_timestamp: timestamp,
        ..event(n)
    }
}

pub(crate) async fn write(store: &Store, events: &[AcceptedEvent<'_>]) {
    store.write(Uuid::nil(), 1, &[payload(events)]).await.unwrap();
}

pub(crate) fn hours(hours: i64) -> Timestamp {
    at(NOW).plus_micros(hours * HOUR)
}

async fn marks(store: &Store) -> i64 {
    count(store.pool(), "late_events").await
}

#[tokio::test]
async fn the_writer_marks_what_happened_before_the_frontier_and_nothing_else() {
    let store = support::store().await;
    write(&store, &[happened(1, -5)]).await;
    assert_eq!(marks(&store).await, 0, "a project without segments has no late events");
    store.close_segments(1, hours(0)).await.unwrap();
    store.close_segments(1, hours(-9)).await.unwrap();
    let before = AcceptedEvent {
        timestamp: hours(0).plus_micros(-1),
        ..happened(2, 0)
    };
    write(&store, &[before, happened(3, 0), happened(4, 7)]).await;
    let marked: Vec<Uuid> = sqlx::query_scalar("SELECT event_id FROM late_events")
        .fetch_all(store.pool())
        .await
        .unwrap();
    assert_eq!(marked, [before.id]);
    write(&store, &[before, happened(5, -8)]).await;
    assert_eq!(marks(&store).await, 2, "an event that comes again is no new one");
    each_event_is_in_one_place(&store).await;
}

#[tokio::test]
async fn late_events_among_poison_and_replayed_ones_are_marked() {
    let store = support::store().await;
    store.close_segments(1, hours(0)).await.unwrap();
    let long = "x".repeat(3_000);
    let poison = AcceptedEvent {
        properties: Some(r#"{"n":"\u0000"}"#),
        ..happened(3, -1)
    };
    let unstorable = AcceptedEvent {
        session_id: Some(&long),
        ..happened(4, -1)
    };
    let events = [happened(1, -2), happened(2, 2), poison, unstorable];
    let written = store.write(Uuid::nil(), 1, &[payload(&events)]).await.unwrap();
    assert_eq!((written.stored, written.dead), (2, 2));
    assert_eq!(marks(&store).await, 1);
    each_event_is_in_one_place(&store).await;
}

#[tokio::test]
async fn rows_are_sealed_by_name_and_week_and_sealing_again_changes_nothing() {
    let store = support::store().await;
    let other = |n, hours| AcceptedEvent {
        name: "bought",
        anonymous_id: Some("b"),
        seq: None,
        ..happened(n, hours)
    };
    let events = [
        happened(1, -1),
        happened(2, -200),
        happened(3, -400),
        other(4, -3),
        happened(5, 1),
        happened(6, -1),
    ];
    write(&store, &events).await;
    assert_eq!(store.seal(1, hours(0)).await.unwrap(), 5);
    each_event_is_in_one_place(&store).await;
    let made = segments(&store).await;
    assert_eq!(made.len(), 4);
    assert_eq!(
        store.frontier(1).await.unwrap().unwrap().sealed_before.0,
        hours(0),
        "as far as was asked for"
    );
    let versions = "SELECT array_agg(version ORDER BY version) FROM segments";
    let before: Vec<i64> = sqlx::query_scalar(versions).fetch_one(store.pool()).await.unwrap();
    assert_eq!(store.seal(1, hours(0)).await.unwrap(), 0);
    assert_eq!(store.seal(1, hours(-100)).await.unwrap(), 0);
    let after: Vec<i64> = sqlx::query_scalar(versions).fetch_one(store.pool()).await.unwrap();
    assert_eq!(before, after);

    assert_eq!(
        store.seal(1, hours(2)).await.unwrap(),
        1,
        "the next one is added to what is there"
    );
    assert_eq!(
        segments(&store)
            .await
            .values()
            .map(|segment| segment.events)
            .sum::<i64>(),
        6
    );
    let latest: Vec<i64> = sqlx::query_scalar(versions).fetch_one(store.pool()).await.unwrap();
    assert_eq!(latest.iter().filter(|version| before.contains(version)).count(), 3);
    each_event_is_in_one_place(&store).await;
}

#[tokio::test]
async fn a_crash_between_the_two_transactions_loses_and_doubles_nothing() {
    let store = support::store().await;
    write(&store, &[happened(1, -30), happened(2, -2)]).await;
    store.close_segments(1, hours(0)).await.unwrap();
    each_event_is_in_one_place(&store).await;
    // Here the server is gone, and events go on coming.
    write(&store, &[happened(3, -20), happened(4, 3)]).await;
    each_event_is_in_one_place(&store).await;
    let other = Store::connect(store.pool().connect_options().as_ref().clone(), 2);
    assert_eq!(other.seal(1, hours(-10)).await.unwrap(), 2);
    each_event_is_in_one_place(&store).await;
    assert_eq!(marks(&store).await, 0, "it was sealed with the others");
    assert_eq!(other.seal(1, hours(4)).await.unwrap(), 2);
    each_event_is_in_one_place(&store).await;
}

#[tokio::test]
async fn late_events_are_folded_in_when_they_are_many_or_have_waited() {
    let store = support::store().await;
    write(&store, &[happened(1, -30), happened(2, -200)]).await;
    store.seal(1, hours(0)).await.unwrap();
    write(&store, &[happened(3, -31), happened(4, -29), happened(5, -400)]).await;
    let hour = Duration::from_secs(3_600);
    assert_eq!(
        store.fold_late(1, hour).await.unwrap(),
        1,
        "that of a week without a segment; the other segment was just made"
    );
    each_event_is_in_one_place(&store).await;
    assert_eq!(store.fold_late(1, Duration::ZERO).await.unwrap(), 2);
    each_event_is_in_one_place(&store).await;
    assert_eq!((marks(&store).await, segments(&store).await.len()), (0, 3));

    let many: Vec<AcceptedEvent<'_>> = (10..1_010).map(|n| happened(n, -30)).collect();
    write(&store, &many).await;
    assert_eq!(store.fold_late(1, hour).await.unwrap(), 1_000);
    each_event_is_in_one_place(&store).await;
    assert_eq!(store.fold_late(1, Duration::ZERO).await.unwrap(), 0);
}

#[tokio::test]
async fn absurd_times_cost_no_step_for_each_empty_week() {
    let store = support::store().await;
    let absurd = |n, text: &str| AcceptedEvent {
        timestamp: Timestamp::parse(text).unwrap(),
        ..happened(n, 0)
    };
    let events = [
        absurd(1, "0000-01-01T00:00:00Z"),
        absurd(2, "0001-06-01T00:00:00Z"),
        absurd(3, "9999-12-31T23:59:59Z"),
        happened(4, -1),
    ];
    write(&store, &events).await;
    store.close_segments(1, hours(0)).await.unwrap();
    let mut steps = 0;
    while !store.seal_step(1, hours(0)).await.unwrap().reached {
        steps += 1;
        each_event_is_in_one_place(&store).await;
    }
    assert!(steps <= 3, "{steps}");
    assert_eq!(segments(&store).await.len(), 3);
    each_event_is_in_one_place(&store).await;
    assert_eq!(
        store
            .seal(1, Timestamp::parse("9999-12-31T23:59:59.9Z").unwrap())
            .await
            .unwrap(),
        1
    );
    each_event_is_in_one_place(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_waits_for_writers_that_began_before_and_marks_those_after() {
    let store = support::store().await;
    write(&store, &[happened(1, -3)]).await;
    // As tombstones::enter has it: shared by writers, until they commit.
    let mut writer = store.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock_shared($1, 1)")
        .bind(0x746d_6572)
        .execute(&mut *writer)
        .await
        .unwrap();
    let mut sealing = tokio::spawn({
        let store = store.clone();
        async move { store.seal(1, hours(0)).await.unwrap() }
    });
    let waits = "pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while count(store.pool(), waits).await == 0 {
        assert!(!sealing.is_finished(), "it does not wait");
        tokio::task::yield_now().await;
    }
    let copy = "INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, seq, id)
                SELECT project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, 77, $1 FROM events";
    sqlx::query(copy)
        .bind(happened(2, -3).id)
        .execute(&mut *writer)
        .await
        .unwrap();
    writer.commit().await.unwrap();
    assert_eq!((&mut sealing).await.unwrap(), 2, "the one that committed late, too");
    each_event_is_in_one_place(&store).await;
    write(&store, &[happened(3, -3)]).await;
    assert_eq!(marks(&store).await, 1);
    each_event_is_in_one_place(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_seal_and_fold_and_write_at_once_keep_every_event_once() {
    let options = support::empty_database().await;
    let servers: Vec<Store> = (0..4).map(|_| Store::connect(options.clone(), 3)).collect();
    servers[0].migrate().await.unwrap();
    let tasks = servers.iter().cloned().enumerate().map(|(server, store)| {
        tokio::spawn(async move {
            for n in 0..12u16 {
                let number = server as u16 * 100 + n;
                write(
                    &store,
                    &[happened(number, i64::from(n) * 5 - 50), happened(number + 50, -300)],
                )
                .await;
                store.seal(1, hours(i64::from(n) * 5 - 60)).await.unwrap();
                store.fold_late(1, Duration::ZERO).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(count(servers[0].pool(), "events").await, 96);
    each_event_is_in_one_place(&servers[0]).await;
    servers[0].seal(1, hours(100)).await.unwrap();
    servers[0].fold_late(1, Duration::ZERO).await.unwrap();
    assert_eq!(marks(&servers[0]).await, 0);
    each_event_is_in_one_place(&servers[0]).await;
}

#[tokio::test]
async fn a_corrupt_segment_is_stale_until_it_is_made_anew() {
    let store = support::store().await;
    write(&store, &[happened(1, -30), happened(2, -29)]).await;
    store.seal(1, hours(-20)).await.unwrap();
    let spoil = "UPDATE segments SET bytes = set_byte(bytes, 20, get_byte(bytes, 20) # 1)";
    sqlx::query(spoil).execute(store.pool()).await.unwrap();
    write(&store, &[happened(3, -28), happened(4, -10)]).await;
    store.seal(1, hours(0)).await.unwrap();
    let stale = |segments: std::collections::BTreeMap<_, crate::sealed::SegmentRow>| -> Vec<Option<String>> {
        segments.into_values().map(|segment| segment.stale).collect()
    };
    assert_eq!(stale(segments(&store).await), [Some("corrupt".to_owned())]);
    each_event_is_in_one_place(&store).await;
    assert_eq!(store.rebuild_stale(1, 9).await.unwrap(), 1);
    assert_eq!(stale(segments(&store).await), [None]);
    each_event_is_in_one_place(&store).await;
    assert_eq!((marks(&store).await, store.rebuild_stale(1, 9).await.unwrap()), (0, 0));
}

#[tokio::test]
async fn promoted_properties_get_columns_from_then_on_and_in_older_segments_later() {
    let store = support::store().await;
    let with = |n, hours, properties, context| AcceptedEvent {
        properties,
        context,
        ..happened(n, hours)
    };
    let android = Some(r#"{"os":{"name":"Android"}}"#);
    write(
        &store,
        &[with(1, -30, Some(r#"{"n": 1.50}"#), android), with(2, -30, None, None)],
    )
    .await;
    store.seal(1, hours(-20)).await.unwrap();
    let promote =
        "INSERT INTO promoted_properties VALUES (1, 'n', now(), 'use'), (1, '$context.os.name', now(), 'use')";
    sqlx::raw_sql(promote).execute(store.pool()).await.unwrap();
    write(&store, &[with(3, -10, Some(r#"{"n":{"b":1,"a":[null]}}"#), None)]).await;
    store.seal(1, hours(-5)).await.unwrap();
    let made = segments(&store).await;
    assert!(
        made.values().all(|segment| segment.columns.is_empty()),
        "not all have values"
    );
    assert!(
        decoded(made.values().next().unwrap())
            .iter()
            .all(|event| event.3.is_empty())
    );
    each_event_is_in_one_place(&store).await;

    assert_eq!(store.rebuild_outdated(1, 9).await.unwrap(), 1);
    write(&store, &[with(4, -9, Some(r#"{"n":null}"#), android)]).await;
    store.fold_late(1, Duration::ZERO).await.unwrap();
    each_event_is_in_one_place(&store).await;
    let made = segments(&store).await;
    let segment = made.values().next().unwrap();
    assert_eq!(segment.columns, crate::sealed::PROPERTIES);
    let mut values: Vec<_> = decoded(segment)
        .into_iter()
        .map(|event| (event.3["n"].clone(), event.3["$context.os.name"].clone()))
        .collect();
    values.sort();
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        (None, None),
        (text("1.50"), text("\"Android\"")),
        (text("null"), text("\"Android\"")),
        (text(r#"{"a": [null], "b": 1}"#), None),
    ];
    assert_eq!(values, expected, "the canonical text of jsonb");
    assert_eq!(store.rebuild_outdated(1, 9).await.unwrap(), 0);
    sqlx::query("DELETE FROM promoted_properties WHERE property = 'n'")
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(store.rebuild_outdated(1, 9).await.unwrap(), 1);
    each_event_is_in_one_place(&store).await;
}
