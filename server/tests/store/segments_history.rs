//! Random histories: whatever happens in whatever order, and wherever a server dies, every event is in one place.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use trailmark_protocol::{Timestamp, names};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::Store;

use crate::history::{at, count, event, id_at, payload};
use crate::property::{cases, store};
use crate::sealed::{each_event_is_in_one_place, segments};

const DEVICES: [&str; 4] = ["a", "b", "c", "d"];
const USERS: [&str; 3] = ["u", "v", "w"];
const NAMES: [&str; 2] = ["viewed", "bought"];
const VALUES: [Option<&str>; 4] = [None, Some(r#"{"n":1}"#), Some(r#"{"n":"x"}"#), Some(r#"{"n":null}"#)];

/// The histories begin on this Monday and go on for five weeks, counted in hours.
const BEGIN: &str = "2026-09-07T00:00:00Z";
const HOURS: i64 = 5 * 168;

#[derive(Debug, Clone)]
enum Step {
    /// Device, name, hour it happened, hours its id is behind, and which value.
    Write(Vec<(usize, usize, i64, i64, usize)>),
    Identify(usize, usize),
    Alias(usize, usize),
    Erase(usize),
    /// The server dies in the middle.
    BeginErasing(usize),
    FinishErasing,
    Close(i64),
    SealOnce(i64, i64),
    Seal(i64),
    Fold,
    FoldOld,
    Rebuild(u32),
    Promote,
    Demote,
    Reshape,
    Drop(i64),
    /// A bit of the bytes of some segment.
    Spoil(i32),
}

fn step() -> impl Strategy<Value = Step> {
    let hour = || 0..HOURS;
    let written = (
        0..DEVICES.len(),
        0..NAMES.len(),
        hour(),
        prop_oneof![3 => Just(0), 1 => -200..200_i64],
        0..VALUES.len(),
    );
    prop_oneof![
        8 => vec(written, 1..12).prop_map(Step::Write),
        1 => (0..DEVICES.len(), 0..USERS.len()).prop_map(|(device, user)| Step::Identify(device, user)),
        1 => (0..USERS.len(), 0..USERS.len()).prop_map(|(one, other)| Step::Alias(one, other)),
        1 => (0..DEVICES.len()).prop_map(Step::Erase),
        1 => (0..DEVICES.len()).prop_map(Step::BeginErasing),
        1 => Just(Step::FinishErasing),
        1 => hour().prop_map(Step::Close),
        2 => (hour(), 1..9_i64).prop_map(|(until, most)| Step::SealOnce(until, most)),
        3 => hour().prop_map(Step::Seal),
        2 => Just(Step::Fold),
        1 => Just(Step::FoldOld),
        2 => (1..3_u32).prop_map(Step::Rebuild),
        1 => Just(Step::Promote),
        1 => Just(Step::Demote),
        1 => Just(Step::Reshape),
        1 => (0..3 * 168_i64).prop_map(Step::Drop),
        1 => (0..4_i32).prop_map(Step::Spoil),
    ]
}

fn hour(hours: i64) -> Timestamp {
    at(BEGIN).plus_micros(hours * 3_600_000_000)
}

/// Everything is received after the history; captured after any erasure in it, or it would be refused.
async fn write(store: &Store, events: &[AcceptedEvent<'_>]) {
    store.write(uuid::Uuid::nil(), 1, &[payload(events)]).await.unwrap();
}

async fn take(store: &Store, number: &mut u16, step: &Step) {
    let mut one = |device: usize, hours: i64, behind: i64| {
        *number += 1;
        AcceptedEvent {
            id: id_at(hour(hours - behind), *number),
            seq: Some(i64::from(*number)),
            anonymous_id: Some(DEVICES[device]),
            timestamp: hour(hours),
            client_timestamp: hour(hours),
            ..event(0)
        }
    };
    // Of before everything that happens.
    let long_ago = hour(-900);
    match step {
        Step::Write(events) => {
            let events: Vec<_> = events
                .iter()
                .map(|(device, name, hours, behind, value)| AcceptedEvent {
                    name: NAMES[*name],
                    properties: VALUES[*value],
                    ..one(*device, *hours, *behind)
                })
                .collect();
            write(store, &events).await;
        }
        Step::Identify(device, user) => {
            let event = AcceptedEvent {
                name: names::IDENTIFY,
                user_id: Some(USERS[*user]),
                ..one(*device, 300, 0)
            };
            write(store, &[event]).await;
        }
        Step::Alias(user, other) => {
            let event = AcceptedEvent {
                name: names::ALIAS,
                anonymous_id: None,
                user_id: Some(USERS[*user]),
                alias: Some(USERS[*other]),
                ..one(0, 200, 0)
            };
            write(store, &[event]).await;
        }
        Step::Erase(device) => {
            if let Some(erasure) = store.begin_erasure(1, DEVICES[*device], long_ago).await.unwrap() {
                store.finish_erasure(1, erasure).await.unwrap();
            }
        }
        Step::BeginErasing(device) => {
            store.begin_erasure(1, DEVICES[*device], long_ago).await.unwrap();
        }
        Step::FinishErasing => store.finish_erasures().await.unwrap(),
        Step::Close(until) => store.close_segments(1, hour(*until)).await.unwrap(),
        Step::SealOnce(until, most) => {
            let step = store.seal_some(1, hour(*until), *most).await.unwrap();
            // Halving ends at a moment with more.
            let at_one_moment =
                "SELECT max(n) FROM (SELECT count(*) AS n FROM events GROUP BY event_name_id, timestamp) AS t";
            let same: Option<i64> = sqlx::query_scalar(at_one_moment).fetch_one(store.pool()).await.unwrap();
            assert!(step.events.cast_signed() <= (*most).max(same.unwrap_or(0) * 4));
        }
        Step::Seal(until) => {
            store.seal(1, hour(*until)).await.unwrap();
        }
        Step::Fold => {
            store.fold_late(1, Duration::ZERO).await.unwrap();
        }
        Step::FoldOld => {
            store.fold_late(1, Duration::from_secs(3_600)).await.unwrap();
        }
        Step::Rebuild(most) => {
            store.rebuild_stale(1, *most).await.unwrap();
        }
        Step::Promote => {
            store.promote(1, "n", "use", long_ago, 64).await.unwrap();
            store.promote(1, "$context.os.name", "use", long_ago, 64).await.unwrap();
        }
        Step::Demote => {
            store.demote(1, "n").await.unwrap();
        }
        Step::Reshape => {
            store.rebuild_outdated(1, 2).await.unwrap();
        }
        Step::Drop(until) => {
            store.drop_weeks(hour(*until)).await.unwrap();
        }
        Step::Spoil(which) => {
            let spoil = "UPDATE segments SET bytes = set_byte(bytes, 30, get_byte(bytes, 30) # 1), version = DEFAULT
                         WHERE stale IS NULL AND event_name_id % 4 = $1";
            sqlx::query(spoil).bind(which).execute(store.pool()).await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn every_event_is_in_one_place_after_every_step_of_any_history(steps in vec(step(), 1..40)) {
        let (runtime, store) = store();
        runtime.block_on(async {
            let mut number = 0;
            for step in &steps {
                take(&store, &mut number, step).await;
                each_event_is_in_one_place(&store).await;
            }
            store.finish_erasures().await.unwrap();
            store.seal(1, hour(HOURS * 2)).await.unwrap();
            store.fold_late(1, Duration::ZERO).await.unwrap();
            store.rebuild_stale(1, 999).await.unwrap();
            each_event_is_in_one_place(&store).await;
            let sealed: i64 = segments(&store).await.values().map(|segment| segment.events).sum();
            assert_eq!(sealed, count(store.pool(), "events").await);
            assert_eq!(count(store.pool(), "late_events").await, 0);
        });
    }
}
