//! What became of what installs captured.

use proptest::prelude::*;
use serde_json::{Value, json};
use trailmark_protocol::Uuid;
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::install::InstallReport;
use trailmark_server::query::delivery::{InstallCursor, InstallPage};
use trailmark_server::query::{Delivery, TimeRange};
use trailmark_server::store::{Loss, loss};

use crate::world::{World, anonymous, at, id_at};

/// An install's report: captured, queued, and dropped by reason.
pub(crate) fn report(captured: i64, queued: i64, dropped: &[(&str, i64)]) -> InstallReport {
    InstallReport {
        captured,
        queued,
        dropped: dropped.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect(),
        sdk: Some("trailmark-rust/0.1.0".to_owned()),
        release: Some("1.4.0".to_owned()),
    }
}

impl World {
    /// Stores a batch of an install, `ms` after the beginning: the events of these numbers, and its report.
    pub(crate) async fn report(&self, ms: i64, install: &str, seqs: &[i64], report: &InstallReport) {
        let head = BatchHead {
            project_id: self.project,
            received_at: at(ms),
            install_id: Some(install),
        };
        let mut batch = BatchWriter::with_report(&head, Some(report), 0);
        for seq in seqs {
            batch.push(&AcceptedEvent {
                id: event_id(install, *seq),
                seq: Some(*seq),
                ..anonymous(ms, "e", install)
            });
        }
        self.store.write(Uuid::now_v7(), 1, &[batch.finish()]).await.unwrap();
    }

    async fn delivery(&self, range: TimeRange, limit: u32, after: Option<InstallCursor>) -> Delivery {
        let page = InstallPage { limit, after };
        self.reader().delivery(range, &page).await.unwrap()
    }

    async fn all(&self) -> Value {
        crate::world::json(&self.delivery(TimeRange::default(), 1_000, None).await)
    }
}

/// The same install and number always have the same id.
fn event_id(install: &str, seq: i64) -> Uuid {
    let salt = install
        .bytes()
        .fold(7, |salt: i64, byte| (salt * 31 + i64::from(byte)) % 9_973);
    id_at(salt * 100_000 + seq.min(99_999))
}

fn install<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let installs = answer["installs"].as_array().unwrap();
    installs.iter().find(|install| install["install_id"] == id).unwrap()
}

#[tokio::test]
async fn what_is_neither_stored_nor_dropped_nor_queued_is_lost() {
    let world = World::new().await;
    world
        .report(0, "good", &[1, 2, 4], &report(5, 1, &[("too_large", 1)]))
        .await;
    world
        .report(1, "bad", &[1, 2, 5], &report(10, 3, &[("queue_full", 1)]))
        .await;
    let answer = world.all().await;
    assert_eq!(
        answer["totals"],
        json!({"installs": 2, "captured": 15, "stored": 6, "queued": 4,
               "dropped": {"queue_full": 1, "too_large": 1}, "lost": 3, "loss_rate": 0.2})
    );
    assert_eq!(
        *install(&answer, "bad"),
        json!({"install_id": "bad", "sdk": "trailmark-rust/0.1.0", "release": "1.4.0", "captured": 10, "stored": 3,
               "queued": 3, "dropped": {"queue_full": 1}, "lost": 3, "loss_rate": 0.3,
               "missing": [{"from": 3, "to": 4}, {"from": 6, "to": 10}], "missing_rest": 0,
               "first_seen_at": "2026-11-20T12:00:00.001Z", "last_seen_at": "2026-11-20T12:00:00.001Z"})
    );
    let good = install(&answer, "good");
    assert_eq!(
        (&good["lost"], &good["missing"]),
        (&json!(0), &json!([])),
        "nothing lost, nothing to look for"
    );
    assert_eq!(
        answer["installs"][0]["install_id"], "bad",
        "those that lost most come first"
    );
}

#[tokio::test]
async fn what_arrives_late_is_no_longer_lost_and_what_comes_twice_counts_once() {
    let world = World::new().await;
    world.report(0, "i", &[1, 3], &report(3, 0, &[])).await;
    assert_eq!(world.all().await["totals"]["lost"], 1);
    for _ in 0..2 {
        world.report(5, "i", &[2, 3], &report(3, 0, &[])).await;
    }
    let answer = world.all().await;
    assert_eq!(
        (&answer["totals"]["lost"], &answer["totals"]["stored"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(install(&answer, "i")["last_seen_at"], "2026-11-20T12:00:00.005Z");
}

#[tokio::test]
async fn sums_are_the_same_by_release_and_by_sdk() {
    let world = World::new().await;
    let of = |release: Option<&str>, sdk: Option<&str>, captured| InstallReport {
        release: release.map(str::to_owned),
        sdk: sdk.map(str::to_owned),
        ..report(captured, 0, &[("too_large", 1)])
    };
    world.report(0, "a", &[1], &of(Some("1.0"), Some("web/1"), 2)).await;
    world.report(0, "b", &[1], &of(Some("1.0"), Some("dart/1"), 4)).await;
    world.report(0, "c", &[1], &of(Some("2.0"), Some("dart/1"), 2)).await;
    world.report(0, "d", &[1], &of(None, None, 3)).await;
    let answer = world.all().await;
    let told = |group: &str| -> Vec<(Value, i64, i64, Value)> {
        let groups = answer[group].as_array().unwrap().iter();
        let number = |value: &Value| value.as_i64().unwrap();
        groups
            .map(|sum| {
                (
                    sum["name"].clone(),
                    number(&sum["installs"]),
                    number(&sum["lost"]),
                    sum["dropped"].clone(),
                )
            })
            .collect()
    };
    let large = |n| json!({"too_large": n});
    assert_eq!(
        told("by_release"),
        [
            (json!("1.0"), 2, 2, large(2)),
            (Value::Null, 1, 1, large(1)),
            (json!("2.0"), 1, 0, large(1))
        ]
    );
    assert_eq!(
        told("by_sdk"),
        [
            (json!("dart/1"), 2, 2, large(2)),
            (Value::Null, 1, 1, large(1)),
            (json!("web/1"), 1, 0, large(1))
        ]
    );
    assert_eq!(
        (&answer["by_release_rest"], &answer["by_sdk_rest"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn releases_and_reasons_beyond_a_hundred_are_counted_together() {
    let world = World::new().await;
    for n in 0..102 {
        let reason = format!("reason_{n:03}");
        let report = InstallReport {
            release: Some(format!("1.{n}")),
            ..report(1, 0, &[(&reason, 1)])
        };
        world.report(0, &format!("i{n}"), &[], &report).await;
    }
    let answer = world.all().await;
    assert_eq!(
        (
            answer["by_release"].as_array().unwrap().len(),
            &answer["by_release_rest"]
        ),
        (100, &json!(2))
    );
    let dropped = answer["totals"]["dropped"].as_object().unwrap();
    assert_eq!((dropped.len(), &dropped["other"]), (101, &json!(2)));
    assert_eq!(answer["by_sdk_rest"], 0);
}

#[tokio::test]
async fn a_time_range_is_of_when_installs_were_last_seen() {
    let world = World::new().await;
    world.report(0, "gone", &[1], &report(1, 0, &[])).await;
    world.report(0, "here", &[1], &report(1, 0, &[])).await;
    world.report(10, "here", &[2], &report(2, 0, &[])).await;
    let seen = async |from: i64, to: i64| {
        let range = TimeRange {
            from: Some(at(from)),
            to: Some(at(to)),
        };
        let delivery = world.delivery(range, 10, None).await;
        (delivery.totals.installs, delivery.totals.stored)
    };
    assert_eq!(seen(0, 10).await, (1, 1));
    assert_eq!(seen(1, 11).await, (1, 2), "the rows before `from` count too");
    assert_eq!(seen(11, 99).await, (0, 0));
}

#[tokio::test]
async fn pages_hold_every_install_once_those_that_lost_most_first() {
    let world = World::new().await;
    for n in 0..13i64 {
        world.report(0, &format!("I {n}&ü"), &[], &report(n / 3, 0, &[])).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world.delivery(TimeRange::default(), 5, after).await;
        assert_eq!(page.totals.installs, 13, "totals are of all pages");
        seen.extend(
            page.installs
                .iter()
                .map(|install| (-install.lost, install.install_id.clone())),
        );
        // As a client would pass it on.
        after = page
            .next_cursor
            .map(|cursor| InstallCursor::parse(&cursor.to_string()).unwrap());
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 13);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}

#[tokio::test]
async fn the_newest_twenty_ranges_are_listed_and_the_others_counted() {
    let world = World::new().await;
    let odd: Vec<i64> = (0..30).map(|n| 2 * n + 1).collect();
    world.report(0, "i", &odd, &report(59, 0, &[])).await;
    let answer = world.all().await;
    let missing = install(&answer, "i")["missing"].as_array().unwrap();
    assert_eq!(
        (missing.len(), &missing[0], &missing[19]),
        (20, &json!({"from": 20, "to": 20}), &json!({"from": 58, "to": 58}))
    );
    assert_eq!(install(&answer, "i")["missing_rest"], 9);
}

/// A write key is public: whatever is claimed with it, an answer comes.
#[tokio::test]
async fn absurd_claims_cannot_break_the_answer() {
    const MOST: i64 = (1 << 53) - 1;
    let world = World::new().await;
    let reasons: Vec<_> = (0..64).map(|n| format!("r{n}")).collect();
    let dropped: Vec<_> = reasons.iter().map(|reason| (reason.as_str(), MOST)).collect();
    world
        .report(0, "less than nothing", &[i64::MAX, 0, 1], &report(0, MOST, &dropped))
        .await;
    let insert = "INSERT INTO installs SELECT $1, 'i' || n, $2, 0, now(), now(), '{}' FROM generate_series(1, 1100) n";
    let claims = sqlx::query(insert).bind(world.project).bind(MOST);
    claims.execute(world.store.pool()).await.unwrap();
    let answer = world.all().await;
    assert_eq!(answer["totals"]["captured"], i64::MAX);
    let nothing = world
        .delivery(TimeRange::default(), 1, Some(InstallCursor::parse("0:a").unwrap()))
        .await;
    assert_eq!((nothing.installs[0].lost, nothing.installs[0].stored), (0, 3));
}

/// Retention takes whole weeks of rows away.
#[tokio::test]
async fn what_retention_takes_away_is_not_lost() {
    let world = World::new().await;
    world.report(0, "i", &[1, 2, 3], &report(3, 0, &[])).await;
    sqlx::raw_sql("TRUNCATE events")
        .execute(world.store.pool())
        .await
        .unwrap();
    let answer = world.all().await;
    assert_eq!(
        (&answer["totals"]["stored"], &answer["totals"]["lost"]),
        (&json!(3), &json!(0))
    );
}

#[tokio::test]
async fn what_is_lost_of_each_release_is_told_of_the_installs_that_were_heard_of_lately() {
    let world = World::new().await;
    let of = |release: &str, captured, queued| InstallReport {
        release: Some(release.to_owned()),
        ..report(captured, queued, &[("too_large", 1)])
    };
    world.report(0, "long ago", &[1], &of("1.0", 9, 0)).await;
    world.report(60_000, "a", &[1, 2], &of("2.0", 9, 2)).await;
    world.report(60_000, "b", &[1, 2], &of("2.0", 3, 0)).await;
    world.report(60_000, "c", &[1], &of("2.1", 7, 0)).await;
    let losses = loss(&world.store, world.project, at(60_000)).await.unwrap();
    let loss = |release: &str, captured, lost| Loss {
        release: Some(release.to_owned()),
        captured,
        lost,
    };
    assert_eq!(losses, [loss("2.1", 7, 5), loss("2.0", 12, 4)]);
}

#[tokio::test]
async fn nothing_of_another_project_is_counted() {
    let ours = World::new().await;
    let theirs = World::beside(ours.store.clone()).await;
    ours.report(0, "i", &[1], &report(4, 0, &[])).await;
    theirs
        .report(0, "i", &[2, 3], &report(9, 0, &[("their_reason", 1)]))
        .await;
    theirs.report(0, "theirs", &[1], &report(9, 0, &[])).await;
    let answer = ours.all().await;
    assert_eq!(
        (
            &answer["totals"]["captured"],
            &answer["totals"]["stored"],
            &answer["totals"]["dropped"]
        ),
        (&json!(4), &json!(1), &json!({}))
    );
    assert_eq!(install(&answer, "i")["missing"], json!([{"from": 2, "to": 4}]));
    assert!(!answer.to_string().contains("their"), "{answer}");
}

#[tokio::test]
async fn a_project_without_installs_has_zeros() {
    let answer = World::new().await.all().await;
    assert_eq!(
        answer,
        json!({"totals": {"installs": 0, "captured": 0, "stored": 0, "queued": 0, "dropped": {}, "lost": 0, "loss_rate": 0.0},
               "by_release": [], "by_release_rest": 0, "by_sdk": [], "by_sdk_rest": 0, "installs": [], "next_cursor": null})
    );
}

/// A million rows of 20,000 installs, of which every hundredth lost an event: run with `--ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn what_an_answer_costs() {
    let world = World::new().await;
    let fill = "
        INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, seq, id,
                            install_id, session_id, properties, context)
        SELECT $1, n % 40, n % 20000, now(), now(), now(), 1 + n / 20000,
               (lpad(to_hex(1795176000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
               '0193a5c1-7d2e-7b6a-9f10-' || lpad((n % 20000)::text, 12, '0'), '0193a5c1-7d2e-7b6a-9f10-3b1f0a2c4d5e',
               jsonb_build_object('path', repeat('x', 150), 'n', n), '{\"app\": {\"version\": \"1.2.3\"}, \"locale\": \"de-DE\"}'
        FROM generate_series(0, 999999) n";
    let installs = "
        INSERT INTO installs (project_id, install_id, captured, queued, dropped, sdk, release, first_seen_at, last_seen_at)
        SELECT $1, '0193a5c1-7d2e-7b6a-9f10-' || lpad(n::text, 12, '0'), 51 + (n % 100 / 99), 0, '{\"too_large\": 1}',
               'trailmark-rust/0.1.0', '1.' || n % 5, now(), now()
        FROM generate_series(0, 19999) n";
    let counted = "INSERT INTO installs_stored SELECT $1, install_id, count(*) FROM events GROUP BY install_id";
    world.store.make_weeks_ahead(at(0)).await.unwrap();
    for sql in [fill, installs, counted] {
        sqlx::query(sql)
            .bind(world.project)
            .execute(world.store.pool())
            .await
            .unwrap();
    }
    sqlx::raw_sql("VACUUM ANALYZE events, installs, installs_stored")
        .execute(world.store.pool())
        .await
        .unwrap();
    for (what, limit) in [("page of 100", 100), ("page of 1", 1), ("page of 1000", 1_000)] {
        let started = std::time::Instant::now();
        let answer = world.delivery(TimeRange::default(), limit, None).await;
        println!("{what:14} {:4} ms", started.elapsed().as_millis());
        assert_eq!((answer.totals.lost, answer.totals.stored), (200, 1_000_000));
    }
    let never = TimeRange {
        from: Some(at(i64::from(u32::MAX) * 1_000)),
        to: None,
    };
    let started = std::time::Instant::now();
    world.delivery(never, 100, None).await;
    println!("{:14} {:4} ms", "no install", started.elapsed().as_millis());
    sqlx::raw_sql("UPDATE installs SET captured = 51")
        .execute(world.store.pool())
        .await
        .unwrap();
    let started = std::time::Instant::now();
    world.delivery(TimeRange::default(), 100, None).await;
    println!("{:14} {:4} ms", "nothing lost", started.elapsed().as_millis());
    let started = std::time::Instant::now();
    let losses = loss(&world.store, world.project, at(0)).await.unwrap();
    println!("{:14} {:4} ms", "loss", started.elapsed().as_millis());
    assert_eq!(losses.len(), 5);
}

/// What a simulated device does with each of its events.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Stored,
    Dropped,
    Queued,
    Lost,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_law_holds_for_any_fates_of_any_events(
        fates in prop::collection::vec(prop::sample::select(vec![Fate::Stored, Fate::Stored, Fate::Dropped, Fate::Queued, Fate::Lost]), 1..40),
    ) {
        static WORLD: std::sync::LazyLock<(tokio::runtime::Runtime, World)> = std::sync::LazyLock::new(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let world = runtime.block_on(World::new());
            (runtime, world)
        });
        let (runtime, world) = &*WORLD;
        let seqs = |fate: Fate| -> Vec<i64> {
            (1i64..).zip(&fates).filter(|(_, was)| **was == fate).map(|(seq, _)| seq).collect()
        };
        let count = |fate| i64::try_from(seqs(fate).len()).unwrap();
        let id = Uuid::now_v7().to_string();
        let said = report(fates.len() as i64, count(Fate::Queued), &[("too_large", count(Fate::Dropped))]);
        // Each run is a project of its own, so that ids never meet.
        let answer = runtime.block_on(async {
            let world = World::beside(world.store.clone()).await;
            world.report(0, &id, &seqs(Fate::Stored), &said).await;
            world.delivery(TimeRange::default(), 10, None).await
        });
        let told = &answer.installs[0];
        prop_assert_eq!(told.lost, count(Fate::Lost));
        prop_assert_eq!(told.captured, told.stored + told.queued + told.lost + told.dropped.values().sum::<i64>());
        prop_assert_eq!(&told.dropped, &answer.totals.dropped);
        if told.lost > 0 && told.missing_rest == 0 {
            let missing: Vec<i64> = told.missing.iter().flat_map(|gap| gap.from..=gap.to).collect();
            let expected: Vec<i64> = (1i64..).zip(&fates).filter(|(_, was)| **was != Fate::Stored).map(|(seq, _)| seq).collect();
            prop_assert_eq!(missing, expected);
        }
    }
}
