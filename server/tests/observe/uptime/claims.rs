//! Who checks what: each monitor once, by one server, whatever is killed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use trailmark_server::clock::Clock;
use trailmark_server::observe::uptime::Runner;
use trailmark_server::observe::uptime::runner::CheckedNow;
use trailmark_server::observe::uptime::state::State;
use trailmark_server::store::CheckResult;

use super::site::{Does, Site};
use super::watch::{SECOND, Watch, outbound};

/// A failed check as somebody writes it down.
fn failed(watch: &Watch, monitor: &trailmark_server::store::ClaimedMonitor) -> CheckResult<'static> {
    let began = watch.clock.now();
    let (standing, step) = monitor.standing.checked(true, began);
    CheckResult {
        began,
        took: Duration::from_millis(5),
        failure: Some(("timeout", "no answer in time")),
        certificate_not_after: None,
        standing,
        step,
        due_at: began.plus_micros(60 * SECOND),
    }
}

async fn checks(watch: &Watch) -> i64 {
    let sum = sqlx::query_scalar("SELECT COALESCE(sum(checks), 0) FROM monitor_checks");
    sum.fetch_one(watch.store.pool()).await.unwrap()
}

#[tokio::test]
async fn two_servers_at_once_check_each_monitor_once() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    for page in 0..150 {
        watch.page(&site.url(&format!("/{page}"))).await;
    }
    let other = Runner::new(watch.store.clone(), outbound(), watch.clock.clone());
    let mut started = 0;
    while started < 150 {
        let (here, there) = tokio::join!(watch.runner.run_due(), other.run_due());
        started += here.unwrap() + there.unwrap();
        tokio::join!(watch.runner.settled(), other.settled());
    }
    let asked = site.requests();
    let pages: BTreeSet<_> = asked.iter().map(|request| request.split(' ').nth(1).unwrap()).collect();
    assert_eq!((asked.len(), pages.len(), started), (150, 150, 150));
    assert_eq!(checks(&watch).await, 150);
    assert_eq!(watch.run().await, 0, "nothing is due any more");
}

#[tokio::test]
async fn a_server_that_is_killed_loses_one_check_and_another_makes_up_for_it() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    let claimed = watch
        .store
        .claim_due_monitors(watch.clock.now(), &[], 10)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1, "and then it is killed");
    watch.clock.advance_micros(15 * SECOND);
    assert_eq!(watch.run().await, 0, "its second and the margin are not over");
    watch.clock.advance_micros(SECOND);
    assert_eq!(watch.run().await, 1);
    assert_eq!(watch.monitor(id).await.state, State::Up);
    let late = failed(&watch, &claimed[0]);
    let late = watch.store.write_check(&claimed[0], &late, watch.clock.now());
    assert!(
        !late.await.unwrap(),
        "it was not dead, but slow: what it says now counts no more"
    );
    assert_eq!((watch.monitor(id).await.state, checks(&watch).await), (State::Up, 1));
}

#[tokio::test]
async fn who_comes_back_after_its_time_writes_nothing_even_if_nobody_else_came() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    let claimed = watch
        .store
        .claim_due_monitors(watch.clock.now(), &[], 10)
        .await
        .unwrap()
        .remove(0);
    let result = failed(&watch, &claimed);
    watch.clock.advance_micros(16 * SECOND);
    assert!(
        !watch
            .store
            .write_check(&claimed, &result, watch.clock.now())
            .await
            .unwrap()
    );
    assert_eq!(
        (watch.monitor(id).await.state, checks(&watch).await),
        (State::Unknown, 0)
    );
}

#[tokio::test]
async fn a_result_is_written_once_and_not_for_what_was_changed_or_removed_meanwhile() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    let claim = async || {
        watch
            .store
            .claim_monitor(1, id, watch.clock.now())
            .await
            .unwrap()
            .unwrap()
    };
    let write = async |claimed: &trailmark_server::store::ClaimedMonitor| {
        let result = failed(&watch, claimed);
        watch
            .store
            .write_check(claimed, &result, watch.clock.now())
            .await
            .unwrap()
    };
    let first = claim().await;
    assert!(write(&first).await);
    assert!(!write(&first).await, "twice");
    let before = claim().await;
    let held = watch.store.hold_monitor(1, id).await.unwrap().unwrap();
    let stands = held.row.standing().paused(watch.clock.now());
    let row = held.row.clone();
    let settings = trailmark_server::store::MonitorSettings {
        name: row.name,
        target: row.target.0,
        interval_s: row.interval_s,
        timeout_ms: row.timeout_ms,
    };
    held.change(settings, stands, watch.clock.now()).await.unwrap();
    assert!(!write(&before).await, "paused meanwhile");
    assert_eq!(watch.monitor(id).await.state, State::Paused);
    assert_eq!(watch.runner.check_now(1, id).await.unwrap(), CheckedNow::NotDue);
    assert!(watch.store.remove_monitor(1, id).await.unwrap());
    assert!(!write(&before).await, "removed meanwhile");
    assert_eq!(
        (checks(&watch).await, watch.incidents().await),
        (0, vec![]),
        "nothing is left of it"
    );
}

#[tokio::test]
async fn a_project_whose_monitors_all_hang_leaves_places_to_others() {
    let (watch, ill, well) = (Watch::new().await, Site::new().await, Site::new().await);
    ill.does(|_| Does::Hangs(String::new()));
    for _ in 0..100 {
        watch.page(&ill.url("/")).await;
    }
    watch.clock.advance_micros(SECOND);
    let other = watch.add(2, json!({"http": {"url": well.url("/")}})).await;
    let started = watch.runner.run_due().await.unwrap();
    assert!((17..=32).contains(&started), "{started}");
    watch.runner.settled().await;
    let other = watch.store.monitor(2, other).await.unwrap().unwrap();
    assert_eq!(
        other.state,
        State::Up,
        "it was checked in the first round, behind a hundred that waited longer"
    );
    assert_eq!(well.requests().len(), 1);
}

#[tokio::test]
async fn a_check_now_is_done_whenever_the_monitor_is_due() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    watch.run().await;
    site.says(500);
    assert_eq!(watch.runner.check_now(1, id).await.unwrap(), CheckedNow::Done);
    assert_eq!(watch.monitor(id).await.state, State::Failing);
    assert_eq!(
        watch.runner.check_now(2, id).await.unwrap(),
        CheckedNow::NotDue,
        "of another project"
    );
    assert_eq!(site.requests().len(), 2);
}
