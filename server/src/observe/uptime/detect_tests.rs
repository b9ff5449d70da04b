use serde_json::json;
use sqlx::types::Json;

use super::*;
use crate::observe::uptime::schedule::next_due;
use crate::observe::uptime::state::Standing;
use crate::store::PgTime;

const HOUR: i64 = 60 * 60 * 1_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::parse("2026-11-01T00:00:00Z").unwrap().plus_micros(micros)
}

fn row(standing: Standing) -> MonitorRow {
    MonitorRow {
        id: 7,
        name: "shop".to_owned(),
        target: Json(json!({"http": {"url": "https://shop.example/health?key=secret"}})),
        interval_s: 60,
        timeout_ms: 10_000,
        created_at: PgTime(at(0)),
        state: standing.state,
        since: PgTime(standing.since),
        failures: standing.failures,
        checked_at: None,
        took_ms: None,
        error_kind: None,
        error: None,
        certificate_not_after: None,
    }
}

fn down(since: i64) -> Standing {
    Standing {
        state: State::Down,
        since: at(since),
        failures: 2,
    }
}

#[test]
fn a_monitor_that_is_down_is_told_with_its_reason_and_without_its_secrets() {
    let monitor = MonitorRow {
        error: Some("503 instead of 200".to_owned()),
        ..row(down(HOUR))
    };
    let found = judge(&monitor, at(2 * HOUR));
    let [problem] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(problem.what, "https://shop.example/health is down: 503 instead of 200");
    assert_eq!((problem.kind, problem.since), (Kind::MonitorDown, at(HOUR)));
    assert_eq!(
        (problem.subject.as_str(), problem.evidence.as_str()),
        ("7", "/api/v1/monitors/7")
    );
    for state in [State::Unknown, State::Up, State::Failing, State::Paused] {
        assert_eq!(judge(&row(Standing { state, ..down(0) }), at(HOUR)), [], "{state:?}");
    }
}

#[test]
fn a_certificate_is_a_problem_in_its_last_fourteen_days() {
    let ending = |left: i64, state| {
        let monitor = MonitorRow {
            certificate_not_after: Some(PgTime(at(left))),
            ..row(Standing {
                state,
                ..Standing::unknown(at(0))
            })
        };
        judge(&monitor, at(0))
            .into_iter()
            .map(|found| found.what)
            .collect::<Vec<_>>()
    };
    let what = |left| format!("The certificate of https://shop.example/health ends {left}");
    assert_eq!(ending(3 * DAY + HOUR, State::Up), [what("in 3 days, on 2026-11-04")]);
    assert_eq!(ending(DAY, State::Up), [what("in a day, on 2026-11-02")]);
    assert_eq!(ending(HOUR, State::Up), [what("in less than a day, on 2026-11-01")]);
    assert_eq!(ending(14 * DAY - 1, State::Up).len(), 1);
    for (left, state) in [
        (14 * DAY, State::Up),
        (0, State::Up),
        (-DAY, State::Up),
        (DAY, State::Paused),
    ] {
        assert_eq!(ending(left, state), [] as [String; 0], "{left} {state:?}");
    }
}

#[test]
fn the_problem_of_a_certificate_is_not_older_than_its_monitor() {
    let mut monitor = row(Standing::unknown(at(0)));
    monitor.certificate_not_after = Some(PgTime(at(20 * DAY)));
    let since = |monitor: &MonitorRow| judge(monitor, at(10 * DAY)).remove(0).since;
    assert_eq!(since(&monitor), at(6 * DAY));
    monitor.created_at = PgTime(at(9 * DAY));
    assert_eq!(since(&monitor), at(9 * DAY));
}

/// A small generator: what is random here must be the same in each run.
fn random(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Thirty days of checks, looked at every 15 minutes; `fails` says whether the check at a time fails.
fn month(mut fails: impl FnMut(Timestamp, &Standing) -> bool) -> Vec<(Timestamp, Found)> {
    let (mut standing, mut due) = (Standing::unknown(at(0)), at(0));
    let mut found = Vec::new();
    for quarter in 1..=30 * 24 * 4 {
        let now = at(quarter * HOUR / 4);
        while due < now {
            standing = standing.checked(fails(due, &standing), due).0;
            due = next_due(7, 60, &standing, due);
        }
        let mut monitor = row(standing);
        monitor.certificate_not_after = Some(PgTime(at(60 * DAY)));
        found.extend(judge(&monitor, now).into_iter().map(|found| (now, found)));
    }
    found
}

#[test]
fn a_quiet_month_raises_nothing() {
    for seed in 1..=5_u64 {
        let mut state = seed;
        // One check of 300 meets a hiccup, at night more; the one after it is well again.
        let found = month(|time, standing| {
            let is_night = time.micros() / HOUR % 24 < 6;
            let one_of = if is_night { 100 } else { 300 };
            standing.state != State::Failing && random(&mut state).is_multiple_of(one_of)
        });
        assert_eq!(found, [], "seed {seed}");
    }
}

#[test]
fn an_outage_in_a_month_is_found_at_once_and_is_over_when_it_is() {
    let outage = at(10 * DAY + 60_000_000)..at(10 * DAY + 2 * HOUR);
    let found = month(|time, _| outage.contains(&time));
    let (first, problem) = found.first().unwrap();
    assert_eq!(*first, at(10 * DAY + HOUR / 4));
    assert!(
        (outage.start..outage.start.plus_micros(60_000_000)).contains(&problem.since),
        "{problem:?}"
    );
    assert!(found.iter().all(|(_, found)| found.since == problem.since));
    assert_eq!(found.last().unwrap().0, at(10 * DAY + 2 * HOUR));
}
