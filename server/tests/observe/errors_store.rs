//! Errors become issues in Postgres: exact counts whatever comes late, twice at once, or of somebody who is erased.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use trailmark_server::observe::errors::State;
use trailmark_server::observe::errors::batch::{ISSUES_MAX, OTHER, SAMPLES};
use trailmark_server::observe::errors::settle::forget;
use trailmark_server::observe::errors::spike::quarter_of;
use trailmark_server::store::Store;

use crate::errors_traces;
use crate::errors_world::{DAY, Error, HOUR, MINUTE, World, at, error};

#[tokio::test]
async fn errors_are_added_up_in_their_issues() {
    let world = World::new().await;
    let first: Vec<Error> = (0..12)
        .map(|n| error(n * MINUTE, ["ann", "bob"][n as usize % 2], "A").release(["1.0", "1.1"][n as usize / 6]))
        .collect();
    world.meet(&first).await;
    world
        .meet(&[
            error(20 * MINUTE, "cid", "A").level("fatal").release("1.1"),
            error(21 * MINUTE, "ann", "B").level("warning"),
        ])
        .await;
    let issues = world.issues().await;
    assert_eq!(
        issues
            .iter()
            .map(|issue| (issue.number, issue.kind.as_str()))
            .collect::<Vec<_>>(),
        [(1, "A"), (2, "B")]
    );
    let a = &issues[0];
    assert_eq!(
        (a.events, a.people, a.level.as_str(), a.handled, a.state.as_str()),
        (13, 3, "fatal", true, "new")
    );
    assert_eq!((a.first_seen.0, a.last_seen.0), (at(0), at(20 * MINUTE)));
    assert_eq!(
        (a.first_release.as_deref(), a.last_release.as_deref()),
        (Some("1.0"), Some("1.1"))
    );
    assert_eq!(
        (a.title.as_str(), a.culprit.as_str()),
        ("no card 0", "Cart.pay (package:shop/cart.dart)")
    );
    let [quarters, days] = world
        .store
        .issue_course(world.project, 1, [at(-DAY), at(-DAY)])
        .await
        .unwrap();
    assert_eq!(quarters.iter().map(|count| count.events).collect::<Vec<_>>(), [12, 1]);
    assert_eq!(days.iter().map(|count| count.events).collect::<Vec<_>>(), [13]);
    let releases = world.store.issue_releases(world.project, 1).await.unwrap();
    let releases: Vec<_> = releases
        .iter()
        .map(|release| (release.release.as_str(), release.events))
        .collect();
    assert_eq!(releases, [("1.1", 7), ("1.0", 6)]);
    let samples = world.store.issue_samples(world.project, 1).await.unwrap();
    assert_eq!(samples.len(), SAMPLES + 1, "the newest and the first");
    assert_eq!(
        (samples[0].timestamp.0, samples[SAMPLES].timestamp.0),
        (at(20 * MINUTE), at(0))
    );
    assert_eq!(samples[0].anonymous_id.as_deref(), Some("cid"));
    let together = "SELECT sum(events)::bigint FROM issue_quarters WHERE issue = 0";
    assert_eq!(
        world.number(together).await,
        13,
        "warnings are not among all errors together"
    );
}

#[tokio::test]
async fn a_thousand_traces_become_the_issues_that_were_written_by_hand() {
    let world = World::new().await;
    let traces = errors_traces::all();
    let errors: Vec<Error> = traces
        .iter()
        .enumerate()
        .map(|(n, trace)| Error {
            properties: trace.properties.clone(),
            ..error(n as i64, "ann", "")
        })
        .collect();
    for chunk in errors.chunks(400) {
        world.meet(chunk).await;
    }
    let mut expected = BTreeMap::<&str, i64>::new();
    for trace in &traces {
        *expected.entry(&trace.group).or_default() += 1;
    }
    let mut expected: Vec<i64> = expected.into_values().collect();
    let mut found: Vec<i64> = world.issues().await.iter().map(|issue| issue.events).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_fold_at_once_wait_for_each_other_and_lose_nothing() {
    let world = World::new().await;
    let kinds = ["A", "B", "C", "D", "E"];
    let errors: Vec<Error> = (0..600)
        .map(|n| error(n, &format!("p{}", n % 50), kinds[n as usize % 5]))
        .collect();
    let mut events = world.stored(&errors).await;
    let folding = (0..6).map(|server| {
        let store = Store::connect(world.store.pool().connect_options().as_ref().clone(), 2);
        let world = World { store, ..world.clone() };
        let mut own: Vec<_> = events.split_off(events.len() - 100);
        if server % 2 == 0 {
            own.reverse();
        }
        tokio::spawn(async move {
            for chunk in own.chunks(7) {
                world.fold(chunk).await;
            }
        })
    });
    for task in folding.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let issues = world.issues().await;
    assert_eq!(issues.len(), 5);
    assert!(
        issues.iter().all(|issue| (issue.events, issue.people) == (120, 10)),
        "{issues:?}"
    );
    assert_eq!(
        world
            .number("SELECT sum(events)::bigint FROM issue_quarters WHERE issue <> 0")
            .await,
        600
    );
    assert_eq!(world.number("SELECT last::bigint FROM issue_numbers").await, 5);
}

#[tokio::test]
async fn a_late_event_counts_where_it_happened_and_makes_nothing_regressed() {
    let world = World::new().await;
    let late = world.stored(&[error(-3 * HOUR, "ann", "A").release("0.9")]).await;
    let old = world.stored(&[error(-40 * DAY, "ann", "A").release("0.1")]).await;
    world.meet(&[error(0, "bob", "A")]).await;
    let how = (at(HOUR), "ann@example.com", None);
    assert!(
        world
            .store
            .change_issue(world.project, 1, State::Resolved, how)
            .await
            .unwrap()
    );
    world.fold(&late).await;
    let issue = world.only().await;
    assert_eq!(
        (issue.state.as_str(), issue.first_seen.0, issue.first_release.as_deref()),
        ("resolved", at(-3 * HOUR), Some("0.9"))
    );
    let [quarters, _] = world
        .store
        .issue_course(world.project, 1, [at(-DAY), at(-DAY)])
        .await
        .unwrap();
    assert_eq!(
        quarters.iter().map(|count| count.at.0).collect::<Vec<_>>(),
        [at(-3 * HOUR), at(0)]
    );
    let mut old = old;
    old[0].received_at = trailmark_server::store::PgTime(at(0));
    world.fold(&old).await;
    assert_eq!(
        (
            world.only().await.events,
            world
                .number("SELECT count(*) FROM issue_quarters WHERE issue = 1")
                .await
        ),
        (3, 2)
    );
}

#[tokio::test]
async fn a_resolved_issue_that_happens_again_is_regressed_and_an_ignored_one_stays_so() {
    let world = World::new().await;
    world.meet(&[error(0, "ann", "A"), error(0, "ann", "B")]).await;
    let resolve = async |number, state, seconds, release| {
        let how = (at(seconds), "key 7", release);
        assert!(
            world
                .store
                .change_issue(world.project, number, state, how)
                .await
                .unwrap()
        );
    };
    resolve(1, State::Resolved, HOUR, None).await;
    resolve(2, State::Ignored, HOUR, None).await;
    world
        .meet(&[error(HOUR, "ann", "A"), error(2 * HOUR, "ann", "B")])
        .await;
    let states = async || {
        world
            .issues()
            .await
            .iter()
            .map(|issue| issue.state.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        states().await,
        ["resolved", "ignored"],
        "at the very moment it was known"
    );
    world
        .meet(&[error(3 * HOUR, "ann", "A"), error(2 * HOUR, "ann", "A")])
        .await;
    let issue = world.issues().await.remove(0);
    assert_eq!((issue.state.as_str(), issue.state_at.0), ("regressed", at(2 * HOUR)));
    assert_eq!(
        (issue.resolved_by.as_deref(), issue.resolved_at.map(|at| at.0)),
        (Some("key 7"), Some(at(HOUR)))
    );

    resolve(1, State::Resolved, 4 * HOUR, Some("1.2")).await;
    world.meet(&[error(5 * HOUR, "ann", "A").release("1.0")]).await;
    assert_eq!(
        states().await,
        ["resolved", "ignored"],
        "an older release goes on failing"
    );
    world.meet(&[error(6 * HOUR, "ann", "A").release("1.3")]).await;
    assert_eq!(states().await, ["regressed", "ignored"]);
    assert!(
        !world
            .store
            .change_issue(world.project, 99, State::Resolved, (at(0), "", None))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn who_is_erased_is_nobody_whom_an_issue_met_and_its_events_are_no_samples() {
    let world = World::new().await;
    let events = world
        .stored(&[error(0, "ann", "A"), error(1, "bob", "A"), error(2, "ann", "A")])
        .await;
    world.fold(&events[..2]).await;
    assert_eq!(world.only().await.people, 2);
    let erasure = world
        .store
        .begin_erasure(world.project, "ann", at(HOUR))
        .await
        .unwrap()
        .unwrap();
    world.store.finish_erasure(world.project, erasure).await.unwrap();
    assert_eq!(
        (
            world.only().await.people,
            world.number("SELECT count(*) FROM issue_people").await
        ),
        (1, 1)
    );
    let samples = world.store.issue_samples(world.project, 1).await.unwrap();
    assert_eq!(
        samples
            .iter()
            .map(|sample| sample.anonymous_id.as_deref())
            .collect::<Vec<_>>(),
        [Some("bob")]
    );
    world.fold(&events[2..]).await;
    assert_eq!(
        world.number("SELECT count(*) FROM issue_people").await,
        1,
        "what was read before comes back as nobody"
    );
    assert_eq!(world.only().await.events, 3);
}

#[tokio::test]
async fn people_are_persons_also_when_they_become_one_later() {
    let world = World::new().await;
    world
        .meet(&[error(0, "phone", "A"), error(1, "laptop", "A"), error(2, "other", "A")])
        .await;
    assert_eq!(world.only().await.people, 3);
    let merged = "UPDATE identities SET person_id = (SELECT id FROM identities WHERE external_id = 'phone') WHERE external_id = 'laptop'";
    sqlx::query(merged).execute(world.store.pool()).await.unwrap();
    assert_eq!(world.only().await.people, 2);
}

#[tokio::test]
async fn a_project_has_so_many_issues_and_what_is_too_much_is_other() {
    let world = World::new().await;
    world.meet(&[error(0, "ann", "A")]).await;
    sqlx::query(
        "INSERT INTO issues (project_id, number, algorithm, handled, events, first_seen, last_seen, state_at, first_event, key,
                             state, level, kind, title, culprit, newest_events)
         SELECT project_id, n, algorithm, handled, events, first_seen, last_seen, state_at, first_event, sha256(n::text::bytea),
                state, level, kind, title, culprit, newest_events
         FROM issues, generate_series(2, $1) AS n",
    )
    .bind(i32::try_from(ISSUES_MAX).unwrap() - 1)
    .execute(world.store.pool())
    .await
    .unwrap();
    sqlx::query("UPDATE issue_numbers SET last = 9999")
        .execute(world.store.pool())
        .await
        .unwrap();
    for round in 1..3 {
        world
            .meet(&[
                error(1, "ann", "A"),
                error(2, "ann", "B"),
                error(3, "ann", "C"),
                error(4, "bob", "D"),
            ])
            .await;
        let issues = world.issues().await;
        let other: Vec<_> = issues.iter().filter(|issue| issue.kind == OTHER).collect();
        assert_eq!((issues.len() as i64, other.len()), (ISSUES_MAX + 1, 1));
        assert_eq!(other[0].events, 2 * round, "one found room, the others did not");
        assert_eq!(issues[0].events, 1 + round);
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_a_number_is_never_given_again() {
    let world = World::new().await;
    world
        .meet(&[error(0, "ann", "A"), error(1, "ann", "B"), error(100 * DAY, "bob", "B")])
        .await;
    forget(&world.store, at(101 * DAY)).await.unwrap();
    let rows = async |sql| world.number(sql).await;
    assert_eq!(
        rows("SELECT count(*) FROM issue_people").await,
        1,
        "ann was met more than 90 days ago"
    );
    assert_eq!(rows("SELECT count(*) FROM issue_quarters WHERE issue <> 0").await, 1);
    forget(&world.store, at(181 * DAY)).await.unwrap();
    assert_eq!(world.only().await.kind, "B");
    forget(&world.store, at(300 * DAY)).await.unwrap();
    assert_eq!(rows("SELECT count(*) FROM issue_releases").await, 0);
    world.meet(&[error(301 * DAY, "ann", "B")]).await;
    assert_eq!(world.only().await.number, 3);
}

/// What is expected of one issue.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    events: i64,
    quarters: BTreeMap<i64, i64>,
    people: BTreeSet<String>,
    span: Option<(i64, i64)>,
}

async fn found(world: &World) -> BTreeMap<String, Expected> {
    let mut found = BTreeMap::new();
    for issue in world.issues().await {
        let [quarters, _] = world
            .store
            .issue_course(world.project, issue.number, [at(-30 * DAY); 2])
            .await
            .unwrap();
        let people: Vec<String> = sqlx::query_scalar(
            "SELECT i.external_id FROM issue_people p JOIN identities i ON i.project_id = p.project_id AND i.id = p.identity_id
             WHERE p.project_id = $1 AND p.issue = $2",
        )
        .bind(world.project)
        .bind(issue.number)
        .fetch_all(world.store.pool())
        .await
        .unwrap();
        assert_eq!(issue.people, people.len() as i64);
        let expected = Expected {
            events: issue.events,
            quarters: quarters
                .iter()
                .map(|count| (count.at.0.micros(), count.events))
                .collect(),
            people: people.into_iter().collect(),
            span: Some((issue.first_seen.0.micros(), issue.last_seen.0.micros())),
        };
        found.insert(issue.kind, expected);
    }
    found
}

/// Any errors, in any order, cut into any batches, are what a few lines of addition make of them.
#[test]
fn folding_is_adding_up_whatever_the_order_and_the_batches() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let shared = runtime.block_on(World::new());
    let kinds = ["A", "B", "C"];
    let one = (0..3_usize, 0..5_u8, -2 * DAY..0)
        .prop_map(move |(kind, who, seconds)| (kinds[kind], format!("p{who}"), seconds));
    let cases = prop::collection::vec(prop::collection::vec(one, 1..12), 1..5);
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let tried = runner.run(&cases, |batches| {
        runtime.block_on(async {
            let project = shared.store.create_project("p").await.unwrap().id;
            let world = World {
                project,
                ..shared.clone()
            };
            let mut expected = BTreeMap::<String, Expected>::new();
            for batch in &batches {
                let errors: Vec<Error> = batch
                    .iter()
                    .map(|(kind, who, seconds)| error(*seconds, who, kind))
                    .collect();
                world.meet(&errors).await;
                for (kind, who, seconds) in batch {
                    let one = expected.entry((*kind).to_owned()).or_default();
                    one.events += 1;
                    *one.quarters.entry(quarter_of(at(*seconds)).micros()).or_default() += 1;
                    one.people.insert(who.clone());
                    let micros = at(*seconds).micros();
                    let span = one.span.get_or_insert((micros, micros));
                    *span = (span.0.min(micros), span.1.max(micros));
                }
            }
            prop_assert_eq!(found(&world).await, expected);
            Ok(())
        })
    });
    tried.unwrap();
}
