//! Planted incidents are found, and calm is told as calm.

use std::time::Instant;

use trailmark_server::observe::errors::State;
use trailmark_server::observe::errors::detect::found;
use trailmark_server::observe::errors::settle::settle;
use trailmark_server::observe::{Found, Kind};

use crate::errors_world::{DAY, Error, HOUR, MINUTE, World, at, error};

impl World {
    async fn found(&self, seconds: i64) -> Vec<Found> {
        found(&self.store, self.project, at(seconds)).await.unwrap()
    }

    async fn kinds(&self, seconds: i64) -> Vec<(Kind, String)> {
        self.found(seconds)
            .await
            .into_iter()
            .map(|found| (found.kind, found.subject))
            .collect()
    }

    async fn settled(&self, seconds: i64) -> Vec<String> {
        settle(&self.store, at(seconds)).await.unwrap();
        self.issues().await.into_iter().map(|issue| issue.state).collect()
    }
}

#[tokio::test]
async fn a_new_issue_is_a_problem_for_a_day_unless_it_is_a_warning_or_nobody_wants_to_hear_of_it() {
    let world = World::new().await;
    world
        .meet(&[
            error(0, "ann", "A"),
            error(5, "bob", "A"),
            error(1, "ann", "W").level("warning"),
            error(2, "ann", "I"),
        ])
        .await;
    let ignored = world
        .issues()
        .await
        .iter()
        .find(|issue| issue.kind == "I")
        .unwrap()
        .number;
    let how = (at(9), "ann", None);
    world
        .store
        .change_issue(world.project, ignored, State::Ignored, how)
        .await
        .unwrap();
    let found = world.found(HOUR).await;
    let told: Vec<_> = found
        .iter()
        .map(|found| (found.kind, found.people, found.since))
        .collect();
    assert_eq!(told, [(Kind::NewIssue, Some(2), at(0))]);
    assert_eq!(
        found[0].what,
        "New error: A: no card 0 in Cart.pay (package:shop/cart.dart)"
    );
    assert_eq!(world.found(DAY + MINUTE).await, []);
}

#[tokio::test]
async fn an_issue_that_is_back_is_a_problem_until_it_is_resolved_again() {
    let world = World::new().await;
    world.meet(&[error(0, "ann", "A")]).await;
    world
        .store
        .change_issue(world.project, 1, State::Resolved, (at(HOUR), "ann", None))
        .await
        .unwrap();
    assert_eq!(world.found(HOUR).await, []);
    world.meet(&[error(3 * DAY, "bob", "A")]).await;
    let found = world.found(3 * DAY + MINUTE).await;
    assert_eq!(
        (found.len(), found[0].kind, found[0].since, found[0].people),
        (1, Kind::RegressedIssue, at(3 * DAY), Some(2))
    );
    assert_eq!(
        found[0].what,
        "Resolved error is back: A: no card 0 in Cart.pay (package:shop/cart.dart)"
    );
    world
        .store
        .change_issue(world.project, 1, State::Resolved, (at(4 * DAY), "ann", None))
        .await
        .unwrap();
    assert_eq!(world.found(3 * DAY + HOUR).await, []);
}

/// Two errors each quarter-hour, for so many days before the beginning.
fn calm(days: i64, kind: &str) -> Vec<Error> {
    (-days * 96..0)
        .flat_map(|quarter| [1, 2].map(|n| error(quarter * 15 * MINUTE + n, "cid", kind)))
        .collect()
}

#[tokio::test]
async fn a_spike_is_found_escalates_its_issue_and_both_end() {
    let world = World::new().await;
    let mut before = calm(8, "A");
    before.retain(|error| (error.seconds.rem_euclid(DAY)) < 2 * HOUR || error.seconds.rem_euclid(DAY) > 22 * HOUR);
    world.meet(&before).await;
    assert_eq!(world.settled(0).await, ["ongoing"], "it was new eight days ago");
    assert_eq!(world.found(MINUTE).await, []);
    let outage: Vec<Error> = (0..30).map(|n| error(n * 20, &format!("p{}", n % 6), "A")).collect();
    world.meet(&outage).await;
    let found = world.found(12 * MINUTE).await;
    assert_eq!(
        (found.len(), found[0].kind, found[0].since, found[0].people),
        (1, Kind::ErrorSpike, at(0), Some(6)),
        "{found:?}"
    );
    assert_eq!(
        found[0].compared_with.as_deref(),
        Some("usually 2 at this time of the day")
    );
    assert_eq!(world.settled(12 * MINUTE).await, ["escalating"]);
    assert_eq!(
        world.settled(12 * MINUTE).await,
        ["escalating"],
        "again, as a second server would"
    );
    assert_eq!(
        world.kinds(29 * MINUTE).await,
        [(Kind::ErrorSpike, "1".to_owned())],
        "for 15 minutes"
    );
    assert_eq!(world.found(31 * MINUTE).await, []);
    assert_eq!(world.settled(31 * MINUTE).await, ["ongoing"]);
}

#[tokio::test]
async fn one_person_who_reloads_is_no_spike() {
    let world = World::new().await;
    world.meet(&calm(8, "A")).await;
    let reloading: Vec<Error> = (0..90)
        .map(|n| error(n * 5, ["dan", "eve"][n as usize % 2], "A"))
        .collect();
    world.meet(&reloading).await;
    assert_eq!(world.found(12 * MINUTE).await, []);
}

#[tokio::test]
async fn many_small_issues_that_spike_together_are_one_problem() {
    let world = World::new().await;
    world
        .meet(
            &calm(4, "A")
                .into_iter()
                .map(|error| Error {
                    seconds: error.seconds - DAY,
                    ..error
                })
                .collect::<Vec<_>>(),
        )
        .await;
    let kinds: Vec<String> = (0..20).map(|n| format!("K{}", char::from(b'a' + n))).collect();
    let known: Vec<Error> = kinds.iter().map(|kind| error(-2 * DAY, "ann", kind)).collect();
    world.meet(&known).await;
    let many: Vec<Error> = kinds
        .iter()
        .enumerate()
        .flat_map(|(n, kind)| (0..4).map(move |m| error(m * 60 + n as i64, &format!("p{m}"), kind)))
        .collect();
    world.meet(&many).await;
    let found = world.found(12 * MINUTE).await;
    assert_eq!(
        found
            .iter()
            .map(|found| (found.kind, found.subject.as_str()))
            .collect::<Vec<_>>(),
        [(Kind::ErrorSpike, "all")],
        "{found:?}"
    );
    assert_eq!(found[0].people, Some(4));
}

#[tokio::test]
async fn looking_is_quick_among_thousands_of_issues() {
    let world = World::new().await;
    world.meet(&[error(0, "ann", "A")]).await;
    for sql in [
        "INSERT INTO issues (project_id, number, algorithm, handled, events, first_seen, last_seen, state_at, first_event, key,
                             state, level, kind, title, culprit, newest_events)
         SELECT project_id, n, algorithm, handled, events, first_seen, last_seen, state_at, first_event, sha256(n::text::bytea),
                CASE n % 5 WHEN 0 THEN 'new' WHEN 1 THEN 'regressed' ELSE 'ongoing' END, level, kind, title, culprit, newest_events
         FROM issues, generate_series(2, 5000) AS n",
        "INSERT INTO identities (project_id, kind, person_id, first_seen_at, external_id)
         SELECT max(project_id), 0, n, max(first_seen_at), 'x' || n FROM identities, generate_series(1, 20000) AS n GROUP BY n",
        "INSERT INTO issue_people SELECT i.project_id, n % 5000 + 1, i.id, i.first_seen_at, i.first_seen_at
         FROM identities i, generate_series(1, 40) AS m, LATERAL (SELECT (i.id * 7 + m * 131)::integer AS n) AS n
         ON CONFLICT DO NOTHING",
        "INSERT INTO issue_quarters SELECT q.project_id, n % 5000 + 1, q.quarter - day * interval '24 hours', 12
         FROM issue_quarters q, generate_series(1, 5000) AS n, generate_series(0, 7) AS day WHERE q.issue = 1
         ON CONFLICT DO NOTHING",
        "ANALYZE",
    ] {
        sqlx::query(sql).execute(world.store.pool()).await.unwrap();
    }
    let mut took = Vec::new();
    for _ in 0..9 {
        let begun = Instant::now();
        assert!(!world.found(MINUTE).await.is_empty());
        took.push(begun.elapsed());
    }
    took.sort();
    println!("{took:?}");
    assert!(
        took[0].as_millis() < 100,
        "{took:?}: it takes 20 ms where nothing else runs"
    );
}
